"""Plans which classifiers are fitted, on which rows and targets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.program.printable import counted
from training.datasets.samples import TRAIN, FlagAttribute, natural_key
from training.datasets.splits import DEFAULT_DEVELOPMENT, HoldOut, hold_out_development
from training.errors import DatasetError
from training.features.table import FeatureTable
from training.fitting.head import Head
from training.outputs import quoted


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Heads that share a classifier: one attribute, or all that follow from flags.

    Attributes:
        heads: without their pipelines, which are not fitted yet.
        rows: `(n,)`, the rows of the table that have labels.
        targets: of these rows, `(n,)` class numbers, or `(n, m)` flags of 0 and 1.
    """

    heads: tuple[Head, ...]
    rows: NDArray[np.intp]
    targets: NDArray[np.int64]


def plan_tasks(
    table: FeatureTable, train: NDArray[np.intp], attributes: Sequence[str]
) -> list[Task]:
    """The classifiers to fit for the attributes.

    Args:
        table: the features.
        train: its rows to fit on.
        attributes: the label columns.

    Raises:
        DatasetError: no row is for training, an attribute does not exist or has one class only, or
            two have one file name.
    """
    faces_once = train[table.as_found[train]]
    if not len(faces_once):
        faces = counted(int(table.as_found.sum()), "face")
        raise DatasetError(
            f"all {faces} of the table are held out, none is for training: fit on another table, "
            "or make it with --hold-out 0.1"
        )
    by_flags = {each.attribute: each for each in table.info.flag_attributes}
    files: dict[str, str] = {}
    for name in attributes:
        table.column(name)
        if (other := files.setdefault(head_file_name(name), name)) != name:
            raise DatasetError(f"{other!r} and {name!r} are too alike: name one with --attributes")
    flagged = [by_flags[name] for name in attributes if name in by_flags]
    _check_classes(table, faces_once, [name for name in attributes if name not in by_flags])
    tasks = [_class_task(table, train, name) for name in attributes if name not in by_flags]
    return [_flag_task(table, train, flagged), *tasks] if flagged else tasks


def _check_classes(table: FeatureTable, train: NDArray[np.intp], attributes: Sequence[str]) -> None:
    """Raises DatasetError where an attribute has fewer than two classes in the training rows."""
    found = {name: sorted(set(table.column(name)[train]) - {None}) for name in attributes}
    fit = [name for name, classes in found.items() if len(classes) > 1]
    for name, classes in found.items():
        if len(classes) < 2:
            only = f"only {classes[0]!r}" if classes else "no label"
            others = f"; --attributes {quoted(','.join(fit))} leaves it out" if fit else ""
            raise DatasetError(
                f"the training rows have {only} for {name}: two classes are needed{others}"
            )


def _class_task(table: FeatureTable, train: NDArray[np.intp], attribute: str) -> Task:
    column = table.column(attribute)
    rows = train[np.array([column[row] is not None for row in train], dtype=np.bool_)]
    names = sorted(set(column[rows]), key=natural_key)
    numbers = {name: number for number, name in enumerate(names)}
    targets = np.array([numbers[name] for name in column[rows]])
    return Task((Head(attribute, tuple(names), None),), rows, targets)


def _flag_task(
    table: FeatureTable, train: NDArray[np.intp], by_flags: Sequence[FlagAttribute]
) -> Task:
    flags = tuple(dict.fromkeys(flag for each in by_flags for flag in each.flags))
    columns = np.array([table.column(flag) for flag in flags])
    rows = train[np.array([None not in columns[:, row] for row in train], dtype=np.bool_)]
    targets = (columns[:, rows] == np.array(flags)[:, None]).T.astype(np.int64)
    for flag, column in zip(flags, targets.T, strict=True):
        if len(set(column.tolist())) < 2:
            raise DatasetError(f"the training rows are all alike in {flag}: two are needed")
    # One flag alone is an ordinary attribute of two classes, whose second column is the flag.
    single = len(flags) == 1
    heads = tuple(
        Head(
            each.attribute,
            each.classes,
            None,
            flags=(1,) if single else tuple(flags.index(flag) for flag in each.flags),
        )
        for each in by_flags
    )
    return Task(heads, rows, targets[:, 0] if single else targets)


def development_rows(
    table: FeatureTable, task: Task, seed: int, rule: HoldOut = DEFAULT_DEVELOPMENT
) -> NDArray[np.bool_]:
    """Which rows of a task are development rows, of the table's training rows by that rule.

    A class with too few people for both sides has no development rows.
    """
    train = np.flatnonzero(table.splits == TRAIN)
    files = [str(table.files[row]) for row in train]
    chosen = hold_out_development(files, [table.identities[row] for row in train], rule, seed)
    held = np.isin(task.rows, train[chosen])
    codes = task.targets if task.targets.ndim == 2 else np.eye(task.targets.max() + 1)[task.targets]
    for wanted in (codes == 1, codes == 0):
        for has in wanted.T:
            if not (has & ~held).any():
                held &= ~has
    return held


def head_file_name(attribute: str) -> str:
    """The name of a head's file, which every file system takes."""
    kept = "".join(each if each.isalnum() else "_" for each in attribute.lower())
    return f"{kept}.onnx"
