"""Panels hide no face and no other panel, keep their places, and are left out where none fits."""

from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.drawing.marks import Box, enclosing, overlap_px, touches
from stream.drawing.placement import Arrangement, Placement

_FRAME_WH = (640, 360)
_PANEL_WH, _LEGEND_WH, _GAP = (90, 36), (200, 20), 2
_FORMS: Mapping[int, tuple[int, int]] = {0: _PANEL_WH, 1: (50, 18)}
_EDGES = st.tuples(st.integers(0, 560), st.integers(0, 300), st.integers(20, 120))
_FACES = st.lists(_EDGES, min_size=1, max_size=30).map(
    lambda faces: {row: Box(x, y, x + size, y + size) for row, (x, y, size) in enumerate(faces)}
)


def _arrange(
    placement: Placement,
    faces: Mapping[int, Box],
    *,
    legend: bool = True,
    forms: Mapping[int, tuple[int, int]] = _FORMS,
) -> Arrangement:
    sizes = dict.fromkeys(faces, forms)
    return placement.arrange(faces, sizes, _LEGEND_WH if legend else None, _FRAME_WH, _GAP)


def _place(placement: Placement, faces: Mapping[int, Box], track_id: int = 1) -> Box | None:
    """Where the panel of a track is."""
    placed = _arrange(placement, faces, legend=False).panels.get(track_id)
    return None if placed is None else placed.box


def _size_wh(box: Box) -> tuple[int, int]:
    return box.right - box.left, box.bottom - box.top


def _inside(box: Box) -> bool:
    width, height = _FRAME_WH
    return box.left >= 0 and box.top >= 0 and box.right <= width and box.bottom <= height


# --- one picture ---


@settings(deadline=None)
@given(_FACES)
def test_everything_is_whole_and_inside_the_picture(faces: dict[int, Box]) -> None:
    arrangement = _arrange(Placement(), faces)
    assert arrangement.panels.keys() <= faces.keys()
    assert arrangement.legend is not None
    panels = arrangement.panels.values()
    assert all(_inside(box) for box in (*(each.box for each in panels), arrangement.legend))
    assert all(_size_wh(each.box) == _FORMS[each.form] for each in panels)
    assert _size_wh(arrangement.legend) == _LEGEND_WH


@settings(deadline=None)
@given(_FACES)
def test_no_panel_hides_a_face_or_another_panel(faces: dict[int, Box]) -> None:
    panels = _arrange(Placement(), faces, legend=False).panels
    for track_id, panel in panels.items():
        others = [face for other, face in faces.items() if other != track_id]
        assert overlap_px(panel.box, others) == 0
        own = faces[track_id]
        assert overlap_px(panel.box, [own]) <= 0.1 * overlap_px(own, [Box(0, 0, *_FRAME_WH)])
    assert not any(
        overlap_px(one.box, [other.box]) for one, other in combinations(panels.values(), 2)
    )


@settings(deadline=None)
@given(_FACES)
def test_a_panel_touches_the_space_around_its_own_face_and_is_nearest_to_it(
    faces: dict[int, Box],
) -> None:
    for track_id, panel in _arrange(Placement(), faces, legend=False).panels.items():
        assert overlap_px(panel.box.grown(_GAP + 1), [faces[track_id]])
        others = [face for other, face in faces.items() if other != track_id]
        assert not overlap_px(panel.box.grown(_GAP + 2), others)


@pytest.mark.parametrize("larger", [1, 2])
def test_of_two_faces_with_one_place_the_larger_has_its_panel(larger: int) -> None:
    """Faces all around leave one gap, between faces 1 and 2."""
    faces = {
        1: Box(190 if larger == 1 else 258, 120, 288, 240),
        2: Box(346, 160, 380, 190),
        3: Box(0, 0, 640, 116),
        4: Box(0, 244, 640, 360),
        5: Box(0, 116, 180 if larger == 1 else 254, 244),
        6: Box(292, 118, 342, 155),
        7: Box(292, 200, 342, 242),
        8: Box(346, 118, 382, 156),
        9: Box(346, 194, 382, 242),
        10: Box(384, 116, 640, 244),
    }
    sizes = dict.fromkeys((1, 2), _FORMS)
    panels = Placement().arrange(faces, sizes, None, _FRAME_WH, _GAP).panels
    assert list(panels) == [larger]
    del faces[larger]
    del sizes[larger]
    assert list(Placement().arrange(faces, sizes, None, _FRAME_WH, _GAP).panels) == [3 - larger]


def test_a_form_that_does_not_fit_gives_way_to_a_shorter_one() -> None:
    face = Box(300, 150, 360, 210)
    around = {2: Box(150, 0, 640, 125), 3: Box(150, 235, 640, 360), 4: Box(150, 125, 240, 235)}
    faces = {1: face, **around, 5: Box(420, 125, 640, 235)}
    placed = _arrange(Placement(), faces, legend=False).panels[1]
    assert placed.form == 1
    del faces[5]
    assert _arrange(Placement(), faces, legend=False).panels[1].form == 0


@pytest.mark.parametrize(("width", "form"), [(29, 1), (30, 0)])
def test_text_much_wider_than_its_face_is_shortened(width: int, form: int) -> None:
    faces = {1: Box(300, 150, 300 + width, 190)}
    assert _arrange(Placement(), faces, legend=False).panels[1].form == form


def test_a_face_that_fills_the_picture_has_its_panel_on_it() -> None:
    panel = _place(Placement(), {1: Box(-20, -20, 660, 380)})
    assert panel is not None
    assert _size_wh(panel) == _PANEL_WH


def test_what_is_larger_than_the_picture_is_left_out() -> None:
    arrangement = Placement().arrange(
        {1: Box(0, 0, 9, 9)}, {1: {0: (90, 36)}}, None, (10, 10), gap=2
    )
    assert arrangement == Arrangement({}, None)


def test_no_legend_and_no_faces() -> None:
    assert _arrange(Placement(), {}, legend=False) == Arrangement({}, None)
    assert repr(Placement()) == "Placement(0 panels)"


# --- from frame to frame ---


@settings(deadline=None, max_examples=30)
@given(st.lists(_FACES, min_size=2, max_size=5))
def test_next_to_nothing_is_hidden_in_any_frame(scenes: list[dict[int, Box]]) -> None:
    placement = Placement()
    for faces in scenes:
        panels = _arrange(placement, faces, legend=False).panels
        for track_id, panel in panels.items():
            others = [face for other, face in faces.items() if other != track_id]
            texts = [each.box for other, each in panels.items() if other != track_id]
            assert overlap_px(panel.box, [*others, *texts]) <= 2 * 0.05 * panel.box.area


def test_a_panel_moves_with_its_face_and_keeps_its_side() -> None:
    placement, random = Placement(), np.random.default_rng(0)
    offsets = set()
    for step in range(100):
        x, y = 200 + step + random.integers(-2, 3), 150 + random.integers(-2, 3)
        face = Box(x, y, x + 80, y + 80)
        panel = _place(placement, {1: face})
        assert panel is not None
        offsets.add((panel.left - face.left, panel.top - face.top))
    assert offsets == {(0, -_PANEL_WH[1] - _GAP)}


def test_a_panel_makes_way_for_a_face_once_and_stays_away() -> None:
    """A face passes above: the panel moves once, and does not move back afterwards."""
    placement, face = Placement(), Box(270, 150, 350, 230)
    hidden, places = [], []
    for x in range(0, 560, 10):
        passer = Box(x, 80, x + 80, 160)
        panel = _place(placement, {1: face, 2: passer})
        assert panel is not None
        hidden.append(overlap_px(panel, [passer]) / panel.area)
        places.append(panel)
    assert sum(one != other for one, other in pairwise(places)) == 1
    assert max(hidden) <= 0.05


def test_a_panel_without_a_place_comes_back_when_one_was_free_for_some_frames() -> None:
    placement, face = Placement(), Box(300, 150, 340, 190)
    around = {2: Box(0, 0, 640, 148), 3: Box(0, 192, 640, 360), 4: Box(0, 148, 290, 192)}
    closed = {1: face, **around, 5: Box(350, 148, 640, 192)}
    assert _place(placement, {1: face}) is not None
    assert _place(placement, closed) is None
    shown = [_place(placement, {1: face}) is not None for _ in range(6)]
    assert shown == [False, False, False, False, True, True]


def test_a_form_that_is_gone_is_changed_at_once_in_its_place() -> None:
    placement, faces = Placement(), {1: Box(270, 150, 350, 230)}
    before = _arrange(placement, faces).panels[1]
    after = _arrange(placement, faces, forms={1: _FORMS[1]}).panels[1]
    assert (before.form, after.form) == (0, 1)
    assert (after.box.left, after.box.bottom) == (before.box.left, before.box.bottom)


@pytest.mark.parametrize("absent", [50, 51])
def test_a_track_that_comes_back_soon_keeps_its_place(absent: int) -> None:
    placement, face = Placement(), Box(270, 150, 350, 230)
    above = _place(placement, {1: face})
    assert above is not None
    moved = _place(placement, {1: face, 2: above})
    assert moved != above
    for _ in range(absent):
        _arrange(placement, {})
    assert _place(placement, {1: face}) == (moved if absent == 50 else above)


# --- the legend ---


@settings(deadline=None)
@given(_FACES)
def test_the_legend_hides_nothing_where_a_corner_is_free(faces: dict[int, Box]) -> None:
    arrangement = _arrange(Placement(), faces)
    (width, height), (right, bottom) = _LEGEND_WH, _FRAME_WH
    corners = [
        Box(x, y, x + width, y + height) for x in (0, right - width) for y in (0, bottom - height)
    ]
    written: Sequence[Box] = [*faces.values(), *(each.box for each in arrangement.panels.values())]
    free = [each for each in corners if not overlap_px(each, written)]
    assert arrangement.legend in corners
    assert not free or arrangement.legend in free


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


# --- boxes ---


def test_overlaps_are_added_up() -> None:
    box = Box(0, 0, 10, 10)
    others = [Box(5, 5, 20, 20), Box(-5, -5, 2, 2), Box(10, 0, 20, 10), Box(3, 3, 3, 9)]
    assert overlap_px(box, others) == 25 + 4
    assert overlap_px(box, []) == 0
    assert touches(box, others)
    assert not touches(box, others[2:3])


def test_what_encloses_boxes() -> None:
    assert enclosing([Box(1, 2, 3, 4), Box(-5, 3, 2, 9)]) == Box(-5, 2, 3, 9)
    assert enclosing([]) == Box(0, 0, 0, 0)
