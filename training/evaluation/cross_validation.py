"""Cross-validation: how much figures vary with the faces that happen to be held out.

The training rows are divided into parts; on each of them a model is measured that was fitted on the
others. No held-out row takes part, and the models are thrown away.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.datasets.halves import joined_groups
from training.datasets.samples import TEST, TRAIN
from training.errors import DatasetError
from training.evaluation.figures import expected_calibration_error
from training.evaluation.intervals import Figures
from training.features.picture_hash import alike_groups
from training.features.table import FeatureTable
from training.fitting.fit import fit
from training.fitting.head import Head
from training.fitting.settings import FitSettings
from training.fitting.tasks import Task, plan_tasks

CROSS_VALIDATION = "cross_validation"
"""Key of the figures in the provenance of a manifest."""


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """The rows of a task, and the part `(n,)` that each of them is in."""

    attributes: tuple[str, ...]
    table: FeatureTable
    parts: NDArray[np.int64]


def cross_validate(
    table: FeatureTable,
    settings: FitSettings,
    on_message: Callable[[str], None] = lambda line: None,
) -> Figures | None:
    """Mean and spread of the figures of each attribute, as they stand in a manifest; None where
    the settings ask for no parts.

    Whole people are in a part, or whole pictures where people are not known, nearly identical
    pictures together, and of each class about as many are in each. A face whose class the other
    parts lack is an error.

    Args:
        table: the features.
        settings: how the heads are fitted, and in how many parts.
        on_message: is given a line before each part.

    Raises:
        DatasetError: there are fewer people than parts, or without a part there is one class only;
            nothing was fitted then.
    """
    if (folds := settings.folds) is None:
        return None
    train = table[table.splits == TRAIN]
    everything = np.arange(len(train))
    tasks = plan_tasks(train, everything, settings.attributes or tuple(train.labels))
    plans = [_plan(train, task, folds, settings.seed) for task in tasks]
    found: dict[str, Any] = {}
    for plan in plans:
        measured: dict[str, list[Figures]] = {name: [] for name in plan.attributes}
        for part in range(folds):
            names = ", ".join(plan.attributes)
            on_message(f"{names}: cross-validation, part {part + 1} of {folds}")
            for head, figures in _measure(plan, part, settings):
                measured[head.attribute].append(figures)
        found |= {name: _summary(parts) for name, parts in measured.items()}
    return {"folds": folds, "attributes": found}


def folds_of(
    groups: NDArray[np.intp], classes: NDArray[np.int64], folds: int, seed: int
) -> NDArray[np.int64]:
    """The part of each row: groups are dealt out class by class, each to the next part.

    Args:
        groups: `(n,)`; the rows of one stay together.
        classes: `(n,)`; a group with several is dealt out with the first.
        folds: how many parts.
        seed: of the order in which the groups of a class are dealt out.
    """
    _, first, rows = np.unique(groups, return_index=True, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(first))
    order = order[np.argsort(classes[first][order], kind="stable")]
    parts = np.empty(len(first), dtype=np.int64)
    parts[order] = np.arange(len(first)) % folds
    return parts[rows]


def _plan(train: FeatureTable, task: Task, folds: int, seed: int) -> _Plan:
    names = tuple(head.attribute for head in task.heads)
    rows = train[task.rows]
    targets = task.targets if task.targets.ndim == 2 else task.targets[:, None]
    _, classes = np.unique(targets, axis=0, return_inverse=True)
    groups = joined_groups(rows.people, alike_groups(rows.picture_hashes))
    if (count := len(np.unique(groups))) < folds:
        raise DatasetError(
            f"--cross-validate {folds}: the training rows of {names[0]} are of {count} people or "
            "pictures only: give a smaller number"
        )
    parts = folds_of(groups, classes.reshape(-1), folds, seed)
    for part in range(folds):
        others = targets[parts != part]
        if (others == others[0]).all(axis=0).any():
            raise DatasetError(
                f"--cross-validate {folds}: without one of the parts {names[0]} has one class "
                "only: more people of each class are needed"
            )
    return _Plan(names, rows, parts)


def _measure(plan: _Plan, part: int, settings: FitSettings) -> list[tuple[Head, Figures]]:
    """The figures of one part, by models fitted on the others."""
    held = plan.parts == part
    splits = np.where(held, TEST, TRAIN).astype(object)
    # What is alike is in one part: to look for it again in each would take a minute.
    single = replace(settings, attributes=plan.attributes, allow_leak=True)
    fitted = fit(replace(plan.table, splits=splits), single)
    rows = plan.table[held & plan.table.as_found]
    return [(head, _figures(head, rows)) for head in fitted.heads]


def _figures(head: Head, rows: FeatureTable) -> Figures:
    probabilities = head.probabilities(rows.embeddings)
    truth = rows.column(head.attribute)
    answers = np.array(head.classes, dtype=object)[probabilities.argmax(axis=1)]
    correct = (answers == truth).astype(np.bool_)
    confidence = probabilities.max(axis=1).astype(np.float32)
    return {
        "rows": len(rows),
        "accuracy": float(correct.mean()),
        "balanced_accuracy": float(np.mean([correct[truth == each].mean() for each in set(truth)])),
        "calibration_error": expected_calibration_error(confidence, correct),
    }


def _summary(parts: Sequence[Mapping[str, Any]]) -> Figures:
    """Mean and standard deviation of each figure over the parts, and its values."""
    summary: Figures = {"rows": sum(part["rows"] for part in parts)}
    for key in ("accuracy", "balanced_accuracy", "calibration_error"):
        values = [part[key] for part in parts]
        summary[key] = {
            "mean": round(float(np.mean(values)), 4),
            "deviation": round(float(np.std(values, ddof=1)), 4),
            "values": [round(value, 4) for value in values],
        }
    return summary
