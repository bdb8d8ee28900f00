"""The benchmark of a report: how near corrected shares come to the truth, on labelled faces.

The first half of the faces that the model was not fitted on makes the correction, and populations
of known shares are drawn from the other half; the halves are fixed by a seed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import RenderableType
from rich.table import Table

from models.classification.bundle import load_bundle
from models.classification.classifier import Classifier
from models.classification.view_quality import ViewQuality
from models.embedder import bundled_embedder
from models.engine import load_engine
from models.prevalence.correction import AttributeCorrection
from models.prevalence.correction_fit import HeldOutFaces, fit_correction
from stream.benchmarks.tracking.benchmark import labelled_chips
from stream.errors import SourceError
from stream.settings import Config

HELD_OUT_FACES = 5_000
"""Faces of the data set, by its table, that the models that ship were never fitted on."""

_FULL_WIDTH_PX = 60.0
"""Width as which the faces count, px: wider ones are labelled no better."""

_BATCH = 50
"""Faces that are embedded at a time."""


@dataclass(frozen=True, slots=True)
class PrevalenceReport:
    """By attribute the correction that was made and its test; None where there were too few faces.

    Attributes:
        faces: how many there were.
        corrections: by attribute.
    """

    faces: int
    corrections: Mapping[str, AttributeCorrection | None]

    def as_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        tests = {
            name: {"is_gain": each.is_gain, "widening": each.widening, **each.test}
            if each is not None
            else None
            for name, each in self.corrections.items()
        }
        return {"faces": self.faces, "attributes": tests}


def measure_prevalence(
    folder: Path, config: Config, count: int = HELD_OUT_FACES, draws: int | None = None
) -> PrevalenceReport:
    """Labels faces of a data set that is laid out as FairFace's, and tests the correction on them.

    Args:
        folder: holds the table of labels and the pictures it names, aligned chips.
        config: the settings, of which the model counts.
        count: how many faces of the table, from its beginning on.
        draws: populations of each test; see `fit_correction`.

    Raises:
        SourceError: there is no such table, or a label is no class of the model.
    """
    bundle = load_bundle(config.engine.model_folder)
    engine = load_engine(config.detection.for_engine(), embedder=bundled_embedder(bundle))
    classifier = Classifier(bundle)
    probabilities: dict[str, list[NDArray[np.float32]]] = {}
    truths: dict[str, list[int]] = {name: [] for name in classifier.classes}
    faces = islice(labelled_chips(folder), count)
    side = bundle.manifest.embedder.chip_size
    while batch := list(islice(faces, _BATCH)):
        chips = [_resized(chip, side) for chip, _ in batch]
        widths_px = np.full(len(chips), np.nan, dtype=np.float32)  # of chips unknown: as good views
        quality = ViewQuality.of(np.stack(chips), widths_px)
        for prediction in classifier.predict(engine.embed(np.stack(chips)), quality=quality):
            probabilities.setdefault(prediction.attribute, []).append(prediction.probabilities)
        for name, classes in classifier.classes.items():
            truths[name] += _numbers(classes, [labels.get(name) for _, labels in batch], folder)
    corrections = {
        name: fit_correction(
            classifier.classes[name],
            [HeldOutFaces(_FULL_WIDTH_PX, np.concatenate(found), np.array(truths[name], np.intp))],
            draws,
        )
        for name, found in probabilities.items()
    }
    return PrevalenceReport(max(map(len, truths.values()), default=0), corrections)


def render(report: PrevalenceReport) -> RenderableType:
    """The test by attribute and mix, as a table for people."""
    table = Table(title=f"shares of groups, raw and corrected, on halves of {report.faces} faces")
    for heading in ("attribute", "mix"):
        table.add_column(heading)
    for heading in ("raw error", "corrected", "ratio", "intervals right", "widened by"):
        table.add_column(heading, justify="right")
    for cells in _cells(report):
        table.add_row(*cells)
    return table


def _cells(report: PrevalenceReport) -> Iterator[tuple[str, ...]]:
    for name, correction in report.corrections.items():
        if correction is None:
            yield (name, "too few faces", "", "", "", "", "")
            continue
        (view,) = correction.test["views"]
        widening = f"{correction.widening:.2f}"
        yield (*_row(name, "all" if correction.is_gain else "all: no gain", view), widening)
        for mix, each in view["mixes"].items():
            yield (*_row("", mix, each), "")


def _row(name: str, mix: str, figures: Mapping[str, float]) -> tuple[str, ...]:
    raw, corrected = figures["raw_error"], figures["corrected_error"]
    ratio = f"{corrected / raw:.2f}" if raw else "–"
    return name, mix, f"{raw:.4f}", f"{corrected:.4f}", ratio, f"{figures['coverage']:.1%}"


def _resized(chip: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """A chip with the sides that the embedder takes."""
    flags = cv2.INTER_AREA if chip.shape[0] > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(chip, (side, side), interpolation=flags), dtype=np.uint8)


def _numbers(classes: Sequence[str], labels: Sequence[str | None], folder: Path) -> list[int]:
    """The number of the class of each label."""
    if foreign := [each for each in labels if each not in classes]:
        raise SourceError(f"{folder} has the label {foreign[0]!r}, which the model does not know")
    return [classes.index(each) for each in labels if each is not None]
