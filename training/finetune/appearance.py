"""Appearance, by which an embedding tells people apart: training keeps it close to dlib's."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.networks.trunk import Trunk, dlib_trunk
from training.features.progress import ProgressCallback, no_progress
from training.finetune.chip_loader import ChipLoader
from training.finetune.network import Network

_NEAREST_SHARE = 0.01
"""Share of all pairs of different people that lie so near that they might be taken for one."""

_MIN_FACES = 100
"""Faces from which the distance of the nearest pairs is known well enough."""

_MAX_FACES = 1000
"""Faces, at most, whose distances are computed; more make the nearest ones steadier, and their
pairs grow with the square."""


def embed_appearances(
    loader: ChipLoader,
    faces: NDArray[np.intp],
    network: Network | None = None,
    progress: ProgressCallback = no_progress,
) -> Tensor:
    """The appearances `(n, 128)` of unchanged faces, by a network or, without one, by dlib's."""
    if network is None:
        network = Network(dlib_trunk(), {"any": 1}, batch_norm=False).to(loader.device).eval()
    found = []
    with torch.no_grad(), torch.autocast(loader.device.type, torch.bfloat16):
        for images in loader.batches(faces):
            found.append(network(images)[0].float())
            progress(len(images))
    return torch.cat(found)


def match_appearance_scale(trunk: Trunk, found: Tensor, dlibs: Tensor) -> Trunk:
    """The weights, scaled so that different people are as far apart as with dlib's network.

    The thresholds for dlib's distances then hold for this network too. Without the scaling they
    do not: training on augmented faces brings all appearances nearer to one another.

    Args:
        trunk: the network that gives `found`.
        found: `(n, 128)`, its appearances of n faces of different people.
        dlibs: `(n, 128)`, dlib's appearances of them.
    """
    if len(found) < _MIN_FACES:
        return trunk
    nearest = [
        torch.pdist(each[:_MAX_FACES].float()).quantile(_NEAREST_SHARE).item()
        for each in (dlibs, found)
    ]
    return replace(trunk, projection=trunk.projection * np.float32(nearest[0] / nearest[1]))
