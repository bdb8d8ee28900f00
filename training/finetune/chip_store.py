"""The aligned faces (dlib's face chips) of a dataset on disk, found and cut out once."""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from models.networks.runtime import available_cores
from training.datasets.samples import Samples
from training.features.extractor import Extractor, read_picture
from training.features.progress import ProgressCallback, no_progress
from training.outputs import write_whole, written_aside

_SHARD_PICTURES = 512
"""Pictures whose faces share a file: what a kill loses at most."""


@dataclass(frozen=True, slots=True, eq=False)
class ChipStore:
    """The n faces of some pictures.

    Attributes:
        pictures: `(n,)`, row of the dataset that each face is from.
        digest: of the faces' pixels and of how many each picture has; where the pictures lie does
            not matter, for a run goes on from its checkpoint after they were moved.
    """

    pictures: NDArray[np.intp]
    digest: str
    _shards: tuple[NDArray[np.uint8], ...]
    _ends: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.pictures)

    def __repr__(self) -> str:
        return f"ChipStore({len(self)} faces)"

    def __getitem__(self, face: int) -> Image:
        """`(150, 150, 3)` uint8 BGR; read from the disk."""
        shard = int(np.searchsorted(self._ends, face, side="right"))
        start = self._ends[shard - 1] if shard else 0
        return np.array(self._shards[shard][face - start])


def store_chips(
    samples: Samples,
    rows: Sequence[int],
    extractor: Extractor,
    folder: Path,
    progress: ProgressCallback = no_progress,
) -> ChipStore:
    """Cuts out the faces of these pictures, unless an earlier run did.

    Args:
        samples: the dataset.
        rows: which of its pictures.
        extractor: finds and aligns the faces; pictures in which it finds none are left out.
        folder: where they are kept, 68 kB a face. Pictures of the same name, size and time of
            change are not looked at again.
        progress: is given the number of pictures done.

    Raises:
        OutputError: the disk refuses.
    """
    digest = hashlib.sha256()
    pictures: list[NDArray[np.intp]] = []
    shards: list[NDArray[np.uint8]] = []
    with ThreadPoolExecutor(available_cores()) as pool:
        for start in range(0, len(rows), _SHARD_PICTURES):
            part = rows[start : start + _SHARD_PICTURES]
            paths = [samples.root / samples.files[row] for row in part]
            stem = folder / _digest(paths, extractor)
            chips_file, counts_file = stem.with_suffix(".npy"), stem.with_suffix(".json")
            known = chips_file.is_file() and counts_file.is_file()
            if not known:
                found = list(pool.map(lambda path: extractor.chips(read_picture(path)), paths))
                with written_aside(chips_file) as aside, aside.open("wb") as file:
                    np.save(file, np.concatenate([each.chips for each in found]))
                counts = [len(each.chips) for each in found]
                write_whole(counts_file, json.dumps(counts).encode())
            counts = json.loads(counts_file.read_text(encoding="utf-8"))
            pictures.append(np.repeat(np.array(part, dtype=np.intp), counts))
            shards.append(np.load(chips_file, mmap_mode="r"))
            digest.update(json.dumps(counts).encode())
            digest.update(np.ascontiguousarray(shards[-1]).data)
            progress(len(part), known=known)
    ends = np.cumsum([len(each) for each in shards])
    return ChipStore(np.concatenate(pictures), digest.hexdigest()[:16], tuple(shards), ends)


def _digest(paths: Sequence[Path], extractor: Extractor) -> str:
    """The name of the files with the faces of these pictures."""
    digest = hashlib.sha256(extractor.chip_key.encode())
    for path in paths:
        digest.update(repr((str(path), *_state(path))).encode())
    return digest.hexdigest()[:16]


def _state(path: Path) -> tuple[int, ...]:
    try:
        state = path.stat()
    except OSError:
        return ()
    return state.st_size, state.st_mtime_ns
