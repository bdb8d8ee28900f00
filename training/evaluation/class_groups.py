"""Classes of a model that are merged into one, and the configuration that says which."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import TypeAdapter, ValidationError

from models.safe_files import MAX_SETTINGS_BYTES, UnfitFileError, parse_toml, read_regular
from training.errors import DatasetError

ClassGroups: TypeAlias = Mapping[str, Sequence[str]]
"""Merged class → the classes whose probabilities are added."""


_FORM = 'write it as groups = { race = { Asian = ["East Asian", "Southeast Asian"] } }'
"""How the groups are written."""

_GROUPS = TypeAdapter(dict[str, dict[str, tuple[str, ...]]])
"""Attribute → merged class → classes."""


def read_groups(config: Path) -> Mapping[str, ClassGroups]:
    """`labels.groups` of a configuration as the stream reads it, by attribute.

    Raises:
        DatasetError: the file is no configuration, or the groups are not lists of names.
    """
    try:
        content = parse_toml(read_regular(config, MAX_SETTINGS_BYTES))
    except UnfitFileError as error:
        raise DatasetError(f"{config} cannot be read as a configuration: {error}") from error
    labels = content.get("labels", {})
    if isinstance(labels, dict) and "race_groups" in labels:
        raise DatasetError(f"{config}: labels.race_groups is labels.groups now: {_FORM}")
    groups: Any = labels.get("groups", {}) if isinstance(labels, dict) else None
    try:
        return _GROUPS.validate_python(groups)
    except ValidationError as error:
        raise DatasetError(
            f"{config}: labels.groups is to be written otherwise: {_FORM}"
        ) from error
