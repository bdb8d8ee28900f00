"""A feature table → heads, exported, in a model folder."""

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from models.bundle import EmbedderSpec, HeadSpec, Manifest
from training.classifiers import (
    GRIDS,
    MAX_ROWS,
    ClassifierName,
    Rows,
    cross_entropy,
    fit_classifier,
)
from training.datasets.samples import TRAIN, Composition, natural_key
from training.errors import DatasetError
from training.export import convert, export
from training.head import Head, best_beta
from training.splits import SEED, by_identity
from training.table import FeatureTable

_DEVELOPMENT_FRACTION = 0.1
_MIN_CALIBRATION_ROWS = 50
_PACKAGES = ("numpy", "onnx", "onnxruntime", "scikit-learn", "scipy", "skl2onnx")


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """How heads are fitted.

    Attributes:
        attributes: which; all of the table unless given.
        classifier: one of scikit-learn's.
        balanced: rare classes weigh as much as frequent ones.
        mirror: mirrored faces are fitted on too, where the table has them.
        calibrate: probabilities are made as sure as they are right, on rows not fitted on.
        search: several settings are tried; the development rows decide.
        seed: of whatever is drawn.
    """

    attributes: tuple[str, ...] | None = None
    classifier: ClassifierName = "mlp"
    balanced: bool = False
    mirror: bool = True
    calibrate: bool = True
    search: bool = False
    seed: int = SEED

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """What a manifest recorded with `asdict`."""
        attributes = record["attributes"]
        return cls(**{**record, "attributes": attributes and tuple(attributes)})


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Heads, their ONNX files by name, and the manifest that describes them."""

    heads: tuple[Head, ...]
    files: dict[str, bytes]
    manifest: Manifest


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """Heads that share a classifier: one attribute, or all that are read off flags."""

    heads: tuple[Head, ...]  # without their pipeline
    rows: NDArray[np.intp]  # of the table, that have labels
    targets: NDArray[np.int64]  # of those rows


def fit(
    table: FeatureTable, settings: FitSettings, told: Callable[[str], None] = lambda line: None
) -> Fitted:
    """Fits, calibrates and exports a head for each attribute.

    Only rows of the split `train` are looked at. A tenth of them, whole people or whole pictures,
    are the development rows: they say when to stop, which setting is best and how sure the head
    may be, and nothing is fitted on them.

    Args:
        table: the features.
        settings: how.
        told: is given a line about each step.

    Raises:
        DatasetError: an attribute does not exist or has one class only.
        TrainingError: an exported head differs from scikit-learn's.
    """
    train = np.flatnonzero(table.splits == TRAIN)
    tasks = _tasks(table, train, settings.attributes or tuple(table.labels))
    heads: list[Head] = []
    files: dict[str, bytes] = {}
    record: dict[str, Any] = {}
    for task in tasks:
        names = ", ".join(head.attribute for head in task.heads)
        told(f"{names}: fitting {settings.classifier}")
        # The products are small: more threads are no faster, and sums would differ with them.
        with threadpool_limits(1):
            fitted, notes = _fit_task(table, task, settings)
        checked = table.embeddings[task.rows]
        converted = convert(fitted[0].pipeline, checked)
        for head in fitted:
            files[_file(head)] = export(head, converted, checked)
            record[head.attribute] = {**notes, "inverse_temperature": round(head.beta, 4)}
        heads.extend(fitted)
    return Fitted(tuple(heads), files, _manifest(table, settings, heads, record))


def _tasks(table: FeatureTable, train: NDArray[np.intp], attributes: Sequence[str]) -> list[_Task]:
    composed = {each.attribute: each for each in table.info.compositions}
    for name in attributes:
        table.column(name)
    flagged = [composed[name] for name in attributes if name in composed]
    tasks = [_class_task(table, train, name) for name in attributes if name not in composed]
    return [_flag_task(table, train, flagged), *tasks] if flagged else tasks


def _class_task(table: FeatureTable, train: NDArray[np.intp], attribute: str) -> _Task:
    column = table.column(attribute)
    rows = train[np.array([column[row] is not None for row in train], dtype=np.bool_)]
    names = sorted(set(column[rows]), key=natural_key)
    if len(names) < 2:
        only = f"only {names[0]!r}" if names else "no label"
        raise DatasetError(f"the training rows have {only} for {attribute}: two classes are needed")
    numbers = {name: number for number, name in enumerate(names)}
    targets = np.array([numbers[name] for name in column[rows]])
    return _Task((Head(attribute, tuple(names), None),), rows, targets)


def _flag_task(
    table: FeatureTable, train: NDArray[np.intp], composed: Sequence[Composition]
) -> _Task:
    flags = tuple(dict.fromkeys(flag for each in composed for flag in each.flags))
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
        for each in composed
    )
    return _Task(heads, rows, targets[:, 0] if single else targets)


def _fit_task(
    table: FeatureTable, task: _Task, settings: FitSettings
) -> tuple[list[Head], dict[str, Any]]:
    """The task's heads, fitted and calibrated, and what is worth recording of that."""
    held = _development(table, task, settings.seed)
    mirrored = table.mirrored[task.rows]
    rows = Rows(table.embeddings[task.rows], task.targets)
    fitted = _at_most(
        rows[~held & (settings.mirror | ~mirrored)],
        MAX_ROWS.get(settings.classifier),
        settings.seed,
    )
    # Where one person is all there is, the rows fitted on must do.
    development = rows[held & ~mirrored] if held.any() else fitted
    grid = GRIDS[settings.classifier] if settings.search else GRIDS[settings.classifier][:1]
    tried = []
    for options in grid:
        pipeline = fit_classifier(
            settings.classifier,
            fitted,
            development,
            options,
            class_weight="balanced" if settings.balanced else None,
            seed=settings.seed,
        )
        loss = cross_entropy(pipeline.predict_proba(development.embeddings), development.targets)
        tried.append((loss, options, pipeline))
    _, options, pipeline = min(tried, key=lambda each: each[0])
    heads = [replace(head, pipeline=pipeline) for head in task.heads]
    if settings.calibrate and held.any():
        heads = [_calibrated(head, table, task.rows[held & ~mirrored]) for head in heads]
    return heads, {
        "options": dict(options),
        "fitted_rows": len(fitted),
        "development_rows": int((held & ~mirrored).sum()),
        "tried": [{**each, "loss": round(loss, 4)} for loss, each, _ in tried],
    }


def _development(table: FeatureTable, task: _Task, seed: int) -> NDArray[np.bool_]:
    """Which of the task's rows are not fitted on: whole people, where they are known.

    A class of which too few people are there for both sides is fitted on only.
    """
    people = [table.identities[row] or table.files[row] for row in task.rows]
    held = by_identity(people, _DEVELOPMENT_FRACTION, seed)
    codes = task.targets if task.targets.ndim == 2 else np.eye(task.targets.max() + 1)[task.targets]
    for wanted in (codes == 1, codes == 0):
        for has in wanted.T:
            if not (has & ~held).any():
                held &= ~has
    return held


def _at_most(rows: Rows, count: int | None, seed: int) -> Rows:
    if count is None or len(rows) <= count:
        return rows
    chosen = np.random.default_rng(seed).permutation(len(rows))[:count]
    return rows[np.sort(chosen)]


def _calibrated(head: Head, table: FeatureTable, rows: NDArray[np.intp]) -> Head:
    column = table.column(head.attribute)
    labelled = rows[np.array([column[row] is not None for row in rows], dtype=np.bool_)]
    if len(labelled) < _MIN_CALIBRATION_ROWS:
        return head
    numbers = {name: number for number, name in enumerate(head.classes)}
    targets = np.array([numbers[name] for name in column[labelled]])
    return replace(head, beta=best_beta(head.uncalibrated(table.embeddings[labelled]), targets))


def command_line(settings: FitSettings) -> str:
    """The command that fits with these settings."""
    default = FitSettings()
    words = ["face-train fit features.parquet --out FOLDER"]
    if settings.attributes is not None:
        words.append(f"--attributes {','.join(settings.attributes)}")
    if settings.classifier != default.classifier:
        words.append(f"--classifier {settings.classifier}")
    if settings.balanced:
        words.append("--class-weight balanced")
    if not settings.mirror:
        words.append("--no-mirror")
    if not settings.calibrate:
        words.append("--no-calibrate")
    if settings.search:
        words.append("--search")
    if settings.seed != default.seed:
        words.append(f"--seed {settings.seed}")
    return " ".join(words)


def _manifest(
    table: FeatureTable, settings: FitSettings, heads: Sequence[Head], record: dict[str, Any]
) -> Manifest:
    info = table.info
    return Manifest(
        embedder=EmbedderSpec(
            name=info.embedder, dimensions=info.dimensions, chip_size=info.chip_size
        ),
        attributes=tuple(
            HeadSpec(attribute=head.attribute, classes=head.classes, file=_file(head))
            for head in heads
        ),
        provenance={
            "data": {
                "dataset": info.dataset,
                "credit": info.credit,
                "features": info.engine,
                "hold_out": info.hold_out,
                "command": info.command,
                "sha256": table.digest(),
                "train_faces": int(((table.splits == TRAIN) & ~table.mirrored).sum()),
                "mirrored": bool(settings.mirror and table.mirrored.any()),
            },
            "settings": asdict(settings),
            "heads": record,
            "versions": {"python": platform.python_version()}
            | {name: version(name) for name in _PACKAGES},
        },
    )


def _file(head: Head) -> str:
    """A name that every file system takes."""
    kept = "".join(each if each.isalnum() else "_" for each in head.attribute.lower())
    return f"{kept}.onnx"
