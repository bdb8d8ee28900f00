"""A log read back: the tracks of each frame, without a search or a classifier."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.classification.classifier import Prediction, check_groups
from models.faces import centres_xy
from stream.errors import SourceError
from stream.frames import Frame
from stream.labelling.label_rule import LabelRule
from stream.people import Settle, Settlement
from stream.settings.schema import LabelSettings
from stream.sinks.data.log_lines import LogEntry, LoggedFace, LoggedLabel
from stream.sinks.data.log_reader import LogReader
from stream.sources.span import ROUNDING_S
from stream.tracks import Label, Track

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _ReplayedTrack:
    """The state of a track after the frames read so far.

    Attributes:
        box_xyxy: `(4,)` float32 px, where its face was last found.
        frame: index of the frame in which it was found there.
        velocity_xy: `(2,)` float32, px a frame.
        labels: the last labels, by attribute.
    """

    box_xyxy: NDArray[np.float32]
    frame: int
    velocity_xy: NDArray[np.float32] = field(default_factory=lambda: np.zeros(2, np.float32))
    labels: dict[str, Label] = field(default_factory=dict)

    def update(self, box_xyxy: NDArray[np.float32], frame: int) -> None:
        """Takes in where the face was found; the log holds no velocity, so it is estimated."""
        if frame > self.frame:
            moved_xy = centres_xy(box_xyxy[None])[0] - centres_xy(self.box_xyxy[None])[0]
            self.velocity_xy = (moved_xy / np.float32(frame - self.frame) + self.velocity_xy) / 2
        self.box_xyxy, self.frame = box_xyxy, frame


class Replay:
    """Stands in for an annotator: reads the tracks from a JSON Lines log of the same source.

    Thresholds, groups and attributes are those of `settings`, not those that the log was written
    with; with the same ones the same labels come out.

    Args:
        path: the log.
        settings: how labels are shown.

    Raises:
        SourceError: the file is not a log of this program, or damaged.
        ModelError: the groups of the settings do not fit the classes of the log.
    """

    def __init__(self, path: Path, settings: LabelSettings) -> None:
        self._path = path
        self._settings = settings
        self._tracks: dict[int, _ReplayedTrack] = {}
        self._begun = self._ended = False
        self._person_ids: dict[int, int] = {}
        self._person_labels: dict[int, Mapping[str, Label]] = {}
        self._reader = LogReader(path)
        self._header = self._reader.header
        for attribute, classes in self.attributes.items():
            check_groups(attribute, classes, settings.groups_of(attribute))
        for entry in self._reader.entries():
            self._take_person(entry)
        self._entries = self._reader.entries()
        self._next = self._next_entry()

    def __repr__(self) -> str:
        return f"Replay({self._path})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._entries.close()

    @property
    def attributes(self) -> dict[str, tuple[str, ...]]:
        """The attributes that the log has and the settings ask for, with their classes."""
        logged = self._header.attributes
        return {name: tuple(logged[name]) for name in self._settings.of(logged)}

    @property
    def settle(self) -> Settle | None:
        """Says which tracks are of one person, as the log does; None where it knows no persons."""
        known = Settlement(self._person_ids, self._person_labels)
        return (lambda: known) if self._person_ids else None

    def annotate(self, frame: Frame, coming: Sequence[Frame] = ()) -> tuple[Track, ...]:
        """The tracks in a frame. Frames are given in order, and may be some of those logged; one
        that was sought may lie before the last, and the log is then read from its beginning.
        `coming` does not count.

        1. The log has ended: no tracks, and the first time a warning.
        2. The log has no entry of this frame: no tracks, and a warning if it is the first one.
        3. Otherwise the tracks of its entry.

        Raises:
            SourceError: the log is of frames of another size, or of pictures and these are none.
        """
        if frame.sought:
            self._rewind()
        # Frames of a video are found by their time, wherever in the video the log begins.
        by_time = frame.path is None
        if by_time and self._next is not None and "time_s" not in self._next:
            raise SourceError(f"{self._path} was written of pictures: give those, not a video")
        value = frame.time_s if by_time else frame.index
        while self._next is not None and _place(self._next, by_time) < value - ROUNDING_S:
            self._next = self._next_entry()
        if self._next is None:
            self._warn_of_end(frame)
            return ()
        is_before = _place(self._next, by_time) > value + ROUNDING_S
        if is_before and not self._begun:
            self._warn_of_beginning(self._next, by_time)
        self._begun = True
        if is_before:
            return ()
        if frame.size_wh != (size := self._next.get("size", self._header.size)):
            raise SourceError(
                f"{self._path} was written of frames of {list(size)} px, these have "
                f"{list(frame.size_wh)}: give the video it was written of"
            )
        return tuple(self._track(face, frame.index) for face in self._next["faces"])

    def _take_person(self, entry: LogEntry) -> None:
        """Takes in the row of a person; any other line says nothing here."""
        if "tracks" not in entry or "person" not in entry:
            return
        person_id, labels = entry["person"], entry.get("labels", {})
        self._person_ids.update(dict.fromkeys(entry["tracks"], person_id))
        self._person_labels[person_id] = {
            attribute: self._label(attribute, labels[attribute], None)
            for attribute in self._settings.of(labels)
        }

    def _rewind(self) -> None:
        """Begins with the first entry again."""
        self._entries.close()
        self._tracks.clear()
        self._entries = self._reader.entries()
        self._next = self._next_entry()

    def _next_entry(self) -> LogEntry | None:
        """The next entry of a frame; tracks that end before it are forgotten."""
        for entry in self._entries:
            if "frame" in entry:
                return entry
            if (ended := entry.get("track")) is not None:
                self._tracks.pop(ended, None)
        return None

    def _warn_of_beginning(self, first: LogEntry, by_time: bool) -> None:
        """Warns that no face is known before the first entry, so none is drawn, nor blurred."""
        where = f"{first['time_s']:g} s" if by_time else f"picture {first['frame']}"
        _log.warning("%s begins at %s: no face is known before that", self._path, where)

    def _warn_of_end(self, frame: Frame) -> None:
        """Warns once that from here on no face is known, so none is drawn, nor blurred."""
        if not self._ended:
            self._ended = True
            where = f"{frame.time_s:.1f} s" if frame.path is None else frame.path.name
            _log.warning("%s ends before %s: no face is known from there on", self._path, where)

    def _track(self, face: LoggedFace, frame: int) -> Track:
        """The track of one face of an entry."""
        box_xyxy = np.array(face["box"], dtype=np.float32)
        track_id, missed_frames = face["track"], face.get("missed", 0)
        replayed = self._tracks.setdefault(track_id, _ReplayedTrack(box_xyxy, frame))
        if not missed_frames:
            replayed.update(box_xyxy, frame)
        labels = {
            attribute: self._label(
                attribute, face["labels"][attribute], replayed.labels.get(attribute)
            )
            for attribute in self._settings.of(face["labels"])
        }
        replayed.labels.update(labels)
        return Track(
            track_id=track_id,
            box_xyxy=box_xyxy,
            score=face["score"],
            labels=labels,
            seen_frames=0,
            missed_frames=missed_frames,
            quality=face.get("quality", 0.0),
            velocity_xy=replayed.velocity_xy,
            person_id=self._person_ids.get(track_id, face.get("person", track_id)),
        )

    def _label(self, attribute: str, logged: LoggedLabel, before: Label | None) -> Label:
        """The label that the rule makes of logged probabilities, with hysteresis as it was.

        Args:
            attribute: which one.
            logged: what the log says of it.
            before: the label of the same face in the frame before; None for none.
        """
        probabilities = logged["probabilities"]
        values = np.array([list(probabilities.values())], dtype=np.float32)
        prediction = Prediction(attribute, tuple(probabilities), values / values.sum())
        rule = LabelRule.of(self._settings, attribute, self._header.tree)
        return rule.label(prediction, before)


def _place(entry: LogEntry, by_time: bool) -> float:
    """Where in its source the frame of an entry is: its time, or its index."""
    return entry["time_s"] if by_time else float(entry["frame"])
