"""The window: each picture when it is due, and the keys that are pressed."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from stream.controls import Controls, RunReport, no_input
from stream.drawing.overlay import Overlay
from stream.errors import SinkError
from stream.frames import Frame, SourceInfo
from stream.people import Person
from stream.sinks.claims import claim_new_file
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.pictures.picture_file import write_picture
from stream.sinks.window.screen import Screen
from stream.sinks.window.view import View

_KEY_WAIT_MS = 30
"""Longest wait for a key, ms; longer reacts later to what else has changed, shorter costs more."""

_FIRST_NOTICE = "H shows the keys"
"""The notice when the window opens."""

_LOADING = "loading the model"
"""The notice under the first frame, until it is annotated."""


class Window:
    """Shows each picture with a status bar under it, and does what keys ask for.

    The bar is not part of the picture: it is neither recorded nor saved.

    Args:
        info: the source.
        controls: takes what the user wishes, and says when each frame is due.
        report: what the run reports, for the bar.
        screen: shows the pictures and reads the keys.
        folder: where pictures are saved.
        mirror: whether pictures are shown mirrored; they are saved as they are.
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
        mirror: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._controls = controls
        self._report = report
        self._screen = screen
        self._folder = folder
        self._clock = clock
        self._view = View(info, controls, report, mirror=mirror, clock=clock)
        self._is_full = False
        self._lost: SinkError | None = None
        report.notice = report.notice or _FIRST_NOTICE
        controls.poll_input = self._poll_input

    def __repr__(self) -> str:
        return f"Window({self._screen!r})"

    @property
    def quit_requested(self) -> bool:
        """Whether the user asked for the end, by a key or by closing the window."""
        return self._controls.quit_requested

    def preview(self, frame: Frame) -> None:
        """Shows a frame as it was captured, while the model loads; where faces are to be blurred,
        all of it is.

        Where the screen is gone, the next frame says so.
        """
        width, height = frame.size_wh
        everything = np.array([[0, 0, width, height]], dtype=np.float32)
        self._report.notice = _LOADING
        self._view.set(AnnotatedFrame(frame, (), Overlay(), everything, self._controls.blur))
        try:
            self._show()
        except SinkError as error:
            self._lose(error)
        self._report.notice = _FIRST_NOTICE
        self._view.expire()

    def write(self, annotated: AnnotatedFrame) -> None:
        """Shows the picture when it is due, unless the user goes to another place before.

        Raises:
            SinkError: the screen is gone; nothing the user wished of it goes on.
        """
        if self._lost is not None:
            raise self._lost
        try:
            if self._has_turn(annotated.frame):
                self._take(annotated)
        except SinkError as error:
            self._lose(error)
            raise

    def _has_turn(self, frame: Frame) -> bool:
        """Waits until a frame is due, and reads keys meanwhile; whether it is to be shown."""
        controls, playback = self._controls, self._controls.playback
        while wait_s := playback.wait_s(frame, self._clock(), paused=controls.paused):
            if controls.quit_requested or playback.is_sought:
                return False
            if controls.paused:
                self._view.rates.clear()
            self._read_keys(max(round(min(1000 * wait_s, _KEY_WAIT_MS)), 1))
        return not playback.is_sought

    def _take(self, annotated: AnnotatedFrame) -> None:
        """Shows a frame and reads the keys; where frames come as they come, it stays in a pause."""
        controls = self._controls
        controls.playback.shown(annotated.frame, self._clock())
        self._view.set(annotated)
        if controls.paused or controls.playback.mode == "by hand":
            self._view.expire()  # so that the bar says so at once
        self._show()
        self._view.rates.add(annotated.frame, self._clock())
        self._read_keys(1)
        if controls.playback.mode == "free" and controls.paused:
            while controls.paused and not controls.quit_requested:
                self._read_keys(_KEY_WAIT_MS)
            self._view.rates.clear()

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Takes the window away; may be called twice.

        Raises:
            SinkError: the screen was gone, and no frame has come since that could say so.
        """
        self._screen.close()
        lost, self._lost = self._lost, None
        if lost is not None:
            raise lost

    def _poll_input(self) -> None:
        """Reads keys between frames, while the next one does not arrive.

        Where the screen is gone, the next frame says so, or the end.
        """
        if self._view.annotated is not None and self._lost is None:
            try:
                self._read_keys(1)
            except SinkError as error:
                self._lose(error)

    def _lose(self, error: SinkError) -> None:
        """The screen is gone: takes back what keeps the run waiting for a key."""
        self._lost = error
        self._controls.paused = False
        self._controls.playback.mode = "free"
        self._controls.poll_input = no_input

    def _read_keys(self, wait_ms: int) -> None:
        """Does what all the keys ask for that were pressed; draws again what has changed."""
        controls, key = self._controls, self._screen.key(wait_ms)
        while key and not controls.quit_requested:
            self._press(key)
            key = self._screen.key(1)
        if not self._screen.is_open:
            controls.quit_requested = True
        if controls.quit_requested:
            return
        if self._is_full != controls.full_screen:
            self._is_full = controls.full_screen
            self._screen.fill(full=self._is_full)
        if self._view.is_due:
            self._show()

    def _press(self, key: str) -> None:
        """Does what one key asks for."""
        self._view.expire()
        notice = self._controls.press(key, self._report.recording_refusal)
        self._report.notice = notice or self._report.notice
        if self._controls.snapshot:
            self._controls.snapshot = False
            self._save()

    def _show(self) -> None:
        if self._view.annotated is not None:
            self._screen.show(self._view.draw(self._view.annotated))

    def _save(self) -> None:
        """Saves the picture that is shown, as it was captured."""
        if self._view.annotated is None:
            return
        picture = replace(self._view.annotated, blur=self._controls.blur).picture
        try:
            with claim_new_file(self._folder, "snapshot", ".png") as path:
                write_picture(path, picture)
        except SinkError as error:
            self._report.notice = str(error)
        else:
            self._report.outputs.append(path)
            self._report.notice = f"saved {path}"
