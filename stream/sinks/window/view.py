"""What the window shows: a picture, mirrored or not, the bar under it and the help over it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.faces import Image
from stream.controls import Controls, RunReport
from stream.drawing.overlay import Overlay
from stream.frames import Frame, SourceInfo
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.window.mirror import mirrored
from stream.sinks.window.rate_meter import RateMeter
from stream.sinks.window.status_bar import Status, draw_help, position_text, status_bar

_REFRESH_S = 0.5
"""Time after which the bar is written anew, s; figures that change more often cannot be read."""

_NOTICE_S = 4.0
"""How long a notice is shown, s."""


class View:
    """What the window shows at the moment.

    Args:
        info: the source.
        controls: what the user wishes.
        report: what the run reports.
        mirror: whether pictures are shown mirrored.
        clock: the monotonic clock, s.

    Attributes:
        annotated: the frame that is shown, as it was captured; None before the first.
        rates: frame rates and latency.
    """

    def __init__(
        self,
        info: SourceInfo,
        controls: Controls,
        report: RunReport,
        *,
        mirror: bool,
        clock: Callable[[], float],
    ) -> None:
        self.annotated: AnnotatedFrame | None = None
        self.rates = RateMeter()
        self._info = info
        self._controls = controls
        self._report = report
        self._mirror = mirror
        self._mirror_overlay: Overlay | None = None
        self._mirrored: AnnotatedFrame | None = None
        self._clock = clock
        self._bar: Image | None = None
        self._bar_due_s = 0.0
        self._notice, self._notice_ends_s = "", 0.0
        self._recording: Path | None = None
        self._recorded_from_s = 0.0

    def __repr__(self) -> str:
        return f"View({self._info.name})"

    @property
    def is_due(self) -> bool:
        """Whether what is shown has changed since it was drawn, or may have."""
        return self.annotated is not None and self._clock() >= self._bar_due_s

    def expire(self) -> None:
        """What is shown has changed: the bar is written anew at once."""
        self._bar_due_s = 0.0

    def set(self, annotated: AnnotatedFrame) -> None:
        """Shows another frame from now on."""
        self.annotated, self._mirrored = annotated, None

    def draw(self, annotated: AnnotatedFrame) -> Image:
        """The picture of a frame, its bar and the help, drawn."""
        controls = self._controls
        if annotated.blur != controls.blur:
            annotated = replace(annotated, blur=controls.blur)
            self.set(annotated)
        picture = self._seen(annotated).picture
        if self._bar is None or self._bar.shape[1] != picture.shape[1]:
            self.expire()
        if self._bar is None or self._clock() >= self._bar_due_s:
            self._bar_due_s = self._clock() + _REFRESH_S
            self._bar = status_bar(self._status(annotated.frame), picture)
        drawn = np.concatenate([picture, self._bar])
        if controls.help:
            draw_help(drawn[: picture.shape[0]])
        return drawn

    def _seen(self, annotated: AnnotatedFrame) -> AnnotatedFrame:
        """The frame as it is seen: as it was captured, or mirrored."""
        if not self._mirror:
            return annotated
        if self._mirrored is None:
            self._mirror_overlay = self._mirror_overlay or annotated.overlay.fresh()
            self._mirrored = mirrored(annotated, self._mirror_overlay)
        return self._mirrored

    def _status(self, frame: Frame) -> Status:
        info, report, speed = self._info, self._report, self._controls.playback.speed
        status = Status(
            position=position_text(info, frame),
            recorded_s=self._recorded_s(frame.time_s),
            waiting=self._waiting(),
            speed="" if speed == 1 else f"{speed:g}×",
            notice=self._current_notice(),
            load_shedding=report.load_shedding,
            dropped=report.dropped,
        )
        if info.kind == "pictures":
            return status
        return replace(
            status,
            source_fps=self.rates.captured_fps if info.is_live else info.fps,
            shown_fps=self.rates.shown_fps,
            latency_s=self.rates.latency_s if info.is_live else None,
        )

    def _waiting(self) -> str:
        """Why no further frame comes; empty while they do."""
        playback = self._controls.playback
        if playback.at_end:
            return "the end"
        if playback.mode == "by hand":
            return "Space: next"
        return "paused" if self._controls.paused else ""

    def _recorded_s(self, time_s: float) -> float | None:
        """How long has been recorded; None while nothing is."""
        recording = self._report.recording
        if recording != self._recording:
            self._recording, self._recorded_from_s = recording, time_s
        return None if recording is None else time_s - self._recorded_from_s

    def _current_notice(self) -> str:
        """The last notice, while it is to be shown."""
        report, now_s = self._report, self._clock()
        if report.notice:
            self._notice, self._notice_ends_s = report.notice, now_s + _NOTICE_S
            report.notice = ""
        return self._notice if now_s < self._notice_ends_s else ""
