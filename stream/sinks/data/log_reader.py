"""A JSON Lines log read back, each line validated: a log may come from anywhere."""

from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from models.safe_files import UnfitFileError, open_regular
from stream.errors import SourceError
from stream.sinks.data.json_log import SCHEMA
from stream.sinks.data.log_lines import (
    LINE,
    SCHEMAS,
    SHOWN_LETTERS,
    LogEntry,
    LoggedLabel,
    LogHeader,
    box_fault,
    first_reason,
)

_MAX_LINE_BYTES = 16 << 20
"""Length of a line at most, bytes; a frame of 10,000 faces with the model that ships has 6 MB."""

_MAX_BRACKETS = 300_000
"""Lists and objects of a line at most; 10,000 faces with ten labels have 230,000. Each takes some
300 bytes of memory before anything is known of it."""

_MAX_COMMAS = 2_000_000
"""Values of a line at most; 10,000 faces with the model that ships have 350,000."""

_CUT_SHORT = "EOF while parsing"
"""What pydantic says of JSON that ends too early."""


class LogReader:
    """Reads a log twice: first all of it is validated, so that nothing is done with a bad one.

    A last line that is cut short, as a killed run leaves it, is passed over.

    Args:
        path: the log.
        look: is given each line after the header once it is validated.

    Attributes:
        header: the first line.
        is_cut_short: whether the last line is.

    Raises:
        SourceError: it is not a log of this program, or damaged.
    """

    def __init__(self, path: Path, look: Callable[[LogEntry], None] = lambda entry: None) -> None:
        self._path = path
        self.is_cut_short = False
        with self._open() as file:
            self.header = self._header(file)
            self._classes = {name: frozenset(each) for name, each in self.header.attributes.items()}
            for entry in self._entries(file):
                look(entry)

    def __repr__(self) -> str:
        return f"LogReader({self._path})"

    def __str__(self) -> str:
        return str(self._path)

    def entries(self) -> Generator[LogEntry, None, None]:
        """The lines after the header, in order.

        Raises:
            SourceError: the log was changed meanwhile, or cannot be read.
        """
        with self._open() as file:
            self._line(file, 1)
            yield from self._entries(file)

    def _open(self) -> BinaryIO:
        try:
            return open_regular(self._path)
        except UnfitFileError as error:
            raise SourceError(f"{self._path} {error}") from error

    def _header(self, file: BinaryIO) -> LogHeader:
        line = self._line(file, 1)
        try:
            return LogHeader.model_validate_json(line)
        except ValidationError as error:
            if any(f'"{schema}"'.encode() in line[:100] for schema in SCHEMAS):
                raise self._damage(1, first_reason(error)) from error
            raise SourceError(
                f"{self._path} is not a log of {SCHEMA}: give a .jsonl that --log wrote"
            ) from error

    def _entries(self, file: BinaryIO) -> Iterator[LogEntry]:
        number, before = 1, None
        while line := self._line(file, number := number + 1):
            if line.isspace():
                continue
            try:
                entry = LINE.validate_json(line)
            except ValidationError as error:
                reason = first_reason(error)
                if _CUT_SHORT in reason and not line.endswith(b"\n"):
                    self.is_cut_short = True
                    return
                raise self._damage(number, reason) from error
            if reason := self._fault(entry) or _order_fault(entry, before):
                raise self._damage(number, reason)
            if "frame" in entry:
                before = entry
            yield entry

    def _line(self, file: BinaryIO, number: int) -> bytes:
        """The next line; empty at the end."""
        try:
            line = file.readline(_MAX_LINE_BYTES + 1)
        except OSError as error:
            raise SourceError(f"{self._path} cannot be read: {error.strerror}") from error
        if len(line) > _MAX_LINE_BYTES:
            raise self._damage(number, f"it is longer than {_MAX_LINE_BYTES >> 20} MB")
        brackets = line.count(b"[") + line.count(b"{")
        if brackets > _MAX_BRACKETS or line.count(b",") > _MAX_COMMAS:
            raise self._damage(number, "it holds more than any frame")
        return line

    def _fault(self, entry: LogEntry) -> str:
        """What is wrong with a line that types and ranges do not say; empty where nothing is."""
        if "schema" in entry:
            return "another log begins here: give each log as a file of its own"
        if "frame" in entry and not ("faces" in entry and {"time_s", "file"} & entry.keys()):
            return "a frame has faces, and time_s or file"
        if "tracks" in entry and "person" not in entry:
            return "tracks are those of a person"
        for face in entry.get("faces", ()):
            if reason := box_fault(face) or self._label_fault(face["labels"]):
                return reason
        return self._label_fault(entry.get("labels", {}))

    def _label_fault(self, labels: Mapping[str, LoggedLabel]) -> str:
        """What is wrong with labels, likewise."""
        for attribute, label in labels.items():
            probabilities = label["probabilities"]
            shown = attribute[:SHOWN_LETTERS]
            if foreign := probabilities.keys() - self._classes.get(attribute, frozenset()):
                return f"{min(foreign)[:SHOWN_LETTERS]!a} is no class of {shown!a} in its header"
            if not sum(probabilities.values()) > 0:
                return f"the probabilities of {shown!a} add up to nothing"
        return ""

    def _damage(self, number: int, reason: str) -> SourceError:
        return SourceError(f"{self._path} is damaged in line {number}: {reason}")


def _order_fault(entry: LogEntry, before: LogEntry | None) -> str:
    """What is wrong with a frame that follows another one; empty where nothing is."""
    if before is None or "frame" not in entry:
        return ""
    if ("time_s" in entry) != ("time_s" in before):
        return "it has frames of a video and pictures, and a log is of either"
    is_before = entry.get("time_s", 0.0) < before.get("time_s", 0.0)
    if is_before or entry["frame"] <= before["frame"]:
        return "its frame or its time is before that of an earlier line"
    return ""
