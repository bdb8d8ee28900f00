"""The window: each picture as it comes, a bar under it, and the keys that are pressed."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.faces import Image
from stream.controls import Controls, RunReport, no_input
from stream.errors import SinkError
from stream.frames import SourceInfo
from stream.people import Person
from stream.sinks.claims import claim_new_file
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.pictures.picture_file import write_picture
from stream.sinks.window.rate_meter import RateMeter
from stream.sinks.window.screen import Screen
from stream.sinks.window.status_bar import Status, draw_help, status_bar

_REFRESH_S = 0.5
"""Time after which the bar is written anew, s; figures that change more often cannot be read."""

_NOTICE_S = 4.0
"""How long a notice is shown, s."""

_PAUSE_WAIT_MS = 30
"""How long each wait for a key is while the user pauses, ms; longer reacts later, shorter costs
more."""

_FIRST_NOTICE = "H shows the keys"
"""The notice when the window opens."""


class Window:
    """Shows each picture with a status bar under it, and does what keys ask for.

    The bar is not part of the picture: it is neither recorded nor saved.

    Args:
        info: the source.
        controls: takes what the user wishes.
        report: what the run reports, for the bar.
        screen: shows the pictures and reads the keys.
        folder: where pictures are saved.
        one_by_one: whether each picture stays until the user wants the next.
        clock: the monotonic clock, s.
    """

    name = "window"
    output = None

    def __init__(
        self,
        info: SourceInfo,
        controls: Controls,
        report: RunReport,
        screen: Screen,
        *,
        folder: Path = Path(),
        one_by_one: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._info = info
        self._controls = controls
        self._report = report
        self._screen = screen
        self._folder = folder
        self._one_by_one = one_by_one
        self._clock = clock
        self._rates = RateMeter()
        self._annotated: AnnotatedFrame | None = None
        self._bar: Image | None = None
        self._bar_due_s = 0.0
        self._notice, self._notice_ends_s = "", 0.0
        self._lost: SinkError | None = None
        self._recording: Path | None = None
        self._recorded_from_s = 0.0
        report.notice = report.notice or _FIRST_NOTICE
        controls.poll_input = self._poll_input

    def __repr__(self) -> str:
        return f"Window({self._screen!r})"

    @property
    def quit_requested(self) -> bool:
        """Whether the user asked for the end, by a key or by closing the window."""
        return self._controls.quit_requested

    def write(self, annotated: AnnotatedFrame) -> None:
        """Shows the picture, and keeps it while the user pauses.

        Raises:
            SinkError: the screen is gone; nothing the user wished of it goes on.
        """
        if self._lost is not None:
            raise self._lost
        try:
            self._take(annotated)
        except SinkError:
            self._leave()
            raise

    def _take(self, annotated: AnnotatedFrame) -> None:
        self._annotated = annotated
        if self._one_by_one:
            self._controls.paused = True
        if self._controls.paused:
            self._bar_due_s = 0.0  # so that the bar says so at once
        self._show()
        self._rates.add(annotated.frame, self._clock())
        self._read_key(1)
        if self._controls.paused:
            while self._controls.paused and not self._controls.quit_requested:
                self._read_key(_PAUSE_WAIT_MS)
            self._rates.clear()

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Takes the window away."""
        self._screen.close()

    def _poll_input(self) -> None:
        """Reads a key between frames, while the next one does not arrive.

        Where the screen is gone, the next frame says so.
        """
        if self._annotated is not None and self._lost is None:
            try:
                self._read_key(1)
            except SinkError as error:
                self._lost = error

    def _leave(self) -> None:
        """Takes back what keeps the run waiting for a key."""
        self._controls.paused = False
        self._controls.poll_input = no_input

    def _read_key(self, wait_ms: int) -> None:
        """Does what a key asks for; draws again what this or the time has changed."""
        key = self._screen.key(wait_ms)
        notice = self._controls.press(key, self._report.recording_refusal)
        self._report.notice = notice or self._report.notice
        if not self._screen.is_open:
            self._controls.quit_requested = True
        if self._controls.quit_requested:
            return
        if self._controls.snapshot:
            self._controls.snapshot = False
            self._save()
        if key:
            self._bar_due_s = 0.0
        if self._clock() >= self._bar_due_s:
            self._show()

    def _show(self) -> None:
        annotated, controls = self._annotated, self._controls
        if annotated is None:
            return
        if annotated.blur != controls.blur:
            self._annotated = annotated = replace(annotated, blur=controls.blur)
        picture = annotated.picture
        if self._bar is None or self._bar.shape[1] != picture.shape[1]:
            self._bar_due_s = 0.0
        if self._bar is None or self._clock() >= self._bar_due_s:
            self._bar_due_s = self._clock() + _REFRESH_S
            self._bar = status_bar(self._status(annotated), picture)
        view = np.concatenate([picture, self._bar])
        if controls.help:
            draw_help(view[: picture.shape[0]])
        self._screen.show(view)

    def _status(self, annotated: AnnotatedFrame) -> Status:
        info, report, frame = self._info, self._report, annotated.frame
        waiting = "Space: next" if self._one_by_one else "paused"
        count = (info.frame_count or 0) if not info.is_live else 0
        status = Status(
            position=None if info.is_live else (frame.index + 1, count),
            recorded_s=self._recorded_s(frame.time_s),
            waiting=waiting if self._controls.paused else "",
            notice=self._current_notice(),
            load_shedding=report.load_shedding,
            dropped=report.dropped,
        )
        if info.kind == "pictures":
            return status
        return replace(
            status,
            source_fps=self._rates.captured_fps if info.is_live else info.fps,
            shown_fps=self._rates.shown_fps,
            latency_s=self._rates.latency_s,
        )

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

    def _save(self) -> None:
        """Saves the picture as it is shown."""
        if self._annotated is None:
            return
        picture = replace(self._annotated, blur=self._controls.blur).picture
        try:
            with claim_new_file(self._folder, "snapshot", ".png") as path:
                write_picture(path, picture)
        except SinkError as error:
            self._report.notice = str(error)
        else:
            self._report.outputs.append(path)
            self._report.notice = f"saved {path}"
