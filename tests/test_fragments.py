"""Fragments of H.264: FFmpeg, which did not write them, reads every picture back."""

import io
import itertools

import av
import pytest
from fakes import SIZE_WH, number_of, numbered

from stream.page.fragments import TIMESCALE, codec_of, units_of
from stream.page.painter import Painted
from stream.page.video_encoding import VideoEncoding
from stream.page.viewers import Encoded


def _painted(number: int, size_wh: tuple[int, int] = SIZE_WH) -> Painted:
    return Painted(numbered(number, size_wh))


def _encoded(count: int, size_wh: tuple[int, int], keys: set[int]) -> list[Encoded]:
    clock = itertools.count()
    video = VideoEncoding(size_wh, 25.0, clock=lambda: next(clock) / 10)
    try:
        return [
            each
            for number in range(count)
            for each in video.encode(_painted(number, size_wh), key=number in keys)
        ]
    finally:
        video.close()


@pytest.mark.parametrize("size_wh", [(96, 64), (1280, 720), (97, 65)])
def test_every_picture_is_read_back_at_its_time(size_wh: tuple[int, int]) -> None:
    encoded = _encoded(12, size_wh, {0, 7})
    head = encoded[0].head
    assert head is not None
    assert all(each.head is head for each in encoded)
    even = size_wh[0] + size_wh[0] % 2, size_wh[1] + size_wh[1] % 2
    assert head.size_wh == even
    with av.open(io.BytesIO(head.data + b"".join(each.data for each in encoded))) as film:
        frames = list(film.decode(video=0))
    assert [number_of(frame.to_ndarray(format="bgr24")) for frame in frames] == list(range(12))
    assert [each.is_key for each in encoded] == [number in (0, 7) for number in range(12)]
    # the first is shown for 1/25 s, each other for as long as the one before it took
    times = [frame.time for frame in frames]
    assert times[1] == pytest.approx(0.04)
    assert [b - a for a, b in itertools.pairwise(times[1:])] == pytest.approx([0.1] * 10)


def test_a_picture_is_read_from_its_keyframe_on() -> None:
    encoded = _encoded(10, (96, 64), {0, 6})
    head = encoded[0].head
    assert head is not None
    with av.open(io.BytesIO(head.data + b"".join(each.data for each in encoded[6:]))) as film:
        frames = list(film.decode(video=0))
    assert [number_of(frame.to_ndarray(format="bgr24")) for frame in frames] == [6, 7, 8, 9]


def test_a_pause_is_no_part_of_the_video() -> None:
    times_s = iter([0.0, 0.1, 60.0, 60.1, 60.2])
    video = VideoEncoding((96, 64), 25.0, clock=lambda: next(times_s))
    encoded = [each for number in range(5) for each in video.encode(_painted(number), key=False)]
    video.close()
    head = encoded[0].head
    assert head is not None
    with av.open(io.BytesIO(head.data + b"".join(each.data for each in encoded))) as film:
        last = list(film.decode(video=0))[-1]
    assert last.time is not None
    assert last.time < 2


def test_units_are_found_by_either_start_code() -> None:
    assert units_of(b"\0\0\0\1ab\0\0\1c\0\0\3d") == [b"ab", b"c\0\0\3d"]
    assert codec_of(b"\0\0\0\1\x67\x42\xc0\x1f\0\0\1\x68\1") == "avc1.42c01f"
    assert TIMESCALE == 90_000
