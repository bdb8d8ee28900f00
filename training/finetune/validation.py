"""The loss of a network, and its loss and accuracy on the development rows."""

from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training.finetune.chip_loader import ChipLoader
from training.finetune.labelled_faces import UNLABELLED, LabelledFaces
from training.finetune.network import Network

LogRow: TypeAlias = dict[str, float]
"""A line of the log: figures of an epoch, on the development rows but for `loss`."""


def validate(network: Network, faces: LabelledFaces, loader: ChipLoader) -> LogRow:
    """The loss and, for each attribute, the accuracy of a network on the development rows."""
    rows = faces.development
    answers: list[list[Tensor]] = []
    for images in loader.batches(rows):
        with torch.inference_mode(), torch.autocast(images.device.type, torch.bfloat16):
            answers.append([each.float().cpu() for each in network(images)[1]])
    accuracies, losses = {}, []
    columns = faces.targets[rows].T
    for name, column, parts in zip(faces.classes, columns, zip(*answers, strict=True), strict=True):
        labelled = torch.from_numpy(np.flatnonzero(column != UNLABELLED))
        logits, truth = torch.cat(parts)[labelled], torch.from_numpy(column)[labelled]
        losses.append(functional.cross_entropy(logits, truth).item() if len(labelled) else 0.0)
        accuracy = (logits.argmax(1) == truth).float().mean().item() if len(labelled) else 0.0
        accuracies[f"{name} accuracy"] = round(accuracy, 4)
    return {"development loss": round(sum(losses), 4), **accuracies}


def soft_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """The mean over the faces with a label; targets `(n, classes)`, rows of 0 without one."""
    labelled = targets.sum().clamp(min=1)
    return -(targets * functional.log_softmax(logits, dim=1)).sum() / labelled
