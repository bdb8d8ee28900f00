"""Networks trained one after another on the same faces."""

import csv
import io
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from models.trunk import Trunk
from training.errors import TrainingError
from training.evaluation.plots import learning_curves
from training.features.extraction import Progress
from training.finetune.batches import Lessons, known_as, like_known
from training.finetune.chip_loader import Pixels
from training.finetune.labelled_faces import Labelled
from training.finetune.network import Network
from training.finetune.run import Run
from training.finetune.settings import FinetuneSettings
from training.finetune.validation import LogRow
from training.outputs import write_text

LOG_FILE, PLOT_FILE = "log.csv", "log.svg"

_CHECKED = 64  # faces for which the exported network must say what the trained one says

Counting: TypeAlias = Callable[[int], AbstractContextManager[Progress]]
"""Given how many pictures there are, counts those that are done."""


def teacher_settings(settings: FinetuneSettings, number: int) -> FinetuneSettings:
    """Those of one of the networks that are trained first: each sees everything in another way."""
    epochs, seed = settings.teacher_epochs, settings.seed + number
    return replace(settings, epochs=epochs, patience=epochs, seed=seed, teachers=0)


class School:
    """Trains one network after another on the same faces; `seconds` is what all of it took.

    Args:
        faces: with labels.
        pixels: of these faces.
        told: is given a line about each epoch.
        counting: shows how far it is.
    """

    def __init__(
        self,
        faces: Labelled,
        pixels: Pixels,
        told: Callable[[str], None],
        counting: Counting,
    ) -> None:
        self._faces = faces
        self._pixels = pixels
        began = time.monotonic()
        with counting(len(faces.chips)) as progress:
            self._identities = known_as(pixels, np.arange(len(faces.chips)), progress=progress)
        self.seconds = time.monotonic() - began
        self._told = told
        self._counting = counting

    def __repr__(self) -> str:
        return f"School({self._pixels!r})"

    def trained(
        self,
        settings: FinetuneSettings,
        trunk: Trunk,
        folder: Path,
        teachers: Sequence[Network] = (),
    ) -> Run:
        """A run that has come to its end, its checkpoint and its log in the folder.

        Raises:
            TrainingError: the device is too small, or the weights are no numbers any more.
        """
        lessons = Lessons(self._faces, self._pixels, self._identities, settings, teachers)
        run = Run(self._faces, self._pixels, lessons, settings, folder, trunk)
        self._told(f"{folder.resolve().name}: {run}")

        def log(row: LogRow) -> None:
            self._told(_line(row))
            _write_log(folder, run.log)

        with self._counting(settings.epochs * len(lessons) * settings.batch) as progress:
            try:
                run.run(log, progress)
            except torch.OutOfMemoryError as error:
                raise TrainingError(
                    "the GPU's memory is too small: give a smaller --batch, or --device cpu"
                ) from error
        _write_log(folder, run.log)
        self.seconds += run.seconds
        return run

    def like_known(self, network: Network) -> Trunk:
        """Its weights, with which different people are as far apart as dlib has them."""
        faces = self._faces.development
        found = known_as(self._pixels, faces, network)
        return like_known(network.trunk(), found, self._identities[faces])

    def some_chips(self) -> NDArray[np.uint8]:
        """A few faces that were not learned from, `(n, side, side, 3)`."""
        chosen = self._faces.development[:_CHECKED]
        return np.stack([self._faces.chips[face] for face in chosen.tolist()])


def _line(row: LogRow) -> str:
    accuracies = ", ".join(
        f"{name.removesuffix(' accuracy')} {value:.3f}"
        for name, value in row.items()
        if name.endswith(" accuracy")
    )
    return f"epoch {row['epoch']:.0f}: {accuracies} on faces not learned from"


def _write_log(folder: Path, log: Sequence[LogRow]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(log[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(log)
    write_text(folder / LOG_FILE, text.getvalue())
    write_text(folder / PLOT_FILE, learning_curves(log))
