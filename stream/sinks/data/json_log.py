"""The log as JSON Lines: a header, an object for each frame, each track, and each person."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from models.program.printable import printable_json
from stream.controls import RunReport
from stream.errors import SinkError
from stream.frames import Frame, SourceInfo
from stream.people import BestView, Person
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.data.line_file import LineFile
from stream.sinks.data.line_stream import LineStream, is_stream
from stream.tracks import box_entry, label_entries

SCHEMA = "face-stream/2"
"""Name and version of the format, in the header of each log. Logs of version 1 know no persons."""


class JsonLog:
    """Writes a file that takes its name once it is complete, or to a reader as lines come.

    Args:
        path: the log; `-` for standard output.
        info: the source, which the header names.
        model: name of the classifier, for the header.
        attributes: the classes of each attribute, for the header.
        report: what the closing line is about, besides the frames; without one there is none.
        known_changes: how many changes of the state of the source stand in an earlier log.
        stall_s: time after which a reader that takes nothing hangs, s; 0 for never.
        blur: the run makes faces unrecognisable, which the header says.
        tree: the coarser words that labels may be, by attribute, for the header.

    Attributes:
        known_changes: how many of them stand in this one or an earlier one.

    Raises:
        SinkError: the file cannot be made, or the reader not be reached.
    """

    def __init__(
        self,
        path: Path,
        info: SourceInfo,
        model: str,
        attributes: Mapping[str, Sequence[str]] = MappingProxyType({}),
        report: RunReport | None = None,
        known_changes: int = 0,
        stall_s: float = 0,
        *,
        blur: bool = False,
        tree: Mapping[str, Mapping[str, Sequence[str]]] = MappingProxyType({}),
    ) -> None:
        self.name = f"log ({path.name})"
        self._begun = False
        self._blur = blur
        self._size_wh = info.size_wh
        self._history = info.history
        self.known_changes = known_changes
        self._report, self._known_gaps = report, info.history.gap_count if known_changes else 0
        self._frames = 0
        self._persons: Sequence[Person] = ()
        self._lines = LineStream(path, stall_s) if is_stream(path) else LineFile(path)
        try:
            self._lines.write(json_line(log_header(info, model, attributes, blur=blur, tree=tree)))
        except BaseException:  # Ctrl-C too, where a reader does not read
            self._lines.discard()
            raise

    def __repr__(self) -> str:
        return f"JsonLog({self._lines})"

    @property
    def output(self) -> Path | None:
        """The file; None where a reader gets the lines."""
        return self._lines.output

    @property
    def quit_requested(self) -> bool:
        """Whether the reader has left."""
        return self._lines.reader_left

    def write(self, annotated: AnnotatedFrame) -> None:
        """Adds a line for the frame and its faces, and one for each track that ended with it.

        What became of the source before, such as that it was lost, stands before the frame.

        Raises:
            SinkError: the disk refuses.
        """
        frame = annotated.frame
        entry: dict[str, Any] = {"frame": frame.index, **place_of(frame)}
        if frame.size_wh != self._size_wh:
            entry["size"] = list(frame.size_wh)
        if annotated.blur and not self._blur:  # by a key, on the way
            entry["blur"] = True
        entry["faces"] = [track.as_dict() for track in annotated.tracks]
        states = self._new_states(frame.captured_s)
        self._write(*states, entry, *map(track_entry, annotated.ended))
        self._begun = True
        self._frames += 1

    def settle(self, persons: Sequence[Person]) -> None:
        """Takes the persons of the file, whose rows follow the last track."""
        self._persons = persons

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Adds the tracks that lasted to the end, the persons, and the accounts; closes the file.

        A log that is not complete keeps its partial name if it has a frame, and is removed if not.

        Raises:
            SinkError: the disk refuses.
        """
        try:
            tracks, persons = map(track_entry, present), map(person_entry, self._persons)
            self._write(*tracks, *persons, *self._new_states(), *self._closing())
        except SinkError:
            self._lines.close(complete=False, keep=self._begun)
            raise
        self._lines.close(complete=complete, keep=self._begun)

    def _closing(self) -> list[dict[str, Any]]:
        """The closing line: the frames of this log, and what became of the run so far."""
        if self._report is None:
            return []
        return [{"end": {"frames": self._frames, **self._report.accounts(self._known_gaps)}}]

    def _new_states(self, captured_s: float = math.inf) -> list[dict[str, Any]]:
        """A line for each change of the state of the source before a frame that was grabbed then,
        for which none was written.
        """
        changes = self._history.changes_since(self.known_changes, captured_s)
        self.known_changes += len(changes)
        return [change.as_dict() for change in changes]

    def _write(self, *entries: dict[str, Any]) -> None:
        """A line for each entry, in one write: what a full disk refuses, closing tries again."""
        self._lines.write("".join(map(json_line, entries)))


def log_header(
    info: SourceInfo,
    model: str,
    attributes: Mapping[str, Sequence[str]],
    *,
    blur: bool,
    tree: Mapping[str, Mapping[str, Sequence[str]]],
) -> dict[str, Any]:
    """What a log says before its frames; the arguments are those of `JsonLog`."""
    return {
        "schema": SCHEMA,
        "source": info.uri,
        "size": list(info.size_wh),
        "fps": info.fps,
        "model": model,
        **({"blur": True} if blur else {}),
        "attributes": {name: list(classes) for name, classes in attributes.items()},
        **({"tree": _lists(tree)} if tree else {}),
    }


def _lists(tree: Mapping[str, Mapping[str, Sequence[str]]]) -> dict[str, dict[str, list[str]]]:
    return {
        attribute: {word: list(classes) for word, classes in words.items()}
        for attribute, words in tree.items()
    }


def json_line(entry: Mapping[str, Any]) -> str:
    """An object as a line of JSON, in which a terminal finds nothing to obey."""
    return printable_json(json.dumps(entry, ensure_ascii=False)) + "\n"


def track_entry(person: Person) -> dict[str, Any]:
    """One track: when and in how many frames it was seen, its best view, its last labels."""
    return {
        "track": person.track_id,
        "person": person.person_id,
        **times_of(person),
        "frames": person.frames,
        "best": _best_entry(person.best),
        "labels": label_entries(person.labels),
    }


def person_entry(person: Person) -> dict[str, Any]:
    """One person of a file: its tracks, from when to when and for how long it was seen."""
    return {
        "person": person.person_id,
        "tracks": list(person.tracks),
        **times_of(person),
        "seconds": round(person.seconds, 3),
        "labels": label_entries(person.labels),
        "best": _best_entry(person.best),
    }


def _best_entry(best: BestView) -> dict[str, Any]:
    return {
        "frame": best.frame,
        **place_of(best),
        "box": box_entry(best.box_xyxy),
        "quality": round(best.quality, 4),
    }


def place_of(view: Frame | BestView) -> dict[str, Any]:
    """Where a frame is in its source: its time, or the file of a picture, which has no time."""
    return {"time_s": round(view.time_s, 6)} if view.path is None else {"file": str(view.path)}


def times_of(person: Person) -> dict[str, Any]:
    """When the face of a track was first and last seen; of a picture nothing."""
    if person.best.path is not None:
        return {}
    return {"first_s": round(person.first_s, 6), "last_s": round(person.last_s, 6)}
