"""Recorded video: every picture at its time, in its colours, with its sound, also after a kill."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from fakes import (
    SIZE_WH,
    Pulses,
    TamperedContainer,
    frame,
    number_of,
    numbered,
    pulses_s,
    times_s,
    track,
)

from models.faces import Image
from stream.drawing.overlay import Overlay
from stream.errors import SinkError
from stream.frames import SourceInfo
from stream.settings.schema import RecorderSection
from stream.sinks import AnnotatedFrame
from stream.sinks.video.recorder import Recorder
from stream.sinks.video.video_file import VideoFile
from stream.sources.video import VideoSource, open_container

ENDINGS = (".mp4", ".mov", ".mkv", ".webm")
_INFO = SourceInfo("numbers", "video", SIZE_WH, 25.0)
_FULL = Path("/dev/full")
_BEEP_S = 1.0


def _record(path: Path, times: Sequence[float], info: SourceInfo = _INFO) -> None:
    """Numbered pictures at these times."""
    with VideoFile(path, info, RecorderSection()) as video_file:
        for number, time_s in enumerate(times):
            video_file.add(numbered(number % 256, info.size_wh), time_s)


def _images(path: Path) -> list[Image]:
    source = VideoSource(path)
    try:
        return [each.image for each in source.frames()]
    finally:
        source.close()


def _annotated(number: int = 0) -> AnnotatedFrame:
    return AnnotatedFrame(frame(number), [track()], Overlay())


def _write_beep(path: Path, codec: str, layout: str = "stereo") -> None:
    """Two seconds of video, silent but for a tone from `_BEEP_S` on for 0.3 seconds."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height = SIZE_WH
        video.pix_fmt = "yuv420p"
        sound = container.add_stream(codec, rate=48_000, layout=layout)
        for number in range(50):
            picture = av.VideoFrame.from_ndarray(numbered(number), format="bgr24")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(video.encode(picture))
        clock = np.arange(96_000) / 48_000
        tone = np.sin(2 * np.pi * 440 * clock) * ((clock >= _BEEP_S) & (clock < _BEEP_S + 0.3))
        channels = sound.codec_context.layout.nb_channels
        samples = np.repeat((tone * 20_000).astype(np.int16), channels)[None]
        whole = av.AudioFrame.from_ndarray(samples, format="s16", layout=layout)
        whole.sample_rate, whole.pts, whole.time_base = 48_000, 0, Fraction(1, 48_000)
        container.mux(sound.encode(whole))
        for stream in (video, sound):
            container.mux(stream.encode(None))


def _beep_s(path: Path) -> tuple[float, float]:
    """From when to when there is sound, counted from the beginning of the file."""
    with av.open(str(path)) as container:
        start_s = (container.start_time or 0) / av.time_base
        resampler = av.AudioResampler("flt", "mono", 48_000)
        heard: list[float] = []
        for decoded in container.decode(container.streams.audio[0]):
            for part in resampler.resample(decoded):
                loud = np.flatnonzero(np.abs(part.to_ndarray()[0]) > 0.1)
                heard += (part.time - start_s + loud / 48_000).tolist()
        return min(heard), max(heard)


def _sound_packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        packets = container.demux(container.streams.audio[0])
        return [bytes(packet) for packet in packets if packet.size]


@pytest.mark.parametrize("ending", [*ENDINGS, ".MP4"])
@pytest.mark.parametrize("count", [1, 2, 60])
def test_every_picture_is_there_at_its_time(ending: str, count: int, tmp_path: Path) -> None:
    times = [index / 25 for index in range(count)]
    _record(tmp_path / f"out{ending}", times)
    assert times_s(tmp_path / f"out{ending}") == pytest.approx(times, abs=1e-3)
    assert [number_of(image) for image in _images(tmp_path / f"out{ending}")] == [*range(count)]


def test_a_rate_that_is_no_whole_number_does_not_drift(tmp_path: Path) -> None:
    rate = 30_000 / 1001
    times = [index / rate for index in range(300)]
    _record(tmp_path / "out.mp4", times, SourceInfo("numbers", "video", SIZE_WH, rate))
    assert times_s(tmp_path / "out.mp4") == pytest.approx(times, abs=1e-4)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].average_rate == Fraction(30_000, 1001)


@pytest.mark.parametrize("fps", [None, 0.001, 12.5, 1000.0])
def test_pictures_keep_their_own_times_whatever_the_rate(fps: float | None, tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.11, 0.5, 2.0, 2.01, 7.0, 30.0]
    _record(tmp_path / "out.mp4", times, SourceInfo("numbers", "video", SIZE_WH, fps))
    assert times_s(tmp_path / "out.mp4") == pytest.approx(times, abs=1e-4)


def test_pictures_of_one_time_or_of_an_earlier_one_are_all_kept(tmp_path: Path) -> None:
    _record(tmp_path / "out.mp4", [-0.1, 0.0, 0.2, 0.2, 0.1, 0.4])
    times = times_s(tmp_path / "out.mp4")
    assert len(times) == 6
    assert all(later > earlier for earlier, later in pairwise(times))
    assert times[-1] == pytest.approx(0.4, abs=1e-3)


@pytest.mark.parametrize("size_wh", [(1, 1), (2, 2), (95, 64), (96, 63), (95, 63)])
def test_odd_sizes_are_made_even(size_wh: tuple[int, int], tmp_path: Path) -> None:
    _record(tmp_path / "out.mp4", [0.0, 0.04], SourceInfo("numbers", "video", size_wh, 25.0))
    (image, _) = _images(tmp_path / "out.mp4")
    assert image.shape[1::-1] == tuple(side + side % 2 for side in size_wh)


def test_a_source_that_changes_its_size_is_fitted(tmp_path: Path) -> None:
    with VideoFile(tmp_path / "out.mp4", _INFO, RecorderSection()) as video_file:
        for number, size_wh in enumerate([SIZE_WH, (192, 128), (48, 100)]):
            video_file.add(numbered(number, size_wh), number / 25)
    images = _images(tmp_path / "out.mp4")
    assert [image.shape[1::-1] for image in images] == [SIZE_WH] * 3
    assert [number_of(image) for image in images] == [0, 1, 2]


def test_a_cameras_own_times_are_kept_and_the_first_picture_is_the_beginning(
    tmp_path: Path,
) -> None:
    info = SourceInfo("0", "camera", SIZE_WH, 30.0)
    captured = [3.2, 3.233, 3.5, 3.51, 5.0, 9.9, 13.1667]  # what was not taken in time is not there
    for ending in ENDINGS:
        path = tmp_path / f"out{ending}"
        _record(path, captured, info)
        expected = [each - captured[0] for each in captured]
        assert times_s(path) == pytest.approx(expected, abs=1e-3)
        with av.open(str(path)) as container:
            assert container.duration / av.time_base == pytest.approx(10.0, abs=0.002)


@pytest.mark.parametrize(
    "bgr", [(0, 0, 255), (0, 255, 0), (255, 0, 0), (30, 90, 200), (255, 255, 255), (0, 0, 0)]
)
def test_colours_come_back(bgr: tuple[int, int, int], tmp_path: Path) -> None:
    picture = np.full((64, 96, 3), bgr, dtype=np.uint8)
    with VideoFile(tmp_path / "out.mp4", _INFO, RecorderSection(quality=10)) as video_file:
        video_file.add(picture, 0.0)
    (image,) = _images(tmp_path / "out.mp4")
    assert np.abs(image.astype(int) - picture).max() <= 6


def test_recording_makes_nothing_darker(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    picture = np.ascontiguousarray(colours.repeat(16, axis=0).repeat(16, axis=1))
    with VideoFile(tmp_path / "out.mp4", _INFO, RecorderSection(quality=0)) as video_file:
        video_file.add(picture, 0.0)
    with av.open(str(tmp_path / "out.mp4")) as container:
        plane = next(container.decode(video=0)).planes[0]
    luma = np.frombuffer(plane, np.uint8).reshape(64, plane.line_size)[:, :96]
    exact = 16 + 219 * (picture @ np.array([0.0722, 0.7152, 0.2126])) / 255  # ITU-R BT.709
    assert abs((luma - exact).mean()) < 0.1


def test_players_are_told_how_to_read_it(tmp_path: Path) -> None:
    with VideoFile(tmp_path / "out.mp4", _INFO, RecorderSection()) as video_file:
        for index in range(80):
            video_file.add(
                numbered(0), index / 25
            )  # no change of scene, which would be a keyframe too
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1)
        packets = [packet for packet in container.demux(stream) if packet.size]
    keyframes = [packet.pts for packet in packets if packet.is_keyframe]
    assert keyframes[0] == 0
    assert all(0 < later - sooner <= 90_000 for sooner, later in pairwise([*keyframes, 80 * 3600]))
    assert all(packet.pts == packet.dts for packet in packets)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    ("name", "codec", "copied"),
    [
        ("beep.mp4", "aac", (".mp4", ".mov", ".mkv")),
        ("beep.ts", "aac", ()),  # its clock starts at 1.4 s, and its packets are dressed otherwise
        ("beep.mkv", "libopus", (".mp4", ".mkv", ".webm")),
        ("beep.mkv", "pcm_s16le", (".mkv",)),
        ("beep.mov", "pcm_mulaw", (".mov",)),
    ],
)
def test_sound_is_kept_beside_the_pictures(
    name: str, codec: str, copied: Sequence[str], ending: str, tmp_path: Path
) -> None:
    source, out = tmp_path / name, tmp_path / f"out{ending}"
    _write_beep(source, codec)
    video = VideoSource(source)
    with VideoFile(out, video.info, RecorderSection()) as video_file:
        for each in video.frames():
            video_file.add(each.image, each.time_s)
    video.close()
    # What a lossy codec does around the edges of a tone is up to it.
    assert _beep_s(out) == pytest.approx((_BEEP_S, _BEEP_S + 0.3), abs=0.05)
    # In Matroska no time is negative: if the codec's lead-in is, everything is moved by as much.
    moved_s = times_s(out)[0] - times_s(source)[0] if ending in (".mkv", ".webm") else 0.0
    assert -1e-3 < moved_s < 0.03
    expected = [time_s + moved_s for time_s in times_s(source)]
    assert times_s(out) == pytest.approx(expected, abs=2e-3)
    if ending in copied:
        assert _sound_packets(out) == _sound_packets(source)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    ("name", "codec"), [("beep.mp4", "aac"), ("beep.ts", "aac"), ("beep.mov", "pcm_mulaw")]
)
def test_a_part_of_a_video_begins_at_nought_and_so_does_its_sound(
    name: str, codec: str, ending: str, tmp_path: Path
) -> None:
    _write_beep(tmp_path / name, codec)
    out = tmp_path / f"out{ending}"
    video = VideoSource(tmp_path / name)
    part = [each for each in video.frames() if 0.6 <= each.time_s < 1.6]
    with VideoFile(out, replace(video.info, start_s=0.6), RecorderSection()) as video_file:
        for each in part:
            video_file.add(each.image, each.time_s)
    video.close()
    times = times_s(out)
    assert len(times) == 25
    assert times == pytest.approx([index / 25 for index in range(25)], abs=0.03)
    assert _beep_s(out) == pytest.approx((_BEEP_S - 0.6, _BEEP_S - 0.3), abs=0.05)


@pytest.mark.parametrize(("clip", "count"), [("hamilton.mp4", 275)])
def test_the_sound_of_a_real_clip_is_copied(
    clip: str, count: int, shared_data: Path, tmp_path: Path
) -> None:
    source, out = shared_data / "clips" / clip, tmp_path / "out.mp4"
    video = VideoSource(source)
    with VideoFile(out, video.info, RecorderSection(preset="ultrafast", quality=40)) as video_file:
        for each in video.frames():
            video_file.add(each.image, each.time_s)
    video.close()
    assert times_s(out) == pytest.approx(times_s(source), abs=1e-4)
    assert len(times_s(out)) == count
    packets = _sound_packets(out)
    assert packets == _sound_packets(source)[: len(packets)]
    with av.open(str(source)) as before, av.open(str(out)) as after:
        assert after.duration / av.time_base == pytest.approx(
            before.duration / av.time_base, abs=0.1
        )
        assert after.streams.audio[0].rate == before.streams.audio[0].rate


def test_sound_that_is_encoded_anew_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _write_beep(tmp_path / "beep.mp4", "aac")
    again = partial(open_container, tmp_path / "beep.mp4")
    info = SourceInfo("beep.mp4", "video", SIZE_WH, 25.0, has_audio=True, reopen=again)
    _record(tmp_path / "out.webm", [0.0, 0.04, 1.0], info)
    said = "the sound is AAC, which .webm cannot hold: recorded as Opus"
    assert caplog.messages == [said]
    with av.open(str(tmp_path / "out.webm")) as container:
        assert container.streams.audio[0].codec_context.name == "opus"


def test_damaged_sound_ends_alone_and_the_pictures_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _write_beep(tmp_path / "beep.mp4", "aac")
    damage = av.error.InvalidDataError(1094995529, "Invalid data found when processing input")
    again = partial(TamperedContainer, tmp_path / "beep.mp4", [(30, damage)])
    info = SourceInfo("beep.mp4", "video", SIZE_WH, 25.0, has_audio=True, reopen=again)
    _record(tmp_path / "out.mp4", [index / 25 for index in range(50)], info)
    assert len(times_s(tmp_path / "out.mp4")) == 50
    assert len(_sound_packets(tmp_path / "out.mp4")) == 30
    said = "the sound ends here, it is damaged: Invalid data found when processing input"
    assert caplog.messages == [said]


@pytest.mark.parametrize(("ending", "copied"), [("mkv", True), ("webm", False)])
def test_sound_whose_times_go_back_stays_whole(
    ending: str, copied: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clip = Pulses(seconds=1.0).write(tmp_path / "a.mkv", "libx264", "aac")
    tape = tmp_path / "joined.mkv"
    tape.write_bytes(clip.read_bytes() * 2)
    video = VideoSource(tape)
    with VideoFile(tmp_path / f"out.{ending}", video.info, RecorderSection()) as video_file:
        for each in video.frames():
            video_file.add(each.image, each.time_s)
    video.close()
    lights, tones = pulses_s(tmp_path / f"out.{ending}")
    assert len(tones) == len(lights) == 4
    assert tones == pytest.approx(lights, abs=0.04)
    assert len(caplog.messages) == (not copied)


def test_sound_after_the_last_picture_is_kept_where_the_source_has_ended(tmp_path: Path) -> None:
    _write_beep(tmp_path / "beep.mp4", "aac")
    again = partial(open_container, tmp_path / "beep.mp4")
    info = SourceInfo("beep.mp4", "video", SIZE_WH, 25.0, has_audio=True, reopen=again)
    _record(tmp_path / "part.mp4", [0.0, 0.04], info)
    assert len(_sound_packets(tmp_path / "part.mp4")) < 10
    info.ended.set()
    _record(tmp_path / "whole.mp4", [0.0, 0.04], info)
    assert _sound_packets(tmp_path / "whole.mp4") == _sound_packets(tmp_path / "beep.mp4")


def test_more_channels_than_an_encoder_takes_are_recorded_in_stereo(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _write_beep(tmp_path / "beep.mkv", "pcm_s16le", "7.1")
    again = partial(open_container, tmp_path / "beep.mkv")
    info = SourceInfo("beep.mkv", "video", SIZE_WH, 25.0, has_audio=True, reopen=again)
    _record(tmp_path / "out.mp4", [index / 25 for index in range(50)], info)
    said = "the sound is pcm_s16le, which .mp4 cannot hold: recorded as AAC in stereo"
    assert caplog.messages == [said]
    assert _beep_s(tmp_path / "out.mp4") == pytest.approx((_BEEP_S, _BEEP_S + 0.3), abs=0.05)


def test_a_file_says_what_it_is(tmp_path: Path) -> None:
    for ending in ENDINGS:
        _record(tmp_path / f"out{ending}", [0.0], SourceInfo("in/clip.mp4", "video", SIZE_WH))
        with av.open(str(tmp_path / f"out{ending}")) as container:
            tags = {name.lower(): value for name, value in container.metadata.items()}
        assert tags["title"] == "clip.mp4, annotated"
        assert "perceived" in tags["comment"]


def test_sound_can_be_left_out(tmp_path: Path) -> None:
    _write_beep(tmp_path / "beep.mp4", "aac")
    info = SourceInfo(str(tmp_path / "beep.mp4"), "video", SIZE_WH, 25.0, has_audio=True)
    with VideoFile(tmp_path / "out.mp4", info, RecorderSection(sound=False)) as video_file:
        video_file.add(numbered(0), 0.0)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio


def test_a_source_that_is_gone_is_recorded_without_sound(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    again = partial(open_container, tmp_path / "gone.mp4")
    for reopen, reason in ((again, "No such file"), (None, "can be read only once")):
        info = SourceInfo("gone.mp4", "video", SIZE_WH, 25.0, has_audio=True, reopen=reopen)
        _record(tmp_path / "out.mp4", [0.0, 0.04], info)
        assert len(times_s(tmp_path / "out.mp4")) == 2
        assert "recorded without sound: " in caplog.text
        assert reason in caplog.messages[-1]


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("ending", ENDINGS)
def test_the_final_name_is_for_what_is_complete(
    ending: str, complete: bool, tmp_path: Path
) -> None:
    recorder = Recorder(tmp_path / f"out{ending}", _INFO, RecorderSection())
    for number in range(10):
        recorder.write(_annotated(number))
    assert not recorder.output.exists()
    recorder.close(complete=complete)
    (left,) = tmp_path.iterdir()
    assert left.name == (f"out{ending}" if complete else f"out.part{ending}")
    assert len(times_s(left)) == 10


def test_an_old_file_stands_until_the_new_one_is_complete(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_text("precious")
    recorder = Recorder(tmp_path / "out.mp4", _INFO, RecorderSection())
    recorder.write(_annotated())
    assert (tmp_path / "out.mp4").read_text() == "precious"
    recorder.close(complete=True)
    assert len(times_s(tmp_path / "out.mp4")) == 1


def test_the_annotated_picture_is_what_is_recorded(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4", _INFO, RecorderSection(quality=5))
    annotated = _annotated(0b10101010)
    recorder.write(annotated)
    recorder.close(complete=True)
    (image,) = _images(tmp_path / "out.mp4")
    drawn = (annotated.picture != annotated.frame.image).any(axis=2)
    assert np.abs(image.astype(int) - annotated.picture).mean() < 4
    assert np.abs(image.astype(int) - annotated.picture)[drawn].mean() < 25
    assert np.abs(image.astype(int) - annotated.frame.image)[drawn].mean() > 60


@pytest.mark.skipif(not _FULL.exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_full_disk_is_named_and_nobody_waits(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"out.part{ending}").symlink_to(_FULL)
    recorder = Recorder(tmp_path / f"out{ending}", _INFO, RecorderSection())
    said: list[str] = []
    try:
        for number in range(500):
            recorder.write(_annotated(number % 256))
    except SinkError as error:
        said.append(str(error))
    try:
        recorder.close(complete=not said)
    except SinkError as error:
        said.append(str(error))
    assert said == ["No space left on device"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("limit", [14_700, 14_850, 14_900, 15_000])
@pytest.mark.parametrize("ending", ENDINGS)
def test_what_could_be_written_is_named_and_plays(ending: str, limit: int, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="file sizes cannot be limited here")
    recorder = Recorder(tmp_path / f"out{ending}", _INFO, RecorderSection())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limits[1]))
    try:
        with pytest.raises(SinkError, match=rf"what was written stands in out\.part\{ending}"):
            for number in range(1000):
                recorder.write(_annotated(number % 256))
        recorder.close(complete=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert 0 < recorder.partial_path.stat().st_size <= limit
    assert len(_images(recorder.partial_path)) > 5


@pytest.mark.parametrize("place", ["none/out.mp4", "file/out.mp4"])
def test_a_place_that_cannot_be_written(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="cannot be made: "):
        Recorder(tmp_path / place, _INFO, RecorderSection())


_SCRIPT = """
import sys
from pathlib import Path
from fakes import SIZE_WH, frame
from stream.settings.schema import RecorderSection
from stream.frames import SourceInfo
from stream.drawing.overlay import Overlay
from stream.sinks import AnnotatedFrame
from stream.sinks.video.recorder import Recorder

fps = float(sys.argv[2])
info = SourceInfo("numbers", "video", SIZE_WH, fps)
recorder = Recorder(Path(sys.argv[1]), info, RecorderSection())
for number in range(10_000):
    recorder.write(AnnotatedFrame(frame(number, fps=fps), [], Overlay()))
    print(number, flush=True)
"""


@pytest.mark.parametrize(("fps", "kill_after"), [(25.0, 150), (10.0, 80), (2.0, 21), (0.5, 9)])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_kill_costs_a_second_and_a_frame_at_most(
    ending: str, fps: float, kill_after: int, tmp_path: Path
) -> None:
    script = subprocess.Popen(
        [sys.executable, "-c", _SCRIPT, str(tmp_path / f"out{ending}"), str(fps)],
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        text=True,
    )
    written = 0
    try:
        assert script.stdout is not None
        for line in script.stdout:
            if int(line) == kill_after:
                break
    finally:
        script.kill()
        written = 1 + int((script.communicate()[0] or f"{kill_after}").split()[-1])
    (left,) = tmp_path.iterdir()
    assert left.name == f"out.part{ending}"
    numbers = [number_of(image) for image in _images(left)]
    assert (written - len(numbers)) / fps <= 1 + 1 / fps
    assert numbers == [number % 256 for number in range(len(numbers))]


@pytest.mark.parametrize("ending", ENDINGS)
def test_pictures_do_not_wait_for_sound_that_has_ended(ending: str, tmp_path: Path) -> None:
    sound = tmp_path / "sound.mkv"
    _write_beep(sound, "libopus")
    info = SourceInfo(
        "numbers", "video", SIZE_WH, 25.0, has_audio=True, reopen=lambda: av.open(str(sound))
    )
    with VideoFile(tmp_path / f"out{ending}", info, RecorderSection(preset="ultrafast")) as video:
        for number in range(200):
            video.add(numbered(number), number / 25)
        assert len(times_s(tmp_path / f"out{ending}")) >= 174  # as a kill would leave it


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_on_the_disk_can_be_played_from_the_first_moment(
    ending: str, tmp_path: Path
) -> None:
    out = tmp_path / f"out{ending}"
    seen = []
    with VideoFile(out, _INFO, RecorderSection(preset="ultrafast")) as video:
        for number in range(30):
            video.add(numbered(number), number / 25)
            seen.append(len(times_s(out)) if out.exists() else 0)
    assert all(number - count <= 8 for number, count in enumerate(seen))
    assert seen == sorted(seen)
    assert len(times_s(out)) == 30


_INTERRUPTED = """
import itertools, sys, time
from pathlib import Path
from fakes import SIZE_WH, numbered
from stream.settings.schema import RecorderSection
from stream.frames import Frame, SourceInfo
from stream.drawing.overlay import Overlay
from stream.sinks import AnnotatedFrame
from stream.sinks.video.recorder import Recorder

info = SourceInfo("numbers", "video", SIZE_WH, 25.0)
annotated = AnnotatedFrame(Frame(numbered(0), 0, 0.0, 0.0), [], Overlay())
annotated.picture

def interrupt_at(step):
    def trace(frame, event, argument):
        nonlocal step
        step -= 1
        if not step:
            raise KeyboardInterrupt
        return trace
    return trace

for step in itertools.count(1):
    recorder = Recorder(Path(sys.argv[1]), info, RecorderSection(preset="ultrafast"))
    time.sleep(0.005)  # the encoder goes to sleep over its empty queue
    sys.settrace(interrupt_at(step))
    try:
        recorder.write(annotated)
    except KeyboardInterrupt:
        time.sleep(0.01)  # it may have woken, and sleeps again
        recorder.close(complete=True)
    else:
        break
    finally:
        sys.settrace(None)
recorder.close(complete=True)
print(step)
"""


def test_ctrl_c_between_any_two_steps_ends_it(tmp_path: Path) -> None:
    script = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED, str(tmp_path / "out.mp4")],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert script.stderr == ""
    assert int(script.stdout) > 5
