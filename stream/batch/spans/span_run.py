"""A task as a run takes it: a span knows the faces before it, and notes those at its ends."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from stream.annotator import Annotator
from stream.batch.contract import Task
from stream.batch.spans.cutting import LEAD_IN_S
from stream.batch.spans.seam import RETURN_S, Seam, tracks_of
from stream.controls import Controls, RunReport
from stream.errors import EmptySpanError
from stream.frames import Frame, SourceInfo
from stream.labelling.track_faces import TrackFace
from stream.run import FrameAnnotator, LoadAnnotator
from stream.settings import Config
from stream.sources import Span
from stream.tracks import Track

_Sights: TypeAlias = dict[int, list[tuple[int, NDArray[np.float32]]]]
"""By track, the times in ms and the boxes `(4,)` where its face was seen."""


class SpanRun:
    """How a task is run; of a task that is no span nothing differs from any other run.

    Args:
        task: the task.
        config: the settings.
        load: gives the annotator of a source.

    Attributes:
        span: what is opened of the source, with what leads in to it.
        config: the settings: a span is recorded without sound, which is copied when all are joined.
        passed_over: the errors with which a task comes to nothing and has not failed: a span of a
            damaged video may have no frame, of which an uncut run would say nothing either.
    """

    def __init__(self, task: Task, config: Config, load: LoadAnnotator) -> None:
        self._load = load
        self._notes: _SeamNotes | None = None
        self._noted: _NotedAnnotator | None = None
        self.span = replace(task.span, lead_in_s=task.lead_in_s)
        self.config = config
        self.passed_over: tuple[type[Exception], ...] = ()
        if task.gives_seam:
            recorder = config.recorder.model_copy(update={"sound": False})
            self.config = config.model_copy(update={"recorder": recorder})
            self._notes = _SeamNotes(self.span)
            self.passed_over = (EmptySpanError,)

    def __repr__(self) -> str:
        return f"SpanRun({self.span})"

    def annotator(self, info: SourceInfo, controls: Controls, report: RunReport) -> FrameAnnotator:
        """What annotates the frames of the source; it is given to `run`.

        Raises:
            ConfigError, ModelError: there can be none.
        """
        annotator = self._load(info, controls, report)
        if self._notes is None:
            return annotator
        self._noted = _NotedAnnotator(annotator, self._notes)
        return self._noted

    @property
    def seam(self) -> Seam | None:
        """The tracks around the ends of the span, once it was run; None of what is no span."""
        return None if self._notes is None else self._notes.seam

    @property
    def faces(self) -> Sequence[TrackFace] | None:
        """What is known of the faces of all tracks of the span, once it was run; None where tracks
        are not joined across shots, and of what is no span.
        """
        return None if self._noted is None else self._noted.faces


class _SeamNotes:
    """Notes where tracks are seen around the ends of a span.

    Args:
        span: the span.
    """

    def __init__(self, span: Span) -> None:
        self._head_until_s = span.start_s + RETURN_S if span.start_s else 0.0
        self._tail_from_s = float("inf") if span.end_s is None else span.end_s - LEAD_IN_S
        self._head: _Sights = {}
        self._tail: _Sights = {}
        self._looks_at_head: dict[int, NDArray[np.float32]] = {}
        self._looks_at_tail: dict[int, NDArray[np.float32]] = {}

    @property
    def seam(self) -> Seam:
        """What was noted."""
        return Seam(
            tracks_of(self._head, self._looks_at_head), tracks_of(self._tail, self._looks_at_tail)
        )

    def note(
        self,
        frame: Frame,
        tracks: Sequence[Track],
        appearances: Callable[[], Mapping[int, NDArray[np.float32]]],
    ) -> None:
        """Takes in the next frame."""
        for is_near, sights, looks in (
            (frame.time_s < self._head_until_s, self._head, self._looks_at_head),
            (frame.time_s >= self._tail_from_s, self._tail, self._looks_at_tail),
        ):
            if is_near:
                for track in tracks:
                    if not track.missed_frames:
                        place = round(1000 * frame.time_s), track.box_xyxy
                        sights.setdefault(track.track_id, []).append(place)
                looks.update(appearances())


class _NotedAnnotator:
    """An annotator whose tracks are noted around the ends of a span."""

    def __init__(self, annotator: FrameAnnotator, notes: _SeamNotes) -> None:
        self._annotator = annotator
        self._notes = notes

    @property
    def attributes(self) -> Mapping[str, Sequence[str]]:
        """The attributes that its labels may be of, and their classes."""
        return self._annotator.attributes

    @property
    def settle(self) -> None:
        """Nothing: the tracks of all spans are joined at once."""

    @property
    def faces(self) -> Sequence[TrackFace] | None:
        """What is known of the faces of all tracks; None where they are not joined."""
        return self._annotator.faces if isinstance(self._annotator, Annotator) else None

    def annotate(self, frame: Frame, coming: Sequence[Frame] = ()) -> tuple[Track, ...]:
        """The faces in the next frame."""
        tracks = self._annotator.annotate(frame, coming)
        self._notes.note(frame, tracks, self._appearances)
        return tracks

    def _appearances(self) -> Mapping[int, NDArray[np.float32]]:
        annotator = self._annotator
        return annotator.appearances if isinstance(annotator, Annotator) else {}
