"""The training itself: batches, steps, validation, checkpoints."""

import io
import math
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from models.dlib_weights import Convolution
from models.embedder import dlib_trunk
from training.errors import DatasetError, TrainingError
from training.finetune.augment import augment
from training.finetune.labelled import UNLABELLED, Labelled, Wanted, wanted
from training.finetune.network import Network
from training.finetune.settings import FinetuneSettings
from training.outputs import write_bytes

CHECKPOINT_FILE = "checkpoint.pt"
LogRow: TypeAlias = dict[str, float]
"""What is known at the end of an epoch; accuracies are those on the development rows."""

_Batch: TypeAlias = tuple[NDArray[np.uint8], list[Wanted]]
"""Chips `(batch, side, side, 3)`, and for each attribute what is to be learned from them."""

_CHECKPOINT_S = 120.0
_WARM_UP = 0.05  # of the steps
_AHEAD = 4  # batches prepared while one is trained on


class Run:
    """A run that can be killed at any step and goes on from its last checkpoint to the same end.

    Whatever is drawn, is drawn anew for each step from the seed and the step's number.

    Args:
        faces: what is learned.
        settings: how.
        folder: where `checkpoint.pt` is kept; one that is there is gone on from.
        convolutions: what the trunk starts from; dlib's unless given.

    Raises:
        DatasetError: the checkpoint there is that of another run.
        TrainingError: the device is not there.
    """

    def __init__(
        self,
        faces: Labelled,
        settings: FinetuneSettings,
        folder: Path,
        convolutions: Sequence[Convolution] | None = None,
    ) -> None:
        self.log: list[LogRow] = []
        """A row for each epoch."""
        self._faces = faces
        self._settings = settings
        self._checkpoint = folder / CHECKPOINT_FILE
        self.device = chosen_device(settings.device)
        torch.manual_seed(settings.seed)
        counts = {name: len(names) for name, names in faces.classes.items()}
        start = convolutions or dlib_trunk()
        self._network = Network(start, counts, settings.frozen_blocks).to(self.device)
        self._average = AveragedModel(
            self._network, avg_fn=lambda kept, new, count: _averaged(kept, new, count, settings)
        )
        groups = self._network.parameter_groups(settings.rate, settings.rate * settings.head_factor)
        self._optimiser = torch.optim.AdamW(groups, weight_decay=settings.weight_decay)
        self._rates = [group["lr"] for group in groups]
        self._steps_per_epoch = math.ceil(len(faces.fitted) / settings.batch)
        self._step = 0
        self._seconds = 0.0
        self._loss = 0.0  # of this epoch's steps, summed
        self._best: dict[str, Any] = {}
        self._resume()

    def __repr__(self) -> str:
        epoch = self._step // self._steps_per_epoch
        return f"Run({self.faces_per_epoch} faces, epoch {epoch} of {self._settings.epochs})"

    @property
    def faces_per_epoch(self) -> int:
        return len(self._faces.fitted)

    @property
    def development_faces(self) -> int:
        """How many faces say how well it goes."""
        return len(self._faces.development)

    @property
    def best(self) -> LogRow:
        """The row of the log that won."""
        return max(self.log, key=lambda row: row["accuracy"])

    def trunk(self) -> tuple[Convolution, ...]:
        """The averaged weights of the best epoch."""
        network = Network(
            self._network.trunk(), {name: len(each) for name, each in self._faces.classes.items()}
        )
        network.load_state_dict(self._best)
        return network.trunk()

    def some_chips(self) -> NDArray[np.uint8]:
        """A few faces that were not learned from, `(n, side, side, 3)`."""
        chosen = self._faces.development[: self._settings.batch]
        return np.stack([self._faces.chips[face] for face in chosen])

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
        total = self._settings.epochs * self._steps_per_epoch
        epochs, steps = divmod(self._step, self._steps_per_epoch)
        progress(epochs * self.faces_per_epoch + steps * self._settings.batch)
        with closing(_ahead(self._batch, range(self._step, total))) as batches:
            for chips, targets in batches:
                self._learn(chips, targets, (self._step + 1) / total)
                self._step += 1
                self._seconds = time.monotonic() - began
                progress(len(chips))
                ended = self._step % self._steps_per_epoch == 0
                if ended:
                    told(self._end_epoch())
                    if self._epochs_without_gain() >= self._settings.patience:
                        self._step = total
                if ended or time.monotonic() - saved > _CHECKPOINT_S:
                    self.save()
                    saved = time.monotonic()
                if self._step == total:
                    break

    def save(self) -> None:
        """Writes the checkpoint."""
        state = {
            "run": self._described(),
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
            state = torch.load(self._checkpoint, map_location=self.device, weights_only=True)
        except (OSError, RuntimeError, UnpicklingError) as error:
            raise TrainingError(
                f"{self._checkpoint} cannot be read: delete it to begin anew"
            ) from error
        if state["run"] != self._described():
            raise DatasetError(
                f"{self._checkpoint} is of a run with other faces or settings: name another folder"
            )
        self._network.load_state_dict(state["network"])
        self._average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._best, self.log = state["best"], state["log"]
        self._step, self._seconds, self._loss = state["step"], state["seconds"], state["loss"]

    def _described(self) -> dict[str, Any]:
        """What must be the same for a run to be gone on with."""
        record = asdict(self._settings)
        del record["device"]
        classes = {name: list(names) for name, names in self._faces.classes.items()}
        return {
            **record,
            "faces": self._faces.chips.digest,
            "classes": classes,
            "taught": sorted(self._faces.taught),
        }

    def _batch(self, step: int) -> _Batch:
        """What a step learns from."""
        epoch, place = divmod(step, self._steps_per_epoch)
        seed, size = self._settings.seed, self._settings.batch
        order = np.random.default_rng((seed, epoch)).permutation(self._faces.fitted)
        chosen = order[place * size : (place + 1) * size]
        chips = [
            augment(self._faces.chips[face], np.random.default_rng((seed, epoch, face)))
            for face in chosen
        ]
        return np.stack(chips), wanted(self._faces, chosen, self._settings)

    def _learn(self, chips: NDArray[np.uint8], targets: Sequence[Wanted], passed: float) -> None:
        """One step; `passed` is the part of the run that is behind it."""
        random = np.random.default_rng((self._settings.seed, self._step, 1))
        torch.manual_seed(int(random.integers(2**31)))  # for the dropout
        alpha = self._settings.mixup
        share = float(random.beta(alpha, alpha)) if alpha else 1.0
        for group, rate in zip(self._optimiser.param_groups, self._rates, strict=True):
            group["lr"] = rate * _schedule(passed)
        self._network.train()
        images = _mixed(self._images(chips), share)
        with self._autocast():
            logits = self._network(images)
        losses = [
            _cross_entropy(each.float(), _mixed(torch.from_numpy(target).to(self.device), share))
            for each, target in zip(logits, targets, strict=True)
        ]
        loss = torch.stack(losses).sum()
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._optimiser.step()
        self._average.update_parameters(self._network)
        self._loss += loss.item()

    def _end_epoch(self) -> LogRow:
        row = {
            "epoch": self._step // self._steps_per_epoch,
            "seconds": round(self._seconds, 1),
            "rate": round(self._optimiser.param_groups[0]["lr"], 8),
            "loss": round(self._loss / self._steps_per_epoch, 4),
            **self._measured(),
        }
        self._loss = 0.0
        self.log.append(row)
        if row is self.best:
            state = self._average.module.state_dict()
            self._best = {name: values.clone().cpu() for name, values in state.items()}
        return row

    def _measured(self) -> LogRow:
        """How well the averaged weights do on the development rows."""
        rows = self._faces.development
        self._average.eval()
        right: list[NDArray[np.bool_]] = []
        for start in range(0, len(rows), 2 * self._settings.batch):
            some = rows[start : start + 2 * self._settings.batch]
            images = self._images(np.stack([self._faces.chips[face] for face in some]))
            with torch.inference_mode(), self._autocast():
                answers = [logits.argmax(1).cpu().numpy() for logits in self._average(images)]
            right.append(np.stack(answers, axis=1) == self._faces.targets[some])
        known = self._faces.targets[rows] != UNLABELLED
        shares = np.concatenate(right).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        accuracies = {
            f"{name} accuracy": round(float(share), 4)
            for name, share in zip(self._faces.classes, shares, strict=True)
        }
        return {"accuracy": round(float(shares.mean()), 4), **accuracies}

    def _epochs_without_gain(self) -> int:
        return int(self.log[-1]["epoch"] - self.best["epoch"])

    def _images(self, chips: NDArray[np.uint8]) -> Tensor:
        """`(n, side, side, 3)` uint8 → `(n, 3, side, side)` float32, channels last in memory."""
        return torch.from_numpy(chips).to(self.device).permute(0, 3, 1, 2).float()

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16)


def chosen_device(name: str) -> torch.device:
    """The device of a setting.

    Raises:
        TrainingError: it is not there.
    """
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise TrainingError("PyTorch finds no GPU here: leave --device out to train on the CPU")
    return torch.device("cpu" if name == "cpu" or not there else "cuda")


def _mixed(batch: Tensor, share: float) -> Tensor:
    """Each item with its counterpart from the other end of the batch."""
    return share * batch + (1 - share) * batch.flip(0)


def _cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """The mean over the faces of which something is known; targets `(n, classes)`, 0 where not."""
    known = targets.sum().clamp(min=1)
    return -(targets * functional.log_softmax(logits, dim=1)).sum() / known


def _averaged(kept: Tensor, new: Tensor, count: Tensor | int, settings: FinetuneSettings) -> Tensor:
    """The moving average, which at first follows more closely: nothing worth keeping is in it."""
    decay = min(settings.averaged, (1 + float(count)) / (10 + float(count)))
    return torch.lerp(kept, new, 1 - decay)


def _schedule(passed: float) -> float:
    """Which part of the highest rate is due: a straight rise, then the half of a cosine."""
    if passed < _WARM_UP:
        return passed / _WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (passed - _WARM_UP) / (1 - _WARM_UP)))


def _ahead(make: Callable[[int], _Batch], steps: Sequence[int]) -> Generator[_Batch]:
    """What `make` gives for each step, in order, prepared in a thread meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        coming = [pool.submit(make, step) for step in steps[:_AHEAD]]
        for step in range(len(steps)):
            if step + _AHEAD < len(steps):
                coming.append(pool.submit(make, steps[step + _AHEAD]))
            yield coming.pop(0).result()
