"""A model folder and labelled faces → a report of how good it is and for whom."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.classifier import Classifier, Prediction, grouped
from training.errors import DatasetError
from training.figures import (
    CONFIDENCE_LEVEL,
    RESAMPLES,
    SMALL_GROUP,
    Figures,
    attribute_figures,
)
from training.splits import SEED
from training.table import FeatureTable, Labels

REPORT_SCHEMA = "face-report/1"
_MAX_GROUPS = 20  # a column of more values is a name or a number, not a grouping

Groups = Mapping[str, Sequence[str]]
"""Merged class → the classes whose probabilities are added."""


def evaluate(
    bundle: Bundle,
    table: FeatureTable,
    *,
    split: str | None = "test",
    names: Mapping[str, Mapping[str, str]] | None = None,
    groups: Mapping[str, Groups] | None = None,
    seed: int = SEED,
) -> Figures:
    """The report, as it stands in `report.json`.

    Args:
        bundle: the model.
        table: faces with labels; mirrored ones are not looked at.
        split: which half of the table, None for both.
        names: attribute → what a class of the table is called by the model.
        groups: attribute → classes of the model to be merged, and their labels with them.
        seed: of the bootstrap.

    Raises:
        DatasetError: the table is of another embedder, has no such rows or labels, or its
            classes are not the model's.
    """
    check_embedder(bundle, table)
    rows = ~table.mirrored & ((table.splits == split) if split else True)
    chosen = table[rows]
    if not len(chosen):
        raise DatasetError(f"the table has no rows of the split {split!r}: see --split")
    predictions = {
        each.attribute: grouped(each, (groups or {}).get(each.attribute, {}))
        for each in Classifier(bundle).predict(chosen.embeddings)
    }
    truths = {
        attribute: _renamed(chosen.labels[attribute], attribute, names, groups)
        for attribute in predictions
        if attribute in chosen.labels
    }
    if not truths:
        raise DatasetError(
            f"the table labels {', '.join(table.labels)}, the model {', '.join(predictions)}: "
            "nothing to compare"
        )
    for attribute, truth in truths.items():
        _check_classes(predictions[attribute], truth)
    grouping = truths | _other_groups(chosen, predictions)
    return {
        "schema": REPORT_SCHEMA,
        "model": {
            "name": bundle.folder.name,
            "embedder": bundle.manifest.embedder.name,
            "provenance": bundle.manifest.provenance,
        },
        "data": {
            "dataset": table.info.dataset,
            "credit": table.info.credit,
            "features": table.info.engine,
            "hold_out": table.info.hold_out,
            "split": split or "all",
            "faces": len(chosen),
        },
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


def check_embedder(bundle: Bundle, table: FeatureTable) -> None:
    """Raises DatasetError where the table's embedding is not the one the model was fitted on."""
    expected = bundle.manifest.embedder.name
    if table.info.embedder != expected:
        raise DatasetError(
            f"the features are of {table.info.embedder}, the model is fitted on {expected}: "
            "make the features with the model's embedder"
        )


def _figures(
    prediction: Prediction, truth: Labels, groups: Mapping[str, Labels], seed: int
) -> Figures:
    known = _known(truth)
    others = {
        name: column[known] for name, column in groups.items() if name != prediction.attribute
    }
    if {"race", "gender"} <= groups.keys():
        others["race × gender"] = _crossed(groups["race"][known], groups["gender"][known])
    selected = Prediction(prediction.attribute, prediction.classes, prediction.probabilities[known])
    return attribute_figures(selected, truth[known], others, seed)


def _crossed(first: Labels, second: Labels) -> Labels:
    pairs = zip(first, second, strict=True)
    return np.array([None if None in pair else ", ".join(pair) for pair in pairs], dtype=object)


def _renamed(
    column: Labels,
    attribute: str,
    names: Mapping[str, Mapping[str, str]] | None,
    groups: Mapping[str, Groups] | None,
) -> Labels:
    """The column in the model's names, merged as the model's classes are."""
    renaming: dict[Any, Any] = dict((names or {}).get(attribute, {}))
    unknown = sorted(renaming.keys() - set(column))
    if unknown:
        raise DatasetError(f"--map names {unknown[0]!r}, which is no {attribute} of the table")
    owner = {
        member: group
        for group, members in (groups or {}).get(attribute, {}).items()
        for member in members
    }
    translated = [renaming.get(each, each) for each in column]
    return np.array([owner.get(each, each) for each in translated], dtype=object)


def _check_classes(prediction: Prediction, truth: Labels) -> None:
    foreign = sorted(set(truth[_known(truth)]) - set(prediction.classes))
    if not _known(truth).any():
        raise DatasetError(f"no face has a label for {prediction.attribute}")
    if foreign:
        raise DatasetError(
            f"{prediction.attribute}: the dataset has {', '.join(map(repr, foreign))}, which the "
            f"model does not know; it knows {', '.join(prediction.classes)}. Say what each "
            f"corresponds to: --map '{prediction.attribute}:{foreign[0]}={prediction.classes[0]}'"
        )


def _known(column: Labels) -> NDArray[np.bool_]:
    return np.array([each is not None for each in column], dtype=np.bool_)


def _other_groups(table: FeatureTable, predictions: Mapping[str, Prediction]) -> dict[str, Labels]:
    """Label columns the model does not predict, but by which faces can be grouped."""
    flags = {flag for each in table.info.compositions for flag in each.flags}
    return {
        name: column
        for name, column in table.labels.items()
        if name not in predictions
        and name not in flags
        and len(set(column) - {None}) <= _MAX_GROUPS
    }
