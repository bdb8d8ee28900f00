"""Frames at the size of the page: planes that are scaled before they are drawn on."""

from dataclasses import replace
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from fakes import label, track

from stream.coded import Colours, plane_pixels
from stream.drawing.overlay import Overlay
from stream.drawing.planes import Planes
from stream.frames import Frame
from stream.page.painter import Painter
from stream.page.scaling import Scaling
from stream.settings.schema import OverlaySection
from stream.sinks import AnnotatedFrame

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_BARE = OverlaySection(labels=False)


def _coded(pixels: str = "yuv420p", matrix: int = 1, colour_range: int = 1) -> "VideoFrame":
    """A dark picture, 128 × 96, whose right half is bright, with a face drawn as noise."""
    coded = av.VideoFrame(128, 96, pixels)
    coded.colorspace, coded.color_range = matrix, colour_range
    planes = Planes.of(coded)
    planes.luma[:, :64], planes.luma[:, 64:] = 30, 200
    planes.luma[32:64, 16:48] = np.random.default_rng(1).integers(20, 220, (32, 32))
    planes.cb[:], planes.cr[:] = 110, 140
    return coded


def _annotated(coded: "VideoFrame | None", *, blur: bool = False) -> AnnotatedFrame:
    box = np.array([16, 32, 48, 64], np.float32)
    shown = _coded().to_ndarray(format="bgr24")
    frame = Frame(lambda: shown, 0, 0.0, 0.0, coded=coded)
    tracks = [replace(track(), box_xyxy=box)]
    return AnnotatedFrame(frame, tracks, Overlay(_BARE), box[None], blur)


def _labelled(coded: "VideoFrame", *, blur: bool = False) -> AnnotatedFrame:
    annotated = _annotated(coded, blur=blur)
    tracks = [replace(annotated.tracks[0], labels={"gender": label()})]
    image = coded.to_ndarray(format="bgr24").astype(np.uint8, copy=False)
    return replace(annotated, tracks=tracks, frame=replace(annotated.frame, pixels=image))


@pytest.mark.parametrize(
    ("pixels", "matrix", "colour_range"),
    [
        ("yuv420p", 1, 1),
        ("yuv420p", 2, 0),
        ("yuv420p", 5, 2),
        ("yuvj420p", 5, 2),
        ("yuvj420p", 5, 0),
    ],
)
@pytest.mark.parametrize("size_wh", [(64, 48), (96, 72)])
def test_the_numbers_of_planes_mean_the_same_afterwards(
    pixels: str, matrix: int, colour_range: int, size_wh: tuple[int, int]
) -> None:
    coded = _coded(pixels, matrix, colour_range)
    scaled = Scaling(size_wh[0]).fitted(_annotated(coded)).frame.coded
    assert scaled is not None
    assert (scaled.width, scaled.height) == size_wh
    assert Colours.of(scaled) == Colours.of(coded)
    planes = Planes.of(scaled)
    assert abs(int(planes.luma[4, 8]) - 30) <= 1 and abs(int(planes.luma[4, 56]) - 200) <= 1
    assert abs(int(planes.cb[4, 4]) - 110) <= 1 and abs(int(planes.cr[4, 4]) - 140) <= 1


@pytest.mark.parametrize("is_coded", [True, False])
def test_faces_have_their_places_in_the_smaller_frame(is_coded: bool) -> None:
    fitted = Scaling(64).fitted(_annotated(_coded() if is_coded else None))
    assert fitted.frame.size_wh == (64, 48)
    assert fitted.frame.image.shape == (48, 64, 3)
    assert fitted.faces_xyxy.tolist() == [[8, 16, 24, 32]]
    assert fitted.tracks[0].box_xyxy.tolist() == [8, 16, 24, 32]


def test_sides_are_even_and_no_frame_is_enlarged() -> None:
    annotated = _annotated(_coded())
    assert Scaling(128).fitted(annotated) is annotated
    assert Scaling(51).fitted(annotated).frame.size_wh == (50, 38)


@pytest.mark.parametrize("width", [64, 1000])
@pytest.mark.parametrize("is_coded", [True, False])
def test_a_face_is_blurred_in_every_form(is_coded: bool, width: int) -> None:
    annotated = _annotated(_coded() if is_coded else None, blur=True)
    painted = Painter(Overlay(_BARE), width).paint(annotated)
    by = painted.size_wh[0] / 128
    face = np.s_[round(40 * by) : round(56 * by), round(24 * by) : round(40 * by)]
    grey = painted.picture[face].mean(axis=2)
    assert grey.std() < annotated.frame.image[40:56, 24:40].mean(axis=2).std() / 2
    if isinstance(painted.drawn, av.VideoFrame):
        assert len(np.unique(Planes.of(painted.drawn).luma[face])) <= 16


@pytest.mark.parametrize("blur", [True, False])
@pytest.mark.parametrize("width", [64, 96, 1000])
@pytest.mark.parametrize("pixels", ["yuv420p", "yuvj420p"])
def test_the_planes_of_the_source_stay_as_they_are(pixels: str, width: int, blur: bool) -> None:
    coded, same = _coded(pixels), _coded(pixels)
    painted = Painter(Overlay(), width).paint(_labelled(coded, blur=blur))
    assert painted.colours == Colours.of(coded)
    for plane, before in zip(coded.planes, same.planes, strict=True):
        assert np.array_equal(plane_pixels(plane), plane_pixels(before))


@pytest.mark.parametrize("width", [64, 96, 1000])
def test_marks_are_drawn_once_for_every_form(width: int) -> None:
    annotated = _labelled(_coded())
    painter = Painter(Overlay(), width)
    drawn = painter.paint(annotated).drawn
    assert isinstance(drawn, av.VideoFrame)
    once = Planes.of(drawn).luma.copy()
    painter.draw(annotated)
    assert painter.paint(annotated).drawn is drawn
    assert np.array_equal(Planes.of(drawn).luma, once)
    fitted = Scaling(width).fitted(annotated)
    by_itself = Overlay().draw(fitted.frame.image, fitted.tracks)
    unmarked = float(np.abs(by_itself.astype(int) - fitted.frame.image).mean())
    assert unmarked > 5
    apart = float(np.abs(by_itself.astype(int) - painter.draw(annotated)).mean())
    assert apart < unmarked / 4  # what chroma of half the resolution makes of edges
