"""One source among several in the window: a sink that draws its newest picture as a tile."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np

from models.faces import Image
from stream.controls import Controls, RunReport
from stream.drawing.overlay import Overlay
from stream.people import Person
from stream.several.mosaic import TileView, fitted_wh
from stream.sinks import AnnotatedFrame
from stream.sinks.window.rate_meter import RateMeter

_SILENT_S = 2.0
"""Time without a picture after which a tile says so, s; less says it of slow cameras too."""


class Tile:
    """Draws the pictures of a source in the size of its tile, in the thread of the source.

    A picture is drawn only when the window has shown the last one, so that fast cameras cost no
    more than are seen. While the user pauses, the source waits here.

    Args:
        name: of the source, for people.
        count: how many tiles the window shows at first.
        overlay: draws boxes and labels, in the size of the tile.
        controls: what the user wishes of the source.
        report: what the run of the source reports.
        clock: the monotonic clock, s.
    """

    name = "tile"
    output = None

    def __init__(
        self,
        name: str,
        count: int,
        overlay: Overlay,
        controls: Controls,
        report: RunReport,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source_name = name
        self._count = count
        self._overlay = overlay
        self._controls = controls
        self._report = report
        self._clock = clock
        self._changed = threading.Condition()
        self._drawn = (False, count)  # whether faces are blurred, and for how many tiles
        self._is_wanted = True
        self._picture: Image | None = None
        self._rates = RateMeter()
        self._seen_s: float | None = None
        self._end = ""

    def __repr__(self) -> str:
        return f"Tile({self._source_name})"

    @property
    def quit_requested(self) -> bool:
        """Whether the user asked for the end."""
        return self._controls.quit_requested

    def write(self, annotated: AnnotatedFrame) -> None:
        """Takes the next frame; returns when the user does not pause."""
        with self._changed:
            now_s = self._seen_s = self._clock()
            self._rates.add(annotated.frame, now_s)
            is_wanted = self._is_wanted
        if is_wanted or self._controls.paused:
            self._draw(annotated)
        while self._is_waiting():
            self._draw(annotated)  # the user may have asked for blurred faces

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """There is nothing to release."""

    def end(self, reason: str) -> None:
        """Says in the tile that the source has ended, and why."""
        with self._changed:
            self._end = reason

    def wish(self, controls: Controls) -> None:
        """Passes on what the user wishes of all sources."""
        with self._changed:
            own = self._controls
            own.quit_requested, own.paused = controls.quit_requested, controls.paused
            own.blur, own.record = controls.blur, controls.record
            self._changed.notify_all()

    def view(self, count: int) -> TileView:
        """What the tile shows now as one of so many; another picture is drawn from then on."""
        with self._changed:
            self._is_wanted, self._count = True, count
            self._changed.notify_all()
            return TileView(
                self._source_name,
                self._picture,
                self._state(),
                "" if self._end else self._figures(),
                is_recorded=self._report.recording is not None and not self._end,
            )

    def _draw(self, annotated: AnnotatedFrame) -> None:
        """Draws a frame in the size of the tile; letters so keep their size."""
        with self._changed:
            blur, count = self._drawn = self._controls.blur, self._count
        if annotated.blur != blur:
            annotated = replace(annotated, blur=blur)
        shown = annotated.shown
        height, width = shown.shape[:2]
        fitted = fitted_wh((width, height), count)
        flags = cv2.INTER_AREA if fitted[0] < width else cv2.INTER_LINEAR
        small = cv2.resize(shown, fitted, interpolation=flags).astype(np.uint8, copy=False)
        scale = np.array([fitted[0] / width, fitted[1] / height] * 2, dtype=np.float32)
        tracks = [replace(track, box_xyxy=track.box_xyxy * scale) for track in annotated.tracks]
        picture = self._overlay.draw(small, tracks)
        with self._changed:
            self._picture, self._is_wanted = picture, False

    def _is_waiting(self) -> bool:
        """Waits while the user pauses; whether the pause goes on, and the picture has changed."""
        with self._changed:
            self._changed.wait_for(
                lambda: not self._is_paused or (self._controls.blur, self._count) != self._drawn
            )
            return self._is_paused

    @property
    def _is_paused(self) -> bool:
        return self._controls.paused and not self._controls.quit_requested

    def _state(self) -> str:
        """Why there is no picture of now; empty where there is one."""
        if self._end or self._seen_s is None:
            return self._end or "opening …"
        if self._controls.paused:
            return ""
        silent_s = self._clock() - self._seen_s
        return f"no picture for {silent_s:.0f} s" if silent_s > _SILENT_S else ""

    def _figures(self) -> str:
        """Rates, and what was dropped."""
        rates, figures = self._rates, []
        if rates.shown_fps is not None:
            total = "" if rates.captured_fps is None else f" of {rates.captured_fps:.0f}"
            figures.append(f"{rates.shown_fps:.0f}{total} fps")
        if self._report.dropped:
            figures.append(f"{self._report.dropped} dropped")
        return "   ".join(figures)
