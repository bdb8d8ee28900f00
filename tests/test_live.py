"""Live streams: losses, returns and ends, and the pace of what comes in pieces."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import pytest
from av.codec.context import Flags, ThreadType
from fakes import SIZE_WH, HastyReconnection, TamperedContainer, encode, number_of, numbered

from stream.errors import SourceError
from stream.frames import Frame
from stream.sources.live import StreamSource, is_live

_LOSS = av.error.ConnectionResetError(104, "Connection reset by peer", "http://me:pw@host/x")
_ENDLESS = {"duration": None, "size": -1}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each picture is a keyframe."""
    pictures = [numbered(number) for number in range(30)]
    return encode(tmp_path_factory.mktemp("live") / "a.mkv", pictures, "mjpeg", "yuvj420p")


def _one_by_one(containers: list[TamperedContainer]) -> Callable[[], Any]:
    """Gives the second and those that follow; a camera may serve one at a time only."""
    given = [containers[0]]

    def reopen() -> TamperedContainer:
        assert given[-1].closed, "the last connection is open still"
        given.append(containers[len(given)])
        return given[-1]

    return reopen


def _source(
    containers: list[TamperedContainer], reconnection: HastyReconnection | None = None
) -> StreamSource:
    reconnection = reconnection or HastyReconnection()
    return StreamSource("x", containers[0], _one_by_one(containers), reconnection)


def _numbers(frames: list[Frame]) -> list[int]:
    return [number_of(frame.image) for frame in frames]


def test_it_is_decoded_without_delay(clip: Path) -> None:
    container = TamperedContainer(clip, **_ENDLESS)
    source = _source([container])
    (track,) = container.streams.video
    assert track.thread_type is ThreadType.SLICE
    assert track.codec_context.flags & Flags.low_delay
    source.close()


def test_the_last_connection_is_closed_before_the_next_is_opened(
    clip: Path, caplog: pytest.LogCaptureFixture
) -> None:
    containers = [
        TamperedContainer(clip, [(10, _LOSS)], **_ENDLESS),
        TamperedContainer(clip, [(0, _LOSS)], **_ENDLESS),  # not one picture: it is tried again
        TamperedContainer(clip, [(5, _LOSS)], **_ENDLESS),
        TamperedContainer(clip),  # now it is there as a video: the broadcast is over
    ]
    reconnection = HastyReconnection()
    source = _source(containers, reconnection)
    frames = list(source.frames())
    assert _numbers(frames) == [*range(10), *range(5)]
    assert [frame.index for frame in frames] == list(range(15))
    assert sorted(frame.time_s for frame in frames) == [frame.time_s for frame in frames]
    assert reconnection.pauses_s == [1.0, 2.0, 1.0]
    assert caplog.messages[0].startswith("the tape was lost: Connection reset by peer: waiting ")
    assert [gap.reason for gap in source.info.history.gaps] == [
        "was lost: Connection reset by peer",
        "was lost: Connection reset by peer",
    ]
    assert [each.closed for each in containers] == [1, 1, 1, 0]
    source.close()
    assert containers[-1].closed == 1


def test_an_end_is_a_loss(clip: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = _source([TamperedContainer(clip, **_ENDLESS)], HastyReconnection(interrupt_at=1))
    assert _numbers(list(source.frames())) == list(range(30))
    (said,) = caplog.messages
    assert said.startswith("the tape has ended: waiting since ")
    source.close()


@pytest.mark.parametrize(
    ("errors", "said"),
    [([(0, _LOSS)], "x gives no pictures: Connection reset by peer"), ([], "x gives no pictures")],
)
def test_one_without_a_picture_is_closed_and_an_error(
    errors: list[tuple[int, Exception]], said: str, clip: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.avi"
    encode(empty, [numbered(0)], "mjpeg", "yuvj420p")
    container = TamperedContainer(clip if errors else empty, errors, **_ENDLESS)
    if not errors:
        list(container.demux(container.streams.video[0]))  # nothing is left of it
    with pytest.raises(SourceError) as caught:
        _source([container])
    assert str(caught.value) == said
    assert caught.value.__cause__ is None
    assert container.closed == 1


def test_what_it_says_of_itself(clip: Path) -> None:
    source = _source([TamperedContainer(clip, **_ENDLESS)])
    info = source.info
    assert (info.uri, info.kind, info.size_wh, info.fps) == ("x", "stream", SIZE_WH, 25.0)
    source.close()


def test_a_rate_that_ffmpeg_makes_up_is_not_passed_on(clip: Path) -> None:
    source = _source(
        [TamperedContainer(clip, format=SimpleNamespace(name="mpjpeg", flags=0), **_ENDLESS)]
    )
    assert source.info.fps is None
    source.close()


@pytest.mark.parametrize("name", ["hls", "dash"])
def test_what_comes_in_pieces_is_given_out_at_the_pace_of_its_pictures(
    name: str, clip: Path
) -> None:
    said = SimpleNamespace(name=name, flags=0)
    container = TamperedContainer(clip, format=said, **_ENDLESS)
    reconnection = HastyReconnection(interrupt_at=20)
    source = _source([container], reconnection)
    assert _numbers(list(source.frames())) == list(
        range(20)
    )  # it was left in the wait for the next
    # Nothing is waited for here, so that each is as far away as the pictures before it last.
    due_s = [number / 25 for number in range(1, 21)]
    assert all(
        0 < pause_s <= due for pause_s, due in zip(reconnection.pauses_s, due_s, strict=True)
    )
    assert sorted(reconnection.pauses_s) == reconnection.pauses_s
    source.close()


def test_what_comes_picture_by_picture_is_given_out_at_once(clip: Path) -> None:
    reconnection = HastyReconnection(interrupt_at=1)
    source = _source([TamperedContainer(clip, **_ENDLESS)], reconnection)
    assert len(list(source.frames())) == 30
    assert reconnection.pauses_s == [1.0]  # that of the end
    source.close()


@pytest.mark.parametrize(
    ("duration", "size", "form", "live"),
    [
        (None, -1, "rtsp", True),
        (0, -38, "mpegts", True),
        (8_000_000, -1, "rtsp", False),
        (None, 5000, "matroska,webm", False),
        (None, 5000, "hls", True),  # the size of its playlist
        (8_000_000, 5000, "hls", False),
    ],
)
def test_what_has_no_end_is_live(duration: int | None, size: int, form: str, live: bool) -> None:
    said: Any = SimpleNamespace(duration=duration, size=size, format=SimpleNamespace(name=form))
    assert is_live(said) is live
