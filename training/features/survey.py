"""Which pictures of a dataset have faces to learn from, before any of them is embedded."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from models.runtime import available_cores
from training.datasets.samples import Samples
from training.features.extraction import ProgressCallback
from training.features.extractor import Extractor, read_picture
from training.features.picture_hash import UNKNOWN, alike_groups


def survey(
    samples: Samples, extractor: Extractor, progress: ProgressCallback = lambda done: None
) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Which pictures have faces, and a number for each, the same for nearly identical ones `(n,)`.

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
    return usable, alike_groups(hashes)
