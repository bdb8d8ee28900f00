"""The data behind the picture: JSON Lines, a header, then an object a frame and one a track."""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.errors import SinkError
from stream.frames import SourceInfo
from stream.people import Person
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.paths import partial_path
from stream.sinks.people_ledger import PeopleLedger
from stream.tracks import Label, Track

SCHEMA = "face-stream/1"


class JsonLog:
    """Writes beside the name asked for, which the file takes once it is complete.

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
    ) -> None:
        self.name = f"log ({path.name})"
        self.output = path
        self.partial_path = partial_path(path)
        self._people = PeopleLedger(info)
        self._frames = 0
        try:
            # What is no text in a file's name becomes an escape, which JSON understands.
            self._file = self.partial_path.open(
                "w", buffering=1, encoding="utf-8", errors="backslashreplace"
            )
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
                self._file.close()  # what could not be written is tried again here
            self.partial_path.unlink(missing_ok=True)
            raise

    def __repr__(self) -> str:
        return f"JsonLog({self.output})"

    def write(self, annotated: AnnotatedFrame) -> None:
        """A line for the frame and the faces in it, and one for each track that has ended.

        Raises:
            SinkError: the disk refuses.
        """
        frame = annotated.frame
        entry: dict[str, Any] = {"frame": frame.index, "time_s": round(frame.time_s, 6)}
        if frame.path is not None:
            entry["file"] = str(frame.path)
        entry["faces"] = [face_entry(track) for track in annotated.tracks]
        self._write(entry)
        self._frames += 1
        for person in self._people.add(frame, annotated.tracks):
            self._write(track_entry(person))

    def close(self, *, complete: bool) -> None:
        """Adds the tracks that lasted to the end, and closes the file.

        One that is not complete keeps its partial name, if it has a frame.

        Raises:
            SinkError: the disk refuses.
        """
        try:
            with self._file:
                for person in self._people.leave():
                    self._write(track_entry(person))
                self._file.flush()
                os.fsync(self._file.fileno())
            if complete:
                self.partial_path.replace(self.output)
            elif not self._frames:
                self.partial_path.unlink(missing_ok=True)
        except OSError as error:
            raise SinkError(f"{self.output} cannot be written: {error.strerror}") from error

    def _write(self, entry: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        except OSError as error:
            raise SinkError(f"{self.output} cannot be written: {error.strerror}") from error


def face_entry(track: Track) -> dict[str, Any]:
    """One face of a frame as the log has it; `missed` says for how many frames it was not seen."""
    return {
        "track": track.track_id,
        "box": _rounded(track.box_xyxy),
        "score": round(track.score, 4),
        "missed": track.missed_frames,
        "quality": round(track.quality, 4),
        "labels": _label_entries(track.labels),
    }


def track_entry(person: Person) -> dict[str, Any]:
    """What one track came to."""
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
