"""Trains a network on the faces of a dataset, and keeps the log of its epochs."""

import csv
import io
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.networks.embedder_integers import CALIBRATION_CHIPS
from models.networks.trunk import Trunk
from training.errors import TrainingError
from training.evaluation.plots import learning_curves
from training.features.progress import OpenProgress
from training.finetune.appearance import embed_appearances, match_appearance_scale
from training.finetune.batches import TrainingBatches
from training.finetune.chip_loader import ChipLoader
from training.finetune.distillation import TeacherProbabilities
from training.finetune.labelled_faces import LabelledFaces
from training.finetune.network import Network
from training.finetune.run import TrainingRun
from training.finetune.settings import FinetuneSettings
from training.finetune.validation import LogRow
from training.outputs import write_whole

LOG_FILE = "log.csv"
"""Name of the log, a line for each epoch."""

PLOT_FILE = "log.svg"
"""Name of the plot of the learning curves."""

_CHECKED_FACES = CALIBRATION_CHIPS
"""Faces for which the exported network must give what the trained one gives, and on which the
ranges of its feature maps are measured."""


class Trainer:
    """Trains a network on faces.

    Args:
        faces: with labels.
        loader: of these faces.
        on_message: is given a line about each epoch.
        progress_bar: shows how far training is.

    Attributes:
        seconds: the time that all of it took.
    """

    def __init__(
        self,
        faces: LabelledFaces,
        loader: ChipLoader,
        on_message: Callable[[str], None],
        progress_bar: OpenProgress,
    ) -> None:
        self._faces = faces
        self._loader = loader
        began = time.monotonic()
        all_faces = np.arange(len(faces.chips))
        with progress_bar(len(faces.chips)) as progress:
            self._appearances = embed_appearances(loader, all_faces, progress=progress)
        self.seconds = time.monotonic() - began
        self._on_message = on_message
        self._progress_bar = progress_bar

    def __repr__(self) -> str:
        return f"Trainer({self._loader!r})"

    def train(
        self,
        settings: FinetuneSettings,
        trunk: Trunk,
        folder: Path,
        taught: TeacherProbabilities,
    ) -> TrainingRun:
        """A run that has come to its end, its checkpoint and its log in the folder.

        Raises:
            TrainingError: the device is too small, or the weights are no numbers any more.
        """
        batches = TrainingBatches(self._faces, self._loader, self._appearances, settings, taught)
        run = TrainingRun(self._faces, self._loader, batches, settings, folder, trunk)
        state = f"{len(self._faces.fitted)} faces, epoch {run.epoch} of {settings.epochs}"
        self._on_message(f"{folder.resolve().name}: Run({state})")

        def on_epoch(row: LogRow) -> None:
            self._on_message(_line(row))
            _write_log(folder, run.log)

        with self._progress_bar(settings.epochs * len(batches) * settings.batch) as progress:
            try:
                run.run(on_epoch, progress)
            except torch.OutOfMemoryError as error:
                raise TrainingError(
                    "the GPU's memory is too small: give a smaller --batch, or --device cpu"
                ) from error
        _write_log(folder, run.log)
        self.seconds += run.seconds
        return run

    def with_dlib_distances(self, network: Network) -> Trunk:
        """The weights of a network, scaled so that different people are as far apart as dlib's."""
        faces = self._faces.development
        found = embed_appearances(self._loader, faces, network)
        return match_appearance_scale(network.trunk(), found, self._appearances[faces])

    def check_chips(self) -> NDArray[np.uint8]:
        """A few faces of the development rows, `(n, side, side, 3)`."""
        chosen = self._faces.development[:_CHECKED_FACES]
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
    write_whole(folder / LOG_FILE, text.getvalue().encode())
    write_whole(folder / PLOT_FILE, learning_curves(log).encode())
