"""Embeddings already computed, kept on disk so that work that was cut short goes on.

One SQLite file: a transaction is there or it is not, also when the program is killed. The key is
the sha256 of a picture's bytes and of everything that decides the result, so a changed picture or
another engine never finds an old entry.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.errors import OutputError

_VERSION = 1


@dataclass(frozen=True, slots=True, eq=False)
class Extracted:
    """What one picture gave.

    Attributes:
        reason: why it is skipped; empty where it is not.
        face_px: `(faces,)` float32, width of each face in the picture.
        embeddings: `(faces, views, dimensions)` float32; the second view is the mirrored one.
    """

    reason: str
    face_px: NDArray[np.float32]
    embeddings: NDArray[np.float32]


class Cache:
    """Extracted pictures by key."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, key: bytes) -> Extracted | None:
        """What is known of a picture; None where nothing is."""
        with _translated():
            row = self._connection.execute(
                "SELECT reason, faces, views, face_px, embeddings FROM pictures WHERE key = ?",
                (key,),
            ).fetchone()
        if row is None:
            return None
        reason, faces, views, face_px, embeddings = row
        vectors = np.frombuffer(embeddings, dtype="<f4")
        shape = (faces, views, vectors.size // max(faces * views, 1))
        return Extracted(reason, np.frombuffer(face_px, dtype="<f4"), vectors.reshape(shape))

    def put(self, results: Iterable[tuple[bytes, Extracted]]) -> None:
        """Keeps results: all of them or, when the program dies, none."""
        rows = [
            (
                key,
                each.reason,
                *each.embeddings.shape[:2],
                each.face_px.astype("<f4").tobytes(),
                each.embeddings.astype("<f4").tobytes(),
            )
            for key, each in results
        ]
        with _translated(), self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO pictures VALUES (?, ?, ?, ?, ?, ?)", rows
            )


@contextmanager
def open_cache(path: Path) -> Iterator[Cache]:
    """The cache in that file, which is made if need be.

    Raises:
        OutputError: the file is something else, another run uses it, or the disk refuses.
    """
    with _translated(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror}") from error
        connection = sqlite3.connect(path, timeout=1)
    try:
        with _translated(path), connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version not in (0, _VERSION):
                raise OutputError(f"{path} is of another version of this program: delete it")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS pictures (key BLOB PRIMARY KEY, reason TEXT, "
                "faces INTEGER, views INTEGER, face_px BLOB, embeddings BLOB)"
            )
            connection.execute(f"PRAGMA user_version = {_VERSION}")
        yield Cache(connection)
    finally:
        connection.close()


@contextmanager
def _translated(path: Path | None = None) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        where = f"the cache {path}" if path else "the cache"
        hint = {
            "file is not a database": "delete it or name another with --cache",
            "database is locked": "another run is using it",
            "database or disk is full": "make room and start again, it goes on where it was",
        }.get(str(error), "delete it and start again")
        raise OutputError(f"{where} cannot be used: {error}: {hint}") from error
