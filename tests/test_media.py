"""How media are opened: names that are not UTF-8, and streams that have no times."""

import os
import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fakes import SIZE_WH, fifo, log_lines, number_of, numbered, times_s, write_clip
from servers import file_page, http

from models.faces import Image
from stream.frames import Frame, SourceInfo
from stream.settings import Config
from stream.settings.schema import RecorderSection
from stream.sinks.video.video_file import VideoFile
from stream.sources import open_source

_HZ = 48_000
_MARK = "Caf\u00e9"
_LATIN = b"Caf\xe9\xff"  # as long as the mark is in UTF-8


def _named(path: Path) -> Path:
    """Ten pictures and some sound, whose every tag, title, chapter and handler is not UTF-8."""
    with av.open(str(path), "w", options={"movflags": "+use_metadata_tags"}) as container:
        container.metadata.update(title=_MARK, artist=_MARK, comment=_MARK)
        container.set_chapters(
            [
                {
                    "id": 1,
                    "start": 0,
                    "end": 400,
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": _MARK},
                }
            ]
        )
        video = container.add_stream("libx264", rate=25)
        video.width, video.height = SIZE_WH
        video.pix_fmt = "yuv420p"
        second = container.add_stream("libx264", rate=25)
        second.width, second.height = SIZE_WH
        second.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=_HZ, layout="mono")
        for stream in (video, second, sound):
            stream.metadata.update(title=_MARK, handler_name=_MARK)
        for number in range(10):
            for stream in (video, second):
                picture = av.VideoFrame.from_ndarray(numbered(number), format="bgr24")
                picture.pts, picture.time_base = number, Fraction(1, 25)
                container.mux(stream.encode(picture))
        whole = av.AudioFrame.from_ndarray(
            np.zeros((1, _HZ // 2), np.int16), format="s16", layout="mono"
        )
        whole.sample_rate, whole.pts, whole.time_base = _HZ, 0, Fraction(1, _HZ)
        container.mux(sound.encode(whole))
        for stream in (video, second, sound):
            container.mux(stream.encode(None))
    data = path.read_bytes()
    assert _MARK.encode() in data
    path.write_bytes(data.replace(_MARK.encode(), _LATIN))
    with pytest.raises(UnicodeDecodeError):
        av.open(str(path))
    return path


def _recorded(uri: str, out: Path) -> list[Frame]:
    """The frames of a source, which are recorded too."""
    source = open_source(uri)
    try:
        frames = list(source.frames())
        with VideoFile(out, source.info, RecorderSection(preset="ultrafast")) as video:
            for frame in frames:
                video.add(frame.image, frame.time_s)
        return frames
    finally:
        source.close()


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "avi"])
@pytest.mark.parametrize("way", ["file", "http", "pipe"])
def test_names_may_be_anything(
    way: str, ending: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = _named(tmp_path / f"a.{ending}")
    if way == "file":
        frames = _recorded(str(path), tmp_path / "out.mp4")
    elif way == "http":
        with http({f"/a.{ending}": file_page(path)}) as server:
            frames = _recorded(f"http://{server.address}/a.{ending}", tmp_path / "out.mp4")
    else:
        with fifo(tmp_path / "pipe", path.read_bytes()) as pipe:
            frames = _recorded(str(pipe), tmp_path / "out.mp4")
    assert [number_of(frame.image) for frame in frames] == list(range(10))
    assert len(times_s(tmp_path / "out.mp4")) == 10
    if ending == "mkv":
        assert r"number 1 (Caf\xe9\xff) is taken" in caplog.text
    caplog.clear()


@pytest.mark.parametrize("name", ["caf\udce9.mp4", "Caf\u00e9.mp4"])
def test_a_source_whose_name_is_not_text_is_recorded(name: str, tmp_path: Path) -> None:
    info = SourceInfo(f"in/{name}", "video", SIZE_WH, 25.0)
    with VideoFile(tmp_path / "out.mp4", info, RecorderSection()) as video:
        video.add(numbered(1), 0.0)
    with av.open(str(tmp_path / "out.mp4")) as container:
        shown = name.replace("\udce9", r"\udce9")
        assert container.metadata["title"] == f"{shown}, annotated"


@pytest.mark.parametrize("utf8_mode", ["0", "1"])
@pytest.mark.parametrize("name", [b"caf\xe9.mp4", "Caf\u00e9.mp4".encode()])
def test_a_program_without_a_locale_records_any_name(
    name: bytes, utf8_mode: str, tmp_path: Path
) -> None:
    clip = os.fsencode(tmp_path) + b"/" + name
    write_clip(tmp_path / "clip.mp4", 4)
    os.rename(os.fsencode(tmp_path / "clip.mp4"), clip)
    out = clip[: -len(".mp4")] + b".out"
    outputs = [b"--save", out + b".mp4", b"--log", out + b".jsonl"]
    done = subprocess.run(
        [sys.executable, "-m", "stream", "run", clip, "--no-show", *outputs],
        env=os.environ | {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": utf8_mode},
        cwd=Path(__file__).parents[1],
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert len(times_s(Path(os.fsdecode(out + b".mp4")))) == 4
    assert len(log_lines(Path(os.fsdecode(out + b".jsonl")))) == 5


def _bare(path: Path, codec: str, rate: int, pictures: Sequence[Image] | None = None) -> Path:
    """A bare stream: nothing but coded pictures."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = SIZE_WH
        stream.pix_fmt = "yuv420p"
        if codec == "libx265":
            stream.options = {"x265-params": "log-level=none"}
        for index, picture in enumerate(pictures or [numbered(number) for number in range(20)]):
            whole = av.VideoFrame.from_ndarray(picture, format="bgr24")
            whole.pts, whole.time_base = index, Fraction(1, rate)
            container.mux(stream.encode(whole))
        container.mux(stream.encode(None))
    return path


def _rate_and_times(uri: str, config: Config | None = None) -> tuple[float | None, list[float]]:
    source = open_source(uri, config)
    try:
        return source.info.fps, [frame.time_s for frame in source.frames()]
    finally:
        source.close()


@pytest.mark.parametrize(
    ("ending", "codec"), [("h264", "libx264"), ("hevc", "libx265"), ("m2v", "mpeg2video")]
)
@pytest.mark.parametrize("rate", [25, 30, 50])
@pytest.mark.parametrize("is_piped", [False, True])
def test_a_bare_stream_has_the_rate_it_states(
    ending: str, codec: str, rate: int, is_piped: bool, tmp_path: Path
) -> None:
    path = _bare(tmp_path / f"a.{ending}", codec, rate)
    if is_piped:
        with fifo(tmp_path / "pipe", path.read_bytes()) as pipe:
            fps, times = _rate_and_times(str(pipe))
    else:
        fps, times = _rate_and_times(str(path))
    assert fps == rate
    assert times[0] <= 1 / rate  # FFmpeg gives MPEG-2 the time at which a picture was decoded
    assert [time_s - times[0] for time_s in times] == pytest.approx(
        [index / rate for index in range(20)]
    )


@pytest.mark.parametrize(("ending", "codec"), [("h264", "libx264"), ("m2v", "mpeg2video")])
@pytest.mark.parametrize("is_piped", [False, True])
@pytest.mark.parametrize("rate", [10.0, 25.0])
def test_the_rate_of_a_bare_stream_can_be_set(
    ending: str, codec: str, rate: float, is_piped: bool, tmp_path: Path
) -> None:
    path = _bare(tmp_path / f"a.{ending}", codec, 30)
    config = Config.model_validate({"source": {"raw": {"fps": rate}}})
    if is_piped:
        with fifo(tmp_path / "pipe", path.read_bytes()) as pipe:
            fps, times = _rate_and_times(str(pipe), config)
    else:
        fps, times = _rate_and_times(str(path), config)
    assert fps == rate
    assert times == pytest.approx([index / rate for index in range(20)])


def test_that_rate_is_for_streams_without_times(tmp_path: Path) -> None:
    path = _bare(tmp_path / "a.mkv", "libx264", 30)
    fps, times = _rate_and_times(
        str(path), Config.model_validate({"source": {"raw": {"fps": 10.0}}})
    )
    assert fps == 30
    assert times[-1] == pytest.approx(19 / 30, abs=1e-3)
