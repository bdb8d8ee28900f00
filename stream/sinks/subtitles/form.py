"""The contract of the forms of subtitles, and what all of them share."""

import re
from collections.abc import Sequence
from typing import Protocol

from stream.tracks import Track

BREAKER = "\u2060"
"""Word joiner: a character of no width, put between two that a player would obey together."""


class SubtitleForm(Protocol):
    """Turns the frames of a video, in their order, into the text of a subtitle file."""

    @property
    def header(self) -> str:
        """What the file begins with."""

    def text(self, time_s: float, tracks: Sequence[Track]) -> str:
        """The events that end with a frame; empty where none does.

        Args:
            time_s: of the frame.
            tracks: the faces in it, px of the video; none at its end.
        """


def clock_text(time_s: float, digits: int, point: str, hour_digits: int = 2) -> str:
    """A time as `01:02:03.456`, cut and never rounded: an event then is there in its first frame,
    and no more in the first frame without it.

    Args:
        time_s: not negative.
        digits: of the fraction of a second.
        point: what stands before it.
        hour_digits: of hours, at least.
    """
    units = 10**digits
    # Times that are exact in decimal may lie a little lower in binary.
    whole, fraction = divmod(int(time_s * units + 1e-3), units)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:0{hour_digits}}:{minutes:02}:{seconds:02}{point}{fraction:0{digits}}"


def broken(text: str, obeyed: str) -> str:
    """The text, in which what a pattern finds has no effect on what follows it."""
    return re.sub(f"({obeyed})", rf"\1{BREAKER}", text)
