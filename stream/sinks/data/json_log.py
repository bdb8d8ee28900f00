"""The log as JSON Lines: a header, then an object for each frame and one for each track."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.printable import printable_json
from stream.controls import RunReport
from stream.errors import SinkError
from stream.frames import SourceInfo
from stream.people import Person
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.paths import finish_partial, partial_path
from stream.tracks import Label, Track

SCHEMA = "face-stream/1"
"""Name and version of the format, in the header of each log."""


class JsonLog:
    """Writes beside the name asked for, which the file takes once it is complete.

    Args:
        path: the log.
        info: the source, which the header names.
        model: name of the classifier, for the header.
        attributes: the classes of each attribute, for the header.
        report: what the closing line is about, besides the frames; without one there is none.
        known_changes: how many changes of the state of the source stand in an earlier log.

    Attributes:
        known_changes: how many of them stand in this one or an earlier one.

    Raises:
        SinkError: the file cannot be made.
    """

    quit_requested = False

    def __init__(
        self,
        path: Path,
        info: SourceInfo,
        model: str,
        attributes: Mapping[str, Sequence[str]] = MappingProxyType({}),
        report: RunReport | None = None,
        known_changes: int = 0,
    ) -> None:
        self.name = f"log ({path.name})"
        self.output = path
        self.partial_path = partial_path(path)
        self._begun = False
        self._size_wh = info.size_wh
        self._history = info.history
        self.known_changes = known_changes
        self._report, self._known_gaps = report, info.history.gap_count if known_changes else 0
        self._frames = 0
        try:
            self._file = self.partial_path.open("w", buffering=1, encoding="utf-8")
        except OSError as error:
            raise SinkError(f"{path} cannot be made: {error.strerror}") from error
        header = {
            "schema": SCHEMA,
            "source": info.uri,
            "size": list(info.size_wh),
            "fps": info.fps,
            "model": model,
            "attributes": {name: list(classes) for name, classes in attributes.items()},
        }
        try:
            self._write(header)
        except SinkError:
            with suppress(OSError):
                self._file.close()  # tries again to write what could not be written
            self.partial_path.unlink(missing_ok=True)
            raise

    def __repr__(self) -> str:
        return f"JsonLog({self.output})"

    def write(self, annotated: AnnotatedFrame) -> None:
        """Adds a line for the frame and its faces, and one for each track that ended with it.

        What became of the source before, such as that it was lost, stands before the frame.

        Raises:
            SinkError: the disk refuses.
        """
        frame = annotated.frame
        entry: dict[str, Any] = {"frame": frame.index, "time_s": round(frame.time_s, 6)}
        if frame.path is not None:
            entry["file"] = str(frame.path)
        if frame.size_wh != self._size_wh:
            entry["size"] = list(frame.size_wh)
        entry["faces"] = [face_entry(track) for track in annotated.tracks]
        states = self._new_states(frame.captured_s)
        self._write(*states, entry, *map(track_entry, annotated.ended))
        self._begun = True
        self._frames += 1

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Adds the tracks that lasted to the end and the accounts, and closes the file.

        A log that is not complete keeps its partial name if it has a frame, and is removed if not.

        Raises:
            SinkError: the disk refuses.
        """
        try:
            with self._file:
                self._write(*map(track_entry, present), *self._new_states(), *self._closing())
                self._file.flush()
                os.fsync(self._file.fileno())
            finish_partial(self.output, complete=complete, keep=self._begun)
        except OSError as error:
            raise SinkError(f"{self.output} cannot be written: {error.strerror}") from error

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
        texts = (printable_json(json.dumps(entry, ensure_ascii=False)) for entry in entries)
        lines = "".join(text + "\n" for text in texts)
        try:
            self._file.write(lines)
        except OSError as error:
            raise SinkError(f"{self.output} cannot be written: {error.strerror}") from error


def face_entry(track: Track) -> dict[str, Any]:
    """One face of a frame; `missed` is for how many frames it has not been seen."""
    return {
        "track": track.track_id,
        "box": _rounded(track.box_xyxy),
        "score": round(track.score, 4),
        "missed": track.missed_frames,
        "quality": round(track.quality, 4),
        "labels": _label_entries(track.labels),
    }


def track_entry(person: Person) -> dict[str, Any]:
    """One track: when and in how many frames it was seen, its best view, its last labels."""
    best: dict[str, Any] = {"frame": person.best.frame, "time_s": round(person.best.time_s, 6)}
    if person.best.path is not None:
        best["file"] = str(person.best.path)
    best |= {"box": _rounded(person.best.box_xyxy), "quality": round(person.best.quality, 4)}
    return {
        "track": person.track_id,
        "first_s": round(person.first_s, 6),
        "last_s": round(person.last_s, 6),
        "frames": person.frames,
        "best": best,
        "labels": _label_entries(person.labels),
    }


def _label_entries(labels: Mapping[str, Label]) -> dict[str, Any]:
    return {
        attribute: {
            "label": label.text,
            "confidence": round(label.confidence, 4),
            "probabilities": {name: round(value, 4) for name, value in label.probabilities.items()},
        }
        for attribute, label in labels.items()
    }


def _rounded(box_xyxy: NDArray[np.float32]) -> list[float]:
    return [round(edge, 1) for edge in box_xyxy.astype(np.float64).tolist()]
