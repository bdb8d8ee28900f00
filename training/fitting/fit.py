"""A feature table → heads, exported, in a model folder."""

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from models.bundle import EmbedderSpec, HeadSpec, Manifest
from models.embedder import DLIB_NAME, EmbedderModel, read_embedder
from training.datasets.samples import TRAIN
from training.datasets.splits import SEED
from training.errors import DatasetError
from training.features.table import FeatureTable
from training.fitting.classifiers import (
    AUTO,
    GRIDS,
    MAX_ROWS,
    Choice,
    ClassifierName,
    Rows,
    cross_entropy,
    fit_classifier,
)
from training.fitting.export import convert, export
from training.fitting.head import FLOOR, KNN_FLOOR, Head, best_beta
from training.fitting.tasks import Task, development_rows, file_name, plan
from training.outputs import short_path

_EMBEDDER_FILE = "embedder.onnx"
_MIN_CALIBRATION_ROWS = 50
_PACKAGES = ("numpy", "onnx", "onnxruntime", "scikit-learn", "scipy", "skl2onnx")


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """How heads are fitted.

    Attributes:
        attributes: which; all of the table unless given.
        classifier: one of scikit-learn's, or `auto` for what suits each attribute.
        balanced: rare classes weigh as much as frequent ones.
        mirror: mirrored faces are fitted on too, where the table has them.
        calibrate: probabilities are made as sure as they are right, on rows not fitted on.
        search: several settings are tried; the development rows decide.
        seed: of whatever is drawn.
        embedder: the file of the one the features were made with, which the model then brings;
            None for dlib's.
    """

    attributes: tuple[str, ...] | None = None
    classifier: Choice = "mlp"
    balanced: bool = False
    mirror: bool = True
    calibrate: bool = True
    search: bool = False
    seed: int = SEED
    embedder: Path | None = None

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """What a manifest recorded with `asdict`."""
        attributes, embedder = record["attributes"], record.get("embedder")
        typed = {
            "attributes": attributes and tuple(attributes),
            "embedder": embedder and Path(embedder),
        }
        return cls(**{**record, **typed})

    def record(self) -> dict[str, Any]:
        """What `from_record` reads."""
        return {**asdict(self), "embedder": self.embedder and short_path(self.embedder)}


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Heads, their ONNX files by name, and the manifest that describes them."""

    heads: tuple[Head, ...]
    files: dict[str, bytes]
    manifest: Manifest


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
        DatasetError: an attribute does not exist or has one class only, or the features are of
            another embedder.
        ModelError: the embedder's file cannot be read.
        TrainingError: an exported head differs from scikit-learn's.
    """
    embedder = None if settings.embedder is None else read_embedder(settings.embedder)
    _check_embedder(table, embedder)
    train = np.flatnonzero(table.splits == TRAIN)
    tasks = plan(table, train, settings.attributes or tuple(table.labels))
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
            files[file_name(head.attribute)] = export(head, converted, checked)
            record[head.attribute] = {**notes, "inverse_temperature": round(head.beta, 4)}
        heads.extend(fitted)
    manifest = _manifest(table, settings, heads, record)
    if embedder is not None:
        files[_EMBEDDER_FILE] = embedder.model
        spec = manifest.embedder.model_copy(
            update={"file": _EMBEDDER_FILE, "identity": embedder.identity}
        )
        provenance = {"embedder": dict(embedder.record), **manifest.provenance}
        manifest = manifest.model_copy(update={"embedder": spec, "provenance": provenance})
    return Fitted(tuple(heads), files, manifest)


def _check_embedder(table: FeatureTable, embedder: EmbedderModel | None) -> None:
    name = DLIB_NAME if embedder is None else embedder.name
    if table.info.embedder != name:
        raise DatasetError(
            f"the features are of the embedder {table.info.embedder}, not of {name}: "
            "name the file they were made with with --embedder, or none for dlib's"
        )


def _fit_task(
    table: FeatureTable, task: Task, settings: FitSettings
) -> tuple[list[Head], dict[str, Any]]:
    """The task's heads, fitted and calibrated, and what is worth recording of that."""
    held = development_rows(table, task, settings.seed)
    mirrored = table.mirrored[task.rows]
    rows = Rows(table.embeddings[task.rows], task.targets)
    fitted = _at_most(
        rows[~held & (settings.mirror | ~mirrored)],
        MAX_ROWS.get(settings.classifier),
        settings.seed,
    )
    # Where one person is all there is, the rows fitted on must do.
    development = rows[held & ~mirrored] if held.any() else fitted
    tried = []
    for name, options in _candidates(settings):
        pipeline = fit_classifier(
            name,
            fitted,
            development,
            options,
            class_weight="balanced" if settings.balanced else None,
            seed=settings.seed,
        )
        loss = cross_entropy(pipeline.predict_proba(development.embeddings), development.targets)
        tried.append((loss, {"classifier": name, **options}, pipeline))
    _, chosen, pipeline = min(tried, key=lambda each: each[0])
    floor = KNN_FLOOR if settings.classifier == "knn" else FLOOR
    heads = [replace(head, pipeline=pipeline, floor=floor) for head in task.heads]
    if settings.calibrate and held.any():
        heads = [_calibrated(head, table, task.rows[held & ~mirrored]) for head in heads]
    return heads, {
        "options": chosen,
        "fitted_rows": len(fitted),
        "development_rows": int((held & ~mirrored).sum()),
        "tried": [{**each, "loss": round(loss, 4)} for loss, each, _ in tried],
    }


def _candidates(settings: FitSettings) -> Iterator[tuple[ClassifierName, Mapping[str, Any]]]:
    """What is tried, of each classifier its default first."""
    names = AUTO if settings.classifier == "auto" else (settings.classifier,)
    for name in names:
        for options in GRIDS[name] if settings.search else GRIDS[name][:1]:
            yield name, options


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
    return replace(
        head, beta=best_beta(head.uncalibrated(table.embeddings[labelled]), targets, head.floor)
    )


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
    if settings.embedder is not None:
        words.append(f"--embedder {short_path(settings.embedder)}")
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
            HeadSpec(attribute=head.attribute, classes=head.classes, file=file_name(head.attribute))
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
            "settings": settings.record(),
            "heads": record,
            "versions": {"python": platform.python_version()}
            | {name: version(name) for name in _PACKAGES},
        },
    )
