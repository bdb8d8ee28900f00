"""How the network is trained."""

from dataclasses import dataclass
from typing import Literal

from training.splits import SEED


@dataclass(frozen=True, slots=True, kw_only=True)
class FinetuneSettings:
    """How the network is trained.

    Attributes:
        attributes: which; all of the dataset unless given.
        epochs: how often each face is seen, if training does not stop before.
        patience: training stops after that many epochs without gain.
        batch: faces a step.
        rate: highest learning rate of the trunk (AdamW); it rises, then falls as a cosine.
        head_factor: how many times higher that of the heads is: they begin with nothing.
        weight_decay: of AdamW.
        smoothing: of the labels.
        teacher_share: how much a teacher's opinion counts beside a label.
        mixup: how much faces are mixed with one another: `alpha` of Zhang et al., mixup,
            ICLR 2018; 0 for not at all.
        averaged: decay of the moving average of the weights, which is what is exported.
        frozen_blocks: the lowest residual blocks, which stay as they are; None trains everything.
        seed: of whatever is drawn.
        device: `cpu`, `cuda`, or `auto` for a GPU where PyTorch has one.
    """

    attributes: tuple[str, ...] | None = None
    epochs: int = 24
    patience: int = 6
    batch: int = 64
    rate: float = 2e-4
    head_factor: float = 10.0
    weight_decay: float = 0.05
    smoothing: float = 0.1
    teacher_share: float = 0.5
    mixup: float = 0.2
    averaged: float = 0.999
    frozen_blocks: int | None = 3
    seed: int = SEED
    device: Literal["auto", "cpu", "cuda"] = "auto"
