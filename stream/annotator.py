"""Frame → tracks: follow the known faces, search for new ones, label those that are due."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stream.following.follower import Follower, FramePlan
from stream.following.schedule import Search
from stream.following.track_state import TrackState
from stream.frames import Frame, SourceInfo
from stream.labelling.evidence import Evidence
from stream.labelling.labeller import Labeller, Views
from stream.labelling.persons import Persons
from stream.labelling.track_faces import TrackFace
from stream.people import Settle
from stream.settings.schema import LabelSettings
from stream.stopwatch import stage
from stream.tracks import Track

_LIVE_VIEWS = 1
"""Faces viewed in one frame of a live source: 4 ms on a core. More settle the labels of crowds
sooner and make frames late."""

_SHOWN_MISSED = 3
"""Missed frames for which a face is still shown where it should be; fewer flicker, more show boxes
where faces have gone."""


class Annotator:
    """Follows the faces of a source and says what they are perceived as.

    Args:
        follower: says where the faces are.
        labeller: says what they are perceived as.
        info: the source; a live one is not kept waiting for many views at once.
        persons: joins the tracks that are of the same face; None where each is a person of its own.
    """

    def __init__(
        self,
        follower: Follower,
        labeller: Labeller,
        info: SourceInfo,
        persons: Persons | None = None,
    ) -> None:
        self._follower = follower
        self._labeller = labeller
        self._persons = persons
        self._most_views = _LIVE_VIEWS if info.is_live else None

    def __repr__(self) -> str:
        return f"Annotator({self._follower!r}, {self._labeller!r})"

    @property
    def attributes(self) -> dict[str, tuple[str, ...]]:
        """What it may say: attributes and their classes."""
        return self._labeller.attributes

    @property
    def appearances(self) -> dict[int, NDArray[np.float32]]:
        """By track, the embedding `(d,)` that tells its face from others; of those that have one.
        It is to be kept in memory only.
        """
        return self._follower.appearances

    @property
    def settle(self) -> Settle | None:
        """Says at the end which tracks are of one person; None where they are not joined."""
        return None if self._persons is None else self._persons.settled

    @property
    def faces(self) -> Sequence[TrackFace] | None:
        """What is known of the faces of all tracks; None where they are not joined. It is to be
        kept in memory only.
        """
        return None if self._persons is None else self._persons.faces

    def change_labels(self, settings: LabelSettings) -> None:
        """Applies other thresholds and groups from now on; the attributes are the same."""
        self._labeller.change(settings)

    @stage("track")
    def annotate(self, frame: Frame, coming: Sequence[Frame] = ()) -> tuple[Track, ...]:
        """The faces in the next frame, in the order of their track ids; `coming` does not count."""
        plan = self._follower.begin(frame)
        if not plan.is_cut:
            self._follow(frame, plan)
        if plan.search is not None:
            self._search(frame, plan.search, None if plan.is_cut else self._most_views)
        states = self._follower.finish(plan)
        self._labeller.keep({state.track_id for state in states})
        shown = [
            state for state in states if state.confirmed and state.missed_frames <= _SHOWN_MISSED
        ]
        if self._persons is not None:
            self._persons.see({state.track_id for state in shown})
        return tuple(map(self._track, shown))

    def _follow(self, frame: Frame, plan: FramePlan) -> None:
        """Finds the faces of the tracks again, and views those that are due."""
        labeller, most = self._labeller, self._most_views
        seen = self._follower.follow(
            frame, plan, lambda boxes: labeller.next_due(frame, boxes, most)
        )
        due = labeller.due(frame, seen.faces, seen.rows, seen.returning, most)
        if due:
            views = labeller.view(frame, seen.faces, list(due.values()))
            for index, track_id in enumerate(due):
                self._add_view(frame, track_id, views, index)

    @stage("search")
    def _search(self, frame: Frame, search: Search, most_views: int | None) -> None:
        """Searches for new faces, views some of them, and gives each a track."""
        new = self._follower.new_faces(frame, search)
        rows = self._labeller.wide_rows(new.faces, most_views)
        if not rows:
            self._follower.admit(new, {})
            return
        views = self._labeller.view(frame, new.faces, rows)
        appearances = dict(zip(rows, views.appearances, strict=True))
        for track_id, row in self._follower.admit(new, appearances).items():
            if row in appearances:
                self._add_view(frame, track_id, views, rows.index(row))

    def _add_view(self, frame: Frame, track_id: int, views: Views, index: int) -> None:
        """Adds one of the views to its track, which gets a new id if its face is another's."""
        weight = float(views.weights[index])
        track_id = self._follower.settle_id(track_id, views.appearances[index], weight)
        elsewhere: Sequence[Evidence] = ()
        if self._persons is not None:
            evidence, appearance = self._labeller.evidence(track_id), views.appearances[index]
            elsewhere = self._persons.add_view(track_id, evidence, appearance, weight)
        self._labeller.add_view(track_id, views, index, frame.time_s, elsewhere)

    def _person_id(self, track_id: int) -> int:
        return track_id if self._persons is None else self._persons.person_id(track_id)

    def _track(self, state: TrackState) -> Track:
        return Track(
            track_id=state.track_id,
            box_xyxy=state.box_xyxy,
            score=state.score,
            labels=self._labeller.labels(state.track_id),
            seen_frames=state.seen_frames,
            missed_frames=state.missed_frames,
            quality=self._labeller.quality(state.track_id),
            velocity_xy=state.velocity_xy,
            person_id=self._person_id(state.track_id),
        )
