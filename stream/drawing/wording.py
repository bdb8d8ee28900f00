"""Labels in words: in full with their confidence, or short where there is little room."""

import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from stream.tracks import MAX_SHOWN_CONFIDENCE, Label

_SEPARATOR = " · "
"""What stands between short names."""

_UNSURE = "?"
"""The short form of a label that is unsure."""

_BARE = re.compile(r".*\d.*|[a-z]{1,2}|yes|true|false|none|other", re.IGNORECASE | re.DOTALL)
"""Names of classes that say little without their attribute: figures, `yes`, `no`, `F`, and words
that stand for whatever they are of."""

_CACHED_NAMES = 256
"""Short names that are kept: those of a model's classes."""

ShortNames: TypeAlias = Mapping[str, Mapping[str, str]]
"""Attribute → class → its short name; a class without one keeps its name. Classes of an attribute
that has none at all are shortened to their first letters."""

NO_SHORT_NAMES: ShortNames = MappingProxyType({})
"""No attribute has short names of its own."""


class Words(NamedTuple):
    """A piece of text; what is not sure is drawn so that it looks unsure."""

    text: str
    is_sure: bool = True


Line: TypeAlias = tuple[Words, ...]
"""Pieces of text that follow one another."""


def full_lines(
    labels: Mapping[str, Label], with_confidence: bool, *, surest: bool = False
) -> tuple[Line, ...]:
    """A line for each label.

    Args:
        labels: by attribute.
        with_confidence: say how sure each label is.
        surest: give each its highest confidence: so wide its line may become.
    """
    return tuple(
        (Words(label_text(name, label, with_confidence, surest=surest), label.text is not None),)
        for name, label in labels.items()
    )


def short_lines(labels: Mapping[str, Label], short_names: ShortNames) -> tuple[Line, ...]:
    """One line of short names, such as `F · SE Asian`, without confidence."""
    words: list[Words] = []
    for attribute, label in labels.items():
        if words:
            words.append(Words(_SEPARATOR))
        words.append(_short_words(attribute, label, short_names.get(attribute, {})))
    return (tuple(words),)


def label_text(
    attribute: str, label: Label, with_confidence: bool = True, *, surest: bool = False
) -> str:
    """A label in words, with its confidence if that is wanted.

    A label that is kept although it fell under its threshold has no number: under a threshold
    labels say that they are unsure.
    """
    if label.text is None:
        return f"{display_name(attribute)} unsure"
    name = display_name(label.text)
    if _BARE.fullmatch(name):
        name = f"{display_name(attribute)} {name}"
    confidence = MAX_SHOWN_CONFIDENCE if surest else min(label.confidence, MAX_SHOWN_CONFIDENCE)
    is_shown = with_confidence and (surest or not label.is_held)
    return f"{name} {confidence:.0%}" if is_shown else name


def perceived_words(attributes: Sequence[str]) -> str:
    """What labels of these attributes are of, such as `perceived gender and race`."""
    *others, last = attributes
    return f"perceived {' and '.join([', '.join(others), last] if others else [last])}"


def display_name(name: str) -> str:
    """The name of a class or a group of classes as pictures show it."""
    return re.sub(r"(?<=\d)-(?=\d)", "–", name.replace("_", " "))


def _short_words(attribute: str, label: Label, short_names: Mapping[str, str]) -> Words:
    if label.text is None:
        return Words(_UNSURE, is_sure=False)
    if short_names:
        return Words(display_name(short_names.get(label.text, label.text)))
    return Words(_initials(label.text, frozenset(label.probabilities)))


@lru_cache(maxsize=_CACHED_NAMES)
def _initials(name: str, classes: Collection[str]) -> str:
    """So many first letters of each word of a name that no other class has the same: `EA` for East
    Asian. A name with figures stays as it is."""
    shown = display_name(name)
    if any(letter.isdigit() for letter in shown):
        return shown
    others = [display_name(other) for other in classes if other != name]
    for count in range(1, max(map(len, shown.split()), default=1)):
        short = _first_letters(shown, count)
        if short not in (_first_letters(other, count) for other in others):
            return short
    return shown


def _first_letters(name: str, count: int) -> str:
    return "".join(word[:count] for word in name.split())
