"""Fitted heads → a model folder with its card."""

from pathlib import Path

from models.bundle import CARD_FILE, Bundle, save_bundle
from training.card import card
from training.evaluate import evaluate
from training.figures import Figures
from training.fit import Fitted
from training.table import FeatureTable


def publish(folder: Path, fitted: Fitted, table: FeatureTable) -> Figures:
    """Writes the model folder with a card on the rows held out, and returns that report.

    Raises:
        DatasetError: no row is held out.
        ModelError: the folder cannot be written.
    """
    report = evaluate(Bundle(folder, fitted.manifest, fitted.files), table)
    text = card(report, fitted.manifest.provenance)
    save_bundle(folder, fitted.manifest, {**fitted.files, CARD_FILE: text.encode()})
    return report
