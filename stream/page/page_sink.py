"""The sink of the page: it keeps the newest frame of a source, and what is said of it."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from stream.controls import Controls, RunReport
from stream.frames import Frame, SourceInfo
from stream.page.faces_in_view import FacesInView
from stream.people import Person
from stream.sinks import AnnotatedFrame
from stream.sinks.data.events import Event, Events

_MEASURED = 300
"""Frames over which rates and latency are taken; more is steadier and later."""

_RESTART_S = 1.0
"""Delay from which the clock of a file is set back, s: what cannot keep up plays slower."""


class PageSink:
    """Keeps the newest frame for all who watch; the source waits here while it is paused.

    A file is shown at its own pace unless something is written of it.

    Args:
        controls: what the user wishes of the source.
        report: what the run of the source reports.
        is_paced: whether a source that is not live is shown at its own pace.
        on_event: is told what is new of the people in view, in the thread of the source.
        clock: the monotonic clock, s.

    Attributes:
        info: the source; None until it is open.
        faces: the faces in view.
        ended: why the source has ended; None while it goes on.
    """

    name = "page"
    output = None

    def __init__(
        self,
        controls: Controls,
        report: RunReport,
        *,
        is_paced: bool,
        on_event: Callable[[Event], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.controls = controls
        self.report = report
        self.info: SourceInfo | None = None
        self.faces = FacesInView()
        self.ended: str | None = None
        self._events: Events | None = None
        self._on_event = on_event
        self._is_paced = is_paced
        self._clock = clock
        self._changed = threading.Condition()
        self._annotated: AnnotatedFrame | None = None
        self._count = 0
        self._started: tuple[float, float] | None = None  # media time, clock
        self._shown: deque[tuple[float, float, int]] = deque(maxlen=_MEASURED)

    def __repr__(self) -> str:
        return f"PageSink({self._count} frames)"

    @property
    def quit_requested(self) -> bool:
        """Whether the source is to end."""
        return self.controls.quit_requested

    def begin(self, info: SourceInfo) -> None:
        """Takes what is known of the source once it is open."""
        self.info, self._events = info, Events(info)

    def write(self, annotated: AnnotatedFrame) -> None:
        """Takes the next frame when it is due; returns when the user does not pause."""
        now_s = self._clock()
        late_s = now_s - annotated.frame.captured_s
        if self._wait_until_due(annotated.frame):
            now_s = self._clock()
        self.faces.update(annotated)
        for event in self._events.of_frame(annotated) if self._events else ():
            self._on_event(event)
        with self._changed:
            self._annotated, self._count = annotated, self._count + 1
            self._shown.append((now_s, late_s, annotated.frame.index))
            self._changed.notify_all()
            if self._is_paused:
                self._changed.wait_for(lambda: not self._is_paused)
                self._shown.clear()
                self._started = None

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """The last frame stays, and no face is in view any more."""
        self.faces.leave()
        for event in self._events.of_end(present) if self._events else ():
            self._on_event(event)

    def end(self, reason: str) -> None:
        """Notes that the source has ended, and why."""
        with self._changed:
            self.ended = reason
            self._shown.clear()
            self._changed.notify_all()

    def wish(self, controls: Controls) -> None:
        """Passes on what the user wishes of all sources."""
        with self._changed:
            self.controls.quit_requested = controls.quit_requested
            self._changed.notify_all()

    def change(self, **wishes: bool) -> None:
        """Changes what the user wishes of the source, and wakes it up."""
        with self._changed:
            for name, value in wishes.items():
                setattr(self.controls, name, value)
            self._changed.notify_all()

    def newest(self) -> tuple[int, AnnotatedFrame] | None:
        """The newest frame, blurred if faces are to be, and its number; None before the first."""
        with self._changed:
            annotated, number = self._annotated, self._count
        if annotated is None:
            return None
        if annotated.blur != self.controls.blur:
            annotated = replace(annotated, blur=self.controls.blur)
        return number, annotated

    def wait(self, is_wanted: Callable[[int], bool], timeout_s: float) -> None:
        """Waits until something is wanted at the number of the newest frame."""
        with self._changed:
            self._changed.wait_for(lambda: is_wanted(self._count), timeout_s)

    def wake(self) -> None:
        """Lets those who wait look again."""
        with self._changed:
            self._changed.notify_all()

    def figures(self) -> dict[str, float | None]:
        """Frames a second that come and that are shown, and how late they are, ms."""
        with self._changed:
            shown = list(self._shown)
        if len(shown) < 2 or self._clock() - shown[-1][0] > _RESTART_S + 1:
            return dict.fromkeys(("source_fps", "shown_fps", "latency_p50_ms", "latency_p95_ms"))
        elapsed_s = max(shown[-1][0] - shown[0][0], 1e-9)
        late = np.percentile([late_s for _, late_s, _ in shown], [50, 95]) * 1000
        return {
            "source_fps": round((shown[-1][2] - shown[0][2]) / elapsed_s, 1),
            "shown_fps": round((len(shown) - 1) / elapsed_s, 1),
            "latency_p50_ms": round(float(late[0]), 1),
            "latency_p95_ms": round(float(late[1]), 1),
        }

    @property
    def _is_paused(self) -> bool:
        return self.controls.paused and not self.controls.quit_requested

    def _wait_until_due(self, frame: Frame) -> bool:
        """Waits until a frame of a file that is shown at its own pace is due; whether it is one."""
        if not self._is_paced or self.info is None or self.info.is_live:
            return False
        now_s = self._clock()
        if self._started is None or now_s > self._due_s(frame) + _RESTART_S:
            self._started = frame.time_s, now_s
        with self._changed:
            while (left_s := self._due_s(frame) - self._clock()) > 0 and not self.quit_requested:
                self._changed.wait(left_s)
        return True

    def _due_s(self, frame: Frame) -> float:
        """When a frame is due, by the clock, s."""
        media_s, clock_s = self._started or (frame.time_s, self._clock())
        return clock_s + frame.time_s - media_s
