"""Coded pictures: what their numbers mean, and pictures painted into them."""

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.faces import Image
from stream.coded import BT709, Colours, is_planar, luma_of
from stream.drawing.marks import Box
from stream.drawing.planes import Planes

_WH = (96, 64)
_WEIGHTS = {  # of red and of blue, by matrix: ITU-T H.273, table 4
    1: (0.2126, 0.0722),
    2: (0.299, 0.114),  # unsaid; what FFmpeg takes it for
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}


def _blank() -> Planes:
    return Planes.of(av.VideoFrame(*_WH, "yuv420p"))


def _colourful(cell_px: int) -> Image:
    """Cells of one colour each."""
    shape = (_WH[1] // cell_px, _WH[0] // cell_px, 3)
    colours = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return np.ascontiguousarray(colours.repeat(cell_px, axis=0).repeat(cell_px, axis=1))


def _exact(image: Image, matrix: int, full: bool) -> list[NDArray[np.float64]]:
    """Luma, and chroma averaged over 2×2 px (ITU-T H.273, 8.3)."""
    red, blue = _WEIGHTS[matrix]
    luma = image @ np.array([blue, 1 - red - blue, red]) / 255
    chroma = [
        (image[..., channel] / 255 - luma) / (2 * (1 - weight))
        for channel, weight in ((0, blue), (2, red))
    ]
    halves = [
        each.reshape(_WH[1] // 2, 2, _WH[0] // 2, 2).mean(axis=(1, 3)) * (255 if full else 224)
        for each in chroma
    ]
    return [luma * 255 if full else 16 + 219 * luma, *(128 + half for half in halves)]


@pytest.mark.parametrize("matrix", _WEIGHTS)
@pytest.mark.parametrize("full", [False, True])
def test_colours_are_what_the_standard_says(matrix: int, full: bool) -> None:
    image, planes = _colourful(2), _blank()
    planes.write_region(image, Box(0, 0, *_WH), Colours(matrix, 2 if full else 1, 1, 1))
    found = planes.luma, planes.cb, planes.cr
    for plane, exact in zip(found, _exact(image, matrix, full), strict=True):
        difference = plane - exact.clip(0, 255)
        assert np.abs(difference).max() < 0.7  # half a level is rounding
        assert abs(difference.mean()) < 0.05


def test_chroma_is_of_all_four_pixels() -> None:
    image, planes = _colourful(1), _blank()
    planes.write_region(image, Box(0, 0, *_WH), BT709)
    for plane, exact in zip((planes.cb, planes.cr), _exact(image, 1, False)[1:], strict=True):
        assert np.abs(plane - exact).max() < 1.2  # the mean colour is rounded too


_PART = st.tuples(
    st.integers(-30, 110), st.integers(-30, 80), st.integers(1, 130), st.integers(1, 100)
)


@given(_PART)
def test_a_region_is_written_as_the_whole_is_and_the_rest_stays(
    edges: tuple[int, int, int, int],
) -> None:
    """All 2×2 pixels of which some belong to it; what lies outside is left out."""
    left, top, width, height = edges
    box = Box(left, top, left + width, top + height)
    image, whole, part = _colourful(1), _blank(), _blank()
    whole.write_region(image, Box(0, 0, *_WH), BT709)
    for plane in (part.luma, part.cb, part.cr):
        plane[:] = 77
    part.write_region(image, box, BT709)
    for painted, expected, size in (
        (part.luma, whole.luma, 1),
        (part.cb, whole.cb, 2),
        (part.cr, whole.cr, 2),
    ):
        inside = np.zeros(painted.shape, np.bool_)
        first, last = max(box.top // 2, 0), max((box.bottom + 1) // 2, 0)
        begin, end = max(box.left // 2, 0), max((box.right + 1) // 2, 0)
        cell = 2 // size
        inside[cell * first : cell * last, cell * begin : cell * end] = True
        np.testing.assert_array_equal(painted[inside], expected[inside])
        assert (painted[~inside] == 77).all()


def test_the_planes_of_a_frame_are_its_own_memory() -> None:
    frame = av.VideoFrame(98, 64, "yuv420p")  # its lines are longer than its rows
    planes = Planes.of(frame)
    assert [plane.shape for plane in (planes.luma, planes.cb, planes.cr)] == [
        (64, 98),
        (32, 49),
        (32, 49),
    ]
    other = Planes.of(av.VideoFrame(98, 64, "yuv420p"))
    other.luma[:], other.cb[:], other.cr[:] = 81, 90, 240
    planes.copy_from(other)
    red = frame.reformat(format="rgb24").to_ndarray()
    assert (np.abs(red.astype(int) - (255, 0, 0)) < 4).all()


def test_the_luma_of_a_frame_can_be_read_where_it_is_and_not_written() -> None:
    frame = av.VideoFrame(98, 64, "yuv420p")
    Planes.of(frame).luma[:] = np.arange(98, dtype=np.uint8)
    luma = luma_of(frame)
    assert (luma == np.arange(98)).all() and luma.shape == (64, 98)
    Planes.of(frame).luma[3, 5] = 200
    assert luma[3, 5] == 200
    with pytest.raises(ValueError, match="read-only"):
        luma[0, 0] = 1


@pytest.mark.parametrize(
    ("form", "size_wh", "matrix", "planar"),
    [
        ("yuv420p", _WH, 2, True),
        ("yuv420p", _WH, 1, True),
        ("yuvj420p", _WH, 5, True),
        ("yuv420p", (95, 64), 1, False),
        ("yuv420p", (96, 63), 1, False),
        ("yuv420p", _WH, 8, False),  # YCgCo
        *((other, _WH, 1, False) for other in ("yuv422p", "yuv444p", "yuv420p10le", "nv12")),
        *((other, _WH, 2, False) for other in ("bgra", "bgr24", "gray", "yuva420p")),
    ],
)
def test_what_can_be_recorded_as_it_was_coded(
    form: str, size_wh: tuple[int, int], matrix: int, planar: bool
) -> None:
    frame = av.VideoFrame(*size_wh, form)
    frame.colorspace = matrix
    assert is_planar(frame) is planar


@pytest.mark.parametrize(
    ("form", "codes", "colours"),
    [
        ("yuv420p", (1, 1, 1, 1), BT709),
        ("yuv420p", (2, 0, 2, 2), Colours(2, 0, 2, 2)),
        ("yuv420p", (9, 2, 9, 16), Colours(9, 2, 9, 16)),
        ("yuvj420p", (5, 0, 5, 6), Colours(5, 2, 5, 6)),  # full by its name
        ("yuv420p", (3, 1, 3, 3), Colours(2, 1, 2, 2)),  # reserved
        ("gbrp", (0, 2, 1, 13), Colours(2, 2, 1, 13)),
    ],
)
def test_the_colours_of_a_frame(
    form: str, codes: tuple[int, int, int, int], colours: Colours
) -> None:
    frame = av.VideoFrame(*_WH, form)
    frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc = codes
    assert Colours.of(frame) == colours
