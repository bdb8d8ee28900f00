"""How well a network does on faces it does not learn from, and what it learns by."""

from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training.finetune.chip_loader import Pixels
from training.finetune.labelled_faces import UNLABELLED, Labelled
from training.finetune.network import Network

LogRow: TypeAlias = dict[str, float]
"""What is known at the end of an epoch, on the development rows but for `loss`."""


def measured(network: Network, faces: Labelled, pixels: Pixels) -> LogRow:
    """How well a network does on the development rows."""
    rows = faces.development
    answers: list[list[Tensor]] = []
    for images in pixels.batches(rows):
        with torch.inference_mode(), torch.autocast(images.device.type, torch.bfloat16):
            answers.append([each.float().cpu() for each in network(images)[1]])
    accuracies, losses = {}, []
    columns = faces.targets[rows].T
    for name, column, parts in zip(faces.classes, columns, zip(*answers, strict=True), strict=True):
        known = torch.from_numpy(np.flatnonzero(column != UNLABELLED))
        logits, truth = torch.cat(parts)[known], torch.from_numpy(column)[known]
        losses.append(functional.cross_entropy(logits, truth).item() if len(known) else 0.0)
        right = (logits.argmax(1) == truth).float().mean().item() if len(known) else 0.0
        accuracies[f"{name} accuracy"] = round(right, 4)
    return {"development loss": round(sum(losses), 4), **accuracies}


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """The mean over the faces of which something is known; targets `(n, classes)`, 0 where not."""
    known = targets.sum().clamp(min=1)
    return -(targets * functional.log_softmax(logits, dim=1)).sum() / known
