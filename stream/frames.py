"""What a source gives: frames, and a word about itself."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from stream.coded import NARROW_BLACK, NARROW_LUMA_STEPS, is_full_range, luma_of

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame

SourceKind: TypeAlias = Literal["camera", "stream", "video", "pictures"]

ASSUMED_FPS = 25.0
"""Frames a second taken for a source that states no rate; PAL's, the commonest of old cameras."""

TIME_TOLERANCE_S = 1e-3
"""By how much the times of two frames may be off, s: containers round them to milliseconds."""

_STEPS_FROM_BLACK = np.arange(256) - NARROW_BLACK
_WIDENED = np.rint(_STEPS_FROM_BLACK * 255 / NARROW_LUMA_STEPS).clip(0, 255).astype(np.uint8)
"""Grey from 0 to 255, by luma of the narrow range."""


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known of a source before its first frame.

    Attributes:
        uri: what was opened, without credentials.
        kind: a `camera` and a `stream` are live, a `video` has media time, `pictures`
            have nothing in common.
        size_wh: of the first frame as it is given out (rotation applied), px.
        fps: frames a second, None where it means nothing or is not known.
        frame_count: None where the source does not say.
        has_audio: there is sound beside the pictures.
        start_s: media time of the first frame where only a part of a video is read; what is
            recorded begins here.
        reopen: opens the media a second time, for its sound; None where it can be read only once.
    """

    uri: str
    kind: SourceKind
    size_wh: tuple[int, int]
    fps: float | None = None
    frame_count: int | None = None
    has_audio: bool = False
    start_s: float = 0.0
    reopen: "Callable[[], InputContainer] | None" = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        """What people call it: a camera by its number, anything else without its folder."""
        return f"camera {self.uri}" if self.kind == "camera" else Path(self.uri).name or self.uri

    @property
    def nominal_fps(self) -> float:
        """Frames a second, or `ASSUMED_FPS` where the source states none."""
        return self.fps or ASSUMED_FPS

    @property
    def is_live(self) -> bool:
        """Frames come at their own pace: those not fetched in time are lost."""
        return self.kind in ("camera", "stream")


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a source. Nobody writes to its pixels.

    Attributes:
        pixels: `(height, width, 3)` BGR, or what makes them of `coded` once they are asked for.
        index: counts from 0 what the source gave, dropped frames included.
        time_s: media time from the start of a video; seconds since a live source was opened.
        captured_s: `time.monotonic()` when it was grabbed; latency is measured from it.
        path: the file a picture was read from; None in a video.
        coded: the same picture as it came out of a decoder, where it can be recorded like that:
            8 bits, 4:2:0, neither turned nor stretched.
    """

    pixels: Image | Callable[[], Image] = field(repr=False)
    index: int
    time_s: float
    captured_s: float
    path: Path | None = None
    coded: "VideoFrame | None" = field(default=None, repr=False)

    @cached_property
    def image(self) -> Image:
        """`(height, width, 3)` BGR.

        Raises:
            SourceError: the picture cannot be converted.
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
        """How bright a part of the picture is, in few pixels, `(height, width)`.

        Each is the mean of `samples * samples` pixels picked from its place: what it costs does
        not depend on the size of the picture, and nothing is converted for it.

        Args:
            size_wh: how many pixels are wanted.
            samples: how many are picked for each in either direction.
            box_xyxy: the part, px, inside the picture; None for all of it.
        """
        pixels = self._brightness
        if box_xyxy is not None:
            left, top, right, bottom = box_xyxy
            pixels = pixels[top:bottom, left:right]
        picked_wh = size_wh[0] * samples, size_wh[1] * samples
        picked = cv2.resize(pixels, picked_wh, interpolation=cv2.INTER_NEAREST)
        if picked.ndim == 3:
            picked = cv2.cvtColor(picked, cv2.COLOR_BGR2GRAY)
        grey = cv2.resize(picked, size_wh, interpolation=cv2.INTER_AREA)
        if self._is_narrow:
            grey = cv2.LUT(grey, _WIDENED)
        return grey.astype(np.uint8, copy=False)

    @cached_property
    def _brightness(self) -> NDArray[np.uint8]:
        """What is there of it without converting: luma, else BGR."""
        return self.image if self.coded is None else luma_of(self.coded)

    @cached_property
    def _is_narrow(self) -> bool:
        """Its luma goes from 16 to 235."""
        return self.coded is not None and not is_full_range(self.coded)
