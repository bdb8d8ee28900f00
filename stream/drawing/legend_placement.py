"""The corner of the legend, steady over frames."""

from collections.abc import Iterable, Sequence
from itertools import chain

from stream.drawing.marks import Box, overlap_px

_MIN_SAVING = 0.1
"""Cost that another corner must save, as a share of the legend's area, for the legend to move; more
lets it cover more, and moves it less."""

_MOVE_AFTER = 3
"""Frames in a row in which another corner must be that much cheaper before the legend moves."""


class LegendPlacement:
    """Chooses the corner in which the legend covers least, and keeps to it until another has been
    clearly better for some frames."""

    def __init__(self) -> None:
        self._corner: int | None = None
        self._costly_frames = 0

    def __repr__(self) -> str:
        return f"LegendPlacement({self._corner})"

    def forget(self) -> None:
        """The next picture is unrelated to the last."""
        self._corner = None

    def place(self, size_wh: tuple[int, int] | None, frame_wh: tuple[int, int]) -> Box | None:
        """Where the legend is if it keeps its corner; None where it has none yet."""
        if size_wh is None or self._corner is None:
            return None
        return _corners(size_wh, frame_wh)[self._corner]

    def choose(
        self,
        size_wh: tuple[int, int] | None,
        frame_wh: tuple[int, int],
        faces: Iterable[Box],
        texts: Iterable[Box],
    ) -> Box | None:
        """Where the legend is in the next picture; None where there is none."""
        if size_wh is None:
            return None
        corners, covered = _corners(size_wh, frame_wh), list(chain(faces, texts))
        costs = [overlap_px(corner, covered) for corner in corners]
        best = costs.index(min(costs))
        if self._corner is None:
            self._corner, self._costly_frames = best, 0
        is_costly = costs[self._corner] - costs[best] > _MIN_SAVING * corners[0].area
        self._costly_frames = self._costly_frames + 1 if is_costly else 0
        if self._costly_frames >= _MOVE_AFTER:
            self._corner, self._costly_frames = best, 0
        return corners[self._corner]


def _corners(size_wh: tuple[int, int], frame_wh: tuple[int, int]) -> Sequence[Box]:
    """The candidates: bottom left, bottom right, top left, top right."""
    width, height = size_wh
    right, bottom = max(frame_wh[0] - width, 0), max(frame_wh[1] - height, 0)
    corners = (0, bottom), (right, bottom), (0, 0), (right, 0)
    return [Box(x, y, x + width, y + height) for x, y in corners]
