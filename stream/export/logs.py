"""What is exported of a log, JSON Lines or Parquet: its header, its frames, its persons."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from stream.errors import ConfigError
from stream.sinks.data.log_lines import LogEntry, LogHeader
from stream.sinks.data.log_reader import LogReader


class ExportedLog(Protocol):
    """A log that was found to be one.

    Attributes:
        header: what it is of, and how it was made.
        persons: by track, the number of its person as the log knows it at its end; a track of a log
            that knows no persons is one of its own.
    """

    header: LogHeader
    persons: Mapping[int, int]

    def entries(self) -> Iterator[LogEntry]:
        """Its frames that have faces, in order; other lines too.

        Raises:
            SourceError: the log was changed meanwhile, or cannot be read.
        """
        ...


class JsonLinesLog:
    """A log in JSON Lines, of either version.

    Raises:
        SourceError: it is not a log of this program, or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._known: dict[int, int] = {}
        self.persons: Mapping[int, int] = self._known
        self._reader = LogReader(path, self._take_persons)
        self.header = self._reader.header

    def __repr__(self) -> str:
        return f"JsonLinesLog({self._reader})"

    def __str__(self) -> str:
        return str(self._reader)

    def entries(self) -> Iterator[LogEntry]:
        """Its lines after the header."""
        return self._reader.entries()

    def _take_persons(self, entry: LogEntry) -> None:
        """Takes what a line says of persons; those of a later line replace what was known."""
        for face in entry.get("faces", ()):
            self._known[face["track"]] = face.get("person", face["track"])
        if "person" in entry:
            self._known.update(dict.fromkeys(entry.get("tracks", ()), entry["person"]))


def open_log(path: Path) -> ExportedLog:
    """The log, ready to be exported.

    Raises:
        ConfigError: it is CSV.
        SourceError: it is not a log of this program, or damaged.
    """
    if path.suffix.lower() == ".csv":
        raise ConfigError(
            f"{path} does not say whether faces were blurred, as CSV has no header: "
            "give a .parquet or a .jsonl that --log wrote"
        )
    if path.suffix.lower() == ".parquet":
        from stream.export.parquet_log import ParquetLog  # Arrow takes a third of a second

        return ParquetLog(path)
    return JsonLinesLog(path)
