"""The settings of fine-tuning."""

from dataclasses import dataclass
from typing import Literal

from training.datasets.splits import DEVELOPMENT_FRACTION, SEED


@dataclass(frozen=True, slots=True, kw_only=True)
class FinetuneSettings:
    """How the network is trained.

    Attributes:
        attributes: the attributes that are learned; all of the dataset unless given.
        epochs: epochs at most; the learning rate reaches 0 at their end.
        patience: epochs without a lower loss on the development rows after which training stops.
        batch: faces a step.
        rate: highest learning rate of the trunk (AdamW): linear warm-up, then cosine decay.
        head_factor: learning rate of the heads, as a multiple of it: they begin with weights of 0.
        weight_decay: weight decay of AdamW.
        smoothing: label smoothing.
        mixup: `alpha` of mixup (Zhang et al., ICLR 2018), for one half of each batch; 0 for none.
        identity: weight of the loss that keeps the appearances close to dlib's.
        averaged: EMA decay of the averaged weights, which are exported.
        more_blocks: residual blocks that are added to dlib's network before each of its last two
            downsamplings.
        partner: a network of another kind that learns beside it, see `training.finetune.partner`;
            none unless given.
        development: the training pictures that nothing is learned from, as `HoldOut` reads it: a
            share of them, or `first:N` by the numbers in their names.
        teacher_share: share, 0 to 1, of the teachers' probabilities in a target, beside the label;
            it counts where there are teachers.
        seed: of all random numbers.
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
    mixup: float = 0.4
    identity: float = 4.0
    averaged: float = 0.999
    more_blocks: int = 1
    partner: str | None = None
    development: str = f"{DEVELOPMENT_FRACTION:g}"
    teacher_share: float = 0.75
    seed: int = SEED
    device: Literal["auto", "cpu", "cuda"] = "auto"
