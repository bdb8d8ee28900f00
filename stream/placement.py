"""Where labels stand: beside their faces, in nobody's way, from frame to frame in one place."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from stream.marks import Box

_PANEL_COST = 3  # of a face's: two panels over one another can be read neither
_CLEARLY = 0.1  # of its own area: by how much less something must hide elsewhere
_PATIENCE = 3  # pictures in a row in which it must do so before it goes there
_ROUNDS = 4  # in which panels that are new make room for one another; mostly the second is the last
_REMEMBERED = 50  # pictures for which the place of a panel that is not shown is kept


_Boxes: TypeAlias = NDArray[np.float64]
"""`(…, 4)`: left, top, right, bottom, whole px."""

_NOWHERE = np.zeros((0, 4))


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
        corners = _corners(legend_wh, frame_wh) if legend_wh is not None else _NOWHERE
        # Panels keep clear of the legend that stands, and it then of them.
        stands = None if legend_wh is None else self._legend
        kept = _NOWHERE if stands is None else corners[[stands.place]]
        everybody = _edges(faces.values())
        owners = list(panels_wh)
        sizes_wh = np.array([panels_wh[owner] for owner in owners], np.float64).reshape(-1, 2)
        beside = _beside(_edges(faces[owner] for owner in owners), sizes_wh, gap)
        places = _moved_inside(beside, frame_wh)
        costs = _Costs(places, everybody, kept)
        self._settle(owners, costs, sizes_wh.prod(axis=1).tolist())
        panels = dict(zip(owners, map(_box, costs.taken), strict=True))
        if legend_wh is None:
            return Arrangement(panels, None)
        hidden = _shared(corners, np.concatenate([everybody, costs.taken])).sum(axis=-1)
        self._legend = self._legend or _Spot(int(hidden.argmin()))
        area = legend_wh[0] * legend_wh[1]
        return Arrangement(panels, _box(corners[self._legend.choose(hidden, area, self._now)]))

    def _settle(self, owners: Sequence[int], costs: "_Costs", areas: Sequence[float]) -> None:
        """Gives each owner one of its places."""
        settled = [row for row, owner in enumerate(owners) if owner in self._spots]
        new = [row for row, owner in enumerate(owners) if owner not in self._spots]
        costs.take(settled, [self._spots[owners[row]].place for row in settled])
        for _ in range(_ROUNDS):  # until each has the best place, the others being where they are
            for row in new:
                costs.take([row], [int(costs.of(row).argmin())])
        for row in new:
            self._spots[owners[row]] = _Spot(costs.chosen[row], used=self._now)
        for row in settled:
            spot = self._spots[owners[row]]
            costs.take([row], [spot.choose(costs.of(row), areas[row], self._now)])
        self._spots = {
            owner: spot
            for owner, spot in self._spots.items()
            if self._now - spot.used <= _REMEMBERED
        }


class _Costs:
    """What panels would hide, each in each of its places, given where the others are.

    Args:
        places: `(n, 8, 4)` px, of n panels.
        faces: `(m, 4)` px.
        kept: `(k, 4)` px, other writing.

    Attributes:
        taken: `(n, 4)` px, where the panels are; without an area as long as they are nowhere.
        chosen: which of its places each has taken; -1 for none.
    """

    def __init__(self, places: _Boxes, faces: _Boxes, kept: _Boxes) -> None:
        count = len(places)
        self.taken = np.zeros((count, 4))
        self.chosen = [-1] * count
        self._places = places
        self._alone = _shared(places, faces).sum(-1) + _PANEL_COST * _shared(places, kept).sum(-1)
        self._between = np.zeros((*places.shape[:2], count))  # each place with the others' panels

    def take(self, rows: Sequence[int], places: Sequence[int]) -> None:
        """Puts these panels where they are wanted."""
        moved = [
            (row, place)
            for row, place in zip(rows, places, strict=True)
            if self.chosen[row] != place
        ]
        for row, place in moved:
            self.chosen[row], self.taken[row] = place, self._places[row, place]
        which = [row for row, _ in moved]
        if which:
            self._between[:, :, which] = _shared(self._places, self.taken[which])
            self._between[which, :, which] = 0  # nobody is in his own way

    def of(self, row: int) -> NDArray[np.float64]:
        """How much one panel would hide in each of its places, px `(8,)`."""
        cost: NDArray[np.float64] = self._alone[row] + _PANEL_COST * self._between[row].sum(-1)
        return cost


@dataclass(slots=True)
class _Spot:
    """One of several places, kept until another has been clearly better for some time."""

    place: int
    impatience: int = 0
    used: int = 0

    def choose(self, hidden: NDArray[np.float64], area: float, now: int) -> int:
        """The place to take, of those that would hide so much, px `(n,)`, and are so large."""
        best = int(hidden.argmin())
        better = hidden[self.place] - hidden[best] > _CLEARLY * area
        self.impatience = self.impatience + 1 if better else 0
        if self.impatience >= _PATIENCE:
            self.place, self.impatience = best, 0
        self.used = now
        return self.place


def _beside(faces: _Boxes, sizes_wh: NDArray[np.float64], gap: int) -> _Boxes:
    """Above, below, right, left, each flush with one edge of the face or the other: `(n, 8, 4)`."""
    left, top, right, bottom = faces.T
    width, height = sizes_wh.T
    above, below, after, before = top - gap - height, bottom + gap, right + gap, left - gap - width
    flush_right, flush_low = right - width, bottom - height
    x = np.stack([left, flush_right, left, flush_right, after, after, before, before], axis=1)
    y = np.stack([above, above, below, below, top, flush_low, top, flush_low], axis=1)
    return np.stack([x, y, x + width[:, None], y + height[:, None]], axis=2)


def _moved_inside(boxes: _Boxes, frame_wh: tuple[int, int]) -> _Boxes:
    """As little as is needed; one that is larger than the picture lies at the top left."""
    corners, sizes = boxes[..., :2], boxes[..., 2:] - boxes[..., :2]
    corners = np.minimum(corners, np.array(frame_wh) - sizes).clip(0)
    return np.concatenate([corners, corners + sizes], axis=-1)


def _corners(size_wh: tuple[int, int], frame_wh: tuple[int, int]) -> _Boxes:
    """Bottom left, bottom right, top left, top right, `(4, 4)`."""
    width, height = size_wh
    right, bottom = max(frame_wh[0] - width, 0), max(frame_wh[1] - height, 0)
    lefts_tops = np.array([(0, bottom), (right, bottom), (0, 0), (right, 0)], dtype=np.float64)
    return np.concatenate([lefts_tops, lefts_tops + size_wh], axis=1)


def _shared(places: _Boxes, others: _Boxes) -> NDArray[np.float64]:
    """How many pixels of each place, `(…, 4)`, belong to each of the others, `(n, 4)`: `(…, n)`."""
    top_left = np.maximum(places[..., None, :2], others[:, :2])
    bottom_right = np.minimum(places[..., None, 2:], others[:, 2:])
    width, height = np.moveaxis((bottom_right - top_left).clip(0), -1, 0)
    return width * height


def _edges(boxes: Iterable[Box]) -> _Boxes:
    return np.array([each.edges for each in boxes], dtype=np.float64).reshape(-1, 4)


def _box(edges: NDArray[np.float64]) -> Box:
    left, top, right, bottom = map(int, edges.tolist())
    return Box(left, top, right, bottom)
