"""What a label says: which texts mean that there is none, and which classes may be one."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from models.program.printable import shortened

_MISSING = frozenset(
    {
        *("", "nan", "-nan", "none", "null", "nil", "nat"),
        *(
            "n/a",
            "na",
            "n.a.",
            "n/d",
            "<na>",
            "<null>",
            "<none>",
            "#n/a",
            "#na",
            "#n/a n/a",
            "#null!",
            *("#value!", "#ref!", "#div/0!", "#name?", "#num!"),
        ),
        *("1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"),
        *("?", "??", "???", "-", "--", "---", "\u2013", "\u2014", ".", "..", "..."),
    }
)
"""What tables write where a value is missing, in small letters: pandas', R's, spreadsheets', and
what people do."""

_DOUBTFUL = frozenset(
    {
        *("unknown", "undefined", "unspecified", "unlabeled", "unlabelled", "missing", "tbd"),
        *("notavailable", "notapplicable", "notknown", "notspecified", "nolabel", "donotknow"),
    }
)
"""Names, without spaces, that may be a class or say that there is none; they are named."""

_UNSEEN = frozenset({"Cc", "Cf"})
"""Categories of characters that are not seen, such as a space without width; spaces and line breaks
among them count as spaces."""

_NAMED = 5
"""Groups of classes that may be one, at most, that are named for each attribute."""


def known(text: str | None) -> str | None:
    """A label, or None where its text says that there is none."""
    return None if text is None or text.strip().casefold() in _MISSING else text


def alike_key(name: str) -> str:
    """The same for names that differ in letter case, spaces, the form of their letters or
    characters that are not seen only."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    seen = "".join(
        each for each in folded if each.isspace() or unicodedata.category(each) not in _UNSEEN
    )
    return re.sub(r"[\s_]+", "", seen)


def alike_classes(
    labels: Mapping[str, Sequence[str | None]],
) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """Attributes with classes that differ in letter case or spaces only, and how often each occurs.

    Args:
        labels: attribute → class of each picture.
    """
    for attribute, column in labels.items():
        groups: dict[str, list[tuple[str, int]]] = {}
        for name, count in Counter(each for each in column if each is not None).most_common():
            groups.setdefault(alike_key(name), []).append((name, count))
        yield from [(attribute, group) for group in groups.values() if len(group) > 1][:_NAMED]


def label_notes(labels: Mapping[str, Sequence[str | None]]) -> Iterator[str]:
    """A line on each group of classes that may be one, and on each that may mean no label."""
    for attribute, group in alike_classes(labels):
        names = " and ".join(f"{shortened(name)!r} ({count})" for name, count in group)
        yield (
            f"{attribute}: {names} differ in letter case or spaces only but count as "
            f"{len(group)} classes: write them alike if they are one"
        )
    for attribute, column in labels.items():
        for name, count in Counter(column).most_common():
            if name is not None and alike_key(name) in _DOUBTFUL:
                yield (
                    f"{attribute}: {shortened(name)!r} ({count}) counts as a class: leave the "
                    "label empty if it means that there is none"
                )
