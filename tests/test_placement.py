"""Labels cover nothing where there is room, and keep their places."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.drawing.marks import Box
from stream.drawing.placement import Arrangement, Placement

_FRAME_WH = (640, 360)
_PANEL_WH, _LEGEND_WH, _GAP = (90, 36), (200, 20), 2
_EDGES = st.tuples(st.integers(0, 560), st.integers(0, 300), st.integers(20, 120))
_FACES = st.lists(_EDGES, min_size=1, max_size=6).map(
    lambda faces: {row: Box(x, y, x + size, y + size) for row, (x, y, size) in enumerate(faces)}
)


def _arrange(placement: Placement, faces: Mapping[int, Box], *, legend: bool = True) -> Arrangement:
    sizes = dict.fromkeys(faces, _PANEL_WH)
    return placement.arrange(faces, sizes, _LEGEND_WH if legend else None, _FRAME_WH, _GAP)


def _overlap_px(one: Box, other: Box) -> int:
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    return max(width, 0) * max(height, 0)


def _size_wh(box: Box) -> tuple[int, int]:
    return box.right - box.left, box.bottom - box.top


def _inside(box: Box) -> bool:
    width, height = _FRAME_WH
    return box.left >= 0 and box.top >= 0 and box.right <= width and box.bottom <= height


def _beside(face: Box) -> list[Box]:
    """The eight places a panel may take, spelled out apart from the code."""
    width, height = _PANEL_WH
    above, below = face.top - _GAP - height, face.bottom + _GAP
    right, left = face.right + _GAP, face.left - _GAP - width
    flush_right, flush_low = face.right - width, face.bottom - height
    corners = [(face.left, above), (flush_right, above), (face.left, below), (flush_right, below)]
    corners += [(right, face.top), (right, flush_low), (left, face.top), (left, flush_low)]
    places = []
    for x, y in corners:
        x, y = min(max(x, 0), _FRAME_WH[0] - width), min(max(y, 0), _FRAME_WH[1] - height)
        places.append(Box(x, y, x + width, y + height))
    return places


@settings(deadline=None)
@given(_FACES)
def test_everything_is_whole_and_inside_the_picture(faces: dict[int, Box]) -> None:
    arrangement = _arrange(Placement(), faces)
    assert arrangement.panels.keys() == faces.keys()
    assert arrangement.legend is not None
    assert all(_inside(box) for box in (*arrangement.panels.values(), arrangement.legend))
    assert {_size_wh(panel) for panel in arrangement.panels.values()} == {_PANEL_WH}
    assert _size_wh(arrangement.legend) == _LEGEND_WH


@settings(deadline=None)
@given(_FACES)
def test_a_panel_hides_neither_face_nor_panel_where_a_place_is_free(faces: dict[int, Box]) -> None:
    panels = _arrange(Placement(), faces).panels
    for track_id, panel in panels.items():
        others = [each for other, each in panels.items() if other != track_id]
        obstacles = [*faces.values(), *others]
        free = [
            place
            for place in _beside(faces[track_id])
            if not any(_overlap_px(place, obstacle) for obstacle in obstacles)
        ]
        assert not free or panel in free


@settings(deadline=None)
@given(_FACES)
def test_the_legend_hides_nothing_where_a_corner_is_free(faces: dict[int, Box]) -> None:
    arrangement = _arrange(Placement(), faces)
    (width, height), (right, bottom) = _LEGEND_WH, _FRAME_WH
    corners = [
        Box(x, y, x + width, y + height) for x in (0, right - width) for y in (0, bottom - height)
    ]
    written = [*faces.values(), *arrangement.panels.values()]
    free = [each for each in corners if not any(_overlap_px(each, other) for other in written)]
    assert arrangement.legend in corners
    assert not free or arrangement.legend in free


def _offset(panel: Box, face: Box) -> tuple[int, int]:
    return panel.left - face.left, panel.top - face.top


def test_a_panel_moves_with_its_face_and_keeps_its_side() -> None:
    placement, random = Placement(), np.random.default_rng(0)
    offsets = set()
    for step in range(100):
        x, y = 200 + step + random.integers(-2, 3), 150 + random.integers(-2, 3)
        face = Box(x, y, x + 80, y + 80)
        offsets.add(_offset(_arrange(placement, {1: face}).panels[1], face))
    assert offsets == {(0, -_PANEL_WH[1] - _GAP)}


def test_a_panel_leaves_a_place_for_good_reason_once_and_stays_away() -> None:
    """A face passes above: the panel moves once, and does not move back afterwards."""
    placement, face = Placement(), Box(270, 150, 350, 230)
    hidden, places = [], []
    for x in range(0, 560, 10):
        passer = Box(x, 80, x + 80, 160)
        panel = _arrange(placement, {1: face, 2: passer}).panels[1]
        hidden.append(_overlap_px(panel, passer) / (_PANEL_WH[0] * _PANEL_WH[1]))
        places.append(panel)
    changes = sum(one != other for one, other in pairwise(places))
    assert changes == 1
    assert sum(share > 0.1 for share in hidden) <= 3


def test_a_glimpse_moves_nothing() -> None:
    placement, face = Placement(), Box(270, 150, 350, 230)
    first = _arrange(placement, {1: face}).panels[1]
    for _ in range(2):
        assert _arrange(placement, {1: face, 2: first}).panels[1] == first
    assert _arrange(placement, {1: face}).panels[1] == first


@pytest.mark.parametrize("absent", [50, 51])
def test_a_track_that_comes_back_soon_keeps_its_place(absent: int) -> None:
    placement, face = Placement(), Box(270, 150, 350, 230)
    above = _arrange(placement, {1: face}).panels[1]
    for _ in range(10):
        moved = _arrange(placement, {1: face, 2: above}).panels[1]
    assert moved != above
    for _ in range(absent):
        _arrange(placement, {})
    assert _arrange(placement, {1: face}).panels[1] == (moved if absent == 50 else above)


def test_the_legend_keeps_its_corner_until_a_face_is_there() -> None:
    placement, far, near = Placement(), Box(300, 20, 380, 100), Box(0, 280, 80, 360)
    usual = _arrange(placement, {1: far}).legend
    assert usual == Box(0, 340, 200, 360)
    legends = [_arrange(placement, {1: near}).legend for _ in range(10)]
    assert legends[0] == usual
    assert legends[-1] == Box(440, 340, 640, 360)
    assert _arrange(placement, {1: far}).legend == legends[-1]


def test_the_legend_of_an_unrelated_picture_is_free_at_once() -> None:
    placement, near = Placement(), Box(0, 280, 80, 360)
    _arrange(placement, {1: Box(300, 20, 380, 100)})
    assert _arrange(placement, {2: near}).legend == Box(440, 340, 640, 360)


def test_no_legend_and_no_faces() -> None:
    assert _arrange(Placement(), {}, legend=False) == Arrangement({}, None)
    assert repr(Placement()) == "Placement(0 panels)"


def test_a_picture_smaller_than_what_is_written() -> None:
    arrangement = Placement().arrange({1: Box(0, 0, 9, 9)}, {1: (90, 36)}, (200, 20), (10, 10), 2)
    assert arrangement.panels[1] == Box(0, 0, 90, 36)
    assert arrangement.legend == Box(0, 0, 200, 20)


class _Thorough:
    """The same rules spelled out: everything is compared with all of its places each time."""

    def __init__(self) -> None:
        self._positions: dict[int, list[int]] = {}  # place, and for how long another was better
        self._legend: list[int] | None = None

    def arrange(self, faces: Mapping[int, Box], *, legend: bool) -> Arrangement:
        (width, height), (right, bottom) = _LEGEND_WH, _FRAME_WH
        lefts_tops = [(x, y) for y in (bottom - height, 0) for x in (0, right - width)]
        corners = [Box(x, y, x + width, y + height) for x, y in lefts_tops]
        if self._positions.keys().isdisjoint(faces):
            self._legend = None
        kept = [corners[self._legend[0]]] if legend and self._legend else []
        places = {track_id: _beside(face) for track_id, face in faces.items()}
        new = [track_id for track_id in faces if track_id not in self._positions]
        at = {track_id: self._positions[track_id][0] for track_id in faces if track_id not in new}

        def costs(track_id: int) -> list[int]:
            others = [places[other][at[other]] for other in at if other != track_id]
            obstacles = [*faces.values(), *3 * (kept + others)]
            return [
                sum(_overlap_px(each, other) for other in obstacles) for each in places[track_id]
            ]

        settled = list(at)
        for _ in range(4):
            for track_id in new:
                at[track_id] = int(np.argmin(costs(track_id)))
        self._positions |= {track_id: [at[track_id], 0] for track_id in new}
        for track_id in settled:
            at[track_id] = self._choose(self._positions[track_id], costs(track_id), _PANEL_WH)
        panels = {track_id: places[track_id][at[track_id]] for track_id in faces}
        if not legend:
            return Arrangement(panels, None)
        written = [*faces.values(), *panels.values()]
        costs = [sum(_overlap_px(corner, each) for each in written) for corner in corners]
        self._legend = self._legend or [int(np.argmin(costs)), 0]
        return Arrangement(panels, corners[self._choose(self._legend, costs, _LEGEND_WH)])

    def _choose(self, spot: list[int], costs: Sequence[int], size_wh: tuple[int, int]) -> int:
        best = int(np.argmin(costs))
        spot[1] = spot[1] + 1 if costs[spot[0]] - costs[best] > 0.1 * size_wh[0] * size_wh[1] else 0
        if spot[1] >= 3:
            spot[:] = best, 0
        return spot[0]


@settings(deadline=None)
@given(st.lists(st.tuples(_FACES, st.integers(1, 4), st.booleans()), min_size=1, max_size=8))
def test_what_is_not_looked_at_would_change_nothing(
    scenes: list[tuple[dict[int, Box], int, bool]],
) -> None:
    """Places are compared only where the present one hides something; the outcome is the same."""
    placement, thorough = Placement(), _Thorough()
    for faces, count, legend in scenes:
        for _ in range(count):
            expected = thorough.arrange(faces, legend=legend)
            assert _arrange(placement, faces, legend=legend) == expected
