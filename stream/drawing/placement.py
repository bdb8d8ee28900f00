"""Label placement: panels beside their faces and the legend in a corner, steady over frames.

As in map labelling, each panel has a few candidate positions, and the cost of one is what it would
cover. A panel keeps its candidate from frame to frame until another has been clearly cheaper for
some frames.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from stream.drawing.marks import Box

_PANEL_WEIGHT = 3
"""Cost of a covered pixel of another panel, in pixels of a face: of two panels over one another
neither can be read."""

_MIN_SAVING = 0.1
"""Cost that another candidate must save, as a share of a panel's area, for the panel to move; more
lets it cover more, and moves it less."""

_MOVE_AFTER = 3
"""Frames in a row in which another candidate must be that much cheaper before a panel moves."""

_MAX_ROUNDS = 4
"""Rounds in which new panels make room for one another; mostly the second changes nothing."""

_KEPT_FRAMES = 50
"""Frames for which the candidate of a panel that is not shown is remembered."""

_Edges: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom, whole px. So few are compared that NumPy's arrays would be slower."""

_Cost: TypeAlias = Callable[[_Edges], int]
"""The cost of a candidate."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The places of all text on one picture: the panels by track, and the legend if any."""

    panels: Mapping[int, Box]
    legend: Box | None


class Placement:
    """Chooses the places of panels and legend, and remembers them from frame to frame."""

    def __init__(self) -> None:
        self._panels: dict[int, _Position] = {}
        self._legend: _Position | None = None
        self._frames = 0

    def __repr__(self) -> str:
        return f"Placement({len(self._panels)} panels)"

    def are_all_new(self, track_ids: Iterable[int]) -> bool:
        """Whether no panel of these tracks is remembered: the picture is unrelated to the last."""
        return self._panels.keys().isdisjoint(track_ids)

    def arrange(
        self,
        faces: Mapping[int, Box],
        panels_wh: Mapping[int, tuple[int, int]],
        legend_wh: tuple[int, int] | None,
        frame_wh: tuple[int, int],
        gap: int,
    ) -> Arrangement:
        """Places panels and legend in the next picture so that they cover little of faces and of
        one another.

        Args:
            faces: all faces in the picture, by track.
            panels_wh: width and height of the panels, px, by track; not every face has one.
            legend_wh: width and height of the legend; None where there is none.
            frame_wh: width and height of the picture.
            gap: px between a panel and its face.
        """
        self._frames += 1
        if self.are_all_new(panels_wh):
            self._legend = None
        corners = [] if legend_wh is None else _corners(legend_wh, frame_wh)
        # Panels avoid the legend where it is, then the legend avoids the panels.
        avoided = [corners[self._legend.index]] if corners and self._legend is not None else []
        candidates = {
            track_id: _beside(faces[track_id], size_wh, frame_wh, gap)
            for track_id, size_wh in panels_wh.items()
        }
        scene = _Scene(
            [(left, top, right, bottom) for left, top, right, bottom in faces.values()], avoided
        )
        self._place_panels(candidates, scene)
        panels = {track_id: Box(*scene.panels[track_id]) for track_id in candidates}
        if legend_wh is None:
            return Arrangement(panels, None)
        self._legend = self._legend or _Position(_cheapest(corners, scene.legend_cost))
        corner = self._legend.choose(corners, scene.legend_cost, self._frames)
        return Arrangement(panels, Box(*corner))

    def _place_panels(self, candidates: Mapping[int, Sequence[_Edges]], scene: "_Scene") -> None:
        """Chooses a candidate for each panel.

        1. Panels that are remembered stand where they were.
        2. New ones take the cheapest candidates, the others being where they are.
        3. Remembered ones move where another candidate has been cheaper for long enough.
        4. What has not been shown for long is forgotten.
        """
        remembered = [track_id for track_id in candidates if track_id in self._panels]
        new = {track_id: -1 for track_id in candidates if track_id not in self._panels}
        for track_id in remembered:
            scene.panels[track_id] = candidates[track_id][self._panels[track_id].index]
        for _ in range(_MAX_ROUNDS):
            before = dict(new)
            for track_id in new:
                new[track_id] = _cheapest(candidates[track_id], scene.panel_cost(track_id))
                scene.panels[track_id] = candidates[track_id][new[track_id]]
            if new == before:
                break
        for track_id, index in new.items():
            self._panels[track_id] = _Position(index, last_frame=self._frames)
        for track_id in remembered:
            cost = scene.panel_cost(track_id)
            position = self._panels[track_id]
            scene.panels[track_id] = position.choose(candidates[track_id], cost, self._frames)
        self._panels = {
            track_id: position
            for track_id, position in self._panels.items()
            if self._frames - position.last_frame <= _KEPT_FRAMES
        }


class _Scene:
    """What text would cover: the costs of candidates, given where everything else is.

    Args:
        faces: all faces.
        avoided: other text that panels avoid.

    Attributes:
        panels: where panels are, by track; those that are not placed yet are missing.
    """

    def __init__(self, faces: Sequence[_Edges], avoided: Sequence[_Edges]) -> None:
        self.panels: dict[int, _Edges] = {}
        self._faces = faces
        self._avoided = avoided

    def panel_cost(self, track_id: int) -> _Cost:
        """The cost of a candidate of a track's panel: the px it covers, weighted."""
        texts = [
            *self._avoided,
            *(edges for other, edges in self.panels.items() if other != track_id),
        ]
        return lambda edges: (
            _overlap_px(edges, self._faces) + _PANEL_WEIGHT * _overlap_px(edges, texts)
        )

    def legend_cost(self, edges: _Edges) -> int:
        """The cost of a candidate of the legend: the px it covers."""
        return _overlap_px(edges, self._faces) + _overlap_px(edges, self.panels.values())


@dataclass(slots=True)
class _Position:
    """The chosen one of several candidates, with hysteresis.

    Attributes:
        index: of the candidate.
        costly_frames: for how many frames in a row another has been clearly cheaper.
        last_frame: in which the panel was last shown.
    """

    index: int
    costly_frames: int = 0
    last_frame: int = 0

    def choose(self, candidates: Sequence[_Edges], cost: _Cost, frame: int) -> _Edges:
        """The candidate for this frame; all candidates are equally large."""
        self.last_frame = frame
        left, top, right, bottom = current = candidates[self.index]
        min_saving = _MIN_SAVING * ((right - left) * (bottom - top))
        current_cost = cost(current)
        if current_cost <= min_saving:  # no candidate costs less than nothing
            self.costly_frames = 0
            return current
        best = _cheapest(candidates, cost)
        is_cheaper = current_cost - cost(candidates[best]) > min_saving
        self.costly_frames = self.costly_frames + 1 if is_cheaper else 0
        if self.costly_frames >= _MOVE_AFTER:
            self.index, self.costly_frames = best, 0
        return candidates[self.index]


def _cheapest(candidates: Sequence[_Edges], cost: _Cost) -> int:
    """The index of the candidate that costs least, the first of several."""
    costs = [cost(edges) for edges in candidates]
    return costs.index(min(costs))


def _beside(
    face: Box, size_wh: tuple[int, int], frame_wh: tuple[int, int], gap: int
) -> list[_Edges]:
    """The candidates of a panel: above, below, right and left of its face, each flush with one
    edge of the face or the other.

    They are moved into the picture as little as is needed; one that is larger than the picture
    lies at its top left.
    """
    (left, top, right, bottom), (width, height) = face, size_wh
    last_x, last_y = frame_wh[0] - width, frame_wh[1] - height
    flush_left, flush_right, after, before = (
        max(min(x, last_x), 0) for x in (left, right - width, right + gap, left - gap - width)
    )
    flush_top, flush_bottom, above, below = (
        max(min(y, last_y), 0) for y in (top, bottom - height, top - gap - height, bottom + gap)
    )
    return [
        (x, y, x + width, y + height)
        for x, y in (
            *((flush_left, above), (flush_right, above), (flush_left, below), (flush_right, below)),
            *((after, flush_top), (after, flush_bottom)),
            *((before, flush_top), (before, flush_bottom)),
        )
    ]


def _corners(size_wh: tuple[int, int], frame_wh: tuple[int, int]) -> list[_Edges]:
    """The candidates of the legend: bottom left, bottom right, top left, top right."""
    width, height = size_wh
    right, bottom = max(frame_wh[0] - width, 0), max(frame_wh[1] - height, 0)
    corners = (0, bottom), (right, bottom), (0, 0), (right, 0)
    return [(x, y, x + width, y + height) for x, y in corners]


def _overlap_px(edges: _Edges, others: Iterable[_Edges]) -> int:
    """The pixels that a rectangle shares with each of the others, added up."""
    left, top, right, bottom = edges
    overlap = 0
    for other_left, other_top, other_right, other_bottom in others:
        if other_left < right and other_right > left and other_top < bottom and other_bottom > top:
            width = min(right, other_right) - max(left, other_left)
            overlap += width * (min(bottom, other_bottom) - max(top, other_top))
    return overlap
