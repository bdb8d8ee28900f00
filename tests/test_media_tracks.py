"""Which video and which sound track is taken, and what is said of it."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition
from fakes import SIZE_WH, number_of, numbered

from stream.errors import ConfigError, SourceError
from stream.settings import Config, load_config
from stream.settings.schema import RecorderSection
from stream.sinks.video.video_file import VideoFile
from stream.sources import open_source

_HZ = 48_000
_PITCHES_HZ = (440, 1000, 2000)  # of the first, second and third sound track
_NONE = Disposition(0)
_DEFAULT = Disposition.default


def _write(
    path: Path,
    videos: Sequence[Disposition] = (_DEFAULT,),
    sounds: Sequence[Disposition] = (),
    titles: Sequence[str] = (),
) -> Path:
    """Half a second of tracks; a video's pictures have its number, a sound has a pitch of its own.

    Args:
        path: the file.
        videos, sounds: the disposition of each.
        titles: of all tracks.
    """
    with av.open(str(path), "w") as container:
        streams = []
        for disposition in videos:
            video = container.add_stream("libx264", rate=25)
            video.width, video.height = SIZE_WH
            video.pix_fmt = "yuv420p"
            video.disposition = disposition
            streams.append(video)
        for disposition in sounds:
            sound = container.add_stream("aac", rate=_HZ, layout="mono")
            sound.disposition = disposition
            streams.append(sound)
        for stream, title in zip(streams, titles, strict=False):
            stream.metadata["title"] = title
        for number, stream in enumerate(streams[: len(videos)], start=1):
            for index in range(12):
                picture = av.VideoFrame.from_ndarray(numbered(number), format="bgr24")
                picture.pts, picture.time_base = index, Fraction(1, 25)
                container.mux(stream.encode(picture))
        clock = np.arange(_HZ // 2) / _HZ
        for pitch_hz, stream in zip(_PITCHES_HZ, streams[len(videos) :], strict=False):
            tone = (np.sin(2 * np.pi * pitch_hz * clock) * 20_000).astype(np.int16)
            whole = av.AudioFrame.from_ndarray(tone[None], format="s16", layout="mono")
            whole.sample_rate, whole.pts, whole.time_base = _HZ, 0, Fraction(1, _HZ)
            container.mux(stream.encode(whole))
        for stream in streams:
            container.mux(stream.encode(None))
    return path


def _make_unknown(path: Path, code: bytes, unknown: bytes = b"zzzz") -> None:
    """Gives the first track of an MP4 that has a codec another, which nobody knows."""
    data = path.read_bytes()
    start = data.index(code, data.index(b"stsd"))
    data = data[:start] + unknown + data[start + 4 :]
    if (start := data.find(b"esds", start, start + 60)) > 0:  # it names the codec too
        data = data[:start] + b"free" + data[start + 4 :]
    path.write_bytes(data)


def _config(**source: int) -> Config:
    return Config.model_validate({"source": source})


def _first_number(path: Path, config: Config | None = None) -> int:
    source = open_source(str(path), config)
    try:
        return number_of(next(source.frames()).image)
    finally:
        source.close()


def _record(source_path: Path, out: Path, config: Config | None = None) -> None:
    source = open_source(str(source_path), config)
    try:
        with VideoFile(out, source.info, RecorderSection(preset="ultrafast")) as video:
            for frame in source.frames():
                video.add(frame.image, frame.time_s)
    finally:
        source.close()


def _pitch_hz(path: Path) -> float:
    with av.open(str(path)) as container:
        (track,) = container.streams.audio
        resampler = av.AudioResampler("flt", "mono", _HZ)
        parts = [part for each in container.decode(track) for part in resampler.resample(each)]
    samples = np.concatenate([part.to_ndarray()[0] for part in parts])
    spectrum = np.abs(np.fft.rfft(samples))
    return float(spectrum.argmax() * _HZ / len(samples))


@pytest.mark.parametrize(
    ("dispositions", "taken"),
    [
        ((_NONE, _DEFAULT), 2),
        ((_DEFAULT, _NONE), 1),
        ((_DEFAULT, _DEFAULT), 1),
        ((_NONE, _NONE), 1),
        ((_NONE, _NONE, _DEFAULT), 3),
    ],
)
def test_the_default_video_is_taken_and_that_is_said_once(
    dispositions: Sequence[Disposition],
    taken: int,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = _write(tmp_path / "a.mkv", dispositions)
    assert _first_number(path) == taken
    assert caplog.messages == [
        f"{path} has {len(dispositions)} video tracks: number {taken} is taken; "
        "source.video_track chooses another"
    ]


def test_a_video_can_be_chosen_and_then_nothing_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = _write(tmp_path / "a.mkv", (_NONE, _DEFAULT, _NONE))
    assert [_first_number(path, _config(video_track=number)) for number in (1, 2, 3)] == [1, 2, 3]
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("sounds", "taken"), [((_NONE, _DEFAULT), 2), ((_DEFAULT, _NONE), 1), ((_NONE, _NONE), 1)]
)
@pytest.mark.parametrize("ending", ["mp4", "webm"])
def test_the_default_sound_is_recorded_and_that_is_said(
    sounds: Sequence[Disposition],
    taken: int,
    ending: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = _write(tmp_path / "a.mkv", sounds=sounds)
    _record(path, tmp_path / f"out.{ending}")
    assert _pitch_hz(tmp_path / f"out.{ending}") == pytest.approx(_PITCHES_HZ[taken - 1], abs=30)
    said = f"{path} has 2 sound tracks: number {taken} is taken; source.sound_track chooses another"
    assert caplog.messages[0] == said


def test_a_sound_can_be_chosen(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = _write(tmp_path / "a.mkv", sounds=(_NONE, _DEFAULT))
    _record(path, tmp_path / "out.mp4", _config(sound_track=1))
    assert _pitch_hz(tmp_path / "out.mp4") == pytest.approx(_PITCHES_HZ[0], abs=30)
    assert caplog.messages == []


def test_language_and_title_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = _write(tmp_path / "a.mkv", (_NONE, _DEFAULT), titles=("yard", "the door"))
    _first_number(path)
    assert "number 2 (the door) is taken" in caplog.text


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"video_track": 3}, "source.video_track = 3: .*a.mkv has 2 video tracks"),
        ({"sound_track": 2}, "source.sound_track = 2: .*a.mkv has 1 sound track$"),
    ],
)
def test_a_track_that_is_not_there_is_one_line(
    source: dict[str, int], said: str, tmp_path: Path
) -> None:
    path = _write(tmp_path / "a.mkv", (_DEFAULT, _DEFAULT), (_DEFAULT,))
    with pytest.raises(SourceError, match=said):
        open_source(str(path), _config(**source))


def test_a_file_without_sound_has_no_sound_to_choose(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.mkv")
    with pytest.raises(SourceError, match=r"a\.mkv has no sound tracks$"):
        open_source(str(path), _config(sound_track=1))


@pytest.mark.parametrize("number", [0, -1, '"first"'])
def test_tracks_are_counted_from_one(number: object, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"source\.video_track"):
        load_config(None, [f"source.video_track={number}"], folder=tmp_path)


def _with_cover(path: Path, out: Path) -> Path:
    """The tracks of a file, with a cover before them."""
    with av.open(str(path)) as whole, av.open(str(out), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height = SIZE_WH
        cover.pix_fmt = "yuvj420p"
        cover.disposition = Disposition.attached_pic
        streams = [container.add_stream_from_template(each) for each in whole.streams]
        picture = av.Packet(cv2.imencode(".jpg", numbered(99))[1].tobytes())
        picture.stream, picture.pts, picture.dts = cover, 0, 0
        picture.is_keyframe = True
        container.mux(picture)
        for packet in whole.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                container.mux(packet)
    return out


@pytest.mark.parametrize("videos", [1, 0])
def test_an_attached_picture_is_no_video(
    videos: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = _write(tmp_path / "a.mp4", (_DEFAULT,) * videos, (_DEFAULT,))
    path = _with_cover(path, tmp_path / "b.mp4")
    with av.open(str(path)) as container:
        assert len(container.streams.video) == videos + 1
    if videos:
        assert _first_number(path) == 1
        assert caplog.messages == []
        with pytest.raises(SourceError, match=r"has 1 video track$"):
            open_source(str(path), _config(video_track=2))
    else:
        with pytest.raises(SourceError, match="has no pictures in it"):
            open_source(str(path))


def test_a_video_that_cannot_be_decoded_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = _write(tmp_path / "a.mp4", (_DEFAULT, _NONE))
    _make_unknown(path, b"avc1")
    assert _first_number(path) == 2
    assert "has 2 video tracks: number 2 is taken" in caplog.text
    with pytest.raises(SourceError, match=r"the video of .* is in a format that cannot be decoded"):
        open_source(str(path), _config(video_track=1))


@pytest.mark.parametrize("code", [b"zzzz", b"apac", b"ac-4"])
def test_sound_that_cannot_be_decoded_is_passed_over(
    code: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = _write(tmp_path / "a.mp4", sounds=(_DEFAULT, _NONE))
    _make_unknown(path, b"mp4a", code)
    _record(path, tmp_path / "out.mp4")
    assert _pitch_hz(tmp_path / "out.mp4") == pytest.approx(_PITCHES_HZ[1], abs=30)
    assert caplog.messages == [
        f"{path} has 2 sound tracks: number 2 is taken; source.sound_track chooses another"
    ]


def test_where_no_sound_can_be_decoded_the_pictures_are_recorded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = _write(tmp_path / "a.mp4", sounds=(_DEFAULT, _NONE))
    for _ in range(2):
        _make_unknown(path, b"mp4a")
    _record(path, tmp_path / "out.mp4")
    assert _first_number(tmp_path / "out.mp4") == 1
    (said,) = caplog.messages
    assert said.startswith("recorded without sound: the sound of ")
    assert said.endswith("is in a format that cannot be decoded here")
