"""Streams and videos by address: loss and return, silence, refusal, secrets."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import av
import pytest
from fakes import PATIENCE_S, SIZE_WH, encode, log_lines, number_of, numbered, write_clip
from servers import (
    HttpHandler,
    KillableServer,
    Page,
    file_page,
    hls_pages,
    http,
    mjpeg_page,
    password_page,
    rtsp,
    silent_page,
    slow_page,
)

from models.faces import Image
from stream.errors import ConfigError, SourceError
from stream.frames import Frame
from stream.settings import Config
from stream.sources import Span, open_source
from stream.sources.capture import Capture

_ROOT = Path(__file__).parents[1]
_SECRET = "s3cret"


def _config(timeout_s: float = 10.0, reconnect_s: float | str = "auto") -> Config:
    return Config.model_validate({"source": {"timeout_s": timeout_s, "reconnect_s": reconnect_s}})


def _pictures(first: int = 0, size_wh: tuple[int, int] = SIZE_WH) -> Iterator[Image]:
    """Without an end."""
    for number in itertools.count(first):
        yield numbered(number % 256, size_wh)


def _changing(server: KillableServer, at: int) -> Callable[[Frame], None]:
    """Kills the server at that frame; it is back a moment later."""

    def change(frame: Frame) -> None:
        if frame.index == at:
            server.kill()
            later.start()

    later = threading.Timer(0.5, server.start)
    return change


def _read(
    uri: str, config: Config, count: int, each: Callable[[Frame], None] = lambda _: None
) -> list[Frame]:
    source = open_source(uri, config)
    frames = []
    try:
        for frame in itertools.islice(source.frames(), count):
            frames.append(frame)
            each(frame)
    finally:
        source.close()
    return frames


def _one_line(error: pytest.ExceptionInfo[Exception]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("kind", ["mjpeg", "rtsp"])
def test_a_live_stream_that_is_lost_comes_back(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    if kind == "mjpeg":
        server = http({"/": mjpeg_page(_pictures())})
    else:
        server = rtsp(list(itertools.islice(_pictures(), 60)))
    with server:
        uri = f"{'http' if kind == 'mjpeg' else 'rtsp'}://{server.address}/"
        frames = _read(uri, _config(), 50, _changing(server, 20))
    assert [frame.index for frame in frames] == list(range(50))
    assert all(later.time_s > earlier.time_s for earlier, later in pairwise(frames))
    lost, back = caplog.messages
    assert lost.startswith(uri)
    assert lost.endswith(", for 60 s at most")
    assert ": waiting since 2" in lost
    assert back.startswith(f"{uri} is back after ")


def test_a_stream_may_come_back_in_another_size(caplog: pytest.LogCaptureFixture) -> None:
    sizes = iter([(96, 64), (192, 128)])
    pages = (mjpeg_page(itertools.islice(_pictures(0, size_wh), 30)) for size_wh in sizes)
    with http({"/": lambda handler: next(pages)(handler)}) as server:
        frames = _read(f"http://{server.address}/", _config(), 40)
    assert {frame.size_wh for frame in frames[:30]} == {(96, 64)}
    assert {frame.size_wh for frame in frames[30:]} == {(192, 128)}
    assert "is back after" in caplog.text


def test_a_stream_that_does_not_come_back_ends_with_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = http({"/": mjpeg_page(_pictures())})
    uri = f"http://me:{_SECRET}@{server.address}/"
    with pytest.raises(SourceError) as caught:
        _read(uri, _config(reconnect_s=1.0), 50, lambda frame: frame.index == 9 and server.kill())
    assert _one_line(caught).endswith(", and was not back within 1 s")
    assert len(caplog.messages) == 1
    assert _SECRET not in caplog.text + str(caught.value)


def test_a_loss_is_the_end_where_nobody_waits(caplog: pytest.LogCaptureFixture) -> None:
    with (
        http({"/": mjpeg_page(itertools.islice(_pictures(), 30))}) as server,
        pytest.raises(SourceError, match="was lost"),
    ):
        _read(f"http://{server.address}/", _config(reconnect_s=0), 50)
    assert not caplog.messages


def test_a_stream_that_falls_silent_is_opened_again(caplog: pytest.LogCaptureFixture) -> None:
    pictures = _pictures()

    def page(handler: HttpHandler) -> None:
        mjpeg_page(itertools.islice(pictures, 30))(handler)
        silent_page(handler)

    with http({"/": page}) as server:
        frames = _read(f"http://{server.address}/", _config(timeout_s=2), 40)
    assert [number_of(frame.image) for frame in frames] == list(range(40))
    assert "has fallen silent: waiting since" in caplog.messages[0]


def test_a_video_is_read_on_where_it_was_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    encode(tmp_path / "a.mkv", list(itertools.islice(_pictures(), 250)), "mjpeg", "yuvj420p")
    page = slow_page(tmp_path / "a.mkv", (tmp_path / "a.mkv").stat().st_size)
    with http({"/a.mkv": page}) as server:
        uri = f"http://{server.address}/a.mkv"
        assert (tmp_path / "a.mkv").stat().st_size > 200_000  # more than is read ahead
        frames = _read(uri, _config(), 300, _changing(server, 20))
    assert [number_of(frame.image) for frame in frames] == list(range(250))
    assert [round(frame.time_s * 25) for frame in frames] == list(range(250))
    assert [message.startswith(uri) for message in caplog.messages] == [True, True]


def test_a_video_that_breaks_off_again_at_the_same_place_is_an_error(tmp_path: Path) -> None:
    pictures = list(itertools.islice(_pictures(), 100))
    data = encode(tmp_path / "a.ts", pictures, "mpeg2video", "yuv420p").read_bytes()

    def broken(handler: HttpHandler) -> None:
        handler.send(data, only=len(data) // 2)

    with (
        http({"/a.ts": broken}) as server,
        pytest.raises(SourceError, match="cannot be read any further") as caught,
    ):
        _read(f"http://{server.address}/a.ts", _config(), 200)
    _one_line(caught)


@pytest.mark.parametrize("codec", ["mjpeg", "libx264"])
def test_what_was_read_of_a_video_that_breaks_off_is_given_out(codec: str, tmp_path: Path) -> None:
    pictures = list(itertools.islice(_pictures(), 100))
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    data = encode(tmp_path / "a.mkv", pictures, codec, pix_fmt).read_bytes()
    (tmp_path / "half.mkv").write_bytes(data[: len(data) // 2])
    frames = _read(str(tmp_path / "half.mkv"), _config(), 200)
    seen: list[int] = []
    with (
        http({"/a.mkv": lambda handler: handler.send(data, only=len(data) // 2)}) as server,
        pytest.raises(SourceError, match="was lost: Input/output error"),
    ):
        _read(
            f"http://{server.address}/a.mkv",
            _config(reconnect_s=0),
            200,
            lambda frame: seen.append(number_of(frame.image)),
        )
    assert seen == [number_of(frame.image) for frame in frames]


def test_a_part_of_a_video_by_address(tmp_path: Path) -> None:
    pictures = list(itertools.islice(_pictures(), 100))
    path = encode(tmp_path / "a.mp4", pictures, "libx264", "yuv420p")
    with http({"/a.mp4": file_page(path), **hls_pages(tmp_path, pictures)}) as server:
        for name in ("a.mp4", "list.m3u8"):
            source = open_source(f"http://{server.address}/{name}", span=Span(1.0, 2.0))
            assert [number_of(frame.image) for frame in source.frames()] == list(range(25, 50))
            source.close()


def test_a_part_of_what_is_live_is_asked_wrongly() -> None:
    with (
        http({"/": mjpeg_page(_pictures())}) as server,
        pytest.raises(ConfigError, match=r"--start and --end are for videos, and http.* is live"),
    ):
        open_source(f"http://{server.address}/", span=Span(1.0))


def test_live_pieces_are_read_one_after_another_from_the_newest_on(tmp_path: Path) -> None:
    pages = hls_pages(tmp_path, list(itertools.islice(_pictures(), 200)), live=True)
    with http(pages) as server:
        frames = _read(f"http://{server.address}/list.m3u8", _config(), 40)
    numbers = [number_of(frame.image) for frame in frames]
    assert numbers == list(range(numbers[0], numbers[0] + 40))
    assert numbers[0] >= 20  # of the three pieces that were there, the newest


def test_a_playlist_cannot_name_a_file_of_this_machine(tmp_path: Path) -> None:
    encode(tmp_path / "mine.ts", list(itertools.islice(_pictures(), 50)), "libx264", "yuv420p")
    ends = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{}\n#EXT-X-ENDLIST\n"
    for named in (tmp_path.as_uri() + "/mine.ts", f"{tmp_path}/mine.ts", "concat:/etc/passwd"):
        page = ends.format(named).encode()
        with (
            http({"/a.m3u8": lambda handler, page=page: handler.send(page)}) as server,
            pytest.raises(SourceError) as caught,
        ):
            open_source(f"http://{server.address}/a.m3u8", _config(reconnect_s=0))
        _one_line(caught)


def _wrong_password(handler: HttpHandler) -> None:
    password_page(f"me:{_SECRET}", silent_page)(handler)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (silent_page, "does not answer within 1 s"),
        (lambda handler: handler.send_error(404), "Server returned 404 Not Found"),
        (lambda handler: handler.send_error(503), "Server returned 5XX"),
        (_wrong_password, "Server returned 401 Unauthorized"),
        (lambda handler: handler.send(b"no video" * 1000), "Invalid data found"),
        (lambda handler: handler.send(b" ", "video/mp4"), "cannot be read: "),
    ],
    ids=["silence", "404", "503", "401", "text", "nothing"],
)
def test_what_cannot_be_opened_is_one_line_without_secrets(page: Page, said: str) -> None:
    wrong = _SECRET[::-1]
    timeout_s = 1 if page is silent_page else 10
    with http({"/x": page}) as server, pytest.raises(SourceError) as caught:
        open_source(f"http://me:{wrong}@{server.address}/x?token={wrong}&id=7", _config(timeout_s))
    line = _one_line(caught)
    assert line.startswith(f"http://{server.address}/x?token=…&id=7 ")
    assert said in line
    assert wrong not in line
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("wrong", [True, False])
def test_a_password_is_given_to_a_camera(wrong: bool) -> None:
    pictures = list(itertools.islice(_pictures(), 40))
    with rtsp(pictures, f"me:{_SECRET}") as server:
        uri = f"rtsp://me:{'x' + _SECRET if wrong else _SECRET}@{server.address}/"
        if wrong:
            with pytest.raises(SourceError, match="401 Unauthorized") as caught:
                open_source(uri, _config())
            assert _SECRET not in str(caught.value)
        else:
            source = open_source(uri, _config())
            assert source.info.uri == f"rtsp://{server.address}/"
            assert _SECRET not in repr(source) + repr(source.info)
            source.close()


@pytest.mark.parametrize("protocol", ["srt", "rtmps"])
def test_a_protocol_that_this_ffmpeg_lacks_is_one_line(protocol: str) -> None:
    try:
        av.open(f"{protocol}://127.0.0.1:9", timeout=1)
    except av.error.ProtocolNotFoundError:
        pass
    except av.error.FFmpegError:
        pytest.skip(f"this FFmpeg knows {protocol}")
    with pytest.raises(SourceError, match="this build of FFmpeg does not know its protocol"):
        open_source(f"{protocol}://127.0.0.1:9", _config(timeout_s=1))


def test_nobody_listens() -> None:
    server = rtsp([numbered(0)])
    server.kill()
    with pytest.raises(SourceError, match="Connection refused"):
        open_source(f"rtsp://{server.address}/", _config())


def test_closing_while_a_stream_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    server = http({"/": mjpeg_page(_pictures())})
    source = open_source(f"http://{server.address}/", _config(reconnect_s=3600))
    with Capture(source) as capture:
        assert next(iter(capture)).index >= 0
        server.kill()
        deadline_s = time.monotonic() + PATIENCE_S
        while "waiting since" not in caplog.text and time.monotonic() < deadline_s:
            time.sleep(0.01)
    assert "waiting since" in caplog.text
    assert not [each for each in threading.enumerate() if each.name == "capture"]


def test_closing_while_a_stream_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    def page(handler: HttpHandler) -> None:
        mjpeg_page(itertools.islice(_pictures(), 30))(handler)
        silent_page(handler)

    with http({"/": page}) as server:
        source = open_source(f"http://{server.address}/", _config(timeout_s=3))
        with Capture(source) as capture:
            indices = [next(iter(capture)).index]
            while indices[-1] < 29:
                indices.append(next(iter(capture)).index)
        # It was left while the read goes on.
        (reader,) = (each for each in threading.enumerate() if each.name == "reader")
        reader.join(PATIENCE_S)  # FFmpeg ends the read when its time is up
    assert not reader.is_alive()
    assert "does not return from a read: it is released when it does" in caplog.messages[0]
    assert len(caplog.messages) == 1


def _run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stream", "run", *arguments, "--no-show"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_no_secret_is_written_anywhere(tmp_path: Path) -> None:
    page = password_page(f"me:{_SECRET}", file_page(write_clip(tmp_path / "a.mp4", 8)))
    with http({"/a.mp4": page}) as server:
        uri = f"http://me:{_SECRET}@{server.address}/a.mp4"
        wanted = ("--log", "out.jsonl", "--save", "out.mp4", "--json-summary")
        done = _run(uri, *wanted, folder=tmp_path)
        refused = _run(uri.replace("me:", "you:"), "--debug", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    header = log_lines(tmp_path / "out.jsonl")[0]
    assert header["source"] == f"http://{server.address}/a.mp4"
    assert refused.returncode != 0
    assert "401 Unauthorized" in refused.stderr
    written = [path.read_bytes() for path in tmp_path.iterdir()]
    assert not [data for data in written if _SECRET.encode() in data]
    for said in (done.stdout, done.stderr, refused.stdout, refused.stderr):
        assert _SECRET not in said


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_ctrl_c_leaves_a_server_that_does_not_answer(tmp_path: Path) -> None:
    with http({"/": silent_page}) as server:
        command = [sys.executable, "-m", "stream", "run", f"http://{server.address}/", "--no-show"]
        program = subprocess.Popen(
            [*command, "--set", "source.timeout_s=300"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(_ROOT)},
            stderr=subprocess.PIPE,
        )
        with program:
            deadline_s = time.monotonic() + 60
            while not server.requests and time.monotonic() < deadline_s:
                time.sleep(0.05)
            program.send_signal(signal.SIGINT)
            _, said = program.communicate(timeout=60)
    assert program.returncode == 130, said
    assert b"Traceback" not in said
