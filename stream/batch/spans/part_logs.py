"""The logs of spans read back as the frames and the tracks of one run."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from stream.frames import Frame
from stream.settings.schema import LabelSettings
from stream.sinks.data.log_lines import LogEntry, LoggedFace, LoggedLabel, LogHeader
from stream.sinks.data.log_reader import LogReader
from stream.tracks import Label, Track


class PartLog:
    """The log of one span.

    Args:
        path: as JSON Lines.
        settings: those of labels: which are held under their threshold, the log does not say.

    Attributes:
        first_s: media time of its first frame.

    Raises:
        SourceError: it is not a log, or damaged.
    """

    def __init__(self, path: Path, settings: LabelSettings) -> None:
        self._reader = LogReader(path)
        self._settings = settings
        first = next(self._frame_entries(), None)
        self.first_s = 0.0 if first is None else first["time_s"]
        self._first_index = 0 if first is None else first["frame"]

    def __repr__(self) -> str:
        return f"PartLog({self._reader})"

    @property
    def header(self) -> LogHeader:
        """What stands before its frames."""
        return self._reader.header

    def frames(
        self, index: int, id_of: Callable[[int], int], person_of: Callable[[int, int], int]
    ) -> Iterator[tuple[Frame, tuple[Track, ...]]]:
        """Its frames, without pixels, and their tracks.

        Args:
            index: of the first one.
            id_of: gives the id of a track in the joined run.
            person_of: gives the number of the person of a track, given both its ids.
        """
        for entry in self._frame_entries():
            width, height = entry.get("size", self.header.size)
            nothing = np.broadcast_to(np.uint8(0), (height, width, 3))
            place = index + entry["frame"] - self._first_index
            frame = Frame(nothing, place, entry["time_s"], captured_s=0.0)
            tracks = (self._track(face, id_of(face["track"]), person_of) for face in entry["faces"])
            yield frame, tuple(sorted(tracks, key=lambda track: track.track_id))

    def _frame_entries(self) -> Iterator[LogEntry]:
        return (entry for entry in self._reader.entries() if "frame" in entry)

    def _track(
        self, face: LoggedFace, track_id: int, person_of: Callable[[int, int], int]
    ) -> Track:
        """A face of a log as the track that it was written of."""
        return Track(
            track_id=track_id,
            box_xyxy=np.array(face["box"], dtype=np.float32),
            score=face["score"],
            labels={name: self._label(name, label) for name, label in face["labels"].items()},
            seen_frames=0,
            missed_frames=face.get("missed", 0),
            quality=face.get("quality", 0.0),
            person_id=person_of(face["track"], track_id),
        )

    def _label(self, attribute: str, logged: LoggedLabel) -> Label:
        text, confidence = logged.get("label"), logged.get("confidence", 0.0)
        is_held = text is not None and confidence < self._settings.min_confidence_of(attribute)
        probabilities = dict(logged["probabilities"])
        return Label(text, confidence, probabilities, is_held, logged.get("finest"))


class JoinedIds:
    """The ids of the tracks of a joined run, in the order in which they appear.

    Those of the first span stay; each track of a later span has that of the same face in the span
    before, or the next free one.
    """

    def __init__(self) -> None:
        self._joined: dict[int, int] = {}
        self._next = 0
        self._is_first = True

    def __repr__(self) -> str:
        return f"JoinedIds({self._next} so far)"

    @property
    def of_span(self) -> Mapping[int, int]:
        """By track of the present span, its id in the joined run, of those that have appeared."""
        return self._joined

    def begin(self, same: Mapping[int, int]) -> None:
        """Goes on to the next span.

        Args:
            same: by track of that span, the track of the one before that is of the same face.
        """
        before = self._joined
        self._joined = {
            track: before[earlier] for track, earlier in same.items() if earlier in before
        }
        self._is_first = False

    def of(self, track_id: int) -> int:
        """The id of a track of the present span."""
        if track_id not in self._joined:
            self._joined[track_id] = track_id if self._is_first else self._next
        joined = self._joined[track_id]
        self._next = max(self._next, joined + 1)
        return joined
