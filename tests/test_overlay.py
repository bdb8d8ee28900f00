"""Frame + tracks → picture: pure, inside the frame, legible on anything."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from fakes import label, track
from hypothesis import given, settings
from hypothesis import strategies as st

from models.faces import Image
from stream.drawing.marks import UNIT_GAIN, Mark, PlacedTile
from stream.drawing.overlay import Overlay
from stream.drawing.wording import label_text
from stream.settings.schema import OverlaySection
from stream.tracks import Label, Track

_PLAIN = OverlaySection(legend=False)
_WIDTH, _HEIGHT = 640, 360
_SAID = {"gender": label("Female", 0.97), "race": label(None, 0.31)}


def draw(image: Image, tracks: Sequence[Track], settings: OverlaySection) -> Image:
    """The first picture of a source."""
    return Overlay(settings).draw(image, tracks)


Region = tuple[int, int, int, int]  # left, top, right, bottom of what was changed


def _filled(value: int, size_wh: tuple[int, int] = (_WIDTH, _HEIGHT)) -> Image:
    return np.full((*size_wh[::-1], 3), value, dtype=np.uint8)


def _noise() -> Image:
    return np.random.default_rng(0).integers(0, 256, (_HEIGHT, _WIDTH, 3), dtype=np.uint8)


def _changed(before: Image, after: Image) -> Region:
    rows, columns = np.nonzero((before != after).any(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def _panels(
    tracks: Sequence[Track],
    size_wh: tuple[int, int] = (_WIDTH, _HEIGHT),
    settings: OverlaySection = _PLAIN,
) -> list[Region]:
    """Where the panels of the first picture of a source are: the grounds of its texts."""
    return _grounds(Overlay(settings).marks(size_wh, tracks))


def _grounds(marks: Sequence[Mark]) -> list[Region]:
    regions = []
    for mark in marks:
        if isinstance(mark, PlacedTile):
            rows = int((mark.tile.gain[:, 0] < UNIT_GAIN).sum())
            right = mark.left + mark.tile.gain.shape[1]
            regions.append((mark.left, mark.top, right, mark.top + rows))
    return regions


def _panel(tracks: Sequence[Track]) -> Region:
    """The only panel."""
    (panel,) = _panels(tracks)
    return panel


def _brightest(picture: Image) -> int:
    """Of the greys of a picture, which text is."""
    grey = (picture == picture[..., :1]).all(axis=2)
    return int(picture[grey].max())


def _overlap(one: Region, other: Sequence[float]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0) * max(height, 0)


def _inked(text: str) -> Image:
    """A label as it is drawn, on black."""
    said = {"x": Label(text, 1.0, {text: 1.0})}
    return draw(_filled(0), [track(1, (200, 100, 300, 200), said)], _PLAIN)


def test_it_is_pure() -> None:
    image = _noise()
    before = image.copy()
    tracks = [track(1, (20, 20, 120, 120), _SAID), track(2, (300, 100, 420, 220), _SAID)]
    first = draw(image, tracks, OverlaySection())
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(first, draw(image, tracks, OverlaySection()))
    assert (first.dtype, first.shape, first.flags.c_contiguous) == (np.uint8, image.shape, True)
    assert not np.shares_memory(first, image)


def test_a_picture_that_cannot_be_written_to_can_be_drawn_on() -> None:
    image = _noise()
    image.flags.writeable = False
    assert (draw(image, [track(1, (20, 20, 120, 120), _SAID)], _PLAIN) != image).any()


def test_no_faces_change_nothing() -> None:
    image = _noise()
    np.testing.assert_array_equal(draw(image, [], OverlaySection()), image)


def test_a_face_stays_as_it_is_inside_its_box() -> None:
    image = _noise()
    picture = draw(image, [track(1, (100, 100, 200, 200), _SAID)], OverlaySection())
    np.testing.assert_array_equal(picture[106:194, 106:194], image[106:194, 106:194])
    for edge in (
        np.s_[100, 100:200],
        np.s_[199, 100:200],
        np.s_[100:200, 100],
        np.s_[100:200, 199],
    ):
        assert (picture[edge] != image[edge]).any(axis=1).all()


_BOX_EDGES = st.tuples(
    st.floats(-400, _WIDTH + 400),
    st.floats(-400, _HEIGHT + 400),
    st.floats(1, 500),
    st.floats(1, 500),
)


@settings(deadline=None)
@given(_BOX_EDGES)
def test_the_panel_is_whole_wherever_the_face_is(
    edges: tuple[float, float, float, float],
) -> None:
    left, top, width, height = edges
    panel = _panel([track(1, (left, top, left + width, top + height), _SAID)])
    assert panel[0] >= 0
    assert panel[1] >= 0
    assert panel[2] <= _WIDTH
    assert panel[3] <= _HEIGHT


@pytest.mark.parametrize("x", [0, 270, _WIDTH - 100])
@pytest.mark.parametrize("y", [0, 130, _HEIGHT - 100])
def test_the_panel_does_not_hide_its_own_face(x: int, y: int) -> None:
    box = (x, y, x + 100, y + 100)
    assert _overlap(_panel([track(1, box, _SAID)]), box) == 0


@pytest.mark.parametrize(
    "other",
    [(250, 40, 350, 140), (250, 260, 350, 358), (360, 150, 460, 250), (100, 150, 240, 250)],
    ids=["above", "below", "right", "left"],
)
def test_the_panel_avoids_another_face_where_there_is_room(other: tuple[int, ...]) -> None:
    tracks = [track(1, (250, 150, 350, 250), _SAID), track(2, other)]
    panel = _panel(tracks)
    assert _overlap(panel, other) == 0
    assert _overlap(panel, (250, 150, 350, 250)) == 0


def test_panels_of_neighbours_do_not_hide_one_another() -> None:
    tracks = [track(row, (60 + 130 * row, 150, 140 + 130 * row, 230), _SAID) for row in range(4)]
    panels = _panels(tracks)
    assert len(panels) == 4
    assert all(_overlap(one, other) == 0 for one, other in combinations(panels, 2))


@pytest.mark.parametrize("size_wh", [(1, 1), (1, 300), (300, 1), (2, 2), (16, 16), (40, 30)])
def test_tiny_pictures(size_wh: tuple[int, int]) -> None:
    image = _filled(200, size_wh)
    tracks = [track(1, (0, 0, *size_wh), _SAID), track(2, (-5, -5, 3, 3), _SAID)]
    assert draw(image, tracks, OverlaySection()).shape == image.shape


def test_boxes_without_an_inside() -> None:
    image = _filled(200)
    tracks = [track(1, (50, 50, 50, 50), _SAID), track(2, (1e6, 1e6, 2e6, 2e6), _SAID)]
    assert draw(image, tracks, OverlaySection()).shape == image.shape


def test_unsure_is_said() -> None:
    image, box = _filled(0), (200, 100, 300, 200)
    unsure = draw(image, [track(1, box, {"gender": label(None, 0.4)})], _PLAIN)
    sure = draw(image, [track(1, box, {"gender": label("Female", 0.4)})], _PLAIN)
    silent = draw(image, [track(1, box)], _PLAIN)
    for one, other in combinations([unsure, sure, silent], 2):
        assert (one != other).any()
    # It looks unlike a class of that name: grey and slanted.
    said = {"gender": Label("gender unsure", 0.4, {"gender unsure": 0.4})}
    plain = OverlaySection(legend=False, confidence=False)
    named = draw(image, [track(1, box, said)], plain)
    assert (named != unsure).any()
    assert _brightest(named) == 255
    assert _brightest(unsure) == 190
    assert label_text("gender", label(None, 0.4)) == "gender unsure"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (_PLAIN, OverlaySection(legend=True)),
        (_PLAIN, OverlaySection(legend=False, confidence=False)),
        (_PLAIN, OverlaySection(legend=False, scale=1.5)),
    ],
    ids=["legend", "confidence", "scale"],
)
def test_settings_show(one: OverlaySection, other: OverlaySection) -> None:
    tracks = [track(1, (200, 100, 300, 200), _SAID)]
    assert (draw(_filled(90), tracks, one) != draw(_filled(90), tracks, other)).any()


def test_the_legend_is_in_the_corner_and_only_where_labels_are() -> None:
    image = _filled(255)
    tracks = [track(1, (200, 100, 300, 200), _SAID)]
    left, top, right, bottom = _changed(
        draw(image, tracks, _PLAIN), draw(image, tracks, OverlaySection())
    )
    assert (left, bottom) == (0, _HEIGHT)
    assert top > _HEIGHT - 40
    assert right < _WIDTH
    silent = [track(1, (200, 100, 300, 200))]
    np.testing.assert_array_equal(
        draw(image, silent, _PLAIN), draw(image, silent, OverlaySection())
    )


def test_text_grows_with_the_picture() -> None:
    def panel_height(size_wh: tuple[int, int]) -> int:
        box = np.array([0.4, 0.4, 0.6, 0.6]) * np.tile(size_wh, 2)
        ((_, top, _, bottom),) = _panels([track(1, box.tolist(), _SAID)], size_wh)
        return bottom - top

    assert panel_height((1920, 1080)) > 1.5 * panel_height((640, 360))
    assert panel_height((3840, 2160)) == pytest.approx(2 * panel_height((1920, 1080)), rel=0.1)


def _crowd(count: int, first_id: int = 0) -> list[Track]:
    boxes = [(60 * row, 150, 60 * row + 40, 190) for row in range(count)]
    return [track(first_id + row, box, _SAID) for row, box in enumerate(boxes)]


def _lines(overlay: Overlay, tracks: Sequence[Track]) -> int:
    """How many lines the panel of the first track has, in a picture of full HD."""
    heights = [bottom - top for _, top, _, bottom in _grounds(overlay.marks((1920, 1080), tracks))]
    return round(max(heights) / 20)


def test_labels_are_short_in_a_crowd_and_do_not_change_with_each_track() -> None:
    overlay = Overlay(_PLAIN)
    lines = [_lines(overlay, _crowd(count)) for count in (12, 13, 12, 10, 13)]
    assert lines == [2, 1, 1, 1, 1]
    for _ in range(5):  # a place for the longer form must be free for some frames
        last = _lines(overlay, _crowd(9))
    assert last == 2


def test_an_unrelated_picture_is_no_crowd_because_the_last_one_was() -> None:
    overlay = Overlay(_PLAIN)
    assert _lines(overlay, _crowd(13)) == 1
    assert _lines(overlay, _crowd(12, first_id=20)) == 2


def test_no_picture_says_that_a_model_is_quite_sure() -> None:
    def said(confidence: float) -> Image:
        labels = {"gender": Label("Female", confidence, {"Female": confidence})}
        return draw(_filled(0), [track(1, (200, 100, 300, 200), labels)], _PLAIN)

    np.testing.assert_array_equal(said(1.0), said(0.99))
    assert (said(0.99) != said(0.98)).any()


def test_a_panel_does_not_breathe_with_its_figures() -> None:
    widths = set()
    for confidence in (0.51, 0.6, 0.77, 0.9, 0.99, 1.0):
        labels = {"gender": Label("Female", confidence, {"Female": confidence})}
        left, _, right, _ = _panel([track(1, (200, 100, 300, 200), labels)])
        widths.add(right - left)
    assert len(widths) == 1


_WORDS = [
    "Female",
    "Männlich",
    "Женщина",
    "Άνδρας",
    "女性",
    "男性",
    "여성",
    "남성",
    "Latino_Hispanic",
]


def test_text_is_unicode() -> None:
    pictures = {word: _inked(word) for word in _WORDS}
    assert all((picture == 255).any() for picture in pictures.values())
    # A font without these letters would draw the same boxes for all of them.
    for one, other in combinations(_WORDS, 2):
        assert (pictures[one] != pictures[other]).any(), (one, other)


def _luminance(value: float) -> float:
    """Of a grey, 0 to 1 (WCAG 2.2, relative luminance)."""
    share = value / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


@pytest.mark.parametrize("background", ["white", "grey", "black", "noise"])
def test_text_stands_out_on_anything(background: str) -> None:
    plain = {"white": _filled(255), "grey": _filled(128), "black": _filled(0), "noise": _noise()}
    image = plain[background]
    tracks = [track(1, (200, 150, 300, 250), _SAID)]
    left, top, right, bottom = _panel(tracks)
    panel = draw(image, tracks, _PLAIN)[top:bottom, left + 8 : right].max(axis=2)
    text, behind = panel[panel > 230], panel[panel < 120]
    assert text.size > 0.04 * panel.size
    assert behind.size > 0.5 * panel.size
    brightest = float(np.percentile(behind, 90))  # what is brighter is the edge of a letter
    contrast = (_luminance(255) + 0.05) / (_luminance(brightest) + 0.05)
    assert contrast >= 4.5  # WCAG's AA for text of this size


def test_colours_tell_people_apart_and_nothing_else() -> None:
    image, box = _filled(0), (200, 100, 300, 200)

    def line(track_id: int, said: dict[str, Label]) -> tuple[int, ...]:
        """The colour in the middle of the box's lower edge."""
        return tuple(draw(image, [track(track_id, box, said)], _PLAIN)[199, 250].tolist())

    colours = [line(number, {}) for number in range(1, 9)]
    assert len(set(colours)) == 8
    assert all(max(colour) > 200 for colour in colours)
    for said in ({"gender": label("Female")}, {"gender": label("Male")}, {"race": label(None)}):
        assert line(3, said) == colours[2]


def _line_px(side: int, said: dict[str, Label], size_wh: tuple[int, int] = (1920, 1080)) -> int:
    """Thickness of the line around a face, without what is dark beside it."""
    image = _filled(0, size_wh)
    picture = draw(image, [track(1, (600, 400, 600 + side, 400 + side), said)], _PLAIN)
    column = picture[300 : 400 + side // 2, 600 + side // 2]
    return (
        int((column.max(axis=1) == 255).sum())
        if not said
        else int((picture[400 + side // 2, 590 : 600 + side // 2].max(axis=1) == 255).sum())
    )


def test_a_face_without_a_label_has_a_thin_line_and_a_small_one_is_left_whole() -> None:
    assert _line_px(10, {}) == 1
    assert _line_px(200, {}) < _line_px(200, _SAID)
    assert _line_px(30, _SAID) <= _line_px(200, _SAID)
    image = _noise()
    picture = draw(image, [track(1, (100, 100, 110, 112))], _PLAIN)
    np.testing.assert_array_equal(picture[101:111, 101:109], image[101:111, 101:109])


def test_text_grows_with_the_face_and_does_not_breathe_with_it() -> None:
    overlay = Overlay(_PLAIN)

    def height(side: int) -> int:
        marks = overlay.marks((1920, 1080), [track(1, (500, 400, 500 + side, 400 + side), _SAID)])
        ((_, top, _, bottom),) = _grounds(marks)
        return bottom - top

    first = height(100)
    assert {height(side) for side in (101, 97, 104, 98, 102, 95)} == {first}
    assert height(60) < first < height(160)
    assert height(400) == height(600)  # no larger than suits the picture


def _rows(count: int, size: int, apart: int) -> list[Track]:
    """Rows of faces with labels in a picture of full HD."""
    places = [(x, y) for y in range(40, 1000, apart) for x in range(40, 1800, apart)][:count]
    return [
        track(number, (x, y, x + size, y + size * 1.3), _SAID)
        for number, (x, y) in enumerate(places)
    ]


@pytest.mark.parametrize(("count", "size", "apart"), [(13, 100, 230), (40, 60, 110), (90, 40, 80)])
def test_in_a_crowd_nothing_hides_a_face_or_another_panel(
    count: int, size: int, apart: int
) -> None:
    tracks = _rows(count, size, apart)
    panels = _panels(tracks, (1920, 1080))
    assert len(panels) > 0.9 * count
    assert not any(_overlap(panel, each.box_xyxy) for panel in panels for each in tracks)
    assert not any(_overlap(one, other) for one, other in combinations(panels, 2))
    faces = sum(size * size * 1.3 for _ in tracks)
    written = sum((right - left) * (bottom - top) for left, top, right, bottom in panels)
    assert written < 0.5 * faces


def test_faces_shoulder_to_shoulder_have_boxes_and_no_text() -> None:
    tracks = [
        track(20 * row + column, (40 * column, 50 * row, 40 * column + 40, 50 * row + 50), _SAID)
        for row in range(8)
        for column in range(16)
    ]
    assert _panels(tracks, (640, 400)) == []


def test_short_labels_are_those_that_the_model_names() -> None:
    tracks = _rows(13, 100, 230)
    image = _filled(0, (1920, 1080))
    plain, named = Overlay(_PLAIN), Overlay(_PLAIN, {"gender": {"Female": "Fem."}})
    assert (plain.draw(image, tracks) != named.draw(image, tracks)).any()
    few = tracks[:12]
    np.testing.assert_array_equal(
        Overlay(_PLAIN).draw(image, few),
        Overlay(_PLAIN, {"gender": {"Female": "Fem."}}).draw(image, few),
    )


def test_a_label_kept_under_its_threshold_has_no_number() -> None:
    def drawn(said: Label, settings: OverlaySection = _PLAIN) -> Image:
        return draw(_filled(0), [track(1, (200, 100, 300, 200), {"gender": said})], settings)

    held = Label("Female", 0.42, {"Female": 0.42, "Male": 0.4}, is_held=True)
    assert (drawn(held) != drawn(label("Female", 0.42))).any()
    other = Label("Female", 0.45, {"Female": 0.45, "Male": 0.4}, is_held=True)
    np.testing.assert_array_equal(drawn(held), drawn(other))


def test_tiny_videos_have_no_legend() -> None:
    tracks = [track(1, (60, 60, 120, 130), _SAID)]
    for size_wh, count in (((320, 240), 1), ((640, 360), 2)):
        assert len(_panels(tracks, size_wh, OverlaySection())) == count


def test_colours_by_attribute_are_explained_in_the_legend() -> None:
    settings = OverlaySection(colours="gender")
    tracks = [
        track(1, (100, 100, 160, 170), {"gender": label("Female")}),
        track(2, (300, 100, 360, 170), {"gender": label("Female")}),
        track(
            3, (500, 100, 560, 170), {"gender": Label("Male", 0.9, {"Female": 0.1, "Male": 0.9})}
        ),
        track(4, (400, 250, 410, 262)),
    ]
    picture = draw(_filled(0), tracks, settings)
    female, same, male = (tuple(picture[140, x].tolist()) for x in (100, 300, 500))
    assert female == same != male
    key = picture[330:, :400].reshape(-1, 3)
    for colour in (female, male):
        assert (key == colour).all(axis=1).any()
    assert tuple(picture[255, 400].tolist()) == (190, 190, 190)  # without a label


def test_one_colour_for_all() -> None:
    tracks = [track(row, (50 + 150 * row, 100, 110 + 150 * row, 170), _SAID) for row in range(3)]
    picture = draw(_filled(0), tracks, OverlaySection(colours="#102030"))
    assert {tuple(picture[140, 50 + 150 * row].tolist()) for row in range(3)} == {(48, 32, 16)}


def test_grey_text_stands_out_on_white() -> None:
    tracks = [track(1, (200, 150, 300, 250), {"gender": label(None)})]
    left, top, right, bottom = _panel(tracks)
    panel = draw(_filled(255), tracks, _PLAIN)[top:bottom, left + 8 : right].max(axis=2)
    behind = float(np.percentile(panel, 50))
    contrast = (_luminance(float(panel.max())) + 0.05) / (_luminance(behind) + 0.05)
    assert contrast >= 4.5
