"""Videos that are transparent: laid over grey, so that hidden colours are not shown."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fakes import encode
from numpy.typing import NDArray

from models.faces import Image
from models.pictures.alpha import over_grey
from stream.sources.video import VideoSource

_SIZE_WH = (96, 64)
_SCENE: Image = np.zeros((64, 96, 3), np.uint8)
"""Blue above red."""
_SCENE[:32], _SCENE[32:] = (220, 40, 30), (30, 50, 210)


def _clip(path: Path, codec: str, pix_fmt: str, left: int = 0) -> Path:
    """Three pictures whose left half is transparent."""
    alpha = np.full((64, 96), 255, np.uint8)
    alpha[:, :48] = left
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height = _SIZE_WH
        stream.pix_fmt = pix_fmt
        for index in range(3):
            whole = av.VideoFrame.from_ndarray(np.dstack([_SCENE, alpha]), format="bgra")
            whole = whole.reformat(format=pix_fmt)
            whole.pts, whole.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(whole))
        container.mux(stream.encode(None))
    return path


def _pictures(path: Path) -> list[NDArray[np.uint8]]:
    source = VideoSource(path)
    try:
        frames = list(source.frames())
    finally:
        source.close()
    assert all(frame.coded is None for frame in frames)
    return [frame.image for frame in frames]


_KINDS = [
    ("a.mov", "qtrle", "argb"),
    ("a.mov", "png", "rgba"),
    ("a.mov", "prores_ks", "yuva444p10le"),
    ("a.mkv", "ffv1", "bgra"),
    ("a.mkv", "ffv1", "yuva420p"),
    ("a.webm", "libvpx-vp9", "yuva420p"),
]


@pytest.mark.parametrize(("name", "codec", "pix_fmt"), _KINDS)
def test_what_is_wholly_transparent_is_not_shown(
    name: str, codec: str, pix_fmt: str, tmp_path: Path
) -> None:
    pictures = _pictures(_clip(tmp_path / name, codec, pix_fmt))
    assert len(pictures) == 3
    for picture in pictures:
        assert np.abs(picture[:, :44].astype(int) - 128).max() <= 2
        assert np.abs(picture[:, 52:].astype(int) - _SCENE[:, 52:]).mean() < 6


@pytest.mark.parametrize(("name", "codec", "pix_fmt"), _KINDS)
def test_what_is_opaque_is_shown_as_it_is(
    name: str, codec: str, pix_fmt: str, tmp_path: Path
) -> None:
    (first, *_) = _pictures(_clip(tmp_path / name, codec, pix_fmt, left=255))
    assert np.abs(first.astype(int) - _SCENE).mean() < 6


def test_a_video_without_alpha_is_recorded_as_it_was_coded(tmp_path: Path) -> None:
    source = VideoSource(encode(tmp_path / "a.webm", [_SCENE] * 3, "libvpx-vp9", "yuv420p"))
    assert all(frame.coded is not None for frame in source.frames())
    source.close()


def test_shares_between() -> None:
    alpha = np.arange(256).reshape(1, 256)
    for level in (0, 100, 255):
        shown = over_grey(np.full((1, 256, 3), level, np.uint8), alpha.astype(np.uint8))
        expected = (level * alpha + 128 * (255 - alpha)) / 255
        np.testing.assert_allclose(shown[..., 0], expected, atol=0.51)
    opaque = np.zeros((2, 2, 3), np.uint8)
    assert over_grey(opaque, np.full((2, 2), 255, np.uint8)) is opaque
