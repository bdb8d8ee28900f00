"""Interlaced video: the fields of two moments become one picture, and that is said."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fakes import numbered, times_s

from models.faces import Image
from stream.sources import open_source
from stream.sources.video import VideoSource

_SIZE_WH = (192, 128)
_COUNT = 20


def _bar(place: float) -> Image:
    """A light bar on dark ground, that far to the right."""
    image = np.full((*_SIZE_WH[::-1], 3), 40, np.uint8)
    left = round(place)
    image[:, left : left + 24] = 220
    return image


def _write(path: Path, codec: str, *, interlaced: bool = True) -> Path:
    """A bar that moves 6 px from picture to picture, and so 3 px from field to field."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height = _SIZE_WH
        stream.pix_fmt = "yuv420p"
        if interlaced:
            stream.codec_context.options = {"flags": "+ildct+ilme", "field_order": "tt"}
        for number in range(_COUNT):
            image = _bar(6 * number)
            if interlaced:
                image[1::2] = _bar(6 * number + 3)[1::2]
            picture = av.VideoFrame.from_ndarray(image, format="bgr24")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def _combing(image: Image) -> float:
    """By how much neighbouring rows differ more than every second one, on the mean."""
    rows = image[..., 1].astype(float)
    neighbours = np.abs(rows[1:-1] - rows[2:]).mean()
    return float(neighbours - np.abs(rows[:-2] - rows[2:]).mean())


@pytest.mark.parametrize(
    ("ending", "codec"), [("mp4", "libx264"), ("mpg", "mpeg2video"), ("avi", "mpeg4")]
)
def test_interlaced_pictures_are_deinterlaced_at_their_times(
    ending: str, codec: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = _write(tmp_path / f"a.{ending}", codec)
    with av.open(str(path)) as container:
        coded = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    source = open_source(str(path))
    frames = list(source.frames())
    source.close()
    assert len(frames) == len(coded) == _COUNT
    assert [frame.time_s for frame in frames] == pytest.approx(
        [number / 25 for number in range(_COUNT)], abs=1e-3
    )
    assert all(frame.coded is not None for frame in frames)
    assert all(
        _combing(frame.image) < 0.3 * _combing(each)
        for frame, each in zip(frames[1:-1], coded[1:-1], strict=True)
    )
    assert caplog.messages == [f"{path} is interlaced: its pictures are deinterlaced"]


def test_progressive_pictures_stay_as_they_are(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = _write(tmp_path / "a.mp4", "libx264", interlaced=False)
    with av.open(str(path)) as container:
        coded = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    source = open_source(str(path))
    assert all(
        np.array_equal(frame.image, each)
        for frame, each in zip(source.frames(), coded, strict=True)
    )
    source.close()
    assert not caplog.messages


def test_it_is_said_once_over_several_openings(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = _write(tmp_path / "a.ts", "mpeg2video")
    path.write_bytes(path.read_bytes() * 2)
    source = VideoSource(path)
    assert len(list(source.frames())) == 2 * _COUNT
    source.close()
    assert len(caplog.messages) == 1


def test_a_change_of_size_begins_the_filter_anew(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "b.ts"), "w") as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height = 96, 64
        stream.pix_fmt = "yuv420p"
        for number in range(_COUNT):
            picture = av.VideoFrame.from_ndarray(numbered(number), format="bgr24")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    first = _write(tmp_path / "a.ts", "mpeg2video").read_bytes()
    (tmp_path / "joined.ts").write_bytes(first + (tmp_path / "b.ts").read_bytes() + first)
    source = open_source(str(tmp_path / "joined.ts"))
    sizes = [frame.size_wh for frame in source.frames()]
    source.close()
    assert sizes.count((96, 64)) in (_COUNT - 1, _COUNT)
    assert sizes[0] == sizes[-1] == _SIZE_WH
    assert len(times_s(tmp_path / "joined.ts")) == len(sizes) >= 3 * _COUNT - 2
