"""Decoding: what is asked of the decoder, and what becomes of a demuxer that fails."""

import itertools
from pathlib import Path
from typing import Any

import av
import pytest
from av.codec.context import Flags, ThreadType
from fakes import TamperedContainer, encode, number_of, numbered

from stream.sources.decoding import Decoder

_DAMAGE = av.error.InvalidDataError(1094995529, "Invalid data found when processing input")
_LOSS = av.error.ConnectionResetError(104, "Connection reset by peer")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each picture is a keyframe."""
    pictures = [numbered(number) for number in range(30)]
    return encode(tmp_path_factory.mktemp("decoding") / "a.mkv", pictures, "mjpeg", "yuvj420p")


def _numbers(decoder: Decoder, count: int | None = None) -> list[int]:
    frames = itertools.islice(decoder.frames(), count)
    return [number_of(decoder.picture(each)) for each in frames]


def _decoder(container: Any, *, live: bool = False) -> Decoder:
    return Decoder(container, "the tape", live=live)


def test_a_live_stream_is_decoded_without_delay(tmp_path: Path) -> None:
    pictures = [numbered(number) for number in range(30)]
    path = encode(tmp_path / "a.mkv", pictures, "mpeg2video", "yuv420p")  # it has no B-frames
    container = TamperedContainer(path)
    decoder = _decoder(container, live=True)
    assert decoder.stream.thread_type is ThreadType.SLICE
    assert decoder.stream.codec_context.flags & Flags.low_delay
    read = [container.packets for _ in decoder.frames()]
    assert read[:20] == list(range(1, 21))  # each picture comes with its packet
    container.close()


def test_a_file_is_decoded_by_all_cores(clip: Path) -> None:
    container = TamperedContainer(clip)
    decoder = _decoder(container)
    assert decoder.stream.thread_type is ThreadType.AUTO
    assert decoder.stream.codec_context.thread_count == 0  # as many as there are cores
    assert not decoder.stream.codec_context.flags & Flags.low_delay
    container.close()


def test_a_demuxer_that_always_fails_ends_with_an_error(clip: Path) -> None:
    container = TamperedContainer(clip, [(10, _DAMAGE)] * 1000)
    decoder, frames = _decoder(container), []
    with pytest.raises(av.error.InvalidDataError):
        frames += decoder.frames()
    assert container.packets == 10
    assert decoder.damaged_packets == 100
    container.close()


def test_what_was_read_before_a_demuxer_failed_for_good_is_given_out(clip: Path) -> None:
    container = TamperedContainer(clip, [(10, _LOSS)])
    decoder, numbers = _decoder(container), []
    with pytest.raises(av.error.ConnectionResetError):
        for each in decoder.frames():
            numbers.append(number_of(decoder.picture(each)))
    assert numbers == list(range(10))
    assert decoder.damaged_packets == 0
    container.close()


def test_a_demuxer_may_fail_now_and_then(clip: Path) -> None:
    container = TamperedContainer(clip, [(0, _DAMAGE)] * 99 + [(5, _DAMAGE)] * 99)
    decoder = _decoder(container)
    assert _numbers(decoder) == list(range(30))
    assert decoder.damaged_packets == 198
    container.close()
