"""Recordings of what a decoder gave: drawn on as it is, and converted where faces are blurred."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from fakes import CORNERS, SIZE_WH, encode, fan_out, label, numbered, track
from numpy.typing import NDArray

from models.faces import Image
from stream.coded import BT709, Colours
from stream.controls import Controls
from stream.drawing.canvas import Canvas
from stream.drawing.overlay import Overlay
from stream.drawing.planes import Planes
from stream.frames import Frame, SourceInfo
from stream.people import Person
from stream.settings.schema import CodecName, OverlaySection, RecorderSection
from stream.sinks import AnnotatedFrame
from stream.sinks.video.codecs import CODECS
from stream.sinks.video.recorder import Recorder
from stream.sinks.video.video_file import VideoFile
from stream.sources.video import VideoSource

_EXACT = RecorderSection(quality=0)  # H.264 loses nothing then
_SAID = {"gender": label("Female", 0.97), "race": label(None, 0.31)}
_UNSAID = Colours(2, 0, 2, 2)
_FULL_601 = Colours(5, 2, 5, 6)
_WIDE = Colours(9, 1, 9, 14)


def _clip(path: Path, colours: Colours, size_wh: tuple[int, int] = (320, 180)) -> Path:
    """Five coded pictures of noise, which say that their colours are these."""
    random = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "0"})
        stream.width, stream.height = size_wh
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.colorspace, context.color_range = colours.matrix, colours.range
        context.color_primaries, context.color_trc = colours.primaries, colours.transfer
        for index in range(5):
            frame = av.VideoFrame(*size_wh, "yuv420p")
            planes = Planes.of(frame)
            for plane in (planes.luma, planes.cb, planes.cr):
                coarse = random.integers(60, 196, tuple(-(-side // 8) for side in plane.shape))
                smooth = coarse.repeat(8, axis=0).repeat(8, axis=1)
                plane[:] = smooth[: plane.shape[0], : plane.shape[1]]
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _frames(path: Path) -> list[Frame]:
    source = VideoSource(path)
    try:
        return list(source.frames())
    finally:
        source.close()


def _info(frame: Frame) -> SourceInfo:
    return SourceInfo("clip", "video", frame.size_wh, 25.0)


def _record(
    path: Path, frames: Sequence[AnnotatedFrame], settings: RecorderSection = _EXACT
) -> Path:
    recorder = Recorder(path, _info(frames[0].frame), settings)
    for each in frames:
        recorder.write(each)
    recorder.close(complete=True)
    return path


def _decoded(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def _planes(path: Path) -> Iterator[tuple[np.ndarray, ...]]:
    for frame in _decoded(path):
        planes = Planes.of(frame)
        yield planes.luma, planes.cb, planes.cr


def _annotated(frame: Frame) -> AnnotatedFrame:
    """With a track that has labels, and one at the edge that has none."""
    size = np.tile(frame.size_wh, 2)
    tracks = [
        track(1, (size * [0.3, 0.4, 0.5, 0.75]).tolist(), _SAID),
        track(2, (size * [0.9, 0.8, 1.1, 1.1]).tolist()),
    ]
    return AnnotatedFrame(frame, tracks, Overlay())


@pytest.mark.parametrize("colours", [BT709, _UNSAID, _FULL_601, _WIDE])
def test_what_is_not_drawn_over_is_kept_to_the_bit(colours: Colours, tmp_path: Path) -> None:
    source = _clip(tmp_path / "in.mp4", colours)
    annotated = [_annotated(frame) for frame in _frames(source)]
    out = _record(tmp_path / "out.mp4", annotated)
    for given, before, after in zip(annotated, _planes(source), _planes(out), strict=True):
        for old, new, drawn in zip(before, after, _drawn(given), strict=True):
            np.testing.assert_array_equal(old[~drawn], new[~drawn])
            assert drawn.mean() < 0.5
            assert (old != new)[drawn].mean() > 0.5


def _drawn(given: AnnotatedFrame) -> tuple[NDArray[np.bool_], ...]:
    """Which pixels of each plane marks are on: what they change of black or of white."""
    width, height = given.frame.size_wh
    pixels = np.zeros((height, width), np.bool_)
    for value in (0, 255):
        plain = np.full((height, width, 3), value, np.uint8)
        pixels |= (Overlay().draw(plain, given.tracks) != plain).any(axis=2)
    cells = pixels.reshape(height // 2, 2, width // 2, 2).any(axis=(1, 3))
    return pixels, cells, cells


@pytest.mark.parametrize("colours", [BT709, _UNSAID, _FULL_601, _WIDE])
def test_it_looks_as_if_all_of_it_had_been_converted(colours: Colours, tmp_path: Path) -> None:
    frames = _frames(_clip(tmp_path / "in.mp4", colours))
    annotated = [_annotated(frame) for frame in frames]
    plain = [_annotated(replace(frame, coded=None)) for frame in frames]
    quick = _frames(_record(tmp_path / "quick.mp4", annotated))
    slow = _frames(_record(tmp_path / "slow.mp4", plain))
    for one, other, given in zip(quick, slow, annotated, strict=True):
        _assert_alike(one, other, given)
        # Chroma of lines and letters is of half the resolution either way.
        assert np.abs(one.image.astype(int) - given.picture).mean() < 2


def _assert_alike(one: Frame, other: Frame, given: AnnotatedFrame) -> None:
    """But for rounding, what is cut off where colours are read, and chroma along lines."""
    difference = one.image.astype(int) - other.image
    drawn = _drawn(given)[1].repeat(2, axis=0).repeat(2, axis=1)
    for mean, most, pixels in ((1.5, 6, difference[~drawn]), (10, 75, difference[drawn])):
        assert np.abs(pixels).mean() < mean
        assert abs(pixels.mean()) < 1.5
        assert np.percentile(np.abs(pixels), 99) <= most


@pytest.mark.parametrize("name", ["facenet_video.mp4", "hamilton.mp4", "lp_d13.mp4"])
def test_real_pictures_too(name: str, shared_data: Path, tmp_path: Path) -> None:
    source = VideoSource(shared_data / "clips" / name)
    frames = [frame for frame, _ in zip(source.frames(), range(3), strict=False)]
    source.close()
    assert all(frame.coded is not None for frame in frames)
    annotated = [_annotated(each) for each in frames]
    plain = [_annotated(replace(each, coded=None)) for each in frames]
    quick, slow = _record(tmp_path / "quick.mp4", annotated), _record(tmp_path / "slow.mp4", plain)
    for one, other, given in zip(_frames(quick), _frames(slow), annotated, strict=True):
        _assert_alike(one, other, given)


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("colours", [BT709, _UNSAID, _FULL_601, _WIDE])
def test_players_are_told_the_colours_of_the_source(
    colours: Colours, name: CodecName, tmp_path: Path
) -> None:
    annotated = [_annotated(frame) for frame in _frames(_clip(tmp_path / "in.mp4", colours))]
    out = _record(tmp_path / "out.mkv", annotated, RecorderSection(codec=name, quality=5))
    recorded = Colours.of(_decoded(out)[0])
    assert recorded.matrix == colours.matrix
    assert (recorded.range == 2) is (colours.range == 2)
    assert (recorded.primaries, recorded.transfer) == (colours.primaries, colours.transfer)
    for back, given in zip(_frames(out), annotated, strict=True):
        assert abs((back.image.astype(int) - given.picture).mean()) < 2.5


def test_a_full_range_by_its_old_name_is_one(tmp_path: Path) -> None:
    clip = encode(tmp_path / "in.mp4", [CORNERS], "libx264", "yuvj420p")
    assert _decoded(clip)[0].format.name == "yuvj420p"
    (frame,) = _frames(clip)
    assert frame.coded is not None
    (back,) = _frames(_record(tmp_path / "out.mp4", [AnnotatedFrame(frame, [], Overlay())]))
    np.testing.assert_array_equal(back.image, frame.image)


def test_a_video_begun_otherwise_keeps_its_colours(tmp_path: Path) -> None:
    frames = _frames(_clip(tmp_path / "in.mp4", _FULL_601))
    picture = frames[0].image
    with VideoFile(tmp_path / "out.mp4", _info(frames[0]), _EXACT) as video:
        video.add(picture, 0.0)
        video.add_drawn(Canvas(lambda: picture), frames[0].coded, 0.04)
    first, second = _decoded(tmp_path / "out.mp4")
    assert Colours.of(first) == Colours.of(second) == BT709
    for one, other in zip(*_planes(tmp_path / "out.mp4"), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_source_that_changes_its_size_or_its_colours_on_the_way(tmp_path: Path) -> None:
    frames = [
        _frames(_clip(tmp_path / f"{number}.mp4", colours, size_wh))[0]
        for number, (colours, size_wh) in enumerate(
            [(_UNSAID, (320, 180)), (BT709, (320, 180)), (_UNSAID, (640, 360))]
        )
    ]
    frames = [replace(each, time_s=index / 25) for index, each in enumerate(frames)]
    out = _record(tmp_path / "out.mp4", [AnnotatedFrame(each, [], Overlay()) for each in frames])
    same, recoloured, resized = _frames(out)
    np.testing.assert_array_equal(same.image, frames[0].image)
    assert {Colours.of(each) for each in _decoded(out)} == {_UNSAID}
    assert np.abs(recoloured.image.astype(int) - frames[1].image).mean() < 3
    assert resized.image.shape == (180, 320, 3)
    assert abs(resized.image.mean((0, 1)) - frames[2].image.mean((0, 1))).max() < 2


def _record_blurred(path: Path, frames: Sequence[Frame], labels: bool) -> list[AnnotatedFrame]:
    """With a track that is lost for two frames."""
    recorder, given = Recorder(path, _info(frames[0]), _EXACT), list[AnnotatedFrame]()
    seen = [track(1, (100, 60, 170, 130), _SAID)]
    overlay = Overlay(OverlaySection(labels=labels))
    info = _info(frames[0])
    with fan_out([_Keeper(given), recorder], overlay, info, Controls(blur=True)) as sinks:
        for frame, tracks in zip(frames, [seen, seen, [], [], seen], strict=True):
            sinks.write(frame, tracks)
    return given


class _Keeper:
    """Keeps what it is given."""

    name, output, quit_requested = "keeper", None, False

    def __init__(self, given: list[AnnotatedFrame]) -> None:
        self._given = given

    def write(self, annotated: AnnotatedFrame) -> None:
        self._given.append(annotated)

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """There is nothing to let go of."""


@pytest.mark.parametrize("labels", [True, False])
def test_nothing_of_a_blurred_face_is_kept(labels: bool, tmp_path: Path) -> None:
    """Neither under its labels nor after it was lost: it is recorded as where all is converted."""
    frames = _frames(_clip(tmp_path / "in.mp4", BT709))
    blurred = _record_blurred(tmp_path / "quick.mp4", frames, labels)
    _record_blurred(tmp_path / "slow.mp4", [replace(each, coded=None) for each in frames], labels)
    quick, slow = _planes(tmp_path / "quick.mp4"), _planes(tmp_path / "slow.mp4")
    for given, one, other in zip(blurred, quick, slow, strict=True):
        hidden = (given.shown != given.frame.image).any(axis=2)
        assert hidden[75:115, 115:155].mean() > 0.98
        halves = hidden.reshape(90, 2, 160, 2).any(axis=(1, 3))
        marks = _drawn(given) if labels else (np.zeros_like(hidden), *2 * (np.zeros_like(halves),))
        for mine, expected, where, drawn in zip(
            one, other, (hidden, halves, halves), marks, strict=True
        ):
            np.testing.assert_array_equal(mine[where & ~drawn], expected[where & ~drawn])
        beneath = hidden & marks[0]
        assert beneath.any() is np.bool_(labels and bool(given.tracks))
        assert np.abs(one[0].astype(int) - other[0])[beneath].max(initial=0) <= 2
        assert (one[0][hidden] != _of(given.frame)[0][hidden]).mean() > 0.9


class _Unconverted:
    """A frame whose pixels must not be asked for."""

    def __init__(self, frame: Frame) -> None:
        self.coded, self.time_s, self.size_wh = frame.coded, frame.time_s, frame.size_wh

    @property
    def image(self) -> Image:
        raise AssertionError("it was converted")


def test_a_recording_needs_nothing_converted_where_no_face_is_blurred(tmp_path: Path) -> None:
    frames = _frames(_clip(tmp_path / "in.mp4", BT709))
    kept = [_annotated(cast(Frame, _Unconverted(frame))) for frame in frames]
    lazy = _record(tmp_path / "lazy.mp4", kept)
    eager = _record(tmp_path / "eager.mp4", [_annotated(frame) for frame in frames])
    for one, other in zip(_planes(lazy), _planes(eager), strict=True):
        np.testing.assert_array_equal(one[0], other[0])


def test_the_picture_of_the_source_is_not_written_to(tmp_path: Path) -> None:
    frames = _frames(_clip(tmp_path / "in.mp4", BT709))
    before = [plane.copy() for each in frames for plane in _of(each)]
    _record(tmp_path / "out.mp4", [_annotated(frame) for frame in frames])
    after = [plane for each in frames for plane in _of(each)]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)


def _of(frame: Frame) -> tuple[np.ndarray, ...]:
    assert frame.coded is not None
    planes = Planes.of(frame.coded)
    return planes.luma, planes.cb, planes.cr


def test_window_and_recording_show_the_same(tmp_path: Path) -> None:
    frames = _frames(_clip(tmp_path / "in.mp4", BT709))
    annotated = [_annotated(frame) for frame in frames]
    shown = [each.picture for each in annotated]  # drawn before it is recorded
    for picture, back in zip(shown, _frames(_record(tmp_path / "o.mp4", annotated)), strict=True):
        assert np.abs(back.image.astype(int) - picture).mean() < 2


@pytest.mark.parametrize(
    ("ending", "codec", "pix_fmt", "size_wh", "coded"),
    [
        ("mp4", "libx264", "yuv420p", SIZE_WH, True),
        ("mp4", "libx264", "yuvj420p", SIZE_WH, True),
        ("mkv", "libx264", "yuv422p", SIZE_WH, False),
        ("mkv", "libx264", "yuv420p10le", SIZE_WH, False),
        ("mkv", "ffv1", "yuv420p", (95, 63), False),
        ("mkv", "ffv1", "bgra", SIZE_WH, False),
    ],
)
def test_which_pictures_are_recorded_as_they_were_coded(
    ending: str, codec: str, pix_fmt: str, size_wh: tuple[int, int], coded: bool, tmp_path: Path
) -> None:
    clip = encode(tmp_path / f"a.{ending}", [numbered(5, size_wh)], codec, pix_fmt)
    (frame,) = _frames(clip)
    assert (frame.coded is not None) is coded
    (back,) = _frames(_record(tmp_path / "out.mp4", [AnnotatedFrame(frame, [], Overlay())]))
    width, height = size_wh
    assert np.abs(back.image[:height, :width].astype(int) - frame.image).mean() < 3
