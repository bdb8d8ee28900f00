"""Videos in HDR: shown as the same video in BT.709 is, whatever their format, and recorded so."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.faces import Image
from stream.coded import BT709, Colours
from stream.drawing.overlay import Overlay
from stream.frames import Frame, SourceInfo
from stream.settings.schema import RecorderSection
from stream.sinks import AnnotatedFrame
from stream.sinks.video.recorder import Recorder
from stream.sources.video import VideoSource

_PQ, _HLG = 16, 18
_TO_BT2020 = np.array(
    [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
)


def _picture(size_wh: tuple[int, int] = (96, 64)) -> Image:
    """Colours and greys that change smoothly, and an edge."""
    width, height = size_wh
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = np.linspace(30, 200, width)
    picture[..., 1] = np.linspace(40, 190, height)[:, None]
    picture[..., 2] = np.linspace(190, 60, width)
    picture[height // 2 :, : width // 2] = np.linspace(10, 215, width // 2)[None, :, None]
    return picture


def _signal(light: NDArray[np.float64], transfer: int) -> NDArray[np.float64]:
    """The signal of light, of paper's (ITU-R BT.2100, tables 4 and 5)."""
    if transfer == _PQ:
        power = (light * 203 / 10_000) ** 0.1593017578125
        return np.asarray(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)
    if transfer == _HLG:
        scene = np.maximum((light * 203 / 1000) ** (1 / 1.2), 1e-9)
        upper = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
        return np.where(scene <= 1 / 12, np.sqrt(3 * scene), upper)
    return np.asarray(light ** (1 / 2.4))


def _coded(picture: Image, transfer: int, bits: int, full: bool) -> list[NDArray[np.uint16]]:
    """Luma, cb and cr of a picture in BT.2020, chroma at half the resolution."""
    light = (picture[..., ::-1] / 255) ** 2.4 @ _TO_BT2020.T
    red, green, blue = np.moveaxis(_signal(light, transfer), 2, 0)
    luma = 0.2627 * red + 0.6780 * green + 0.0593 * blue
    chroma = (blue - luma) / 1.8814, (red - luma) / 1.4746
    unit, most = 1 << (bits - 8), (1 << bits) - 1
    steps, black, wide = (most, 0, most) if full else (219 * unit, 16 * unit, 224 * unit)
    height, width = luma.shape
    half_wh = -(-width // 2), -(-height // 2)
    halves = (cv2.resize(each, half_wh, interpolation=cv2.INTER_AREA) for each in chroma)
    samples = luma * steps + black, *(each * wide + 128 * unit for each in halves)
    return [np.rint(each).clip(0, most).astype(np.uint16) for each in samples]


def _clip(
    path: Path,
    transfer: int,
    pix_fmt: str = "yuv420p10le",
    *,
    picture: Image | None = None,
    full: bool = False,
    primaries: int = 9,
    pixel_width: int = 1,
    codec: str = "ffv1",
    options: dict[str, str] | None = None,
) -> Path:
    """Three pictures in BT.2020 without loss; the container says it, and they do not."""
    first = "yuv420p" if pix_fmt in ("yuv420p", "yuvj420p") else "yuv420p10le"
    bits = 8 if first == "yuv420p" else 10
    planes = _coded(_picture() if picture is None else picture, transfer, bits, full)
    height, width = planes[0].shape
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        context = stream.codec_context
        context.sample_aspect_ratio = Fraction(pixel_width)
        packets = []
        for index in range(3):
            frame = av.VideoFrame(width, height, first)
            for plane, samples in zip(frame.planes, planes, strict=True):
                typed = samples.astype(np.uint8 if bits == 8 else np.uint16)
                rows = np.zeros((plane.height, plane.line_size // typed.itemsize), typed.dtype)
                rows[:, : typed.shape[1]] = typed
                plane.update(rows.tobytes())
            if pix_fmt != first:
                frame.colorspace, frame.color_range = 9, 2 if full else 1
                frame = frame.reformat(format=pix_fmt)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            packets += stream.encode(frame)
        packets += stream.encode(None)
        context.color_primaries, context.color_trc = primaries, transfer
        context.colorspace, context.color_range = 9, 2 if full else 1
        container.mux(packets)
    return path


def _frames(path: Path) -> list[Frame]:
    source = VideoSource(path)
    try:
        return list(source.frames())
    finally:
        source.close()


def _difference(frame: Frame, picture: Image) -> float:
    assert frame.image.shape == picture.shape
    return float(np.abs(frame.image.astype(int) - picture).mean())


@pytest.mark.parametrize("transfer", [_PQ, _HLG])
@pytest.mark.parametrize(
    ("pix_fmt", "most"),
    [
        ("yuv420p10le", 2.0),
        ("yuv420p12le", 2.0),
        ("yuv420p", 3.5),
        ("yuv422p10le", 2.0),
        ("yuv444p12le", 2.0),
        ("yuva420p10le", 2.0),
        ("gbrp10le", 2.5),
    ],
)
def test_hdr_looks_like_the_picture_it_was_made_of(
    transfer: int, pix_fmt: str, most: float, tmp_path: Path
) -> None:
    frames = _frames(_clip(tmp_path / "a.mkv", transfer, pix_fmt))
    assert len(frames) == 3
    for frame in frames:
        assert _difference(frame, _picture()) < most
        if frame.coded is not None:
            assert Colours.of(frame.coded) == BT709
        assert (frame.coded is None) is (pix_fmt == "yuva420p10le")


@pytest.mark.parametrize("pix_fmt", ["yuv420p10le", "yuv420p"])
def test_a_full_range_is_one(pix_fmt: str, tmp_path: Path) -> None:
    clip = _clip(tmp_path / "a.mkv", _HLG, pix_fmt, full=True)
    assert _difference(_frames(clip)[0], _picture()) < 3


@pytest.mark.parametrize("size_wh", [(95, 63), (1, 1), (33, 300)])
def test_any_size(size_wh: tuple[int, int], tmp_path: Path) -> None:
    picture = _picture(size_wh)
    clip = _clip(tmp_path / "a.mkv", _PQ, picture=picture)
    assert _difference(_frames(clip)[0], picture) < 4


def test_pixels_that_are_not_square(tmp_path: Path) -> None:
    (frame, *_) = _frames(_clip(tmp_path / "a.mkv", _PQ, pixel_width=2, codec="libx264"))
    assert frame.coded is None
    assert _difference(frame, cv2.resize(_picture(), (192, 64))) < 4


def test_a_container_says_it_where_pictures_that_could_do_not(tmp_path: Path) -> None:
    lossless = {"x265-params": "lossless=1:log-level=none"}
    clip = _clip(tmp_path / "a.mkv", _HLG, codec="libx265", options=lossless)
    with av.open(str(clip)) as container:
        assert next(container.decode(video=0)).color_trc == 2
    assert _difference(_frames(clip)[0], _picture()) < 2


def test_hdr_without_primaries_has_those_of_bt2020(tmp_path: Path) -> None:
    clip = _clip(tmp_path / "a.mkv", _PQ, primaries=2)
    assert _difference(_frames(clip)[0], _picture()) < 2


def test_wide_primaries_without_hdr(tmp_path: Path) -> None:
    """Where they can be recorded to the bit they are, and said."""
    (deep, *_), (plain, *_) = (
        _frames(_clip(tmp_path / f"{pix_fmt}.mkv", 14, pix_fmt))
        for pix_fmt in ("yuv420p10le", "yuv420p")
    )
    assert _difference(deep, _picture()) < 2
    assert plain.coded is not None
    assert Colours.of(plain.coded).primaries == 9


@pytest.mark.parametrize("transfer", [_PQ, _HLG])
def test_a_recording_is_in_bt709_and_says_so(transfer: int, tmp_path: Path) -> None:
    frames = _frames(_clip(tmp_path / "a.mkv", transfer, picture=_picture((320, 180))))
    out = tmp_path / "out.mp4"
    recorder = Recorder(
        out, SourceInfo("clip", "video", (320, 180), 25.0), RecorderSection(quality=0)
    )
    for frame in frames:
        recorder.write(AnnotatedFrame(frame, [], Overlay()))
    recorder.close(complete=True)
    with av.open(str(out)) as container:
        track = container.streams.video[0].codec_context
        assert (track.color_primaries, track.color_trc, track.colorspace) == (1, 1, 1)
        assert {Colours.of(each) for each in container.decode(video=0)} == {BT709}
    for recorded, frame in zip(_frames(out), frames, strict=True):
        np.testing.assert_array_equal(recorded.image, frame.image)


def test_only_what_is_needed_of_hdr_is_converted_to_bgr(tmp_path: Path) -> None:
    """It is followed, and drawn on, as any other video of 4:2:0 in planes is."""
    (frame, *_) = _frames(_clip(tmp_path / "a.mkv", _PQ))
    assert callable(frame.pixels)
    luminance = _picture() @ np.array([0.0722, 0.7152, 0.2126])
    assert np.abs(frame.luminance((96, 64), 1) - luminance).mean() < 2
