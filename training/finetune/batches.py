"""The batch of each step: faces, augmented and mixed, and the targets of their attributes."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.finetune.augment import augment
from training.finetune.chip_loader import ChipLoader
from training.finetune.distillation import TeacherProbabilities, blend
from training.finetune.labelled_faces import UNLABELLED, LabelledFaces
from training.finetune.settings import FinetuneSettings


@dataclass(frozen=True, slots=True, eq=False)
class TrainingBatch:
    """Of n faces the first are mixed with others, the last m are not.

    Attributes:
        images: `(n, 3, side, side)` float32 BGR, 0 to 255.
        targets: for each attribute `(n, classes)`, rows of probabilities; rows of 0 without label.
        appearances: `(m, 128)`, dlib's appearances of the last m faces, unchanged.
    """

    images: Tensor
    targets: tuple[Tensor, ...]
    appearances: Tensor


class TrainingBatches:
    """Makes the batches of the faces that are fitted on; the same step has the same batch.

    Args:
        faces: with labels.
        loader: of these faces.
        appearances: `(faces, 128)`, dlib's, on the same device; see `embed_appearances`.
        settings: the batch, the seed, the mixing.
        taught: what teachers say of the faces, which is blended with their labels.

    Attributes:
        teachers: the digests of these teachers.
    """

    def __init__(
        self,
        faces: LabelledFaces,
        loader: ChipLoader,
        appearances: Tensor,
        settings: FinetuneSettings,
        taught: TeacherProbabilities,
    ) -> None:
        self._fitted = faces.fitted
        self._loader = loader
        self._appearances = appearances
        self._settings = settings
        self.teachers = taught.teachers
        targets = smoothed_targets(faces, settings.smoothing)
        if taught.teachers:
            pairs = zip(targets, taught.by_attribute, strict=True)
            targets = [blend(*pair, settings.teacher_share) for pair in pairs]
        self._targets = [torch.from_numpy(each).to(loader.device) for each in targets]

    def __repr__(self) -> str:
        return f"TrainingBatches({len(self._fitted)} faces, {len(self.teachers)} teachers)"

    def __len__(self) -> int:
        """Batches of an epoch; the faces that do not fill one are left out of that epoch."""
        return max(len(self._fitted) // self._settings.batch, 1)

    def batch(self, step: int) -> TrainingBatch:
        """The batch of a step of the run."""
        epoch, place = divmod(step, len(self))
        seed, size = self._settings.seed, self._settings.batch
        order = np.random.default_rng((seed, epoch)).permutation(self._fitted)
        chosen = order[place * size : (place + 1) * size]
        random = np.random.default_rng((seed, step, 1))
        images = self._loader.to_device(augment(self._loader.read(chosen), (seed, step)))
        rows = torch.from_numpy(chosen).to(images.device)
        targets = [each[rows] for each in self._targets]
        mixed = len(chosen) // 2 if self._settings.mixup else 0
        if mixed:
            shares = random.beta(self._settings.mixup, self._settings.mixup, mixed)
            share = torch.from_numpy(shares.astype(np.float32)).to(images.device)
            images = _mixup(images, share)
            targets = [_mixup(each, share) for each in targets]
        images = images.contiguous(memory_format=torch.channels_last)
        return TrainingBatch(images, tuple(targets), self._appearances[rows[mixed:]])


def smoothed_targets(faces: LabelledFaces, smoothing: float) -> list[NDArray[np.float32]]:
    """The labels of all faces as smoothed probabilities, for each attribute `(faces, classes)`.

    (Label smoothing: Szegedy et al., Rethinking the Inception Architecture, CVPR 2016.)
    """
    targets = []
    for column, names in zip(faces.targets.T, faces.classes.values(), strict=True):
        smoothed = smoothing / len(names) + (1 - smoothing) * np.eye(len(names))[column]
        smoothed[column == UNLABELLED] = 0
        targets.append(smoothed.astype(np.float32))
    return targets


def _mixup(batch: Tensor, share: Tensor) -> Tensor:
    """The first items, each mixed with its counterpart from the other end of the batch.

    (Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018.)
    """
    count = len(share)
    weight = share.reshape(-1, *(1 for _ in batch.shape[1:]))
    first = weight * batch[:count] + (1 - weight) * batch.flip(0)[:count]
    return torch.cat([first, batch[count:]])
