"""Small stand-ins for what a test must have in its hand: sources, the engine, sinks, a camera.

Synthetic pictures carry a number in their pixels that survives a codec: see `numbered`.
"""

import json
import os
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from models.classification.classifier import Prediction
from models.classification.view_quality import ViewQuality
from models.detection.detector import DetectorTraits
from models.engine import DetectionSettings, Engine
from models.faces import Detections, Faces, Image, centres_xy, iou, sizes_wh
from stream.annotator import Annotator
from stream.controls import Controls, RunReport
from stream.drawing.overlay import Overlay
from stream.errors import SinkError, SourceError
from stream.following.follower import Follower
from stream.following.schedule import Schedule
from stream.frames import Frame, SourceInfo, SourceKind
from stream.labelling.labeller import Labeller
from stream.people import BestView, Person
from stream.settings.schema import LabelSettings, RecorderSection
from stream.sinks import AnnotatedFrame, Sink, Sinks
from stream.sinks.frame_assembler import FrameAssembler
from stream.sinks.video.video_file import VideoFile
from stream.sources.demo import DemoSource
from stream.sources.reconnection import Reconnection
from stream.sources.video import VideoSource
from stream.tracks import Label, Track

PATIENCE_S = 10.0  # for what comes at once unless something is broken

_BITS = 8  # of the number in a picture, one upright stripe each
SIZE_WH = (96, 64)

CORNERS: Image = np.zeros((64, 96, 3), dtype=np.uint8)  # red, green / blue, white, from top left
CORNERS[:32, :48, 2] = CORNERS[:32, 48:, 1] = CORNERS[32:, :48, 0] = 255
CORNERS[32:, 48:] = 255
RED: Image = np.full((64, 96, 3), (0, 0, 255), dtype=np.uint8)


def numbered(number: int, size_wh: tuple[int, int] = SIZE_WH, contrast: int = 160) -> Image:
    """A picture that says its number, 0 to 255, in stripes: light for a 1, the highest bit left."""
    bits = [(number >> (_BITS - 1 - place)) & 1 for place in range(_BITS)]
    stripes = (np.array(bits) * contrast + 128 - contrast // 2).astype(np.uint8)
    row = stripes[np.arange(size_wh[0]) * _BITS // size_wh[0]]
    return np.ascontiguousarray(np.broadcast_to(row[None, :, None], (*size_wh[::-1], 3)))


def number_of(image: Image) -> int:
    """What `numbered` wrote there."""
    width = image.shape[1] / _BITS
    middles = [image[:, int((place + 0.5) * width)].mean() for place in range(_BITS)]
    return sum(1 << (_BITS - 1 - place) for place, mean in enumerate(middles) if mean > 128)


def frame(
    number: int = 0,
    size_wh: tuple[int, int] = SIZE_WH,
    fps: float = 25.0,
    contrast: int = 160,
) -> Frame:
    """One numbered frame; with a contrast of 16 or less neighbours are no change of scene."""
    image = numbered(number, size_wh, contrast)
    return Frame(image, number, number / fps, time.monotonic())


def label(text: str | None = "Female", confidence: float = 0.9) -> Label:
    """Of two classes."""
    return Label(text, confidence, {"Female": confidence, "Male": 1 - confidence})


def track(
    track_id: int = 1,
    box_xyxy: Sequence[float] = (20, 10, 60, 50),
    labels: Mapping[str, Label] | None = None,
) -> Track:
    """One person, seen now."""
    box = np.array(box_xyxy, dtype=np.float32)
    return Track(track_id, box, 1.0, labels or {}, seen_frames=1, missed_frames=0, quality=1.0)


def person(
    track_id: int = 1,
    labels: Mapping[str, Label] | None = None,
    box_xyxy: Sequence[float] = (20, 10, 60, 50),
) -> Person:
    """A person seen in one frame, with a crop of the face."""
    box = np.array(box_xyxy, dtype=np.float32)
    best = BestView(0, 0.0, None, box, 1.0, crop=numbered(0, (72, 64)))
    return Person(track_id, 0.0, 0.0, 1, labels or {}, best)


class NumberedSource:
    """Gives numbered frames, and an error in place of one of them where `fail_at` is set."""

    def __init__(
        self,
        count: int,
        *,
        kind: SourceKind = "video",
        fail_at: int | None = None,
        error: BaseException | None = None,
    ) -> None:
        self.info = SourceInfo("numbers", kind, SIZE_WH, 25.0, count)
        self.given = 0
        self.closed_by: list[str] = []
        self._fail_at = fail_at
        self._error = error or SourceError("the tape is torn")

    def frames(self) -> Iterator[Frame]:
        for number in range(self.info.frame_count or 0):
            if number == self._fail_at:
                raise self._error
            self.given += 1
            yield frame(number)

    def interrupt(self) -> None:
        """It has no wait of its own."""

    def close(self) -> None:
        self.closed_by.append(threading.current_thread().name)


class SeekableNumbers(NumberedSource):
    """May be sought in; `sought_s` lists where to. A frame is on the screen until the next one."""

    def __init__(
        self, count: int, *, kind: SourceKind = "video", fail_at: int | None = None
    ) -> None:
        super().__init__(count, kind=kind, fail_at=fail_at)
        self.info = replace(self.info, seekable=True)
        self.sought_s: list[float] = []

    def frames_from(self, time_s: float) -> Iterator[Frame]:
        self.sought_s.append(time_s)
        first = int(time_s * 25 + 0.01)
        yield from (each for each in self.frames() if each.index >= first)


class PacedSource(NumberedSource):
    """Gives frames when the test allows them; a read before that blocks."""

    def __init__(self, count: int = 200, *, kind: SourceKind = "camera") -> None:
        super().__init__(count, kind=kind)
        self._over = False
        self._wanted = threading.Semaphore(0)
        self._allowed = threading.Semaphore(0)

    def give(self, count: int = 1) -> None:
        """Lets frames go, and returns when the reader has put them in its queue and wants more."""
        self.wait_for_read()
        for _ in range(count):
            self.allow()
            self.wait_for_read()
        self._wanted.release()

    def wait_for_read(self) -> None:
        """Returns once a read has begun."""
        if not self._wanted.acquire(timeout=PATIENCE_S):
            raise TimeoutError("no read has begun")

    def allow(self) -> None:
        """Lets one frame go."""
        self._allowed.release()

    def end(self) -> None:
        """Ends the source; a read that blocks returns."""
        self._over = True
        self._allowed.release()

    def frames(self) -> Iterator[Frame]:
        for each in super().frames():
            self._wanted.release()
            if not self._allowed.acquire(timeout=PATIENCE_S):
                raise TimeoutError("the test gives no frame")
            if self._over:
                return
            yield each


class FakeCapture:
    """Stands in for `cv2.VideoCapture`: gives the pictures listed, None for a read that fails.

    Like a bad camera it grants no property that is set; `asked` lists them in order.
    """

    def __init__(
        self,
        pictures: Sequence[Image | None],
        *,
        opened: bool = True,
        size_wh: tuple[int, int] = SIZE_WH,
        fps: float = 30.0,
        pixel_format: str | None = None,
    ) -> None:
        self._pictures = iter(pictures)
        self._opened = opened
        self._properties = {
            cv2.CAP_PROP_FRAME_WIDTH: float(size_wh[0]),
            cv2.CAP_PROP_FRAME_HEIGHT: float(size_wh[1]),
            cv2.CAP_PROP_FPS: fps,
            cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*pixel_format) if pixel_format else -1.0,
        }
        self.releases = 0
        self.asked: list[tuple[int, float]] = []
        self.opened_with: tuple[int, int] | None = None

    def __call__(self, index: int, backend: int) -> Any:
        """Stands in for `open_camera`."""
        self.opened_with = (index, backend)
        return self

    def set(self, property_id: int, value: float) -> bool:
        self.asked.append((property_id, value))
        return False

    def isOpened(self) -> bool:
        return self._opened

    def get(self, property_id: int) -> float:
        return self._properties[property_id]

    def read(self) -> tuple[bool, Image | None]:
        picture = next(self._pictures, None)
        return picture is not None, picture

    def release(self) -> None:
        self.releases += 1


class TamperedContainer:
    """A container of PyAV's that fails where a test wants it to, and is a real one otherwise.

    Args:
        path: the video.
        errors: raised by the demuxer, each in place of the packet of that number and instead of
            losing it; several may stand in one place.
        seek_error_s: how far behind what is asked for a seek lands.
        stated: attributes that it states, in place of the true ones.

    Attributes:
        packets: how many were read.
        seeks: how many were tried.
        closed: how often it was closed.
    """

    def __init__(
        self,
        path: Path,
        errors: Sequence[tuple[int, Exception]] = (),
        *,
        seek_error_s: float = 0.0,
        **stated: Any,
    ) -> None:
        self._container = av.open(str(path))
        self._errors = list(errors)
        self._seek_error_s = seek_error_s
        self._demuxed: Iterator[Any] | None = None
        self.packets = self.seeks = self.closed = 0
        for name, value in stated.items():
            setattr(self, name, value)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def demux(self, stream: Any) -> Iterator[Any]:
        if self._demuxed is None:
            self._demuxed = self._container.demux(stream)
        while True:
            if self._errors and self._errors[0][0] <= self.packets:
                raise self._errors.pop(0)[1]
            packet = next(self._demuxed, None)
            if packet is None:
                return
            self.packets += 1
            yield packet

    def seek(self, offset: int, *, stream: Any) -> None:
        self.seeks += 1
        self._demuxed = None
        self._container.seek(offset + round(self._seek_error_s / stream.time_base), stream=stream)

    def close(self) -> None:
        self.closed += 1
        self._container.close()


class HastyReconnection(Reconnection):
    """Records the pauses and makes none; the pause of one number can be interrupted."""

    def __init__(self, limit_s: float = 30.0, *, interrupt_at: int | None = None) -> None:
        super().__init__("the tape", limit_s)
        self.pauses_s: list[float] = []
        self._interrupt_at = interrupt_at

    def pause(self, pause_s: float) -> bool:
        self.pauses_s.append(pause_s)
        if len(self.pauses_s) == self._interrupt_at:
            self.interrupt()
        return super().pause(0.0)

    def _jitter(self) -> float:
        return 1.0


Script = Callable[[int], Mapping[int, Sequence[float]]]
"""The number of a picture → who is in it, by a number of their own, and the box of each."""


class FakeActors:
    """Detector, aligner and embedder of people whom a script puts into numbered pictures.

    Each call is noted. Chips carry the number of the person, and so do embeddings: those of two
    people are as far apart as dlib's of two people who do not look alike.
    """

    name = "actors"
    dimensions = appearance_dimensions = 64
    traits = DetectorTraits(
        smallest_px=20.0,
        threshold=0.45,
        thresholds=(0.1, 0.95),
        clear_score=0.8,
        candidate_margin=0.25,
        entry_margin=0.1,
    )

    def __init__(self, script: Script) -> None:
        self.searches: list[int] = []
        self.near_searches: list[tuple[int, int]] = []
        self.embedded: list[int] = []
        self._script = script

    def detect(
        self, image: Image, scale: float = 1.0, threshold: float | None = None
    ) -> Detections:
        number = number_of(image)
        self.searches.append(number)
        return self._found(number)

    def detect_near(
        self, image: Image, boxes_xyxy: NDArray[np.float32], threshold: float | None = None
    ) -> Detections:
        number = number_of(image)
        self.near_searches.append((number, len(boxes_xyxy)))
        found = self._found(number)
        # A crop is nearly twice as wide as the face it is made for.
        wide = boxes_xyxy + np.tile(sizes_wh(boxes_xyxy), 2) * np.array([-0.4, -0.4, 0.4, 0.4])
        return found[(iou(found.boxes_xyxy, wide.astype(np.float32)) > 0).any(axis=1)]

    def squares(self, boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        return boxes_xyxy[:, None]

    def locate(self, image: Image, found: Detections, squares_xyxy: NDArray[np.float32]) -> Faces:
        """Everybody looks into the camera."""
        middles, widths = centres_xy(found.boxes_xyxy), sizes_wh(found.boxes_xyxy)[:, :1]
        aside = np.array([0.3, 0.2, -0.3, -0.2, 0.0])[None, :, None] * widths[:, None]
        landmarks = (middles[:, None] + aside * np.array([1.0, 0.0])).astype(np.float32)
        return Faces(found.boxes_xyxy, landmarks, found.scores)

    def chips(self, image: Image, chosen: Faces) -> NDArray[np.uint8]:
        cast = self._script(number_of(image))
        places = np.array(list(cast.values()), dtype=np.float32).reshape(-1, 4)
        who = [list(cast)[row] for row in iou(chosen.boxes_xyxy, places).argmax(axis=1)]
        return np.stack([numbered(each, (150, 150)) for each in who])

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.embedded.append(len(chips))
        return np.eye(self.dimensions, dtype=np.float32)[[number_of(chip) for chip in chips]]

    def engine(self, *, min_face_px: float = 20.0) -> Engine:
        """Made of all three; it searches pictures as they are."""
        settings = DetectionSettings(downscale=1, min_face_px=min_face_px)
        return Engine(self, self, self, settings)

    def _found(self, number: int) -> Detections:
        boxes = list(self._script(number).values())
        return Detections.of(boxes, np.ones(len(boxes)))


class FakeClassifier:
    """Perceives what it is told, whatever it is shown: by attribute, the probability of a class."""

    def __init__(self, **probabilities: Mapping[str, float]) -> None:
        self._probabilities = probabilities

    @property
    def classes(self) -> dict[str, tuple[str, ...]]:
        return {attribute: tuple(each) for attribute, each in self._probabilities.items()}

    def predict(
        self,
        embeddings: NDArray[np.float32],
        attributes: Container[str] | None = None,
        quality: ViewQuality | None = None,
    ) -> tuple[Prediction, ...]:
        return tuple(
            Prediction(
                attribute,
                tuple(each),
                np.tile(np.array(list(each.values()), dtype=np.float32), (len(embeddings), 1)),
            )
            for attribute, each in self._probabilities.items()
            if attributes is None or attribute in attributes
        )


def scripted_annotator(
    actors: FakeActors,
    classifier: FakeClassifier,
    info: SourceInfo,
    schedule: Schedule,
    *,
    labels: LabelSettings | None = None,
    controls: Controls | None = None,
    report: RunReport | None = None,
    min_face_px: float = 20.0,
) -> Annotator:
    """An annotator of people whom a script puts into pictures."""
    engine = actors.engine(min_face_px=min_face_px)
    follower = Follower(engine, info, schedule, controls or Controls(), report or RunReport())
    return Annotator(follower, Labeller(engine, classifier, labels or LabelSettings()), info)


def fan_out(
    sinks: Sequence[Sink],
    overlay: Overlay,
    info: SourceInfo,
    controls: Controls | None = None,
    report: RunReport | None = None,
    *,
    watchers: Sequence[Sink] = (),
    summary: Sink | None = None,
    face_crops: bool = False,
) -> Sinks:
    """Sinks of a run, given what its frames are made with."""
    frames = FrameAssembler(overlay, info, controls, face_crops=face_crops)
    return Sinks(sinks, frames, report, watchers=watchers, summary=summary)


class RecordingSink:
    """Remembers what it was given, and may ask for the end."""

    def __init__(self, name: str = "recording", *, quit_after: int | None = None) -> None:
        self.name = name
        self.output = None
        self.indices: list[int] = []
        self.tracks: list[Sequence[Track]] = []
        self.ended: list[int] = []
        self.present: list[int] = []
        self.closed: list[bool] = []
        self._quit_after = quit_after

    @property
    def quit_requested(self) -> bool:
        return self._quit_after is not None and len(self.indices) >= self._quit_after

    def write(self, annotated: AnnotatedFrame) -> None:
        self.indices.append(annotated.frame.index)
        self.tracks.append(annotated.tracks)
        self.ended += [each.track_id for each in annotated.ended]

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        self.present += [each.track_id for each in present]
        self.closed.append(complete)


class FailingSink(RecordingSink):
    """Fails at one frame, when it is closed, or both; or does something else there."""

    def __init__(
        self,
        name: str = "failing",
        *,
        fail_at: int | None = None,
        fail_on_close: bool = False,
        error: BaseException | None = None,
    ) -> None:
        super().__init__(name)
        self._fail_at = fail_at
        self._fail_on_close = fail_on_close
        self._error = error or SinkError("no paper left")

    def write(self, annotated: AnnotatedFrame) -> None:
        if annotated.frame.index == self._fail_at:
            raise self._error
        super().write(annotated)

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        super().close(present, complete=complete)
        if self._fail_on_close:
            raise self._error


def write_clip(path: Path, frame_count: int = 8, size_wh: tuple[int, int] = (480, 270)) -> Path:
    """A short video of one face, which moves and turns."""
    source = DemoSource(frame_count, size_wh)
    with VideoFile(path, source.info, RecorderSection()) as video:
        for each in source.frames():
            video.add(each.image, each.time_s)
    return path


def write_numbers(path: Path, count: int, fps: float = 25.0) -> Path:
    """A video of numbered pictures."""
    with VideoFile(path, SourceInfo("numbers", "video", SIZE_WH, fps), RecorderSection()) as video:
        for number in range(count):
            video.add(numbered(number), number / fps)
    return path


def encode(path: Path, pictures: Sequence[Image], codec: str, pix_fmt: str) -> Path:
    """A video of these pictures, 25 a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pix_fmt
        for index, picture in enumerate(pictures):
            whole = av.VideoFrame.from_ndarray(picture, format="bgr24")
            whole.pts, whole.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(whole))
        container.mux(stream.encode(None))
    return path


@dataclass(frozen=True)
class Pulses:
    """A clip of light pictures, each with a tone as long, among dark and silent ones.

    Attributes:
        fps, size_wh: of the pictures.
        hz, layout: of the sound; without a layout there is none.
    """

    fps: int = 25
    size_wh: tuple[int, int] = SIZE_WH
    hz: int = 48_000
    layout: str | None = "stereo"
    seconds: float = 1.5

    @property
    def frames(self) -> int:
        return round(self.seconds * self.fps)

    def write(self, path: Path, video_codec: str, sound_codec: str, start_s: float = 0.0) -> Path:
        """Writes it; a `.vob` or `.m2ts` too. The clock of the file starts about there."""
        forms = {".vob": "vob", ".m2ts": "mpegts"}
        options = {"mpegts_m2ts_mode": "1"} if path.suffix == ".m2ts" else {}
        with av.open(str(path), "w", format=forms.get(path.suffix), options=options) as container:
            container_tracks: list[Any] = [container.add_stream(video_codec, rate=self.fps)]
            video = container_tracks[0]
            video.width, video.height = self.size_wh
            video.pix_fmt, video.codec_context.time_base = "yuv420p", Fraction(1, self.fps)
            if self.layout is not None:
                sound = container.add_stream(sound_codec, rate=self.hz, layout=self.layout)
                sound.bit_rate = 64_000
                container_tracks.append(sound)
            first = round(start_s * self.fps)
            for number in range(self.frames):
                light = number % 10 == 5
                shade = 235 if light else 20
                image = np.full((*self.size_wh[::-1], 3), shade, np.uint8)
                picture = av.VideoFrame.from_ndarray(image, format="bgr24")
                picture.pts, picture.time_base = first + number, Fraction(1, self.fps)
                container.mux(video.encode(picture))
                if self.layout is not None:
                    container.mux(sound.encode(self._tone(first, number, light)))
            for track in container_tracks:
                container.mux(track.encode(None))
        return path

    def _tone(self, first: int, number: int, light: bool) -> av.AudioFrame:
        start, end = (round(each / self.fps * self.hz) for each in (number, number + 1))
        tone = np.sin(2 * np.pi * 1000 * np.arange(end - start) / self.hz) * light * 20_000
        channels = 1 if self.layout == "mono" else 2
        samples = np.repeat(tone.astype(np.int16), channels)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=self.layout)
        frame.sample_rate, frame.time_base = self.hz, Fraction(1, self.hz)
        frame.pts = round(first / self.fps * self.hz) + start
        return frame


def pulses_s(path: Path) -> tuple[list[float], list[float]]:
    """When the light pictures of such a clip begin, and when the tones do."""
    with av.open(str(path)) as container:
        means = [
            (frame.time or 0.0, frame.to_ndarray(format="gray").mean())
            for frame in container.decode(video=0)
        ]
    lights = [
        time_s
        for (time_s, mean), (_, before) in zip(means[1:], means, strict=False)
        if mean > 120 > before
    ]
    tones: list[float] = []
    heard_s = -1.0
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("flt", "mono", 48_000)
        for decoded in container.decode(audio=0) if container.streams.audio else ():
            for part in resampler.resample(decoded):
                for place in np.flatnonzero(np.abs(part.to_ndarray()[0]) > 0.2):
                    time_s = (part.time or 0.0) + place / 48_000
                    if time_s > heard_s + 0.1:
                        tones.append(time_s)
                    heard_s = time_s
    return lights, tones


def exif_jpeg(image: Image, orientation: int | None = None) -> bytes:
    """A JPEG with EXIF, as cameras write it: with an orientation, else with the maker's name."""
    if orientation is None:
        entry = struct.pack("<HHI4s", 0x10F, 2, 4, b"ACM\0")
    else:
        entry = struct.pack("<HHIHH", 0x112, 3, 1, orientation, 0)
    tiff = b"II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4)
    body = b"Exif\0\0" + tiff
    jpeg = cv2.imencode(".jpg", image)[1].tobytes()
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def mux_jpegs(path: Path, jpegs: Sequence[bytes], size_wh: tuple[int, int] = SIZE_WH) -> Path:
    """A video of these JPEGs as they are, 25 a second; a `.mjpeg` is nothing but the JPEGs."""
    if path.suffix == ".mjpeg":
        path.write_bytes(b"".join(jpegs))
        return path
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height = size_wh
        stream.pix_fmt = "yuvj420p"
        for number, jpeg in enumerate(jpegs):
            packet = av.Packet(jpeg)
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = number
            packet.is_keyframe = True
            container.mux(packet)
    return path


@contextmanager
def fifo(path: Path, data: bytes, hold: threading.Event | None = None) -> Iterator[Path]:
    """A FIFO that a thread writes into, which with `hold` is closed only when that is set."""

    def write() -> None:
        try:
            with path.open("wb") as pipe:
                pipe.write(data)
                pipe.flush()
                if hold is not None:
                    hold.wait(10)
        except BrokenPipeError:
            return  # whoever read has left

    os.mkfifo(path)
    writer = threading.Thread(target=write)
    writer.start()
    yield path
    writer.join()


@contextmanager
def stopped(program: "subprocess.Popen[Any]") -> Iterator[None]:
    """Ends a program afterwards that has not ended by itself, as where a test fails meanwhile."""
    try:
        yield
    finally:
        program.kill()


def times_s(path: Path) -> list[float]:
    """When each picture of a video is shown; reading it shows that it plays."""
    source = VideoSource(path)
    try:
        return [each.time_s for each in source.frames()]
    finally:
        source.close()


def log_lines(path: Path) -> list[dict[str, Any]]:
    """The header of a log, then its frames."""
    return [entry for entry in _entries(path) if "schema" in entry or "frame" in entry]


def track_lines(path: Path) -> list[dict[str, Any]]:
    """What a log says of whole tracks."""
    return [entry for entry in _entries(path) if "track" in entry]


def _entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
