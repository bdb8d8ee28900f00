"""Which pictures of a dataset have faces to learn from, before any of them is embedded."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.networks.runtime import available_cores
from training.datasets.samples import Samples
from training.features.extractor import Extractor, read_picture
from training.features.leaks import Leak, find_leaks
from training.features.picture_hash import UNKNOWN, alike_groups
from training.features.progress import ProgressCallback, no_progress


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What is known of n pictures before any of them is embedded.

    Attributes:
        usable: `(n,)`, the pictures with faces to learn from.
        hashes: `(n,)` perceptual hashes, `UNKNOWN` where a picture is not usable.
    """

    usable: NDArray[np.bool_]
    hashes: NDArray[np.uint64]

    @property
    def alike(self) -> NDArray[np.intp]:
        """A number for each picture `(n,)`, the same for nearly identical ones."""
        return alike_groups(self.hashes)

    def leaks(self, samples: Samples, splits: Sequence[str]) -> tuple[Leak, ...]:
        """What the two halves of a split share, among the usable pictures."""
        rows = np.flatnonzero(self.usable).tolist()
        return find_leaks(
            [samples.files[row] for row in rows],
            [splits[row] for row in rows],
            [samples.identities[row] for row in rows],
            self.hashes[rows],
        )


def survey(
    samples: Samples, extractor: Extractor, progress: ProgressCallback = no_progress
) -> Survey:
    """Which pictures have faces, and their perceptual hashes.

    With them `split` draws what it draws for a table of the same dataset, so that no picture is
    trained on that the table holds out.
    """
    usable = np.zeros(len(samples), dtype=np.bool_)
    hashes = np.full(len(samples), UNKNOWN, dtype=np.uint64)

    def look(file: str) -> tuple[str, int]:
        found = extractor.chips(read_picture(samples.root / file))
        return found.reason, found.picture_hash

    with ThreadPoolExecutor(available_cores()) as pool:
        for index, (reason, picture_hash) in enumerate(pool.map(look, samples.files)):
            if not reason:
                usable[index], hashes[index] = True, picture_hash
            progress(1)
    return Survey(usable, hashes)
