"""A log read back: the tracks of each frame, without a search or a classifier."""

import json
import logging
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.classifier import Prediction, check_groups
from models.faces import centres_xy
from models.label_names import check_label_names
from stream.errors import SourceError
from stream.frames import Frame
from stream.labelling.label_rule import LabelRule
from stream.settings.schema import LabelSettings
from stream.sinks.data.json_log import SCHEMA
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
        SourceError: the file is not a log of this program.
        ModelError: the groups of the settings do not fit the classes of the log.
    """

    def __init__(self, path: Path, settings: LabelSettings) -> None:
        self._path = path
        self._settings = settings
        self._tracks: dict[int, _ReplayedTrack] = {}
        self._ended = False
        self._entries = self._read()
        self.header = next(self._entries, {})
        if self.header.get("schema") != SCHEMA:
            raise SourceError(f"{path} is not a log of {SCHEMA}: give a .jsonl that --log wrote")
        try:
            check_label_names(self.attributes.items())
            self._classes = {name: frozenset(each) for name, each in self.attributes.items()}
        except (AttributeError, TypeError, ValueError) as error:
            raise SourceError(f"{path} cannot be drawn: {error}") from error
        for attribute, classes in self.attributes.items():
            check_groups(attribute, classes, settings.groups_of(attribute))
        self._next = next(self._entries, None)

    def __repr__(self) -> str:
        return f"Replay({self._path})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._entries.close()

    @property
    def attributes(self) -> dict[str, tuple[str, ...]]:
        """The attributes that the log has and the settings ask for, with their classes."""
        return {
            name: tuple(classes)
            for name, classes in self.header.get("attributes", {}).items()
            if name in self._settings.attributes
        }

    def annotate(self, frame: Frame) -> tuple[Track, ...]:
        """The tracks in a frame. Frames are given in order, and may be some of those logged.

        1. The log has ended: no tracks, and the first time a warning.
        2. The log has no entry of this frame: no tracks.
        3. Otherwise the tracks of its entry.

        Raises:
            SourceError: the log is damaged, or of a picture of another size.
        """
        if frame.index == 0 and list(frame.size_wh) != self.header.get("size"):
            raise SourceError(
                f"{self._path} was written of frames of {self.header.get('size')} px, these have "
                f"{list(frame.size_wh)}: give the video it was written of"
            )
        # Frames of a video are found by their time, wherever in the video the log begins.
        key, value = ("time_s", frame.time_s) if frame.path is None else ("frame", frame.index)
        while self._next is not None and self._next.get(key, -1) < value - ROUNDING_S:
            self._next = next(self._entries, None)
            ended = None if self._next is None else self._next.get("track")
            if isinstance(ended, int):  # the entry of a whole track
                self._tracks.pop(ended, None)
        if self._next is None:
            self._warn_of_end(frame)
            return ()
        if self._next.get(key, -1) > value + ROUNDING_S:
            return ()
        try:
            return tuple(self._track(face, frame.index) for face in self._next["faces"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise SourceError(
                f"{self._path} is damaged at frame {frame.index}: {error!r}"
            ) from error

    def _warn_of_end(self, frame: Frame) -> None:
        """Warns once that from here on no face is known, so none is drawn, nor blurred."""
        if not self._ended:
            self._ended = True
            where = f"{frame.time_s:.1f} s" if frame.path is None else frame.path.name
            _log.warning("%s ends before %s: no face is known from there on", self._path, where)

    def _read(self) -> Generator[dict[str, Any], None, None]:
        """The entries, a line each, up to the first line that is none, such as one cut short."""
        try:
            with self._path.open(encoding="utf-8") as lines:
                for line in lines:
                    try:
                        entry = json.loads(line)
                    except json.JSONDecodeError:
                        return
                    if not isinstance(entry, dict):
                        return
                    yield entry
        except OSError as error:
            raise SourceError(f"{self._path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise SourceError(f"{self._path} cannot be read: it is no text") from error

    def _track(self, face: Mapping[str, Any], frame: int) -> Track:
        """The track of one face of an entry."""
        track_id = int(face["track"])
        box_xyxy = np.array(face["box"], dtype=np.float32).reshape(4)
        missed_frames = int(face.get("missed", 0))
        replayed = self._tracks.setdefault(track_id, _ReplayedTrack(box_xyxy, frame))
        if not missed_frames:
            replayed.update(box_xyxy, frame)
        labels = {
            attribute: self._label(replayed, attribute, entry["probabilities"])
            for attribute, entry in face["labels"].items()
            if attribute in self._settings.attributes
        }
        return Track(
            track_id=track_id,
            box_xyxy=box_xyxy,
            score=float(face["score"]),
            labels=labels,
            seen_frames=0,
            missed_frames=missed_frames,
            quality=float(face.get("quality", 0)),
            velocity_xy=replayed.velocity_xy,
        )

    def _label(
        self, track: _ReplayedTrack, attribute: str, probabilities: Mapping[str, float]
    ) -> Label:
        """The label that the rule makes of logged probabilities, with hysteresis as it was."""
        if foreign := probabilities.keys() - self._classes[attribute]:
            raise ValueError(f"{min(foreign)!a} is no class of {attribute} in its header")
        values = np.array([list(probabilities.values())], dtype=np.float32)
        if not values.sum() > 0:
            raise ValueError(f"probabilities of {attribute} add up to nothing")
        prediction = Prediction(attribute, tuple(probabilities), values / values.sum())
        before = track.labels.get(attribute)
        label = LabelRule.of(self._settings, attribute).label(prediction, before)
        track.labels[attribute] = label
        return label
