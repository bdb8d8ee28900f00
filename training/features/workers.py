"""What embeds the pictures that a cache lacks: the threads of this process, or others likewise."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeAlias

from training.features.cache import EmbeddedFaces
from training.features.extractor import Extractor, read_picture

Picture: TypeAlias = tuple[Path, bytes]
"""A picture file, and the key that its result should have."""

Embedded: TypeAlias = tuple[bytes, EmbeddedFaces]
"""The key of a picture as it was when it was read, and its faces."""

TRANSACTION_PICTURES = 64
"""Pictures of a transaction of the cache for each worker: what a kill loses at most; fewer cost
more writes."""


class Workers(Protocol):
    """Embeds pictures."""

    @property
    def transaction(self) -> int:
        """How many pictures it is given at a time, so that none of it is idle for long."""

    def embed(self, pictures: Sequence[Picture]) -> Iterator[Embedded]:
        """The results of the pictures, in any order."""


class Threads:
    """Embeds pictures in the threads of a pool.

    Args:
        pool: the threads.
        extractor: finds and embeds the faces.
    """

    transaction = TRANSACTION_PICTURES

    def __init__(self, pool: ThreadPoolExecutor, extractor: Extractor) -> None:
        self._pool = pool
        self._extractor = extractor

    def embed(self, pictures: Sequence[Picture]) -> Iterator[Embedded]:
        """The results of the pictures, in their order."""
        return self._pool.map(lambda picture: embedded(self._extractor, picture[0]), pictures)


def embedded(extractor: Extractor, path: Path) -> Embedded:
    """What comes of a picture file."""
    content = read_picture(path)
    return extractor.key(content), extractor.extract(content)
