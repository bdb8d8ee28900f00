"""A cache of embeddings on disk, from which a run that was killed goes on.

It is one SQLite file: a transaction is complete or absent, also when the program is killed. The
key is the sha256 of a picture's bytes and of all settings, so a changed picture or another engine
never finds an old entry.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.errors import OutputError

_VERSION = 4
"""Version of the file's tables. What an earlier one holds is embedded again: 4 has the width and
the sharpness of each view. A later one is refused."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedFaces:
    """The embedded faces of a picture.

    Attributes:
        reason: why it is skipped; empty where it is not.
        face_px: `(faces, views)` float32, width of each face in the view.
        embeddings: `(faces, views, dimensions)` float32.
        sharpness: `(faces, views)` float32, that of each chip, see
            `models.classification.view_quality`.
        picture_hash: the perceptual hash of the picture, see `training.features.picture_hash`.
    """

    reason: str
    face_px: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    sharpness: NDArray[np.float32]
    picture_hash: int = 0


class EmbeddingCache:
    """Embedded faces of pictures by key."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, key: bytes) -> EmbeddedFaces | None:
        """The faces of a picture; None where it was never embedded."""
        with _translated():
            row = self._connection.execute(
                "SELECT reason, faces, views, face_px, embeddings, picture_hash, sharpness "
                "FROM pictures WHERE key = ?",
                (key,),
            ).fetchone()
        if row is None:
            return None
        reason, faces, views, *blobs, picture_hash, sharp = row
        widths, vectors, sharpness = (np.frombuffer(each, dtype="<f4") for each in (*blobs, sharp))
        dimensions = vectors.size // max(faces * views, 1)
        return EmbeddedFaces(
            reason,
            widths.reshape(faces, views),
            vectors.reshape(faces, views, dimensions),
            sharpness.reshape(faces, views),
            int.from_bytes(picture_hash, "big"),
        )

    def put(self, results: Iterable[tuple[bytes, EmbeddedFaces]]) -> None:
        """Stores results in one transaction."""
        rows = [
            (
                key,
                each.reason,
                *each.embeddings.shape[:2],
                each.face_px.astype("<f4").tobytes(),
                each.embeddings.astype("<f4").tobytes(),
                each.picture_hash.to_bytes(8, "big"),
                each.sharpness.astype("<f4").tobytes(),
            )
            for key, each in results
        ]
        with _translated(), self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO pictures VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows
            )


@contextmanager
def open_cache(path: Path) -> Iterator[EmbeddingCache]:
    """Opens the cache in a file, which is created if it is missing.

    Raises:
        OutputError: the file is no cache, another run uses it, or the disk refuses.
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
            if version not in range(_VERSION + 1):
                raise OutputError(f"{path} is of another version of this program: delete it")
            if version < _VERSION:
                connection.execute("DROP TABLE IF EXISTS pictures")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS pictures (key BLOB PRIMARY KEY, reason TEXT, "
                "faces INTEGER, views INTEGER, face_px BLOB, embeddings BLOB, picture_hash BLOB, "
                "sharpness BLOB)"
            )
            connection.execute(f"PRAGMA user_version = {_VERSION}")
        yield EmbeddingCache(connection)
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
