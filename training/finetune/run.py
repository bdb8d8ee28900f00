"""One training run: steps, moving average of the weights, validation, checkpoints."""

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, update_bn

from models.networks.trunk import Trunk
from training.errors import TrainingError
from training.features.progress import ProgressCallback, no_progress
from training.finetune.batches import TrainingBatch, TrainingBatches
from training.finetune.checkpoint import CHECKPOINT_FILE, read_checkpoint, write_checkpoint
from training.finetune.chip_loader import ChipLoader
from training.finetune.labelled_faces import LabelledFaces
from training.finetune.network import Network
from training.finetune.schedule import get_lr
from training.finetune.settings import FinetuneSettings
from training.finetune.validation import LogRow, soft_cross_entropy, validate

_CHECKPOINT_S = 120.0
"""Time between two checkpoints, s: what a kill loses at most."""

_EPOCH_CHECKPOINT_S = 20.0
"""Time since the last checkpoint from which the end of an epoch writes one, s."""

_MAX_GRADIENT_NORM = 5.0
"""Norm to which the gradient of a step is clipped; lower lets an odd batch move the weights less,
and slows training (Pascanu et al., ICML 2013)."""

_CALIBRATION_FACES = 256
"""Faces, at most, from which the batch normalisations get their first means and variances."""


_SETTLING_BATCHES = 8
"""Batches on which the normalisations of the averaged weights are measured; more are surer and take
longer."""


class TrainingRun:
    """A run that can be killed at any step and goes on from its last checkpoint.

    All random numbers of a step follow from the seed and the number of the step. So on a CPU a
    resumed run ends with the same weights; the sums of a GPU are not the same twice.

    Args:
        faces: what is learned.
        loader: of these faces, on the device that trains.
        batches: what each step learns from.
        settings: how.
        folder: where `checkpoint.pt` is kept; a run whose checkpoint is there goes on from it.
        trunk: the weights that training begins with.

    Attributes:
        log: a row for each epoch.
        seconds: the time that training took, including the runs that were killed.

    Raises:
        DatasetError: the checkpoint there is that of another run.
        TrainingError: it cannot be read; later on: the weights are no numbers any more.
    """

    def __init__(
        self,
        faces: LabelledFaces,
        loader: ChipLoader,
        batches: TrainingBatches,
        settings: FinetuneSettings,
        folder: Path,
        trunk: Trunk,
    ) -> None:
        self.log: list[LogRow] = []
        self.seconds = 0.0
        self._faces = faces
        self._loader = loader
        self._batches = batches
        self._settings = settings
        self._checkpoint = folder / CHECKPOINT_FILE
        self._description = _description(faces, settings, trunk, batches.teachers)
        self._device = loader.device
        torch.manual_seed(settings.seed)
        self._class_counts = {name: len(names) for name, names in faces.classes.items()}
        self._network = Network(trunk, self._class_counts).to(self._device).train()
        self._network.calibrate_normalisations(loader.batch(faces.fitted[:_CALIBRATION_FACES]))
        self._average = AveragedModel(self._network, multi_avg_fn=self._ema_update).eval()
        self._average.n_averaged.fill_(1)  # at 0, the first update would copy the weights
        groups = self._network.parameter_groups(
            settings.rate, settings.rate * settings.head_factor, settings.weight_decay
        )
        self._optimiser = torch.optim.AdamW(groups)
        self._max_lrs = [group["lr"] for group in self._optimiser.param_groups]
        self._step = 0
        self._loss = torch.zeros((), device=self._device)  # of this epoch's steps, summed
        self._best: dict[str, Any] = {}
        self._resume()

    def __repr__(self) -> str:
        faces, epochs = len(self._faces.fitted), self._settings.epochs
        return f"TrainingRun({faces} faces, epoch {self.epoch} of {epochs})"

    @property
    def epoch(self) -> int:
        """How many epochs are over; all of them once the run has come to its end."""
        return self._step // len(self._batches)

    @property
    def best(self) -> LogRow:
        """The row of the epoch with the lowest loss on the development rows."""
        return min(self.log, key=lambda row: row["development loss"])

    def network(self) -> Network:
        """The averaged weights of the best epoch, as they are exported."""
        averaged: Network = deepcopy(self._average.module)
        averaged.load_state_dict(self._best)
        network = Network(averaged.trunk(), self._class_counts, batch_norm=False)
        return network.to(self._device).eval()

    def run(
        self,
        on_epoch: Callable[[LogRow], None] = lambda row: None,
        progress: ProgressCallback = no_progress,
    ) -> None:
        """Trains to the end.

        Args:
            on_epoch: is given the row of the log at the end of each epoch.
            progress: is given the number of faces of each step; first, those of an earlier run.
        """
        began, saved = time.monotonic() - self.seconds, time.monotonic()
        per_epoch = len(self._batches)
        total = self._settings.epochs * per_epoch
        progress(min(self._step, total) * self._settings.batch, known=True)
        while self._step < total:
            batch = self._batches.batch(self._step)
            self._train_step(batch, (self._step + 1) / total)
            self._step += 1
            progress(len(batch.images))
            ended = self._step % per_epoch == 0
            if ended:
                self.seconds = time.monotonic() - began
                on_epoch(self._finish_epoch())
                if self._epochs_without_gain() >= self._settings.patience:
                    self._step = total
            since_s = time.monotonic() - saved
            first = ended and len(self.log) == 1
            if first or since_s > (_EPOCH_CHECKPOINT_S if ended else _CHECKPOINT_S):
                self.seconds = time.monotonic() - began
                self.save()
                saved = time.monotonic()
        self.save()

    def save(self) -> None:
        """Writes the checkpoint."""
        state = {
            "network": self._network.state_dict(),
            "average": self._average.module.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "best": self._best,
            "log": self.log,
            "step": self._step,
            "seconds": self.seconds,
            "loss": self._loss,
        }
        write_checkpoint(self._checkpoint, self._description, state)

    def _resume(self) -> None:
        state = read_checkpoint(self._checkpoint, self._description, self._device)
        if state is None:
            return
        self._network.load_state_dict(state["network"])
        self._average.module.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._best, self.log = state["best"], state["log"]
        self._step, self.seconds, self._loss = state["step"], state["seconds"], state["loss"]

    def _train_step(self, batch: TrainingBatch, done: float) -> None:
        """One step of the optimiser; `done` is the share of the steps done after it."""
        random = np.random.default_rng((self._settings.seed, self._step, 2))
        torch.manual_seed(int(random.integers(2**31)))  # for the dropout
        for group, max_lr in zip(self._optimiser.param_groups, self._max_lrs, strict=True):
            group["lr"] = get_lr(done, max_lr)
        with torch.autocast(self._device.type, torch.bfloat16):
            appearances, answers = self._network.answers(batch.images)
        losses = [
            soft_cross_entropy(each.float(), target) / len(answers)
            for logits in answers
            for each, target in zip(logits, batch.targets, strict=True)
        ]
        drift = appearances[-len(batch.appearances) :].float() - batch.appearances
        losses.append(self._settings.identity * drift.square().sum(dim=1).mean())
        loss = torch.stack(losses).sum()
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), _MAX_GRADIENT_NORM)
        self._optimiser.step()
        self._average.update_parameters(self._network)
        self._loss += loss.detach()

    def _ema_update(self, averaged: Sequence[Tensor], current: Sequence[Tensor], _: object) -> None:
        """Moves the averages of the weights towards their values of this step.

        The decay rises to that of the settings: the first weights are not worth keeping.
        """
        decay = min(self._settings.averaged, (1 + self._step) / (10 + self._step))
        torch._foreach_lerp_(averaged, current, 1 - decay)

    def _settle_average(self) -> None:
        """Measures the means and variances that the averaged weights give.

        They are not the averages of those that each step's weights gave (Izmailov et al., Averaging
        Weights Leads to Wider Optima, UAI 2018).
        """
        with torch.autocast(self._device.type, torch.bfloat16):
            batches = range(min(_SETTLING_BATCHES, len(self._batches)))
            update_bn((self._batches.batch(each).images for each in batches), self._average.module)

    def _finish_epoch(self) -> LogRow:
        self._settle_average()
        row = {
            "epoch": self.epoch,
            "seconds": round(self.seconds, 1),
            "rate": round(self._optimiser.param_groups[0]["lr"], 8),
            "loss": round(self._loss.item() / len(self._batches), 4),
            **validate(self._average.module, self._faces, self._loader),
        }
        if not math.isfinite(row["development loss"]):
            raise TrainingError("training came to nothing that is a number: lower --rate")
        self._loss = torch.zeros((), device=self._device)
        self.log.append(row)
        if row is self.best:
            state = self._average.module.state_dict()
            self._best = {name: values.clone().cpu() for name, values in state.items()}
        return row

    def _epochs_without_gain(self) -> int:
        return int(self.log[-1]["epoch"] - self.best["epoch"])


def _description(
    faces: LabelledFaces, settings: FinetuneSettings, trunk: Trunk, teachers: Sequence[str]
) -> dict[str, Any]:
    """All that must be the same for a run to go on from a checkpoint."""
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
        "teachers": list(teachers),
    }


def choose_device(name: str) -> torch.device:
    """The device of a setting.

    Raises:
        TrainingError: it is not there.
    """
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise TrainingError("PyTorch finds no GPU here: leave --device out to train on the CPU")
    if name == "cpu" or not has_gpu:
        return torch.device("cpu")
    torch.backends.cudnn.benchmark = True  # the shapes stay the same
    torch.set_float32_matmul_precision("high")
    return torch.device("cuda")
