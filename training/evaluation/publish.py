"""Fitted heads → a model folder with its card."""

from pathlib import Path

import numpy as np

from models.classification.bundle import (
    CARD_FILE,
    CORRECTION_FILE,
    MANIFEST_FILE,
    Bundle,
    save_bundle,
)
from models.errors import ModelError
from models.prevalence.correction import Correction
from training.evaluation.card import card
from training.evaluation.correction import counting_figures, measure_correction
from training.evaluation.evaluate import (
    REPORT_SCHEMA,
    compare,
    describe_data,
    describe_model,
    report_on,
)
from training.evaluation.intervals import CONFIDENCE_LEVEL, Figures
from training.features.progress import OpenProgress, nothing_shown
from training.features.table import FeatureTable
from training.fitting.fit import FittedModel
from training.fitting.held_out import measurable, unlearned_classes


def publish(
    folder: Path,
    fitted: FittedModel,
    table: FeatureTable,
    open_progress: OpenProgress = nothing_shown,
) -> Figures:
    """Writes the model folder with a card and a correction of counts, both of the rows held out.

    The folder is written before anything is measured, so that what was fitted is kept whatever
    becomes of the report. Faces of classes that were not learned are left out of it.

    Args:
        folder: the model folder.
        fitted: what was fitted.
        table: the features, with the rows held out.
        open_progress: of the test of the correction, see `measure_correction`.

    Returns:
        The report on those rows.

    Raises:
        ModelError: the folder cannot be written.
    """
    bundle = Bundle(folder, fitted.manifest, fitted.files)
    report = _unmeasured(bundle, table)
    write_card(bundle, report)
    learned = {head.attribute: head.classes for head in fitted.heads}
    if any(measurable(table, name, classes) for name, classes in learned.items()):
        unlearned = {
            name: dict.fromkeys(unlearned_classes(table, name, classes))
            for name, classes in learned.items()
        }
        comparison = compare(bundle, table, names=unlearned)
        report = report_on(bundle, comparison)
        correction = measure_correction(bundle, comparison, open_progress=open_progress)
        write_card(bundle, report, correction)
    return report


def _unmeasured(bundle: Bundle, table: FeatureTable) -> Figures:
    """A report without figures."""
    return {
        "schema": REPORT_SCHEMA,
        "model": describe_model(bundle),
        "data": describe_data(table, table[np.zeros(len(table), dtype=np.bool_)], "test"),
        "settings": {"confidence_level": CONFIDENCE_LEVEL},
        "cautions": ["nothing was measured: no held-out face has a label"],
        "attributes": {},
    }


def write_card(bundle: Bundle, report: Figures, correction: Correction | None = None) -> None:
    """Writes the card of a model folder anew, from another report, and its correction.

    Args:
        bundle: the model folder.
        report: on the model; the test of the correction is added to it.
        correction: measured with it; None leaves none in the folder.

    Raises:
        ModelError: the folder cannot be written.
    """
    for name, figures in counting_figures(correction).items():
        report["attributes"][name] |= figures
    provenance = bundle.manifest.provenance
    files = {**bundle.files, CARD_FILE: card(report, provenance).encode()}
    files.pop(CORRECTION_FILE, None)
    if correction is not None:
        files[CORRECTION_FILE] = correction.as_json()
    save_bundle(bundle.folder, bundle.manifest, files)


def check_folder(folder: Path) -> None:
    """Raises ModelError where a model cannot be written, before anything is fitted."""
    if folder.exists() and not (folder / MANIFEST_FILE).is_file():
        raise ModelError(f"{folder} exists and is not a model folder: name another")
