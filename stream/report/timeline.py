"""Time in sight by label over the time of a log, in bins that widen as the log goes on."""

import numpy as np
from numpy.typing import NDArray

_MOST_BINS = 120
"""Bins at most; more show shorter scenes and make the page larger."""

_FIRST_BIN_S = 1.0
"""Width of the bins of a log of up to two minutes, s; it doubles as often as need be."""

_LATEST_S = 1e9
"""Time after the first frame from which all goes into the last bin, s: 30 years."""


class Timeline:
    """Sums of time by bin and label; memory does not grow with the length of the log."""

    def __init__(self) -> None:
        self.bin_s = _FIRST_BIN_S
        self.begin_s: float | None = None
        self.sums = np.zeros((_MOST_BINS, 0))

    def add(
        self,
        time_s: NDArray[np.float64],
        labels: NDArray[np.int32],
        duration_s: NDArray[np.float64],
        label_count: int,
    ) -> None:
        """Adds the faces of consecutive frames, n at least 1.

        Args:
            time_s: `(n,)`, of the frame of each face.
            labels: `(n,)`, the code of each.
            duration_s: `(n,)`, how long each was in sight.
            label_count: how many codes there are.
        """
        if self.begin_s is None:
            self.begin_s = float(time_s.min())
        since_s = (time_s - self.begin_s).clip(0, _LATEST_S)
        while since_s.max() >= self.bin_s * _MOST_BINS:
            self._halve()
        if label_count > self.sums.shape[1]:
            more = label_count - self.sums.shape[1]
            self.sums = np.pad(self.sums, ((0, 0), (0, more)))
        bins = (since_s // self.bin_s).astype(np.intp)
        cells = bins * self.sums.shape[1] + labels
        self.sums += np.bincount(cells, duration_s, self.sums.size).reshape(self.sums.shape)

    @property
    def used(self) -> NDArray[np.float64]:
        """The sums `(bins, labels)` up to the last bin that has any."""
        filled = np.flatnonzero(self.sums.any(axis=1))
        return self.sums[: filled[-1] + 1 if len(filled) else 0]

    def _halve(self) -> None:
        """Makes one bin of two."""
        pairs = self.sums.reshape(_MOST_BINS // 2, 2, -1).sum(axis=1)
        self.sums = np.concatenate([pairs, np.zeros_like(pairs)])
        self.bin_s *= 2
