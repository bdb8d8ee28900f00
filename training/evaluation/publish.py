"""Fitted heads → a model folder with its card."""

from pathlib import Path

from models.bundle import CARD_FILE, MANIFEST_FILE, Bundle, save_bundle
from models.errors import ModelError
from training.evaluation.card import card
from training.evaluation.evaluate import evaluate
from training.evaluation.intervals import Figures
from training.features.table import FeatureTable
from training.fitting.fit import FittedModel


def publish(folder: Path, fitted: FittedModel, table: FeatureTable) -> Figures:
    """Writes the model folder with a card on the rows held out, and returns that report.

    Raises:
        DatasetError: no row is held out.
        ModelError: the folder cannot be written.
    """
    report = evaluate(Bundle(folder, fitted.manifest, fitted.files), table)
    text = card(report, fitted.manifest.provenance)
    save_bundle(folder, fitted.manifest, {**fitted.files, CARD_FILE: text.encode()})
    return report


def write_card(bundle: Bundle, report: Figures) -> None:
    """Writes the card of a model folder anew, from another report.

    Raises:
        ModelError: the folder cannot be written.
    """
    provenance = bundle.manifest.provenance
    text = card(report, provenance)
    save_bundle(bundle.folder, bundle.manifest, {**bundle.files, CARD_FILE: text.encode()})


def check_folder(folder: Path) -> None:
    """Raises ModelError where a model cannot be written, before anything is fitted."""
    if folder.exists() and not (folder / MANIFEST_FILE).is_file():
        raise ModelError(f"{folder} exists and is not a model folder: name another")
