"""A model folder and labelled faces → a report of how good it is and for whom."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.classifier import Classifier, Prediction, grouped
from models.safe_files import MAX_SETTINGS_BYTES, UnfitFileError, parse_toml, read_regular
from training.datasets.samples import TRAIN
from training.datasets.splits import SEED
from training.errors import DatasetError
from training.evaluation.class_map import proposal
from training.evaluation.figures import (
    CONFIDENCE_LEVEL,
    RESAMPLES,
    SMALL_GROUP,
    Figures,
    attribute_figures,
)
from training.features.table import Column, FeatureTable

REPORT_SCHEMA = "face-report/1"
"""Version of the report's format."""

_MAX_GROUPS = 20
"""Values of a label column, at most, by which faces are grouped; more are names or numbers."""

ClassGroups: TypeAlias = Mapping[str, Sequence[str]]
"""Merged class → the classes whose probabilities are added."""

ClassNames: TypeAlias = Mapping[str, Mapping[str, str | None]]
"""Attribute → class of the dataset → class of the model, None to leave its faces out."""


def evaluate(
    bundle: Bundle,
    table: FeatureTable,
    *,
    split: str | None = "test",
    names: ClassNames | None = None,
    groups: Mapping[str, ClassGroups] | None = None,
    seed: int = SEED,
) -> Figures:
    """The report, as it stands in `report.json`.

    Args:
        bundle: the model.
        table: faces with labels; mirrored ones are left out.
        split: the split to evaluate on, None for both.
        names: the model's names of the classes of the table.
        groups: attribute → classes of the model to be merged, and their labels with them.
        seed: of the bootstrap.

    Raises:
        DatasetError: the table is of another embedder, has no such rows or labels, or has
            classes that the model lacks.
    """
    check_embedder(bundle, table)
    chosen = select_rows(table, split)
    predictions = {
        each.attribute: grouped(each, (groups or {}).get(each.attribute, {}))
        for each in Classifier(bundle).predict(chosen.embeddings)
    }
    truths = {
        attribute: to_model_classes(chosen.labels[attribute], attribute, names, groups)
        for attribute in predictions
        if attribute in chosen.labels and _has_label(chosen.labels[attribute]).any()
    }
    if not truths:
        raise DatasetError(
            f"the faces have labels for {', '.join(_labelled(chosen)) or 'nothing'}, the model for "
            f"{', '.join(predictions)}: nothing to compare"
        )
    _check_names(table, names or {})
    for attribute, truth in truths.items():
        _check_classes(predictions[attribute], truth)
    grouping = truths | _other_groups(chosen, predictions)
    return {
        "schema": REPORT_SCHEMA,
        "model": describe_model(bundle),
        "data": describe_data(table, chosen, split),
        "settings": {
            "bootstrap_resamples": RESAMPLES,
            "confidence_level": CONFIDENCE_LEVEL,
            "small_group": SMALL_GROUP,
            "merged": {name: dict(each) for name, each in (groups or {}).items()},
            "seed": seed,
        },
        "attributes": {
            attribute: _figures(predictions[attribute], truth, grouping, seed)
            for attribute, truth in truths.items()
        },
    }


def describe_model(bundle: Bundle) -> Figures:
    """Which model is measured, as a report has it."""
    return {
        "name": bundle.folder.name,
        "embedder": bundle.manifest.embedder.name,
        "detector": bundle.manifest.detector,
        "provenance": bundle.manifest.provenance,
    }


def describe_data(table: FeatureTable, chosen: FeatureTable, split: str | None) -> Figures:
    """What it is measured on, as a report has it.

    Args:
        table: all faces.
        chosen: those it is measured on.
        split: the split they are of, None for both.
    """
    return {
        "dataset": table.info.dataset,
        "credit": table.info.credit,
        "features": table.info.engine,
        "detector": table.info.detector,
        "hold_out": table.info.hold_out,
        "split": split or "all",
        "faces": len(chosen),
        "of_faces": int((~table.mirrored).sum()),
        "training_faces": int((chosen.splits == TRAIN).sum()),
    }


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


def check_embedder(bundle: Bundle, table: FeatureTable) -> None:
    """Raises DatasetError where the table's embedding is not the one the model was fitted on."""
    expected = bundle.manifest.embedder.name
    if table.info.embedder != expected:
        raise DatasetError(
            f"the features are of {table.info.embedder}, the model is fitted on {expected}: "
            "make the features with the model's embedder"
        )


def _figures(
    prediction: Prediction, truth: Column, groups: Mapping[str, Column], seed: int
) -> Figures:
    known = _has_label(truth)
    others = {
        name: column[known] for name, column in groups.items() if name != prediction.attribute
    }
    if {"race", "gender"} <= groups.keys():
        others["race × gender"] = _crossed(groups["race"][known], groups["gender"][known])
    selected = Prediction(prediction.attribute, prediction.classes, prediction.probabilities[known])
    return attribute_figures(selected, truth[known], others, seed)


def _crossed(first: Column, second: Column) -> Column:
    pairs = zip(first, second, strict=True)
    return np.array([None if None in pair else ", ".join(pair) for pair in pairs], dtype=object)


def select_rows(table: FeatureTable, split: str | None) -> FeatureTable:
    """The faces of a split, or of both, without the mirrored ones.

    Raises:
        DatasetError: there are none.
    """
    chosen = table[~table.mirrored & ((table.splits == split) if split else True)]
    if not len(chosen):
        raise DatasetError(f"the table has no faces of the split {split!r}: name another --split")
    return chosen


def to_model_classes(
    column: Column,
    attribute: str,
    names: ClassNames | None,
    groups: Mapping[str, ClassGroups] | None,
) -> Column:
    """A column of the table with the model's names of the classes, merged by the groups."""
    renaming = (names or {}).get(attribute, {})
    owner: dict[str | None, str] = {
        member: group
        for group, members in (groups or {}).get(attribute, {}).items()
        for member in members
    }
    translated = [renaming.get(each, each) for each in column]
    return np.array([owner.get(each, each) for each in translated], dtype=object)


def _check_names(table: FeatureTable, names: ClassNames) -> None:
    for attribute, renaming in names.items():
        unknown = sorted(renaming.keys() - set(table.column(attribute)))
        if unknown:
            raise DatasetError(f"--map names {unknown[0]!r}, which is no {attribute} of the table")


def _check_classes(prediction: Prediction, truth: Column) -> None:
    foreign = sorted(set(truth[_has_label(truth)]) - set(prediction.classes))
    if not _has_label(truth).any():
        raise DatasetError(f"no face has a label for {prediction.attribute}")
    if foreign:
        raise DatasetError(
            f"{prediction.attribute}: the dataset has {', '.join(map(repr, foreign))}, which the "
            f"model does not know; it knows {', '.join(prediction.classes)}. Say what each "
            f"corresponds to, or nothing to leave its faces out, such as "
            f"{proposal(prediction.attribute, foreign, prediction.classes)}"
        )


def _labelled(table: FeatureTable) -> list[str]:
    """The attributes for which a face of the table has a label."""
    return [name for name, column in table.labels.items() if _has_label(column).any()]


def _has_label(column: Column) -> NDArray[np.bool_]:
    return np.array([each is not None for each in column], dtype=np.bool_)


def _other_groups(table: FeatureTable, predictions: Mapping[str, Prediction]) -> dict[str, Column]:
    """The label columns that the model does not predict, but by which faces can be grouped."""
    flags = {flag for each in table.info.flag_attributes for flag in each.flags}
    return {
        name: column
        for name, column in table.labels.items()
        if name not in predictions
        and name not in flags
        and len(set(column) - {None}) <= _MAX_GROUPS
    }
