"""The window."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.faces import Image
from stream.controls import Controls
from stream.errors import SinkError
from stream.frames import SourceInfo
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.paths import dated_path
from stream.sinks.pictures.picture_file import write_picture
from stream.sinks.window.rate_meter import RateMeter
from stream.sinks.window.screen import Screen
from stream.sinks.window.status_bar import Status, draw_help, status_bar

_REFRESH_S = 0.5  # how often the bar is written anew: figures that race cannot be read
_NOTICE_S = 4.0
_PAUSE_MS = 30
_WELCOME = "H shows the keys"


class Window:
    """Shows each picture as it comes, with a bar under it that says how it goes, and hears keys.

    The bar is not part of the picture: it is neither recorded nor saved.

    Args:
        info: the source.
        controls: what the user asks for.
        screen: shows and hears.
        folder: where pictures are saved.
        one_by_one: waits after each picture until the user wants the next.
        clock: the monotonic clock.
    """

    name = "window"
    output = None

    def __init__(
        self,
        info: SourceInfo,
        controls: Controls,
        screen: Screen,
        *,
        folder: Path = Path(),
        one_by_one: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._info = info
        self._controls = controls
        self._screen = screen
        self._folder = folder
        self._one_by_one = one_by_one
        self._clock = clock
        self._meter = RateMeter()
        self._annotated: AnnotatedFrame | None = None
        self._bar: Image | None = None
        self._bar_due_s = 0.0
        self._notice, self._notice_ends_s = "", 0.0
        self._recording: Path | None = None
        self._recorded_from_s = 0.0
        controls.notice = controls.notice or _WELCOME
        controls.attend = self._attend

    def __repr__(self) -> str:
        return f"Window({self._screen!r})"

    @property
    def quit_requested(self) -> bool:
        """The user asked for the end, by a key or by closing the window."""
        return self._controls.quit_requested

    def write(self, annotated: AnnotatedFrame) -> None:
        """Shows the picture, and stays with it while the user pauses.

        Raises:
            SinkError: the screen is gone.
        """
        self._annotated = annotated
        if self._one_by_one:
            self._controls.paused = True
        if self._controls.paused:
            self._bar_due_s = 0.0  # says so at once
        self._show()
        self._meter.add(annotated.frame, self._clock())
        self._hear(1)
        if self._controls.paused:
            while self._controls.paused and not self._controls.quit_requested:
                self._hear(_PAUSE_MS)
            self._meter.clear()

    def close(self, *, complete: bool) -> None:
        """Takes the window away."""
        self._screen.close()

    def _attend(self) -> None:
        """Between frames, when the next one is long in coming."""
        if self._annotated is not None:
            self._hear(1)

    def _hear(self, wait_ms: int) -> None:
        """Does what keys ask for; draws anew what has changed by it, or with time."""
        key = self._screen.key(wait_ms)
        self._controls.press(key)
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
        info, controls, frame = self._info, self._controls, annotated.frame
        waiting = "Space: next" if self._one_by_one else "paused"
        count = (info.frame_count or 0) if not info.is_live else 0
        status = Status(
            position=None if info.is_live else (frame.index + 1, count),
            recorded_s=self._recorded_s(frame.time_s),
            waiting=waiting if controls.paused else "",
            notice=self._current_notice(),
            note=controls.note,
            dropped=controls.dropped,
        )
        if info.kind == "pictures":
            return status
        return replace(
            status,
            source_fps=self._meter.captured_fps if info.is_live else info.fps,
            shown_fps=self._meter.shown_fps,
            latency_s=self._meter.latency_s,
        )

    def _recorded_s(self, time_s: float) -> float | None:
        recording = self._controls.recording
        if recording != self._recording:
            self._recording, self._recorded_from_s = recording, time_s
        return None if recording is None else time_s - self._recorded_from_s

    def _current_notice(self) -> str:
        """The last notice, until it has stood long enough."""
        controls, now_s = self._controls, self._clock()
        if controls.notice:
            self._notice, self._notice_ends_s = controls.notice, now_s + _NOTICE_S
            controls.notice = ""
        return self._notice if now_s < self._notice_ends_s else ""

    def _save(self) -> None:
        """Saves the picture as it is shown."""
        if self._annotated is None:
            return
        path = dated_path(self._folder, "snapshot", ".png")
        try:
            write_picture(path, replace(self._annotated, blur=self._controls.blur).picture)
        except SinkError as error:
            self._controls.notice = str(error)
        else:
            self._controls.saved.append(path)
            self._controls.notice = f"saved {path}"
