"""Lines of text in a file that takes its name once it is complete."""

import os
from contextlib import suppress
from pathlib import Path

from stream.errors import SinkError
from stream.sinks.paths import finish_partial, partial_path


class LineFile:
    """Writes beside the name asked for; each line can be read as soon as it is written.

    Args:
        path: the file.

    Raises:
        SinkError: the file cannot be made.
    """

    reader_left = False

    def __init__(self, path: Path) -> None:
        self.output = path
        self.partial_path = partial_path(path)
        try:
            self._file = self.partial_path.open("w", buffering=1, encoding="utf-8")
        except OSError as error:
            raise SinkError(f"{path} cannot be made: {error.strerror}") from error

    def __repr__(self) -> str:
        return f"LineFile({self.output})"

    def write(self, lines: str) -> None:
        """Adds whole lines, in one write: what a full disk refuses, closing tries again.

        Raises:
            SinkError: the disk refuses.
        """
        try:
            self._file.write(lines)
        except OSError as error:
            raise SinkError(f"{self.output} cannot be written: {error.strerror}") from error

    def close(self, *, complete: bool, keep: bool) -> None:
        """Closes the file, and gives it its name if it is complete.

        Args:
            complete: all of it is written; else it keeps its partial name.
            keep: a file that is not complete holds something; else it is removed.

        Raises:
            SinkError: the disk refuses.
        """
        try:
            with self._file:
                self._file.flush()
                os.fsync(self._file.fileno())
            finish_partial(self.output, complete=complete, keep=keep)
        except OSError as error:
            raise SinkError(f"{self.output} cannot be written: {error.strerror}") from error

    def discard(self) -> None:
        """Closes and removes the file, whatever is in it."""
        with suppress(OSError):
            self._file.close()  # tries again to write what could not be written
        self.partial_path.unlink(missing_ok=True)
