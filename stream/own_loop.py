"""Frames that a caller hands over one by one, in a loop of their own."""

import math
import time
from collections.abc import Callable

from models.faces import Image
from stream.annotator import Annotator
from stream.frames import ASSUMED_FPS, Frame, SourceInfo
from stream.picture_annotator import PictureAnnotator
from stream.sources.span import is_time
from stream.tracks import Track


class OwnLoop:
    """The state of the tracks of one such loop, for one thread at a time.

    Args:
        load: gives the annotator.
    """

    def __init__(self, load: Callable[[SourceInfo], Annotator | PictureAnnotator]) -> None:
        self._load = load
        self._annotator: Annotator | PictureAnnotator | None = None
        self._index = 0
        self._time_s = -math.inf

    def __repr__(self) -> str:
        return f"OwnLoop({self._index} frames)"

    def annotate(self, image: Image, time_s: float | None) -> tuple[Track, ...]:
        """The tracks in the next frame.

        Args:
            image: the frame.
            time_s: when it was taken; None for one frame of `ASSUMED_FPS` after the last.

        Raises:
            ValueError: the time is none, or goes back.
        """
        at_s = self._next_s() if time_s is None else self._checked(time_s)
        if self._annotator is None:
            size_wh = image.shape[1], image.shape[0]
            self._annotator = self._load(SourceInfo("own loop", "video", size_wh))
        frame = Frame(image, self._index, at_s, time.monotonic())
        self._index, self._time_s = self._index + 1, at_s
        return self._annotator.annotate(frame)

    def _next_s(self) -> float:
        return self._time_s + 1 / ASSUMED_FPS if self._index else 0.0

    def _checked(self, time_s: float) -> float:
        if not is_time(time_s):
            raise ValueError(f"expected the time of a frame in seconds, got {time_s!r}")
        if time_s < self._time_s:
            raise ValueError(
                f"expected a time from {self._time_s:g} s on, that of the last frame, got "
                f"{time_s:g} s: call reset before another video"
            )
        return float(time_s)
