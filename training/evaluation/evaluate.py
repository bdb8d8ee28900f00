"""A model folder and labelled faces → a report of how good it is and for whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from models.classification.bundle import Bundle
from models.classification.classifier import Classifier, Prediction, grouped
from training.datasets.samples import TRAIN
from training.datasets.splits import SEED
from training.errors import DatasetError
from training.evaluation.cautions import cautions, view_cautions
from training.evaluation.class_groups import ClassGroups
from training.evaluation.class_map import proposal, written
from training.evaluation.coarser_words import coarser_coverage
from training.evaluation.figures import SMALL_GROUP, attribute_figures
from training.evaluation.groupings import groupings
from training.evaluation.intervals import CONFIDENCE_LEVEL, Figures
from training.evaluation.mistakes import mistakes
from training.features.table import Column, FeatureTable, has_label
from training.fitting.held_out import first_names

REPORT_SCHEMA = "face-report/1"
"""Version of the report's format."""

ClassNames: TypeAlias = Mapping[str, Mapping[str, str | None]]
"""Attribute → class of the dataset → class of the model, None to leave its faces out."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Comparison:
    """What a model says of n labelled faces, beside their labels.

    Attributes:
        table: the faces.
        data: which faces of which dataset they are, as a report has it.
        predictions: attribute → what the model says, its classes merged where that was asked for.
        truths: attribute → the labels `(n,)` in the model's names, None where unknown; only of the
            attributes that the table has labels of.
        groups: the classes that were merged.
    """

    table: FeatureTable
    data: Figures
    predictions: Mapping[str, Prediction]
    truths: Mapping[str, Column]
    groups: Mapping[str, ClassGroups] = field(default_factory=dict)


def compare(
    bundle: Bundle,
    table: FeatureTable,
    *,
    split: str | None = "test",
    names: ClassNames | None = None,
    groups: Mapping[str, ClassGroups] | None = None,
) -> Comparison:
    """Classifies the faces of a split and gives their labels the model's names.

    Args:
        bundle: the model.
        table: faces with labels; mirrored and filmed ones are left out.
        split: the split to evaluate on, None for both.
        names: the model's names of the classes of the table.
        groups: attribute → classes of the model to be merged, and their labels with them.

    Raises:
        DatasetError: the table is of another embedder, has no such rows or labels, or has
            classes that the model lacks.
    """
    check_embedder(bundle, table)
    chosen = select_rows(table, split)
    predictions = {
        each.attribute: grouped(each, (groups or {}).get(each.attribute, {}))
        for each in Classifier(bundle).predict(chosen.embeddings, quality=chosen.quality)
    }
    for name, prediction in predictions.items():
        if len(prediction.classes) < 2:
            raise DatasetError(
                f"{name}: all classes of the model are merged into one, so there is nothing to "
                "measure: merge fewer with --map or --config"
            )
    truths = {
        attribute: to_model_classes(chosen.labels[attribute], attribute, names, groups)
        for attribute in predictions
        if attribute in chosen.labels and has_label(chosen.labels[attribute]).any()
    }
    if not truths:
        raise DatasetError(
            f"the faces have labels for {', '.join(_labelled(chosen)) or 'nothing'}, the model for "
            f"{', '.join(predictions)}: nothing to compare"
        )
    _check_names(table, names or {})
    for attribute, truth in truths.items():
        _check_classes(predictions[attribute], truth)
    return Comparison(
        table=chosen,
        data=describe_data(table, chosen, split),
        predictions=predictions,
        truths=truths,
        groups=groups or {},
    )


def evaluate(
    bundle: Bundle,
    table: FeatureTable,
    *,
    split: str | None = "test",
    names: ClassNames | None = None,
    groups: Mapping[str, ClassGroups] | None = None,
    seed: int = SEED,
) -> Figures:
    """Compares a model with labelled faces, as `compare` does, and reports on it."""
    comparison = compare(bundle, table, split=split, names=names, groups=groups)
    return report_on(bundle, comparison, seed)


def report_on(bundle: Bundle, comparison: Comparison, seed: int = SEED) -> Figures:
    """The report, as it stands in `report.json`.

    Args:
        bundle: the model.
        comparison: of the model with labelled faces.
        seed: of what is drawn where pictures are corrupted, for the record.
    """
    grouping, left_out = groupings(comparison.table, comparison.predictions, comparison.truths)
    attributes = {
        attribute: _figures(bundle, comparison, attribute, grouping)
        for attribute in comparison.truths
    }
    return {
        "schema": REPORT_SCHEMA,
        "model": describe_model(bundle),
        "data": comparison.data,
        "settings": {
            "interval": "wilson",
            "bootstrap_resamples": 0,  # Wilson's intervals need none; earlier reports' did
            "confidence_level": CONFIDENCE_LEVEL,
            "small_group": SMALL_GROUP,
            "merged": {name: dict(each) for name, each in comparison.groups.items()},
            "seed": seed,
        },
        "cautions": [*cautions(attributes), *view_cautions(bundle, comparison.table), *left_out],
        "attributes": attributes,
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
        "of_faces": int(table.as_found.sum()),
        "training_faces": int((chosen.splits == TRAIN).sum()),
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
    bundle: Bundle, comparison: Comparison, attribute: str, groups: Mapping[str, Column]
) -> Figures:
    prediction, truth = comparison.predictions[attribute], comparison.truths[attribute]
    known = has_label(truth)
    others = {name: column[known] for name, column in groups.items() if name != attribute}
    if {"race", "gender"} <= groups.keys():
        others["race × gender"] = _crossed(groups["race"][known], groups["gender"][known])
    selected = Prediction(attribute, prediction.classes, prediction.probabilities[known])
    figures = attribute_figures(selected, truth[known], others)
    words = bundle.manifest.tree.get(attribute)
    if words and attribute not in comparison.groups:
        figures["coarser_coverage"] = coarser_coverage(selected, truth[known], words)
    return figures | mistakes(prediction, truth, comparison.table)


def _crossed(first: Column, second: Column) -> Column:
    pairs = zip(first, second, strict=True)
    return np.array([None if None in pair else ", ".join(pair) for pair in pairs], dtype=object)


def select_rows(table: FeatureTable, split: str | None) -> FeatureTable:
    """The faces of a split, or of both, each as it was found.

    Raises:
        DatasetError: there are none.
    """
    chosen = table[table.as_found & ((table.splits == split) if split else True)]
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
    ours = {
        theirs: renaming.get(theirs, renaming.get(written(theirs), theirs))
        for theirs in {each for each in column if each is not None}
    }
    translated = [ours.get(each) for each in column]
    return np.array([owner.get(each, each) for each in translated], dtype=object)


def _check_names(table: FeatureTable, names: ClassNames) -> None:
    for attribute, renaming in names.items():
        classes = sorted({each for each in table.column(attribute) if each is not None})
        if unknown := sorted(renaming.keys() - {*classes, *map(written, classes)}):
            raise DatasetError(
                f"--map names {unknown[0]!r}, which is no {attribute} of the table; it has "
                f"{first_names(list(map(repr, classes)))}"
            )


def _check_classes(prediction: Prediction, truth: Column) -> None:
    foreign = sorted(set(truth[has_label(truth)]) - set(prediction.classes))
    if not has_label(truth).any():
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
    return [name for name, column in table.labels.items() if has_label(column).any()]
