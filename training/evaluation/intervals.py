"""Shares with their confidence intervals, which hold on few faces too: none of thirteen is certain.

An interval by the normal distribution, or by a bootstrap, has no width where all faces are right.
"""

from statistics import NormalDist
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Figures: TypeAlias = dict[str, Any]
"""Figures as they stand in `report.json`."""

CONFIDENCE_LEVEL = 0.95
"""Probability with which an interval holds the true value; higher makes all intervals wider."""

_Z = NormalDist().inv_cdf((1 + CONFIDENCE_LEVEL) / 2)
"""The quantile of the normal distribution that belongs to the level."""


def share(part: int, count: int) -> Figures:
    """A share with its interval by Wilson (Probable Inference, JASA 1927): value, low and high.

    Args:
        part: how many of the faces, such as those that are right.
        count: of how many, at least one.
    """
    value, square = part / count, _Z**2
    centre = (part + square / 2) / (count + square)
    half = _Z / (count + square) * (count * value * (1 - value) + square / 4) ** 0.5
    # At both ends the interval ends exactly, where floats would miss it.
    low = 0.0 if part == 0 else centre - half
    high = 1.0 if part == count else centre + half
    return {"value": value, "low": low, "high": high}


def share_of(correct: NDArray[np.bool_]) -> Figures:
    """The share of the true values, with its interval."""
    return share(int(correct.sum()), len(correct))


def maybe_share(part: int, count: int) -> Figures:
    """The same, with None for all three where there are no faces."""
    return share(part, count) if count else dict.fromkeys(("value", "low", "high"))


def difference(first: Figures, second: Figures) -> Figures:
    """The first share less the second, with its interval by Newcombe's hybrid score method
    (Interval estimation for the difference between independent proportions, 1998, method 10).
    """
    value = first["value"] - second["value"]
    below = np.hypot(first["value"] - first["low"], second["high"] - second["value"])
    above = np.hypot(first["high"] - first["value"], second["value"] - second["low"])
    return {"value": value, "low": float(value - below), "high": float(value + above)}
