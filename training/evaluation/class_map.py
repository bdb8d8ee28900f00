"""What the classes of a dataset are called in a model, and what may be meant if that is not said.

A class of the dataset that is several of the model (`Asian` and `East Asian`, `Southeast Asian`)
merges those: either of them is right.
"""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from models.program.printable import printable
from training.datasets.labels import alike_key
from training.errors import DatasetError

JOIN = "+"
"""What stands between several classes of the model that one of the dataset is."""

_LEAST_RATIO = 0.8
"""Likeness, at least, of a name that is proposed for another (difflib's ratio): a wrong letter or
two in a word. Lower proposes other words."""

_LEAST_LETTERS = 4
"""Letters of a name, at least, that is compared by likeness: `10-19` and `10-18` are very alike."""

_NEGATIONS = frozenset({"no", "non", "not", "without", "un", "anti"})
"""Words that turn the meaning of a name around."""


def split_classes(text: str, classes: Sequence[str]) -> tuple[str, ...]:
    """`East Asian+Southeast Asian` → the classes of the model; a name may hold a plus itself.

    Returns none where the text does not consist of the classes.
    """
    text = text.strip()
    if text in classes:
        return (text,)
    for place, letter in enumerate(text):
        first = text[:place].strip()
        if (
            letter == JOIN
            and first in classes
            and (rest := split_classes(text[place + 1 :], classes))
        ):
            return (first, *rest)
    return ()


def written(name: str) -> str:
    """A name as it is written in the option: as messages show it, without spaces around it."""
    return printable(name).strip()


def resolve_map(
    names: Mapping[str, Mapping[str, str | None]], classes: Mapping[str, Sequence[str]]
) -> tuple[dict[str, dict[str, str | None]], dict[str, dict[str, tuple[str, ...]]]]:
    """The one name of each class of the dataset, and the classes of the model to be merged.

    Args:
        names: attribute → class of the dataset → one or several classes of the model, None to
            leave its faces out.
        classes: attribute → classes of the model.

    Raises:
        DatasetError: the model has no such attribute or class, or a class is part of two groups.
    """
    single: dict[str, dict[str, str | None]] = {}
    merged: dict[str, dict[str, tuple[str, ...]]] = {}
    for attribute, pairs in names.items():
        if attribute not in classes:
            known = ", ".join(classes)
            raise DatasetError(f"--map names {attribute!r}, which the model lacks; it has {known}")
        for theirs, ours in pairs.items():
            called = {written(each): each for each in classes[attribute]}
            called |= {each: each for each in classes[attribute]}
            found = () if ours is None else split_classes(ours, tuple(called))
            if ours is not None and not found:
                raise DatasetError(
                    f"--map names {ours!r}, which is no {attribute} of the model; it knows "
                    f"{', '.join(classes[attribute])}, or several of them with + between"
                )
            meant = {called[each] for each in found}
            members = tuple(each for each in classes[attribute] if each in meant)
            name = JOIN.join(members) or None
            single.setdefault(attribute, {})[theirs] = name
            if name is not None and len(members) > 1:
                merged.setdefault(attribute, {})[name] = members
        _check_overlaps(attribute, merged.get(attribute, {}))
    return single, merged


def _check_overlaps(attribute: str, groups: Mapping[str, Sequence[str]]) -> None:
    owners: dict[str, str] = {}
    for name, members in groups.items():
        for member in members:
            if (other := owners.setdefault(member, name)) != name:
                raise DatasetError(
                    f"--map merges {member!r} of {attribute} into two groups: {other} and {name}"
                )


def proposal(attribute: str, foreign: Sequence[str], classes: Sequence[str]) -> str:
    """The option `--map` with which classes of the dataset may be meant.

    Each gets the classes of the model that its name suggests; where it suggests none, its faces are
    left out.
    """
    pairs = [
        f"{_escaped(theirs)}={_escaped(JOIN.join(_meant(theirs, classes)))}" for theirs in foreign
    ]
    text = f"{_escaped(attribute)}:{','.join(pairs)}"
    return "--map '{}'".format(text.replace("'", "'\\''"))


def _escaped(name: str) -> str:
    """A name with a backslash before what separates names in the option."""
    return re.sub(r"([,=:])", r"\\\1", name)


def _meant(theirs: str, classes: Sequence[str]) -> tuple[str, ...]:
    """The classes that a name suggests.

    1. The same name in other letter case or with other spaces.
    2. All classes that say more than the name (`East Asian` for `Asian`), or the one that says
       less, without a word that turns the meaning around.
    3. The one whose name begins so (`F` for `Female`).
    4. The most alike, of names that are words.
    """
    if same := [each for each in classes if alike_key(each) == alike_key(theirs)]:
        return tuple(same[:1])
    words = _words(theirs)
    plain = [each for each in classes if not (words ^ _words(each)) & _NEGATIONS]
    if words and (finer := [each for each in plain if words < _words(each)]):
        return tuple(finer)
    if len(coarser := [each for each in plain if _words(each) and _words(each) < words]) == 1:
        return tuple(coarser)
    begun = [
        each
        for each in classes
        if theirs.isalpha() and alike_key(each).startswith(alike_key(theirs))
    ]
    if len(begun) == 1:
        return tuple(begun)
    lowered = {each.casefold(): each for each in classes if len(each) >= _LEAST_LETTERS}
    if len(theirs) < _LEAST_LETTERS or not theirs.replace(" ", "").isalpha():
        return ()
    close = get_close_matches(theirs.casefold(), lowered, n=1, cutoff=_LEAST_RATIO)
    return tuple(lowered[each] for each in close)


def _words(name: str) -> frozenset[str]:
    """The words of a name; digits are no words."""
    return frozenset(re.findall(r"[^\W\d_]+", name.casefold()))
