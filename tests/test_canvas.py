"""What is drawn on a picture, and where it is."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.faces import Image
from stream.canvas import Canvas
from stream.drawing import Box

_PLACE = st.tuples(
    st.integers(-30, 120), st.integers(-30, 90), st.integers(0, 150), st.integers(0, 150)
)


def _noise(size_wh: tuple[int, int]) -> Image:
    return np.random.default_rng(0).integers(0, 256, (*size_wh[::-1], 3), dtype=np.uint8)


def _boxes(edges: Sequence[tuple[int, int, int, int]]) -> list[Box]:
    return [Box(left, top, left + width, top + height) for left, top, width, height in edges]


@pytest.mark.parametrize("size_wh", [(96, 64), (95, 63)])
@given(st.lists(_PLACE, max_size=4), st.lists(_PLACE, max_size=2))
def test_what_changes_is_known_and_the_rest_stays(
    size_wh: tuple[int, int],
    drawn: Sequence[tuple[int, int, int, int]],
    changed: Sequence[tuple[int, int, int, int]],
) -> None:
    image = _noise(size_wh)
    before = image.copy()
    canvas = Canvas(image, _boxes(drawn), _boxes(changed))
    inside = np.zeros(image.shape[:2], np.bool_)
    for box in _boxes(drawn):
        inside[max(box.top, 0) : max(box.bottom, 0), max(box.left, 0) : max(box.right, 0)] = True
    np.testing.assert_array_equal(canvas.pixels[inside], before[inside])
    canvas.pixels[inside] = 255 - before[inside]
    np.testing.assert_array_equal(canvas.picture[~inside], before[~inside])
    np.testing.assert_array_equal(canvas.picture[inside], 255 - before[inside])
    np.testing.assert_array_equal(image, before)
    # Taken over one after the other, the changes make the same picture of what was captured.
    captured = image.copy()
    for box in _boxes(changed):
        captured[max(box.top, 0) : max(box.bottom, 0), max(box.left, 0) : max(box.right, 0)] = 0
    for pixels, place in canvas.changes():
        left, top, right, bottom = place.edges
        assert 0 <= left < right <= size_wh[0]
        assert 0 <= top < bottom <= size_wh[1]
        assert left % 2 == top % 2 == 0
        assert all(
            edge % 2 == 0 or edge == side
            for edge, side in zip((right, bottom), size_wh, strict=True)
        )
        captured[top:bottom, left:right] = pixels[top:bottom, left:right]
    np.testing.assert_array_equal(captured, canvas.picture)


def test_where_nothing_is_drawn_it_is_the_picture_itself() -> None:
    image = _noise((96, 64))
    canvas = Canvas(image, [Box(-20, 0, -10, 50)], [Box(0, 0, 10, 10)])
    assert canvas.picture is image
    assert [place for _, place in canvas.changes()] == [Box(0, 0, 10, 10)]


def test_the_whole_picture_is_put_together_once() -> None:
    canvas = Canvas(_noise((96, 64)), [Box(0, 0, 10, 10)])
    assert canvas.picture is canvas.picture
