"""A canvas: the picture with its marks, and the same on the planes of what was captured."""

import av
import numpy as np
import pytest

from models.faces import Image
from stream.coded import BT709
from stream.drawing.canvas import Canvas
from stream.drawing.marks import Box, Fill
from stream.drawing.planes import Planes

_MARKS = [Fill(Box(10, 10, 30, 30), (0, 0, 255)), Fill(Box(20, 20, 60, 60), (255, 0, 0))]
_CHANGED = [Box(0, 0, 15, 15), Box(80, 50, 120, 90), Box(-20, 0, -10, 50)]


def _noise() -> Image:
    return np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)


def _coded() -> Planes:
    """Of another picture."""
    planes = Planes.of(av.VideoFrame(96, 64, "yuv420p"))
    for value, plane in enumerate((planes.luma, planes.cb, planes.cr)):
        plane[:] = 100 + value
    return planes


def _never() -> Image:
    raise AssertionError("the picture was asked for")


def test_what_is_drawn_last_is_seen_and_the_rest_stays() -> None:
    image = _noise()
    picture = Canvas(lambda: image, _MARKS).picture
    assert (picture[10:20, 10:20] == (0, 0, 255)).all()
    assert (picture[20:60, 20:60] == (255, 0, 0)).all()
    np.testing.assert_array_equal(picture[60:], image[60:])
    np.testing.assert_array_equal(image, _noise())


def test_where_nothing_is_drawn_it_is_the_picture_itself() -> None:
    image = _noise()
    assert Canvas(lambda: image, changed=_CHANGED).picture is image


def test_the_picture_is_asked_for_and_drawn_once() -> None:
    asked = []

    def image() -> Image:
        asked.append(1)
        return _noise()

    canvas = Canvas(image, _MARKS)
    assert not asked
    assert canvas.picture is canvas.picture
    assert len(asked) == 1


def test_marks_are_put_on_what_was_captured_without_the_picture() -> None:
    planes, expected = _coded(), _coded()
    Canvas(_never, _MARKS).draw_on(planes, BT709)
    for mark in _MARKS:
        expected.draw(mark, BT709)
    for plane, other in zip(_all(planes), _all(expected), strict=True):
        np.testing.assert_array_equal(plane, other)
    assert (planes.luma != _coded().luma).sum() == 20 * 20 + 40 * 40 - 10 * 10


@pytest.mark.parametrize("marks", [[], _MARKS])
def test_what_was_changed_before_comes_from_the_picture_and_marks_lie_over_it(
    marks: list[Fill],
) -> None:
    planes, expected = _coded(), _coded()
    Canvas(_noise, marks, _CHANGED).draw_on(planes, BT709)
    for place in _CHANGED:
        expected.write_region(_noise(), place, BT709)
    for mark in marks:
        expected.draw(mark, BT709)
    for plane, other in zip(_all(planes), _all(expected), strict=True):
        np.testing.assert_array_equal(plane, other)
    kept = planes.luma == _coded().luma
    assert kept[62:, :70].all()
    assert not kept[:10, :10].all()


def _all(planes: Planes) -> tuple[np.ndarray, ...]:
    return planes.luma, planes.cb, planes.cr
