"""Annotates one source of the page by settings that change while it runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from stream.annotator import Annotator
from stream.controls import Controls, RunReport
from stream.frames import Frame, SourceInfo
from stream.picture_annotator import PictureAnnotator
from stream.session import Model
from stream.tracks import Track


class LiveAnnotator:
    """Annotates frames by the newest settings.

    1. Other thresholds and groups apply to the faces in view at once.
    2. By another detector the faces in view are found anew, as other tracks.

    Args:
        newest: gives the model with the newest settings.
        info: the source.
        controls: what the user wishes.
        report: takes what the annotator does to keep up.
    """

    def __init__(
        self,
        newest: Callable[[], Model],
        info: SourceInfo,
        controls: Controls,
        report: RunReport,
    ) -> None:
        self._newest = newest
        self._given = info, controls, report
        self._model = newest()
        self._annotator: Annotator | PictureAnnotator = self._new_annotator()
        self._first_id = 0  # what is added to the ids of the present annotator
        self._last_id = 0

    def __repr__(self) -> str:
        return f"LiveAnnotator({self._annotator!r})"

    @property
    def attributes(self) -> Mapping[str, Sequence[str]]:
        """The attributes that labels may be of, and their classes."""
        return self._annotator.attributes

    @property
    def settle(self) -> None:
        """Tracks are not joined: settings change on the way."""
        return None

    def annotate(self, frame: Frame, coming: Sequence[Frame] = ()) -> tuple[Track, ...]:
        """The faces in the next frame."""
        model = self._newest()
        if model is not self._model:
            self._change(model)
        tracks = self._annotator.annotate(frame, coming)
        if self._first_id:
            tracks = tuple(
                replace(track, track_id=track.track_id + self._first_id, person_id=-1)
                for track in tracks
            )
        self._last_id = max([self._last_id, *(track.track_id for track in tracks)])
        return tracks

    def _change(self, model: Model) -> None:
        before, self._model = self._model.config, model
        is_same = (before.detection, before.engine) == (model.config.detection, model.config.engine)
        if is_same and isinstance(self._annotator, Annotator):
            if before.labels != model.config.labels:
                self._annotator.change_labels(model.label_settings)
        elif not is_same or before.labels != model.config.labels:
            self._annotator = self._new_annotator()
            self._first_id = self._last_id

    def _new_annotator(self) -> Annotator | PictureAnnotator:
        return self._model.annotator(*self._given, is_endless=True)
