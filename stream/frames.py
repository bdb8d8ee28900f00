"""Frames, and what a source states of itself before the first one."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from models.program.printable import printable
from stream.coded import NARROW_BLACK, NARROW_LUMA_STEPS, is_full_range, luma_of
from stream.source_history import SourceHistory

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame

SourceKind: TypeAlias = Literal["camera", "stream", "video", "pictures"]
"""The four kinds of source; see `SourceInfo`."""

ASSUMED_FPS = 25.0
"""Rate of a source that states none, frames a second; that of PAL, the commonest of old cameras."""

TIME_TOLERANCE_S = 1e-3
"""By how much the times of two frames may be off, s: containers round them to milliseconds."""

_FULL_RANGE_LUMA = (
    np.rint((np.arange(256) - NARROW_BLACK) * 255 / NARROW_LUMA_STEPS).clip(0, 255).astype(np.uint8)
)
"""Luma of the full range, by luma of the narrow range."""


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known of a source before its first frame.

    Attributes:
        uri: what was opened, without credentials.
        kind: a `camera` and a `stream` are live, a `video` has media time, `pictures` are
            unrelated to one another.
        size_wh: width and height of the first frame, turned upright, px.
        fps: frames a second; None where there is no rate or it is not known.
        frame_count: None where it is not known.
        has_audio: there is sound beside the pictures.
        sound_track: which sound is recorded where there are several: a number from 1 on, or "auto"
            for the default one.
        video_track: which pictures are read where there are several, likewise.
        start_s: media time of the first frame where only a part of a video is read; a recording
            begins here.
        seekable: the frames can be asked for again from another time on.
        reopen: opens the media a second time, for its sound; None where it can be read only once.
        ended: set when a video was read to its own end: a recording then keeps the sound after its
            last picture.
        skipped: pictures that are left out, by kind; it grows while the source is read.
        history: when it was live, lost and back, and what of it was damaged; likewise.
    """

    uri: str
    kind: SourceKind
    size_wh: tuple[int, int]
    fps: float | None = None
    frame_count: int | None = None
    has_audio: bool = False
    sound_track: Literal["auto"] | int = "auto"
    video_track: Literal["auto"] | int = "auto"
    start_s: float = 0.0
    seekable: bool = False
    reopen: "Callable[[], InputContainer] | None" = field(default=None, repr=False, compare=False)
    ended: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)
    skipped: Counter[str] = field(default_factory=Counter, repr=False, compare=False)
    history: SourceHistory = field(default_factory=SourceHistory, repr=False, compare=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles it without what only this process has: how it is reopened, and that it ended."""
        values = (self.uri, self.kind, self.size_wh, self.fps, self.frame_count, self.has_audio)
        tracks = (self.sound_track, self.video_track, self.start_s, self.seekable)
        return partial(type(self), *values, *tracks, skipped=self.skipped), ()

    @property
    def name(self) -> str:
        """Its name for people: that of a camera has its number, any other is without the folder."""
        name = f"camera {self.uri}" if self.kind == "camera" else Path(self.uri).name or self.uri
        return printable(name)

    @property
    def nominal_fps(self) -> float:
        """Frames a second, or `ASSUMED_FPS` where the source states none."""
        return self.fps or ASSUMED_FPS

    @property
    def last_s(self) -> float | None:
        """Media time of the last frame; None where it is not known. That of pictures is their place
        in the list.
        """
        if self.frame_count is None or self.is_live:
            return None
        step_s = 1.0 if self.kind == "pictures" else 1 / self.nominal_fps
        return self.start_s + (self.frame_count - 1) * step_s

    @property
    def is_live(self) -> bool:
        """Whether frames come at their own pace, so that those not fetched in time are lost."""
        return self.kind in ("camera", "stream")


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a source. Its pixels must not be written to.

    Attributes:
        pixels: `(height, width, 3)` BGR, or what converts `coded` when they are asked for.
        index: counts the frames of the source from 0, dropped ones included; where the user went to
            another place it is estimated by the time.
        time_s: media time from the start of a video; seconds since a live source was opened.
        captured_s: `time.monotonic()` when it was grabbed; latency is measured from it.
        path: the file that a picture was read from; None in a video.
        coded: the same picture as it was decoded, HDR in BT.709, where it can be recorded as it is:
            8-bit 4:2:0, opaque, neither turned nor stretched.
        sought: the user went to this place: the frame does not follow the one before.
        is_lead_in: it lies before the part that is wanted: its faces are followed, and nothing of
            it is written.
    """

    pixels: Image | Callable[[], Image] = field(repr=False)
    index: int
    time_s: float
    captured_s: float
    path: Path | None = None
    coded: "VideoFrame | None" = field(default=None, repr=False)
    sought: bool = False
    is_lead_in: bool = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles its pixels, and not the picture as it was decoded."""
        place = (self.index, self.time_s, self.captured_s, self.path)
        frame = partial(type(self), self.image, *place)
        return partial(frame, sought=self.sought, is_lead_in=self.is_lead_in), ()

    @cached_property
    def image(self) -> Image:
        """`(height, width, 3)` BGR.

        Raises:
            SourceError: the decoded picture cannot be converted.
        """
        return self.pixels() if callable(self.pixels) else self.pixels

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in px."""
        if self.coded is not None:
            return self.coded.width, self.coded.height
        height, width = self.image.shape[:2]
        return width, height

    def luminance(
        self,
        size_wh: tuple[int, int],
        samples: int,
        box_xyxy: tuple[int, int, int, int] | None = None,
    ) -> NDArray[np.uint8]:
        """The luminance of a part of the picture in few pixels, `(height, width)`, 0 to 255.

        Each is the mean of `samples * samples` pixels sampled from its place: the cost does not
        depend on the size of the picture, and a coded picture is not converted.

        Args:
            size_wh: width and height of the result, px.
            samples: pixels that are sampled for each, in either direction.
            box_xyxy: the part, px, inside the picture; None for all of it.
        """
        pixels = self._luma_or_bgr
        if box_xyxy is not None:
            left, top, right, bottom = box_xyxy
            pixels = pixels[top:bottom, left:right]
        sampled_wh = size_wh[0] * samples, size_wh[1] * samples
        sampled = cv2.resize(pixels, sampled_wh, interpolation=cv2.INTER_NEAREST)
        if sampled.ndim == 3:
            sampled = cv2.cvtColor(sampled, cv2.COLOR_BGR2GRAY)
        luminance = cv2.resize(sampled, size_wh, interpolation=cv2.INTER_AREA)
        if self._is_narrow_range:
            luminance = cv2.LUT(luminance, _FULL_RANGE_LUMA)
        return luminance.astype(np.uint8, copy=False)

    @cached_property
    def _luma_or_bgr(self) -> NDArray[np.uint8]:
        """The luma of a coded picture `(height, width)`, else BGR `(height, width, 3)`."""
        return self.image if self.coded is None else luma_of(self.coded)

    @cached_property
    def _is_narrow_range(self) -> bool:
        """Whether the picture is coded and its luma goes from 16 to 235."""
        return self.coded is not None and not is_full_range(self.coded)
