"""The setting that was probably meant where a name is unknown."""

import difflib
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel

from stream.settings.schema import Config

_RENAMED = {
    "labels.race_groups": "is labels.groups now, as in "
    'groups = { race = { Asian = ["East Asian", "Southeast Asian"] } }'
}
"""What became of settings of earlier versions."""


def nearest_setting(path: Sequence[str]) -> str:
    """What helps where a name is unknown. The first case that fits decides:

    0. it is that of an earlier version: what became of it
    1. it is the whole name of a setting where that of a section belongs: how it is written
    2. a name of the same section or table is spelled much alike: it was meant
    3. a setting of any section has that name, or one that is spelled much alike: likewise, and its
       section is named too
    4. the names that the section or table has

    Args:
        path: the section, perhaps a table in it, and the unknown name; the name alone where it
            stands for a section.
    """
    *parents, wrong = path
    if (now := _RENAMED.get(".".join(path))) is not None:
        return f"it {now}"
    settings = {each.rpartition(".")[2]: each for each in _all_settings()}
    if wrong in settings.values():
        section, _, name = wrong.partition(".")
        return f"{name} belongs into the section {section}"
    known = _names(parents)
    if near := _closest(wrong.partition(".")[0], known):
        return f"did you mean {near}?"
    if near := _closest(wrong, list(settings)):
        return f"did you mean {settings[near]}?"
    return f"known are {', '.join(known)}"


def _closest(name: str, known: Sequence[str]) -> str:
    """The name that is spelled most alike, or none where all differ much."""
    near = difflib.get_close_matches(name.lower().replace("-", "_"), known, n=1)
    return near[0] if near else ""


def _names(path: Sequence[str]) -> list[str]:
    """The names in a section or table; those of the sections for an empty path."""
    model: Any = Config
    for part in path:
        model = model.model_fields[part].annotation
    return list(model.model_fields)


def _all_settings() -> Iterator[str]:
    """The settings of all sections, `section.name`."""
    for section, field in Config.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from (f"{section}.{name}" for name in field.annotation.model_fields)
