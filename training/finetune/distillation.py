"""Distillation: a network also learns from what networks trained before it say of a picture.

(Hinton et al., Distilling the Knowledge in a Neural Network, 2015.)
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from training.finetune.network import Network
from training.finetune.settings import FinetuneSettings


def teacher_settings(settings: FinetuneSettings, number: int) -> FinetuneSettings:
    """The settings of one of the teachers: each has a seed of its own, and so other batches."""
    epochs, seed = settings.teacher_epochs, settings.seed + number
    return replace(settings, epochs=epochs, patience=epochs, seed=seed, teachers=0)


def teacher_probabilities(teachers: Sequence[Network], images: Tensor) -> list[Tensor]:
    """The mean probabilities of the teachers, for each attribute `(n, classes)`."""
    with torch.no_grad(), torch.autocast(images.device.type, torch.bfloat16):
        answers = [teacher(images)[1] for teacher in teachers]
    return [
        torch.stack([functional.softmax(each.float(), dim=1) for each in logits]).mean(dim=0)
        for logits in zip(*answers, strict=True)
    ]


def blend(label: Tensor, probabilities: Tensor, share: float) -> Tensor:
    """Targets `(n, classes)` that are the teachers' probabilities by a share, else the label.

    Where a face has no label (a row of 0), they are the teachers' probabilities alone.
    """
    has_label = label.sum(dim=1, keepdim=True)
    return label * (1 - share) + probabilities * (1 - has_label * (1 - share))
