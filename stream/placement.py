"""Where labels stand: beside their faces, in nobody's way, from frame to frame in one place."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.drawing import Box

_PANEL_COST = 3  # of a face's: two panels over one another can be read neither
_CLEARLY = 0.1  # of its own area: by how much less something must hide elsewhere
_PATIENCE = 3  # pictures in a row in which it must do so before it goes there
_ROUNDS = 4  # in which panels that are new make room for one another; mostly the second is the last
_REMEMBERED = 50  # pictures for which the place of a panel that is not shown is kept


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Where all that is written on one picture stands: panels by owner, and the legend if any."""

    panels: Mapping[int, Box]
    legend: Box | None


class Placement:
    """Finds places, and remembers them: what has one leaves it for good reason only."""

    def __init__(self) -> None:
        self._spots: dict[int, _Spot] = {}
        self._legend: _Spot | None = None
        self._now = 0  # counts the pictures

    def __repr__(self) -> str:
        return f"Placement({len(self._spots)} panels)"

    def is_new(self, owners: Iterable[int]) -> bool:
        """None of them is remembered: the picture has nothing to do with those before."""
        return self._spots.keys().isdisjoint(owners)

    def arrange(
        self,
        faces: Mapping[int, Box],
        panels_wh: Mapping[int, tuple[int, int]],
        legend_wh: tuple[int, int] | None,
        frame_wh: tuple[int, int],
        gap: int,
    ) -> Arrangement:
        """Places in the next picture that hide as little of faces and of one another as can be.

        Args:
            faces: all that are in the picture, by owner.
            panels_wh: how large the panels are, px, of those owners that have one.
            legend_wh: how large the legend is; None where there is none.
            frame_wh: how large the picture is.
            gap: px between a panel and its face.
        """
        self._now += 1
        if self.is_new(panels_wh):
            self._legend = None
        corners = _corners(legend_wh, frame_wh) if legend_wh is not None else []
        # Panels keep clear of the legend that stands, and it then of them.
        kept = [corners[self._legend.place]] if corners and self._legend is not None else []
        places = {
            owner: [each.moved_inside(*frame_wh) for each in _beside(faces[owner], size_wh, gap)]
            for owner, size_wh in panels_wh.items()
        }
        everybody = list(faces.values())
        panels = self._panels(places, everybody, kept)
        if legend_wh is None:
            return Arrangement(panels, None)
        hidden = _shared(corners, [*everybody, *panels.values()])
        self._legend = self._legend or _Spot(int(hidden.argmin()))
        return Arrangement(panels, corners[self._legend.choose(hidden, corners[0].area, self._now)])

    def _panels(
        self, places: Mapping[int, Sequence[Box]], faces: Sequence[Box], kept: Sequence[Box]
    ) -> dict[int, Box]:
        """A panel for each owner, out of its places, given what else is there."""
        panels: dict[int, Box] = {}

        def hidden(owner: int) -> NDArray[np.float64]:
            others = [panel for other, panel in panels.items() if other != owner]
            of_panels = _shared(places[owner], [*others, *kept])
            return _shared(places[owner], faces) + _PANEL_COST * of_panels

        settled = [owner for owner in places if owner in self._spots]
        new = {owner: -1 for owner in places if owner not in self._spots}
        for owner in settled:
            panels[owner] = places[owner][self._spots[owner].place]
        for _ in range(_ROUNDS):  # until each has the best place, the others being where they are
            for owner in new:
                new[owner] = int(hidden(owner).argmin())
                panels[owner] = places[owner][new[owner]]
        for owner, place in new.items():
            self._spots[owner] = _Spot(place, used=self._now)
        for owner in settled:
            area = places[owner][0].area
            place = self._spots[owner].choose(hidden(owner), area, self._now)
            panels[owner] = places[owner][place]
        self._spots = {
            owner: spot
            for owner, spot in self._spots.items()
            if self._now - spot.used <= _REMEMBERED
        }
        return panels


@dataclass(slots=True)
class _Spot:
    """One of several places, kept until another has been clearly better for some time."""

    place: int
    impatience: int = 0
    used: int = 0

    def choose(self, hidden: NDArray[np.float64], area: int, now: int) -> int:
        """The place to take, of those that would hide so much, px `(n,)`, and are so large."""
        best = int(hidden.argmin())
        better = hidden[self.place] - hidden[best] > _CLEARLY * area
        self.impatience = self.impatience + 1 if better else 0
        if self.impatience >= _PATIENCE:
            self.place, self.impatience = best, 0
        self.used = now
        return self.place


def _beside(face: Box, size_wh: tuple[int, int], gap: int) -> Iterator[Box]:
    """Above, below, right, left, each flush with one edge of the face or the other."""
    width, height = size_wh
    for left, top in (
        (face.left, face.top - gap - height),
        (face.right - width, face.top - gap - height),
        (face.left, face.bottom + gap),
        (face.right - width, face.bottom + gap),
        (face.right + gap, face.top),
        (face.right + gap, face.bottom - height),
        (face.left - gap - width, face.top),
        (face.left - gap - width, face.bottom - height),
    ):
        yield Box(left, top, left + width, top + height)


def _corners(size_wh: tuple[int, int], frame_wh: tuple[int, int]) -> list[Box]:
    """Bottom left, bottom right, top left, top right."""
    width, height = size_wh
    right, bottom = max(frame_wh[0] - width, 0), max(frame_wh[1] - height, 0)
    return [
        Box(left, top, left + width, top + height)
        for left, top in ((0, bottom), (right, bottom), (0, 0), (right, 0))
    ]


def _shared(places: Sequence[Box], others: Sequence[Box]) -> NDArray[np.float64]:
    """How many pixels of each place belong to the others, added up, `(n,)`."""
    one = np.array([each.edges for each in places], dtype=np.float64).reshape(-1, 1, 4)
    two = np.array([each.edges for each in others], dtype=np.float64).reshape(1, -1, 4)
    corners = np.maximum(one[..., :2], two[..., :2]), np.minimum(one[..., 2:], two[..., 2:])
    areas: NDArray[np.float64] = (corners[1] - corners[0]).clip(0).prod(axis=-1).sum(axis=1)
    return areas
