"""A feature table → fitted, calibrated and exported heads, with their manifest."""

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from models.classification.bundle import EmbedderSpec, HeadSpec, Manifest
from models.classification.calibration import CALIBRATION_FILE, Calibration
from models.classification.label_names import check_label_names
from models.embedder import DLIB_NAME, TRAINED_EMBEDDER_FILE, EmbedderModel, read_embedder
from training.datasets.samples import TRAIN
from training.datasets.splits import DEFAULT_DEVELOPMENT, HoldOut
from training.errors import DatasetError
from training.features.leaks import check_leaks
from training.features.table import FeatureTable
from training.fitting.classifiers import (
    AUTO_CLASSIFIERS,
    GRIDS,
    MAX_ROWS,
    ClassifierName,
    Rows,
    cross_entropy,
    fit_classifier,
)
from training.fitting.development_views import development_views
from training.fitting.export import convert, export
from training.fitting.head import (
    KNN_MIN_PROBABILITY,
    MIN_PROBABILITY,
    Head,
    with_temperature,
)
from training.fitting.held_out import held_out_notes
from training.fitting.settings import FitSettings
from training.fitting.tasks import Task, development_rows, head_file_name, plan_tasks
from training.fitting.view_calibration import fit_calibration

CALIBRATION_RECORD = "calibration"
"""Entry of the provenance of a manifest on what a calibration by view was fitted on."""

_PACKAGES = ("numpy", "onnx", "onnxruntime", "scikit-learn", "scipy", "skl2onnx")
"""Packages whose versions the manifest records."""


@dataclass(frozen=True, slots=True, eq=False)
class FittedModel:
    """Heads and what describes them.

    Attributes:
        heads: one an attribute.
        files: the files of the model folder by name, but for the card.
        manifest: describes them.
        development: attribute → rows of the table `(n,)` on which its head was not fitted.
    """

    heads: tuple[Head, ...]
    files: dict[str, bytes]
    manifest: Manifest
    development: Mapping[str, NDArray[np.intp]]

    def with_record(self, key: str, record: Mapping[str, Any]) -> "FittedModel":
        """The same with an entry more in the provenance of its manifest."""
        provenance = {**self.manifest.provenance, key: dict(record)}
        return replace(self, manifest=self.manifest.model_copy(update={"provenance": provenance}))

    def with_calibration(self, calibration: Calibration) -> "FittedModel":
        """The same with a calibration by view."""
        files = {**self.files, CALIBRATION_FILE: calibration.to_bytes()}
        manifest = self.manifest.model_copy(update={"calibration": CALIBRATION_FILE})
        recorded = replace(self, files=files, manifest=manifest)
        return recorded.with_record(CALIBRATION_RECORD, calibration.record)


def fit(
    table: FeatureTable,
    settings: FitSettings,
    on_message: Callable[[str], None] = lambda line: None,
) -> FittedModel:
    """Fits, calibrates and exports a head for each attribute.

    Only rows of the split `train` are used. Some of them, whole people or whole pictures, are the
    development rows, on which no classifier is fitted: they decide when fitting stops, which
    setting is best, and the temperature. They are those that the embedder did not learn from; with
    dlib's, a tenth.

    The same seed gives the same files, but for a forest: its trees are summed in the order in
    which threads finish them, so its probabilities, and with them the temperature, differ by
    about 1e-16 from run to run.

    Args:
        table: the features.
        settings: how the heads are fitted.
        on_message: is given a line about each step.

    Raises:
        DatasetError: no row is for training, both halves share pictures or people and that is not
            allowed, an attribute does not exist or has one class only, or the features are of
            another embedder.
        ModelError: the embedder's file cannot be read.
        TrainingError: an exported head differs from scikit-learn's.
    """
    embedder = None if settings.embedder is None else read_embedder(settings.embedder)
    _check_embedder(table, embedder)
    development = DEFAULT_DEVELOPMENT if embedder is None else _development_rule(embedder)
    train = np.flatnonzero(table.splits == TRAIN)
    if not settings.allow_leak:
        check_leaks(table)
    tasks = plan_tasks(table, train, settings.attributes or tuple(table.labels))
    try:
        check_label_names((head.attribute, head.classes) for task in tasks for head in task.heads)
    except ValueError as error:
        raise DatasetError(str(error)) from error
    learned = {head.attribute: head.classes for task in tasks for head in task.heads}
    for note in held_out_notes(table, learned):
        on_message(note)
    heads: list[Head] = []
    files: dict[str, bytes] = {}
    record: dict[str, Any] = {}
    held: dict[str, NDArray[np.intp]] = {}
    for task in tasks:
        names = ", ".join(head.attribute for head in task.heads)
        on_message(f"{names}: fitting {settings.classifier}")
        # The matrices are small: more threads are no faster, and sums would depend on them.
        with threadpool_limits(1):
            fitted, notes, rows = _fit_task(table, task, settings, development)
        checked = table.embeddings[task.rows]
        converted = convert(fitted[0].pipeline, checked)
        for head in fitted:
            files[head_file_name(head.attribute)] = export(head, converted, checked)
            record[head.attribute] = {
                **notes,
                "inverse_temperature": round(head.inverse_temperature, 4),
            }
            held[head.attribute] = rows
        heads.extend(fitted)
    manifest = _manifest(table, settings, heads, record)
    if embedder is not None:
        files[TRAINED_EMBEDDER_FILE] = embedder.model
        spec = manifest.embedder.model_copy(
            update={
                "file": TRAINED_EMBEDDER_FILE,
                "appearance_dimensions": embedder.appearance_dimensions,
            }
        )
        provenance = {"embedder": dict(embedder.record), **manifest.provenance}
        manifest = manifest.model_copy(update={"embedder": spec, "provenance": provenance})
    model = FittedModel(tuple(heads), files, manifest, held)
    return _calibrated_by_view(model, table, settings) if settings.calibrate else model


def _calibrated_by_view(
    fitted: FittedModel, table: FeatureTable, settings: FitSettings
) -> FittedModel:
    """The same model, as sure of the views of its development faces as it is right there."""
    views = development_views(table, fitted.heads, fitted.development, settings.seed)
    if views is None:
        return fitted
    faces = round(float(views.weights.sum()))
    filmed = round(len(views.weights) / faces) - 1
    record = {"faces": faces, "filmed": filmed, "seed": settings.seed}
    classes = {head.attribute: head.classes for head in fitted.heads}
    calibration = fit_calibration(views, classes, record)
    return fitted.with_calibration(calibration) if calibration.attributes else fitted


def _check_embedder(table: FeatureTable, embedder: EmbedderModel | None) -> None:
    name = DLIB_NAME if embedder is None else embedder.name
    if table.info.embedder != name:
        raise DatasetError(
            f"the features are of the embedder {table.info.embedder}, not of {name}: "
            "name the file they were made with with --embedder, or none for dlib's"
        )


def _development_rule(embedder: EmbedderModel) -> HoldOut:
    """The rule by which the embedder's development rows were chosen; older files do not say it."""
    settings = embedder.record.get("settings", {})
    rule = settings.get("development") if isinstance(settings, dict) else None
    return HoldOut.parse(rule) if isinstance(rule, str) else DEFAULT_DEVELOPMENT


def _fit_task(
    table: FeatureTable, task: Task, settings: FitSettings, development_rule: HoldOut
) -> tuple[list[Head], dict[str, Any], NDArray[np.intp]]:
    """The fitted and calibrated heads of a task, the notes on them for the manifest, and the
    development rows of the table."""
    held = development_rows(table, task, settings.seed, development_rule)
    as_found = table.as_found[task.rows]
    left_out = np.zeros_like(held)
    if not settings.mirror:
        left_out |= table.mirrored[task.rows]
    if not settings.fits_filmed:
        left_out |= table.filmed[task.rows]
    rows = Rows(table.embeddings[task.rows], task.targets)
    fitted = _subsample(
        rows[~held & ~left_out],
        MAX_ROWS.get(settings.classifier),
        settings.seed,
    )
    # With one person only, there are no development rows: the fitted ones must do.
    development = rows[held & as_found] if held.any() else fitted
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
    min_probability = KNN_MIN_PROBABILITY if settings.classifier == "knn" else MIN_PROBABILITY
    heads = [
        replace(head, pipeline=pipeline, min_probability=min_probability) for head in task.heads
    ]
    development_numbers = task.rows[held & as_found]
    if settings.calibrate and held.any():
        heads = [with_temperature(head, table, development_numbers) for head in heads]
    notes = {
        "options": chosen,
        "fitted_rows": len(fitted),
        "development_rows": len(development_numbers),
        "tried": [{**each, "loss": round(loss, 4)} for loss, each, _ in tried],
    }
    return heads, notes, development_numbers


def _candidates(settings: FitSettings) -> Iterator[tuple[ClassifierName, Mapping[str, Any]]]:
    """The classifiers and options to try, the default of each classifier first."""
    names = AUTO_CLASSIFIERS if settings.classifier == "auto" else (settings.classifier,)
    for name in names:
        for options in GRIDS[name] if settings.search else GRIDS[name][:1]:
            yield name, options


def _subsample(rows: Rows, count: int | None, seed: int) -> Rows:
    if count is None or len(rows) <= count:
        return rows
    chosen = np.random.default_rng(seed).permutation(len(rows))[:count]
    return rows[np.sort(chosen)]


def _manifest(
    table: FeatureTable, settings: FitSettings, heads: Sequence[Head], record: dict[str, Any]
) -> Manifest:
    info = table.info
    return Manifest(
        embedder=EmbedderSpec(
            name=info.embedder, dimensions=info.dimensions, chip_size=info.chip_size
        ),
        attributes=tuple(
            HeadSpec(
                attribute=head.attribute, classes=head.classes, file=head_file_name(head.attribute)
            )
            for head in heads
        ),
        detector=info.detector,
        provenance={
            "data": {
                "dataset": info.dataset,
                "credit": info.credit,
                "features": info.engine,
                "hold_out": info.hold_out,
                "command": info.command,
                "sha256": table.digest(),
                "train_faces": int(((table.splits == TRAIN) & table.as_found).sum()),
                "mirrored": bool(settings.mirror and table.mirrored.any()),
                "filmed": bool(settings.fits_filmed and table.filmed.any()),
            },
            "settings": settings.record(),
            "heads": record,
            "versions": {"python": platform.python_version()}
            | {name: version(name) for name in _PACKAGES},
        },
    )
