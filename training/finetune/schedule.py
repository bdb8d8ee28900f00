"""The learning rate of each step: a linear warm-up, then a cosine decay to 0."""

import math

WARMUP_SHARE = 0.05
"""Share of the steps in which the learning rate rises; more spare the weights that training begins
with, and leave fewer steps at a high rate."""


def get_lr(done: float, max_lr: float) -> float:
    """The learning rate where a share of the steps is done (as nanoGPT's `get_lr`)."""
    # 1. Linear warm-up.
    if done < WARMUP_SHARE:
        return max_lr * (done / WARMUP_SHARE)
    # 2. Half a cosine.
    decayed = (done - WARMUP_SHARE) / (1 - WARMUP_SHARE)
    return max_lr * (0.5 * (1 + math.cos(math.pi * decayed)))
