"""The training itself: steps, validation, checkpoints."""

import hashlib
import io
import math
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.trunk import Trunk
from training.errors import DatasetError, TrainingError
from training.finetune.batches import Lesson, Lessons
from training.finetune.chip_loader import Pixels
from training.finetune.labelled_faces import Labelled
from training.finetune.network import Network
from training.finetune.settings import FinetuneSettings
from training.finetune.validation import LogRow, cross_entropy, measured
from training.outputs import write_bytes

CHECKPOINT_FILE, CHECKPOINT_FORMAT = "checkpoint.pt", 1
_CHECKPOINT_S, _EPOCH_CHECKPOINT_S = 120.0, 20.0  # apart; the shorter one at the end of an epoch
_WARM_UP = 0.05  # of the steps
_MAX_NORM = 5.0  # of a step's gradient
_SETTLED_ON = 256  # faces at most, which the normalisations begin with


class Run:
    """A run that can be killed at any step and goes on from its last checkpoint.

    Whatever is drawn, is drawn anew for each step from the seed and the step's number. So on a
    CPU it comes to the same end; the sums of a GPU are not the same twice.

    Args:
        faces: what is learned.
        pixels: of these faces, on the device that trains.
        lessons: what each step learns from.
        settings: how.
        folder: where `checkpoint.pt` is kept; one that is there is gone on from.
        trunk: what the network starts from.

    Raises:
        DatasetError: the checkpoint there is that of another run.
        TrainingError: it cannot be read; later on: the weights are no numbers any more.
    """

    def __init__(
        self,
        faces: Labelled,
        pixels: Pixels,
        lessons: Lessons,
        settings: FinetuneSettings,
        folder: Path,
        trunk: Trunk,
    ) -> None:
        self.log: list[LogRow] = []
        """A row for each epoch."""
        self._faces = faces
        self._pixels = pixels
        self._lessons = lessons
        self._settings = settings
        self._checkpoint = folder / CHECKPOINT_FILE
        self._described = _described(faces, settings, trunk)
        self._device = pixels.device
        torch.manual_seed(settings.seed)
        self._counts = {name: len(names) for name, names in faces.classes.items()}
        self._network = Network(trunk, self._counts).to(self._device).train()
        self._network.settle(pixels.batch(faces.fitted[:_SETTLED_ON]))
        self._average = deepcopy(self._network).eval()
        groups = self._network.parameter_groups(
            settings.rate, settings.rate * settings.head_factor, settings.weight_decay
        )
        self._optimiser = torch.optim.AdamW(groups)
        self._rates = [group["lr"] for group in self._optimiser.param_groups]
        self._step = 0
        self._seconds = 0.0
        self._loss = torch.zeros((), device=self._device)  # of this epoch's steps, summed
        self._best: dict[str, Any] = {}
        self._resume()

    def __repr__(self) -> str:
        epoch = self._step // len(self._lessons)
        return f"Run({len(self._faces.fitted)} faces, epoch {epoch} of {self._settings.epochs})"

    @property
    def seconds(self) -> float:
        """What it took, with what was done before a kill."""
        return self._seconds

    @property
    def best(self) -> LogRow:
        """The row of the log that won."""
        return min(self.log, key=lambda row: row["development loss"])

    def network(self) -> Network:
        """The averaged weights of the best epoch, as they are exported."""
        whole = deepcopy(self._average)
        whole.load_state_dict(self._best)
        network = Network(whole.trunk(), self._counts, normalised=False)
        return network.to(self._device).eval()

    def run(
        self,
        told: Callable[[LogRow], None] = lambda row: None,
        progress: Callable[[int], None] = lambda faces: None,
    ) -> None:
        """Trains to the end.

        Args:
            told: is given the row of the log at the end of each epoch.
            progress: is told how many faces each step learned from; first, those of an earlier run.
        """
        began, saved = time.monotonic() - self._seconds, time.monotonic()
        per_epoch = len(self._lessons)
        total = self._settings.epochs * per_epoch
        progress(min(self._step, total) * self._settings.batch)
        while self._step < total:
            lesson = self._lessons.lesson(self._step)
            self._learn(lesson, (self._step + 1) / total)
            self._step += 1
            progress(len(lesson.images))
            ended = self._step % per_epoch == 0
            if ended:
                self._seconds = time.monotonic() - began
                told(self._end_epoch())
                if self._epochs_without_gain() >= self._settings.patience:
                    self._step = total
            since_s = time.monotonic() - saved
            first = ended and len(self.log) == 1
            if first or since_s > (_EPOCH_CHECKPOINT_S if ended else _CHECKPOINT_S):
                self._seconds = time.monotonic() - began
                self.save()
                saved = time.monotonic()
        self.save()

    def save(self) -> None:
        """Writes the checkpoint."""
        state = {
            "format": CHECKPOINT_FORMAT,
            "run": self._described,
            "network": self._network.state_dict(),
            "average": self._average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "best": self._best,
            "log": self.log,
            "step": self._step,
            "seconds": self._seconds,
            "loss": self._loss,
        }
        # In memory first: PyTorch hides what the disk said.
        content = io.BytesIO()
        torch.save(state, content)
        write_bytes(self._checkpoint, content.getvalue())

    def _resume(self) -> None:
        if not self._checkpoint.is_file():
            return
        try:
            state = torch.load(self._checkpoint, map_location=self._device, weights_only=True)
        except (OSError, EOFError, RuntimeError, UnpicklingError) as error:
            raise TrainingError(
                f"{self._checkpoint} cannot be read: delete it to begin anew"
            ) from error
        if not isinstance(state, dict) or state.get("format") != CHECKPOINT_FORMAT:
            raise TrainingError(
                f"{self._checkpoint} is in a format that is not known here: delete it to begin anew"
            )
        if state["run"] != self._described:
            raise DatasetError(
                f"{self._checkpoint} is of a run with other faces, labels or settings: "
                "name another folder"
            )
        self._network.load_state_dict(state["network"])
        self._average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._best, self.log = state["best"], state["log"]
        self._step, self._seconds, self._loss = state["step"], state["seconds"], state["loss"]

    def _learn(self, lesson: Lesson, passed: float) -> None:
        """One step; `passed` is the part of the run that is behind it."""
        random = np.random.default_rng((self._settings.seed, self._step, 2))
        torch.manual_seed(int(random.integers(2**31)))  # for the dropout
        for group, rate in zip(self._optimiser.param_groups, self._rates, strict=True):
            group["lr"] = rate * _schedule(passed)
        with torch.autocast(self._device.type, torch.bfloat16):
            identities, logits = self._network(lesson.images)
        losses = [
            cross_entropy(each.float(), target)
            for each, target in zip(logits, lesson.targets, strict=True)
        ]
        kept = identities[-len(lesson.identities) :].float() - lesson.identities
        losses.append(self._settings.identity * kept.square().sum(dim=1).mean())
        loss = torch.stack(losses).sum()
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), _MAX_NORM)
        self._optimiser.step()
        self._keep_average()
        self._loss += loss.detach()

    @torch.no_grad()
    def _keep_average(self) -> None:
        """The moving average, which at first follows closely: nothing worth keeping is in it."""
        decay = min(self._settings.averaged, (1 + self._step) / (10 + self._step))
        kept, new = _numbers(self._average), _numbers(self._network)
        torch._foreach_lerp_(kept, new, 1 - decay)

    def _end_epoch(self) -> LogRow:
        row = {
            "epoch": self._step // len(self._lessons),
            "seconds": round(self._seconds, 1),
            "rate": round(self._optimiser.param_groups[0]["lr"], 8),
            "loss": round(self._loss.item() / len(self._lessons), 4),
            **measured(self._average, self._faces, self._pixels),
        }
        if not math.isfinite(row["development loss"]):
            raise TrainingError("training came to nothing that is a number: lower --rate")
        self._loss = torch.zeros((), device=self._device)
        self.log.append(row)
        if row is self.best:
            state = self._average.state_dict()
            self._best = {name: values.clone().cpu() for name, values in state.items()}
        return row

    def _epochs_without_gain(self) -> int:
        return int(self.log[-1]["epoch"] - self.best["epoch"])


def _described(faces: Labelled, settings: FinetuneSettings, trunk: Trunk) -> dict[str, Any]:
    """What must be the same for a run to be gone on with."""
    record = asdict(settings)
    del record["device"]
    labels = hashlib.sha256()
    for each in (faces.targets, faces.fitted, faces.development):
        labels.update(each.tobytes())
    return {
        **record,
        "faces": faces.chips.digest,
        "classes": {name: list(names) for name, names in faces.classes.items()},
        "labels": labels.hexdigest(),
        "start": trunk.digest,
    }


def chosen_device(name: str) -> torch.device:
    """The device of a setting.

    Raises:
        TrainingError: it is not there.
    """
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise TrainingError("PyTorch finds no GPU here: leave --device out to train on the CPU")
    if name == "cpu" or not there:
        return torch.device("cpu")
    torch.backends.cudnn.benchmark = True  # the shapes stay the same
    torch.set_float32_matmul_precision("high")
    return torch.device("cuda")


def _numbers(network: Network) -> Sequence[Tensor]:
    """All that is averaged: weights, and the means and variances of normalisations."""
    return [each for each in network.state_dict().values() if each.is_floating_point()]


def _schedule(passed: float) -> float:
    """Which part of the highest rate is due: a straight rise, then the half of a cosine."""
    if passed < _WARM_UP:
        return passed / _WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (passed - _WARM_UP) / (1 - _WARM_UP)))
