"""What a step learns from: faces, changed and mixed, and what is to be said of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.trunk import Trunk, dlib_trunk
from training.features.extraction import Progress
from training.finetune.augment import augment
from training.finetune.chip_loader import Pixels
from training.finetune.labelled_faces import UNLABELLED, Labelled
from training.finetune.network import Network
from training.finetune.settings import FinetuneSettings

_NEAR = 0.01  # of all pairs: those so near that they might be taken for one another
_FEWEST, _MOST = 100, 1000  # faces from which that is read


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """Of n faces the first are mixed with others, the last m are not.

    Attributes:
        images: `(n, 3, side, side)` float32 BGR, 0 to 255.
        targets: for each attribute `(n, classes)`, rows of probabilities; 0 where nothing is known.
        identities: `(m, 128)`, what dlib says of the last m as they are.
    """

    images: Tensor
    targets: tuple[Tensor, ...]
    identities: Tensor


class Lessons:
    """Makes lessons of the faces that are learned from; the same for the same step.

    Args:
        faces: with labels.
        pixels: of these faces.
        identities: `(faces, 128)`, dlib's embeddings, on the same device; see `known_as`.
        settings: how; the batch, the seed, the mixing.
        teachers: networks whose opinion of the very picture counts beside the labels.
    """

    def __init__(
        self,
        faces: Labelled,
        pixels: Pixels,
        identities: Tensor,
        settings: FinetuneSettings,
        teachers: Sequence[Network] = (),
    ) -> None:
        self._fitted = faces.fitted
        self._pixels = pixels
        self._identities = identities
        self._settings = settings
        self._teachers = teachers
        self._labels = label_rows(faces, settings.smoothing, pixels.device)

    def __repr__(self) -> str:
        return f"Lessons({len(self._fitted)} faces, {len(self._teachers)} teachers)"

    def __len__(self) -> int:
        """Of an epoch; what is left over of a batch is left out of it."""
        return max(len(self._fitted) // self._settings.batch, 1)

    def lesson(self, step: int) -> Lesson:
        """What that step of the run learns from."""
        epoch, place = divmod(step, len(self))
        seed, size = self._settings.seed, self._settings.batch
        order = np.random.default_rng((seed, epoch)).permutation(self._fitted)
        chosen = order[place * size : (place + 1) * size]
        random = np.random.default_rng((seed, step, 1))
        images = augment(self._pixels.batch(chosen), random)
        places = torch.from_numpy(chosen).to(images.device)
        labels = [each[places] for each in self._labels]
        mixed = len(chosen) // 2 if self._settings.mixup else 0
        if mixed:
            shares = random.beta(self._settings.mixup, self._settings.mixup, mixed)
            share = torch.from_numpy(shares.astype(np.float32)).to(images.device)
            images = _mixed(images, share)
            labels = [_mixed(each, share) for each in labels]
        images = images.contiguous(memory_format=torch.channels_last)
        targets = tuple(self._judged(images, labels))
        return Lesson(images, targets, self._identities[places[mixed:]])

    def _judged(self, images: Tensor, labels: Sequence[Tensor]) -> Sequence[Tensor]:
        """The labels, beside which the teachers' opinion counts by its share."""
        if not self._teachers:
            return labels
        share = self._settings.teacher_share
        opinions = opinion(self._teachers, images)
        judged = []
        for label, said in zip(labels, opinions, strict=True):
            known = label.sum(dim=1, keepdim=True)  # where it is not, the opinion is all there is
            judged.append(label * (1 - share) + said * (1 - known * (1 - share)))
        return judged


def opinion(networks: Sequence[Network], images: Tensor) -> list[Tensor]:
    """The mean of what they find, for each attribute `(n, classes)`; rows sum to 1."""
    with torch.no_grad(), torch.autocast(images.device.type, torch.bfloat16):
        answers = [network(images)[1] for network in networks]
    return [
        torch.stack([functional.softmax(each.float(), dim=1) for each in of_one]).mean(dim=0)
        for of_one in zip(*answers, strict=True)
    ]


def known_as(
    pixels: Pixels,
    faces: NDArray[np.intp],
    network: Network | None = None,
    progress: Progress = lambda done: None,
) -> Tensor:
    """The identities of faces as they are, `(n, 128)`: what a network says, dlib's without one."""
    if network is None:
        network = Network(dlib_trunk(), {"any": 1}, normalised=False).to(pixels.device).eval()
    found = []
    with torch.no_grad(), torch.autocast(pixels.device.type, torch.bfloat16):
        for images in pixels.batches(faces):
            found.append(network(images)[0].float())
            progress(len(images))
    return torch.cat(found)


def like_known(trunk: Trunk, found: Tensor, known: Tensor) -> Trunk:
    """With identities as far apart as dlib's, whose thresholds hold for them then.

    A network that learns to know faces in any state brings all of them nearer to one another.

    Args:
        trunk: the network that gives `found`.
        found: `(n, 128)`, what it says of n faces of different people.
        known: `(n, 128)`, what dlib says of them.
    """
    if len(found) < _FEWEST:
        return trunk
    nearest = [torch.pdist(each[:_MOST].float()).quantile(_NEAR).item() for each in (known, found)]
    return replace(trunk, identity=trunk.identity * np.float32(nearest[0] / nearest[1]))


def label_rows(faces: Labelled, smoothing: float, device: torch.device) -> list[Tensor]:
    """The labels of all faces as probabilities, smoothed; for each attribute `(faces, classes)`."""
    rows = []
    for column, names in zip(faces.targets.T, faces.classes.values(), strict=True):
        smoothed = smoothing / len(names) + (1 - smoothing) * np.eye(len(names))[column]
        smoothed[column == UNLABELLED] = 0
        rows.append(torch.from_numpy(smoothed.astype(np.float32)).to(device))
    return rows


def _mixed(batch: Tensor, share: Tensor) -> Tensor:
    """The first items, each with its counterpart from the other end of the batch."""
    count = len(share)
    weight = share.reshape(-1, *(1 for _ in batch.shape[1:]))
    first = weight * batch[:count] + (1 - weight) * batch.flip(0)[:count]
    return torch.cat([first, batch[count:]])
