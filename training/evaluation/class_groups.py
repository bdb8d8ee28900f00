"""Classes of a model that are merged into one, and the configuration that says which."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from models.safe_files import MAX_SETTINGS_BYTES, UnfitFileError, parse_toml, read_regular
from training.errors import DatasetError

ClassGroups: TypeAlias = Mapping[str, Sequence[str]]
"""Merged class → the classes whose probabilities are added."""


def read_race_groups(config: Path) -> ClassGroups:
    """`race_groups` of a configuration as the stream reads it.

    Raises:
        DatasetError: the file is no configuration, or the groups are not lists of names.
    """
    try:
        content = parse_toml(read_regular(config, MAX_SETTINGS_BYTES))
    except UnfitFileError as error:
        raise DatasetError(f"{config} cannot be read as a configuration: {error}") from error
    labels = content.get("labels", {})
    groups: Any = labels.get("race_groups", {}) if isinstance(labels, dict) else None
    lists = isinstance(groups, dict) and all(isinstance(each, list) for each in groups.values())
    if not lists or any(not isinstance(name, str) for each in groups.values() for name in each):
        raise DatasetError(
            f'{config}: race_groups should read like {{ Asian = ["East Asian", "Indian"] }}'
        )
    return {group: tuple(members) for group, members in groups.items()}
