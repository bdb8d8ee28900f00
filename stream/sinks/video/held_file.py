"""The file of a video on its way to the disk, where it appears with its first whole fragment."""

import io
import os
from contextlib import suppress
from errno import EISDIR
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO


class HeldFile:
    """A file as PyAV writes it, whose first bytes are held back until they can be played.

    A file on the disk therefore always opens, whenever the program is killed, and none is left by a
    run that was killed before. After an error nothing more is written: what a muxer adds to
    complete the file would spoil what is there. Of a fragment that was cut nothing is left.

    Args:
        path: the file, which an earlier one of its name gives way to.

    Raises:
        OSError: no file can be made in its folder.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._held = io.BytesIO()
        self._file: BinaryIO | None = None
        self._failed = False
        if path.is_dir():
            raise IsADirectoryError(EISDIR, os.strerror(EISDIR), self.name)
        TemporaryFile(dir=path.parent).close()  # fails here, not with the first fragment

    def __repr__(self) -> str:
        return f"HeldFile({self.name}, {'held back' if self._file is None else 'on the disk'})"

    @property
    def held_bytes(self) -> int:
        """How much is held back; 0 once the file is on the disk."""
        return len(self._held.getbuffer())

    def release(self) -> None:
        """Writes what was held back, and from now on everything at once.

        Raises:
            OSError: the disk refuses; the file is then removed.
        """
        if self._file is not None or self._failed:
            return
        self._file = self._path.open("wb", buffering=0)
        try:
            self._write_all(self._held.getbuffer())
            self._file.seek(self._held.tell())
        except OSError:
            self._failed = True
            self._file.close()
            self._path.unlink(missing_ok=True)  # a part of a header
            raise
        self._held = io.BytesIO()

    def write(self, data: bytes) -> int:
        """Takes bytes at the present place.

        Raises:
            OSError: the disk refuses.
        """
        if self._failed:
            return len(data)
        if self._file is None:
            return self._held.write(data)
        try:
            self._write_all(memoryview(data))
        except OSError:
            self._failed = True
            with suppress(OSError):
                os.truncate(self._path, _end_of_fragments(self._path))
            raise
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves to a place, and returns it."""
        return self._target.seek(offset, whence)

    def tell(self) -> int:
        """The present place."""
        return self._target.tell()

    def seekable(self) -> bool:
        """It is."""
        return True

    def close(self) -> None:
        """Closes the file; may be called twice. What is still held back is dropped."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()

    @property
    def _target(self) -> BinaryIO:
        return self._held if self._file is None or self._failed else self._file

    def _write_all(self, data: memoryview) -> None:
        """Writes everything: a disk that is nearly full takes a part first."""
        assert self._file is not None
        while data:
            data = data[self._file.write(data) :]


def _end_of_fragments(path: Path) -> int:
    """Where the last whole fragment of an MP4 or MOV ends, B; the end of a file of another kind.

    FFmpeg does not open a file of which the header of the last fragment is cut.
    """
    size, start, end = path.stat().st_size, 0, 0
    with path.open("rb") as file:
        while start < size:
            file.seek(start)
            head = file.read(16)
            length = int.from_bytes(head[:4], "big")
            if length == 1:  # then 64 bits of it follow
                length = int.from_bytes(head[8:], "big")
            start += max(length, 8)
            if head[4:8] == b"mdat" and start <= size:
                end = start
    return end or size
