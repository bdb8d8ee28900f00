"""Several sinks as one: each gets every frame, and none takes the others down."""

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from stream.controls import Controls
from stream.drawing.overlay import Overlay
from stream.errors import SinkError
from stream.following.lost_faces import LostFaces
from stream.frames import ASSUMED_FPS, Frame
from stream.sinks.contract import AnnotatedFrame, Sink
from stream.sinks.paths import partial_path
from stream.tracks import Track

_log = logging.getLogger(__name__)


class Sinks:
    """Fans frames out. A sink that fails is named, closed and left out from then on.

    Use it as a context manager: leaving it without an error, or by Ctrl-C, completes the outputs.

    Args:
        sinks: what was asked for; when all of them have failed there is nothing to go on for.
        overlay: draws what they are given.
        controls: what the user asks for on the way, such as that faces be unrecognisable.
        watchers: get every frame too, but are no reason to go on.
        fps: frames a second of the source.
    """

    def __init__(
        self,
        sinks: Sequence[Sink],
        overlay: Overlay,
        controls: Controls | None = None,
        watchers: Sequence[Sink] = (),
        fps: float = ASSUMED_FPS,
    ) -> None:
        self._sinks = [*watchers, *sinks]
        self._asked_for = list(sinks)
        self._overlay = overlay
        self._controls = controls or Controls()
        self._lost = LostFaces(fps)
        self._fps = fps
        self.failures: list[str] = []
        self.completed = self._controls.saved  # also what the user had saved on the way

    def __repr__(self) -> str:
        return f"Sinks({', '.join(sink.name for sink in self._sinks)})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        complete = kind is None or issubclass(kind, KeyboardInterrupt)
        with ExitStack() as each:  # whatever one of them raises, the others are closed
            for sink in reversed(self._sinks):
                each.callback(self._close, sink, complete=complete)
            self._sinks = []

    @property
    def quit_requested(self) -> bool:
        """The user asked one of them for the end, or none of those asked for works any more."""
        return self._all_failed or any(sink.quit_requested for sink in self._sinks)

    def write(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Hands the frame to every sink that still works."""
        faces_xyxy = self._whereabouts(frame, tracks)
        annotated = AnnotatedFrame(frame, tracks, self._overlay, faces_xyxy, self._controls.blur)
        for sink in list(self._sinks):
            try:
                sink.write(annotated)
            except SinkError as error:
                self._report(sink, error)
                self._sinks.remove(sink)
                self._close(sink, complete=False)
                if self._all_failed:
                    _log.error("nothing is left to be written or shown: stopped")

    @property
    def _all_failed(self) -> bool:
        return bool(self._asked_for) and not any(each in self._sinks for each in self._asked_for)

    def _whereabouts(self, frame: Frame, tracks: Sequence[Track]) -> NDArray[np.float32]:
        """Where faces are, and where those may be that were lost a moment ago."""
        if frame.path is not None:  # pictures have nothing in common
            self._lost = LostFaces(self._fps)
        lost = self._lost.update(tracks, frame.time_s)
        faces = [*(each.box_xyxy for each in tracks), *lost]
        return np.array(faces, dtype=np.float32).reshape(-1, 4)

    def _close(self, sink: Sink, *, complete: bool) -> None:
        try:
            sink.close(complete=complete)
        except SinkError as error:
            self._report(sink, error)
        else:
            if complete and sink.output is not None and sink.output.exists():
                self.completed.append(sink.output)
        rest = partial_path(sink.output) if sink.output is not None else None
        if rest is not None and rest.is_file():
            _log.warning("%s is not complete: what there is of it is %s", sink.output, rest)

    def _report(self, sink: Sink, error: SinkError) -> None:
        if sink.output is not None and sink.output == self._controls.recording:
            self._controls.recording = None
        failure = f"{sink.name}: {error}"
        if failure not in self.failures:  # what stops a write often stops the closing too
            self.failures.append(failure)
            _log.error("%s failed: %s", sink.name, error)
