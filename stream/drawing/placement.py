"""Where labels stand: beside their faces, in nobody's way, from frame to frame in one place."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from stream.drawing.marks import Box

_PANEL_COST = 3  # of a face's: two panels over one another can be read neither
_CLEARLY = 0.1  # of its own area: by how much less something must hide elsewhere
_PATIENCE = 3  # pictures in a row in which it must do so before it goes there
_ROUNDS = 4  # in which panels that are new make room for one another; mostly the second is the last
_REMEMBERED = 50  # pictures for which the place of a panel that is not shown is kept


_Edges: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom, whole px. So few are compared that NumPy's arrays would be slower."""


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
        corners = [] if legend_wh is None else _corners(legend_wh, frame_wh)
        # Panels keep clear of the legend that stands, and it then of them.
        kept = [corners[self._legend.place]] if corners and self._legend is not None else []
        places = {
            owner: _beside(faces[owner], size_wh, frame_wh, gap)
            for owner, size_wh in panels_wh.items()
        }
        scene = _Scene(
            [(left, top, right, bottom) for left, top, right, bottom in faces.values()], kept
        )
        self._settle(places, scene)
        panels = {owner: Box(*scene.taken[owner]) for owner in places}
        if legend_wh is None:
            return Arrangement(panels, None)
        self._legend = self._legend or _Spot(_best(corners, scene.hidden_by_legend))
        corner = self._legend.choose(corners, scene.hidden_by_legend, self._now)
        return Arrangement(panels, Box(*corner))

    def _settle(self, places: Mapping[int, Sequence[_Edges]], scene: "_Scene") -> None:
        """Gives each owner one of its places."""
        settled = [owner for owner in places if owner in self._spots]
        new = {owner: -1 for owner in places if owner not in self._spots}
        for owner in settled:
            scene.taken[owner] = places[owner][self._spots[owner].place]
        for _ in range(_ROUNDS):  # until each has the best place, the others being where they are
            before = dict(new)
            for owner in new:
                new[owner] = _best(places[owner], scene.hidden_by(owner))
                scene.taken[owner] = places[owner][new[owner]]
            if new == before:
                break
        for owner, place in new.items():
            self._spots[owner] = _Spot(place, used=self._now)
        for owner in settled:
            hidden = scene.hidden_by(owner)
            scene.taken[owner] = self._spots[owner].choose(places[owner], hidden, self._now)
        self._spots = {
            owner: spot
            for owner, spot in self._spots.items()
            if self._now - spot.used <= _REMEMBERED
        }


class _Scene:
    """What writing would hide, given where the rest of it is.

    Args:
        faces: all of them.
        kept: other writing, of which panels keep clear.

    Attributes:
        taken: where panels are, by owner; those that are nowhere yet are missing.
    """

    def __init__(self, faces: Sequence[_Edges], kept: Sequence[_Edges]) -> None:
        self.taken: dict[int, _Edges] = {}
        self._faces = faces
        self._kept = kept

    def hidden_by(self, owner: int) -> Callable[[_Edges], int]:
        """How much a panel would hide in a place, px, where two panels count for more."""
        others = [*self._kept, *(at for other, at in self.taken.items() if other != owner)]
        return lambda place: _shared(place, self._faces) + _PANEL_COST * _shared(place, others)

    def hidden_by_legend(self, place: _Edges) -> int:
        """How much the legend would hide in a place, px."""
        return _shared(place, self._faces) + _shared(place, self.taken.values())


@dataclass(slots=True)
class _Spot:
    """One of several places, kept until another has been clearly better for some time."""

    place: int
    impatience: int = 0
    used: int = 0

    def choose(self, places: Sequence[_Edges], hidden: Callable[[_Edges], int], now: int) -> _Edges:
        """The place to take, of these, which are all equally large and would hide so much."""
        self.used = now
        left, top, right, bottom = here = places[self.place]
        much = _CLEARLY * ((right - left) * (bottom - top))
        hides = hidden(here)
        if hides <= much:  # no place hides less than nothing
            self.impatience = 0
            return here
        best = _best(places, hidden)
        self.impatience = self.impatience + 1 if hides - hidden(places[best]) > much else 0
        if self.impatience >= _PATIENCE:
            self.place, self.impatience = best, 0
        return places[self.place]


def _best(places: Sequence[_Edges], hidden: Callable[[_Edges], int]) -> int:
    """Which of them hides least, the first of several."""
    costs = [hidden(place) for place in places]
    return costs.index(min(costs))


def _beside(
    face: Box, size_wh: tuple[int, int], frame_wh: tuple[int, int], gap: int
) -> list[_Edges]:
    """Above, below, right, left, each flush with one edge of the face or the other.

    They are moved into the picture as little as is needed; one that is larger than the picture
    lies at its top left.
    """
    (left, top, right, bottom), (width, height) = face, size_wh
    last_x, last_y = frame_wh[0] - width, frame_wh[1] - height
    flush_left, flush_right, after, before = (
        max(min(x, last_x), 0) for x in (left, right - width, right + gap, left - gap - width)
    )
    flush_high, flush_low, above, below = (
        max(min(y, last_y), 0) for y in (top, bottom - height, top - gap - height, bottom + gap)
    )
    return [
        (x, y, x + width, y + height)
        for x, y in (
            *((flush_left, above), (flush_right, above), (flush_left, below), (flush_right, below)),
            *((after, flush_high), (after, flush_low), (before, flush_high), (before, flush_low)),
        )
    ]


def _corners(size_wh: tuple[int, int], frame_wh: tuple[int, int]) -> list[_Edges]:
    """Bottom left, bottom right, top left, top right."""
    width, height = size_wh
    right, bottom = max(frame_wh[0] - width, 0), max(frame_wh[1] - height, 0)
    corners = (0, bottom), (right, bottom), (0, 0), (right, 0)
    return [(x, y, x + width, y + height) for x, y in corners]


def _shared(place: _Edges, others: Iterable[_Edges]) -> int:
    """How many pixels of a place belong to each of the others, all together."""
    left, top, right, bottom = place
    shared = 0
    for first, upper, last, lower in others:
        if first < right and last > left and upper < bottom and lower > top:
            width = min(right, last) - max(left, first)
            shared += width * (min(bottom, lower) - max(top, upper))
    return shared
