"""Frames: what is read of a picture without converting it, and what knowing one imports."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from fakes import encode

from models.faces import Image
from stream.frames import Frame, SourceInfo, SourceKind
from stream.sources.video import VideoSource


def _portrait(astronaut: Image) -> Image:
    return cv2.resize(astronaut, (320, 180)).astype(np.uint8)


def _first(clip: Path) -> Frame:
    source = VideoSource(clip)
    frame = next(iter(source.frames()))
    source.close()
    return frame


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p"])
@pytest.mark.parametrize("box_xyxy", [None, (40, 10, 201, 171)])
def test_luminance_is_that_of_the_picture(
    pixel_format: str,
    box_xyxy: tuple[int, int, int, int] | None,
    astronaut: Image,
    tmp_path: Path,
) -> None:
    frame = _first(encode(tmp_path / "in.mp4", [_portrait(astronaut)], "libx264", pixel_format))
    assert frame.coded is not None
    converted = Frame(frame.image, 0, 0.0, 0.0)
    quick, slow = (each.luminance((32, 18), 4, box_xyxy) for each in (frame, converted))
    assert quick.shape == (18, 32)
    assert np.abs(quick.astype(int) - slow).mean() < 3  # the weights of the colours differ
    assert quick.std() > 20


@pytest.mark.parametrize(
    ("uri", "kind", "name"),
    [
        ("0", "camera", "camera 0"),
        ("clips/a.mp4", "video", "a.mp4"),
        ("rtsp://host/door", "stream", "door"),
        ("/", "pictures", "/"),
    ],
)
def test_the_name_of_a_source(uri: str, kind: SourceKind, name: str) -> None:
    assert SourceInfo(uri, kind, (320, 180)).name == name


def test_each_pixel_is_the_mean_of_its_place() -> None:
    image = np.zeros((90, 160, 3), np.uint8)
    image[:, 80:] = 200
    luminance = Frame(image, 0, 0.0, 0.0).luminance((4, 2), 5)
    np.testing.assert_array_equal(luminance, [[0, 0, 200, 200]] * 2)


def test_a_coded_picture_is_converted_when_it_is_asked_for(astronaut: Image) -> None:
    made: list[int] = []

    def convert() -> Image:
        made.append(1)
        return _portrait(astronaut)

    coded = av.VideoFrame.from_ndarray(_portrait(astronaut), "bgr24").reformat(format="yuv420p")
    frame = Frame(convert, 0, 0.0, 0.0, coded=coded)
    assert frame.size_wh == (320, 180)
    frame.luminance((32, 18), 4)
    assert not made
    assert frame.image is frame.image
    assert made == [1]


def test_pixels_outlive_their_video(astronaut: Image, tmp_path: Path) -> None:
    frame = _first(encode(tmp_path / "in.mp4", [_portrait(astronaut)], "libx264", "yuv420p"))
    assert np.abs(frame.image.astype(int) - _portrait(astronaut)).mean() < 8


def test_several_threads_may_ask_for_pixels_at_once(astronaut: Image, tmp_path: Path) -> None:
    pictures = [
        np.ascontiguousarray(np.roll(_portrait(astronaut), 9 * turn, axis=1)) for turn in range(40)
    ]
    source = VideoSource(encode(tmp_path / "in.mp4", pictures, "libx264", "yuv420p"))
    frames = list(source.frames())
    source.close()
    with ThreadPoolExecutor(8) as pool:
        images = list(pool.map(lambda frame: frame.image, frames))
    for image, frame in zip(images, frames, strict=True):
        np.testing.assert_array_equal(image, replace(frame).image)


def _imported_by(module: str) -> set[str]:
    """The modules that are loaded once one is imported in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(done.stdout.split())


def test_knowing_a_frame_imports_no_drawing() -> None:
    imported = _imported_by("stream.frames")
    assert "stream.frames" in imported
    assert not [name for name in imported if name.startswith("stream.drawing")]
    assert not imported & {"av", "models.engine", "stream.sources", "stream.sinks"}


def test_knowing_a_track_imports_neither_pictures_nor_the_engine() -> None:
    imported = _imported_by("stream.tracks")
    assert {name for name in imported if name.startswith("stream.")} == {"stream.tracks"}
    assert not imported & {"cv2", "av", "models.engine", "onnxruntime"}
