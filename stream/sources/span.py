"""The part of a video that is asked for, from one time to another."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self, SupportsFloat, TypeVar

from stream.errors import ConfigError

ROUNDING_S = 0.0005
"""By how much a time may be off from that of the frame it names, s: half a millisecond, for times
are written in milliseconds."""

_CLOCK_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?)")
"""Seconds, or hours, minutes and seconds."""


_Picture = TypeVar("_Picture")


@dataclass(frozen=True, slots=True)
class Span:
    """From one time to another, in seconds of media time; the end is not part of it.

    Attributes:
        start_s: where it begins.
        end_s: where it ends; None for the end of the video.
        lead_in_s: how much of the video before it is read too, so that its faces are known where it
            begins; nothing of that is written.

    Raises:
        ConfigError: one is not a time, or the end does not lie after the start.
    """

    start_s: float = 0.0
    end_s: float | None = None
    lead_in_s: float = 0.0

    def __post_init__(self) -> None:
        for time_s in (self.start_s, *([] if self.end_s is None else [self.end_s])):
            if not is_time(time_s):
                raise ConfigError(f"a span is from one time to another in seconds, not {time_s!r}")
        if self.end_s is not None and self.end_s <= self.start_s == 0:
            raise ConfigError(f"--end {self.end_s:g} is before the first frame: give a later time")
        if self.end_s is not None and self.end_s <= self.start_s:
            raise ConfigError(
                f"--end ({self.end_s:g} s) must lie after --start ({self.start_s:g} s)"
            )

    @classmethod
    def parse(cls, start: str | None, end: str | None) -> Self:
        """The span between two times as the command line was given them; None for not given.

        Raises:
            ConfigError: one is not a time, or the end does not lie after the start.
        """
        return cls(
            0.0 if start is None else _seconds("--start", start),
            None if end is None else _seconds("--end", end),
        )

    @property
    def read_from_s(self) -> float:
        """Where reading begins."""
        return max(self.start_s - self.lead_in_s, 0.0)

    def begins_s(self, first_s: float) -> float:
        """Media time at which what is wanted begins, given that of the first frame that is read."""
        return self.start_s if self.is_before(first_s) or not self.start_s else first_s

    def is_before(self, time_s: float) -> bool:
        """Whether a frame of that time lies before the span."""
        return time_s < self.start_s - ROUNDING_S

    def is_unread(self, time_s: float) -> bool:
        """Whether a frame of that time lies before what is read."""
        return time_s < self.read_from_s - ROUNDING_S

    def is_after(self, time_s: float) -> bool:
        """Whether a frame of that time lies after the span."""
        return self.end_s is not None and time_s >= self.end_s - ROUNDING_S


def is_time(value: object) -> bool:
    """Whether a caller's value is a finite number of seconds."""
    try:
        return isinstance(value, SupportsFloat) and math.isfinite(value)
    except (TypeError, OverflowError):  # an array of several numbers; an integer that is too large
        return False


WHOLE = Span()
"""All of a video."""


def check_span(span: object) -> None:
    """Checks that what a caller gives as a part of a video is one.

    Raises:
        ConfigError: it is of another type.
    """
    if not isinstance(span, Span):
        raise ConfigError(f"a part of a video is a Span, not of type {type(span).__name__}")


def shown_from(
    timed: Iterator[tuple[float, _Picture]], time_s: float
) -> Iterator[tuple[float, _Picture]]:
    """Times and pictures from the one on that is on the screen at a time: the last that is not
    after it. Where all are after it that is the first.
    """
    shown: tuple[float, _Picture] | None = None
    for each in timed:
        if shown is not None and each[0] > time_s + ROUNDING_S:
            yield shown
            yield each
            yield from timed
            return
        shown = each
    if shown is not None:
        yield shown


def _seconds(option: str, text: str) -> float:
    match = _CLOCK_TIME.fullmatch(text.strip())
    if match is None:
        raise ConfigError(
            f"{option} {text}: give seconds, as in 90.5, or HH:MM:SS, as in 0:01:30.5"
        )
    hours, minutes, seconds = match.groups()
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds)
