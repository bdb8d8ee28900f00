"""Logs in JSON Lines as persons and faces."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from stream.report.rows import NO_FACE, Answer, FaceRows, LoggedPerson
from stream.sinks.data.log_lines import LogEntry, LoggedLabel
from stream.sinks.data.log_reader import LogReader

_ROWS = 50_000
"""Rows that are handed on at a time; more take more memory."""


class JsonLines:
    """A log in JSON Lines, all of which is validated before anything is counted.

    Raises:
        SourceError: it is not a log of this program, or damaged.
    """

    has_all_frames = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_pictures = False
        self._persons = _PersonsOfLines()
        self._reader = LogReader(path, self._look)
        header = self._reader.header
        self.source, self.fps = header.source, header.fps
        self.model: str | None = header.model or None
        self.attributes: Mapping[str, tuple[str, ...]] = {
            name: tuple(each) for name, each in header.attributes.items()
        }
        self.is_cut_short = self._reader.is_cut_short
        self._size_wh = header.size

    def __repr__(self) -> str:
        return f"JsonLines({self.path})"

    def persons(self) -> Iterator[LoggedPerson]:
        """Its persons, then tracks that have no closing row, with their last labels."""
        yield from self._persons.all()

    def faces(self) -> Iterator[FaceRows]:
        """Its faces, part by part."""
        rows: list[tuple[float, ...]] = []
        for entry in self._reader.entries():
            if "frame" in entry:
                self._add(rows, entry)
            if len(rows) >= _ROWS:
                yield _columns(rows)
                rows = []
        if rows:
            yield _columns(rows)

    def _look(self, entry: LogEntry) -> None:
        """Takes what a line says of persons, and whether it is of a picture."""
        self.is_pictures |= "frame" in entry and "time_s" not in entry
        self._persons.add(entry)

    def _add(self, rows: list[tuple[float, ...]], entry: LogEntry) -> None:
        """Adds the rows of a frame."""
        width, height = entry.get("size", self._size_wh)
        frame, time_s, pixels = entry["frame"], entry.get("time_s", 0.0), width * height
        for face in entry["faces"]:
            left, top, right, bottom = face["box"]
            covered = (min(right, width) - max(left, 0)) * (min(bottom, height) - max(top, 0))
            is_inside = right > 0 and bottom > 0 and left < width and top < height
            rows.append(
                (
                    *(frame, time_s, face["track"], right - left),
                    covered / pixels if is_inside else 0.0,
                    *(face.get("quality", 0.0), not face.get("missed", 0)),
                )
            )
        if not entry["faces"]:
            rows.append((frame, time_s, NO_FACE, 0.0, 0.0, 0.0, False))


class _PersonsOfLines:
    """Gathers persons from the lines of a log, as they come."""

    def __init__(self) -> None:
        self._closed: list[LoggedPerson] = []
        self._open: dict[int, Mapping[str, LoggedLabel]] = {}  # by track: its last labels

    def add(self, entry: LogEntry) -> None:
        """Takes a line: of a frame, a track or a person."""
        for face in entry.get("faces", ()):
            if face["labels"] or face["track"] not in self._open:
                self._open[face["track"]] = face["labels"]
        tracks = entry.get("tracks")
        if tracks is not None:
            self._close(entry, entry["person"], tuple(tracks))
        elif (track := entry.get("track")) is not None:
            self._close(entry, entry.get("person", track), (track,))

    def all(self) -> Iterator[LoggedPerson]:
        """The persons, in the order of their lines."""
        yield from self._closed
        for track, labels in self._open.items():
            yield LoggedPerson(track, (track,), _answers(labels))

    def _close(self, entry: LogEntry, number: int, tracks: tuple[int, ...]) -> None:
        for track in tracks:
            self._open.pop(track, None)
        self._closed.append(LoggedPerson(number, tracks, _answers(entry.get("labels", {}))))


def _answers(labels: Mapping[str, LoggedLabel]) -> dict[str, Answer]:
    return {
        name: Answer(each.get("label"), each["probabilities"], each.get("finest"))
        for name, each in labels.items()
    }


def _columns(rows: list[tuple[float, ...]]) -> FaceRows:
    frame, time_s, track, width, area, quality, seen = zip(*rows, strict=True)
    return FaceRows(
        np.array(frame, np.int64),
        np.array(time_s, np.float64),
        np.array(track, np.int64),
        np.array(width, np.float32),
        np.array(area, np.float32),
        np.array(quality, np.float32),
        np.array(seen, np.bool_),
    )
