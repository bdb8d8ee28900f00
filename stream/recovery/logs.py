"""A partial log → one of whole lines, which ends with the last picture of the video."""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from stream.errors import SinkError, SourceError
from stream.frames import TIME_TOLERANCE_S


def write_log(partial: Path, target: Path, end_s: float | None) -> None:
    """Copies the whole lines of a partial log up to a time.

    Args:
        partial: JSON Lines, or a table as CSV.
        target: the copy.
        end_s: time of the last picture in the source, s; None for all lines.

    Raises:
        SourceError: it cannot be read, or holds nothing.
        SinkError: the disk refuses.
    """
    limit_s = float("inf") if end_s is None else end_s + TIME_TOLERANCE_S
    kept = _json_lines if partial.suffix.lower() == ".jsonl" else _csv_lines
    try:
        source = partial.open("rb")
    except OSError as error:
        raise SourceError(f"{partial} cannot be read: {error.strerror}") from error
    try:
        with source, target.open("wb") as copy:
            copy.writelines(kept(_whole_lines(source), limit_s))
            if not copy.tell():
                raise SourceError(f"{partial} has not one whole line: nothing can be recovered")
    except OSError as error:
        raise SinkError(f"{target} cannot be written: {error.strerror}") from error


def _whole_lines(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines that end: of the last one only a part may have been written."""
    return (line for line in lines if line.endswith(b"\n"))


def _json_lines(lines: Iterator[bytes], limit_s: float) -> Iterator[bytes]:
    """The lines up to the first frame after the limit; tracks stand after the frame they end with.

    The first line that is none of a log ends it too.
    """
    for line in lines:
        try:
            entry = json.loads(line)
            if "frame" in entry and entry.get("time_s", 0.0) > limit_s:
                return
        except (KeyError, TypeError, ValueError, RecursionError):
            return
        yield line


def _csv_lines(lines: Iterator[bytes], limit_s: float) -> Iterator[bytes]:
    """The header, and the rows of faces and of tracks that end before the limit."""
    header = next(lines, b"")
    yield header
    columns = _cells(header)
    timed = next((columns.index(each) for each in ("last_s", "time_s") if each in columns), None)
    for line in lines:
        cells = _cells(line)
        if len(cells) != len(columns):
            return
        try:
            if timed is None or not cells[timed] or float(cells[timed]) <= limit_s:
                yield line
        except ValueError:
            return


def _cells(line: bytes) -> list[str]:
    return next(csv.reader([line.decode("utf-8", "surrogateescape")]), [])
