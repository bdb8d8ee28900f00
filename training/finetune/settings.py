"""How the network is trained."""

from dataclasses import dataclass
from typing import Literal

from training.datasets.splits import SEED


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
        mixup: how much faces are mixed with one another, in one half of each batch: `alpha` of
            Zhang et al., mixup, ICLR 2018; 0 for not at all.
        identity: how much it counts that the first numbers of the embedding stay dlib's.
        averaged: decay of the moving average of the weights, which is what is exported.
        more_blocks: residual blocks that the network has more than dlib's, before each of its last
            two halvings.
        teachers: how many networks are trained first, whose common opinion counts beside the
            labels for the one that is exported.
        teacher_epochs: how often each of these sees each face.
        teacher_share: how much their opinion counts beside a label.
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
    mixup: float = 0.4
    identity: float = 4.0
    averaged: float = 0.999
    more_blocks: int = 1
    teachers: int = 0
    teacher_epochs: int = 16
    teacher_share: float = 0.75
    seed: int = SEED
    device: Literal["auto", "cpu", "cuda"] = "auto"
