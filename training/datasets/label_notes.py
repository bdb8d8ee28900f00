"""Classes that are hardly meant: written in two ways, mistyped, or meaning that there is none."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations

from models.program.printable import shortened
from training.datasets.labels import alike_key

_DOUBTFUL = frozenset(
    {
        *("unknown", "undefined", "unspecified", "unlabeled", "unlabelled", "missing", "tbd"),
        *("notavailable", "notapplicable", "notknown", "notspecified", "nolabel", "donotknow"),
        *("unsure", "notsure", "unclear", "undetermined", "empty", "blank", "nodata", "novalue"),
        # German, French, Spanish, Portuguese, Italian, Dutch, Swedish, Polish, Turkish
        *("unbekannt", "unklar", "keineangabe", "keine", "leer", "inconnu", "inconnue", "aucun"),
        *("desconocido", "desconocida", "ninguno", "ninguna", "desconhecido", "desconhecida"),
        *("sconosciuto", "sconosciuta", "nessuno", "onbekend", "geen", "ok\u00e4nd", "nieznany"),
        *("nieznana", "nieznane", "brak", "bilinmiyor", "bilinmeyen"),
        # Russian: unknown, no data; Chinese and Japanese: unknown, none; Korean: unknown, none
        *("\u043d\u0435\u0438\u0437\u0432\u0435\u0441\u0442\u043d\u043e",),
        *("\u043d\u0435\u0442\u0434\u0430\u043d\u043d\u044b\u0445",),
        *("\u672a\u77e5", "\u4e0d\u660e", "\u65e0", "\u7121", "\u306a\u3057"),
        *("\uc54c\uc218\uc5c6\uc74c", "\uc5c6\uc74c", "\ubbf8\uc0c1"),
    }
)
"""Names, in small letters without spaces, that may be a class or say that there is none."""

_ONE_MEANING = {"true": "1", "yes": "1", "false": "0", "no": "0"}
"""Words, in small letters, by the number that programs write for them."""

_NUMBER = re.compile(r"[+]?0*(\d+?)(?:[.,]0+)?")
"""A whole number, with and without the decimals that a table adds to it: `1` and `1.0`."""

_NAMED = 5
"""Groups of classes that may be one, at most, that are named for each attribute."""

_LEAST_LETTERS = 4
"""Letters, at least, of the longer of two names that are compared letter by letter; of short words
many differ by one letter, and are words of their own."""

_RARE_SHARE = 0.1
"""Faces with a class, at most, that may be mistyped, as a share of those of the other class; more
names more pairs that are both meant."""

_RARE_FACES = 3
"""The same as a number, however few faces the other class has: not where digits are all that
differs, as they do where classes are numbered."""


def label_notes(
    labels: Mapping[str, Sequence[str | None]], identities: Sequence[str | None] = ()
) -> Iterator[str]:
    """A line on each class that is hardly meant as it stands.

    1. Several that are written differently and may be one.
    2. A rare one that is a letter off another.
    3. One that may mean that there is no label.

    Then one on each person who may be written in two ways, and would be in both halves.

    Args:
        labels: attribute → class of each picture.
        identities: the person on each picture.
    """
    counts = {
        attribute: Counter(name for name in column if name is not None)
        for attribute, column in labels.items()
    }
    for attribute, count in counts.items():
        for group in _alike(count, _meaning):
            yield (
                f"{attribute}: {' and '.join(group.values())} {_difference(group)} but count as "
                f"{len(group)} classes: write them alike if they are one"
            )
    for attribute, count in counts.items():
        for rare, other in _mistyped(count)[:_NAMED]:
            yield (
                f"{attribute}: {_with_count(rare, count)} is a letter off "
                f"{_with_count(other, count)} but counts as a class of its own: correct it if it "
                "is mistyped"
            )
    for attribute, count in counts.items():
        for name, number in count.most_common():
            if alike_key(name) in _DOUBTFUL:
                yield (
                    f"{attribute}: {shortened(name)!r} ({number}) counts as a class: leave the "
                    "label empty if it means that there is none"
                )
    for group in _alike(Counter(name for name in identities if name is not None), alike_key):
        yield (
            f"identity: {' and '.join(group.values())} {_difference(group)} but count as "
            f"{len(group)} people: write them alike if they are one"
        )


def _alike(counts: Counter[str], key: Callable[[str], str]) -> list[dict[str, str]]:
    """Groups of names that may be one: each name, and as a message has it with its number.

    Args:
        counts: how often each name occurs.
        key: the same for names that may be one.
    """
    groups: dict[str, dict[str, str]] = {}
    for name, _ in counts.most_common():
        groups.setdefault(key(name), {})[name] = _with_count(name, counts)
    return [group for group in groups.values() if len(group) > 1][:_NAMED]


def _difference(group: Mapping[str, str]) -> str:
    if len({alike_key(name) for name in group}) == 1:
        return "differ in letter case or spaces only"
    return "may mean the same"


def _meaning(name: str) -> str:
    """The same for names that may mean the same: `true`, `Yes`, `1` and `1.0`."""
    key = alike_key(name)
    number = _NUMBER.fullmatch(key)
    return number[1] if number else _ONE_MEANING.get(key, key)


def _mistyped(counts: Counter[str]) -> list[tuple[str, str]]:
    """Rare classes, each with the most frequent one that is a letter off."""
    keys = {name: alike_key(name) for name, _ in counts.most_common()}
    found: dict[str, str] = {}
    for other, name in combinations(keys, 2):  # the more frequent one first
        if abs(len(keys[name]) - len(keys[other])) <= 1 and _is_letter_off(keys[name], keys[other]):
            share = counts[name] / counts[other]
            few = counts[name] <= _RARE_FACES and not _is_numbered(name, other)
            if (few or share <= _RARE_SHARE) and _meaning(name) != _meaning(other):
                found.setdefault(name, other)
    return list(found.items())


def _is_letter_off(one: str, other: str) -> bool:
    """Whether a letter of a word is wrong, missing, surplus, or in the place of the next one."""
    shorter, longer = sorted((one, other), key=len)
    if len(longer) < _LEAST_LETTERS or longer.isdecimal():
        return False
    pairs = zip(shorter, longer, strict=False)
    same = next((place for place, (a, b) in enumerate(pairs) if a != b), len(shorter))
    shorter, longer = shorter[same:], longer[same:]
    is_swapped = shorter[:2] == longer[1::-1] and shorter[2:] == longer[2:]
    return is_swapped or longer[1:] in (shorter, shorter[1:])


def _is_numbered(one: str, other: str) -> bool:
    """Whether two names differ in a number only."""
    return re.sub(r"\d+", "0", one) == re.sub(r"\d+", "0", other)


def _with_count(name: str, counts: Counter[str]) -> str:
    return f"{shortened(name)!r} ({counts[name]})"
