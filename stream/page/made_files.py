"""Recordings and snapshots that are made from the page, in the folder given at the start."""

import os
import re
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from stream.sinks.claims import claim_new_file
from stream.sinks.pictures.picture_file import write_picture

_OWN_NAME = re.compile(r"(recording|snapshot)-.*\.(mp4|png)")
"""How files are named that are made from the page."""

_COUNTED = re.compile(r"\.?(recording|snapshot)-.*")
"""How those are named, and those that are not complete yet."""


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file that is complete.

    Attributes:
        path: where it is.
        kind: what it is.
        source: number of the source.
        made: when it was complete.
    """

    path: Path
    kind: Literal["recording", "snapshot"]
    source: int
    made: datetime

    def as_dict(self) -> dict[str, Any]:
        """The file as JSON has it.

        Raises:
            OSError: it is there no more.
        """
        return {
            "name": self.path.name,
            "kind": self.kind,
            "bytes": self.path.stat().st_size,
            "made": self.made.isoformat(timespec="seconds"),
            "source": self.source,
        }


class MadeFiles:
    """The files of this run, by name: no other file is given out. Safe from any thread.

    Args:
        folder: of the files.
        most_bytes: what they, and those of earlier runs of such names, may take together.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._by_name: dict[str, MadeFile] = {}

    def __repr__(self) -> str:
        return f"MadeFiles({len(self._by_name)} in {self._folder})"

    @property
    def is_full(self) -> bool:
        """Whether nothing more may be made."""
        try:
            entries = [each for each in os.scandir(self._folder) if _COUNTED.fullmatch(each.name)]
            return sum(each.stat().st_size for each in entries) >= self._most_bytes
        except OSError:
            return False  # a file has gone meanwhile; the next look tells

    def add(self, path: Path, source: int) -> bool:
        """Notes a file that is complete, if it is one of these; whether it was not known."""
        found = _OWN_NAME.fullmatch(path.name)
        if found is None or path.parent != self._folder:
            return False
        kind: Literal["recording", "snapshot"] = (
            "recording" if found[1] == "recording" else "snapshot"
        )
        with self._lock:
            is_new = path.name not in self._by_name
            if is_new:
                self._by_name[path.name] = MadeFile(path, kind, source, datetime.now(UTC))
        return is_new

    def get(self, name: str) -> MadeFile | None:
        """The file of a name, if it is one of these and is still there."""
        with self._lock:
            made = self._by_name.get(name)
        return made if made is not None and made.path.is_file() else None

    def listed(self) -> list[dict[str, Any]]:
        """The files that are still there, as JSON has them, the newest first."""
        with self._lock:
            made = list(self._by_name.values())
        listed = []
        for each in reversed(made):
            with suppress(OSError):  # it is there no more
                listed.append(each.as_dict())
        return listed

    def save(self, picture: Any, source: int) -> Path:
        """Writes a picture.

        Raises:
            SinkError: it cannot be written.
        """
        with claim_new_file(self._folder, "snapshot", ".png") as path:
            write_picture(path, picture)
        self.add(path, source)
        return path


def full_reason(most_gb: float) -> str:
    """Why nothing more is made."""
    return f"recordings and snapshots take {most_gb:g} GB, serve.max_disk_gb: delete some first"
