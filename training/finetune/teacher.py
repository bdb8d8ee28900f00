"""A model that was trained before: where to go on from, and whose opinion counts beside labels.

A label is one judgement of a picture; a model's probabilities tell more of it, how near the other
classes are (Hinton et al., Distilling the Knowledge in a Neural Network, 2015). A network taught
by one of its own kind does better than its teacher (Furlanello et al., Born-Again Neural
Networks, ICML 2018).
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.classifier import Classifier
from models.embedder import Embedder
from models.runtime import available_cores
from training.errors import DatasetError
from training.features import Progress
from training.finetune.chips import ChipStore
from training.finetune.labelled import Labelled, Wanted
from training.outputs import written_aside

_BATCH = 16


def with_teacher(
    faces: Labelled, bundle: Bundle, embedder: Embedder, folder: Path, progress: Progress
) -> Labelled:
    """The faces with the opinion of a model, for the attributes that it knows.

    Args:
        faces: all of them are asked about, as they are and mirrored; the mean is the opinion.
        bundle: the model.
        embedder: the model's; each call keeps to one core.
        folder: where the embeddings are kept, so that a run gone on with need not wait.
        progress: is told of every face.

    Raises:
        DatasetError: the model knows none of the attributes, or one of them by other classes.
        OutputError: the disk refuses.
    """
    names = {head.attribute: head.classes for head in bundle.manifest.attributes}
    shared = [name for name in faces.classes if name in names]
    if not shared:
        raise DatasetError(f"{bundle!r} knows none of {', '.join(faces.classes)}")
    for name in shared:
        if set(names[name]) != set(faces.classes[name]):
            raise DatasetError(
                f"{name}: the teacher knows {', '.join(names[name])}, "
                f"the dataset has {', '.join(faces.classes[name])}"
            )
    views = _embedded(faces.chips, embedder, folder, progress)
    classifier = Classifier(bundle)
    opinions = [classifier.predict(np.ascontiguousarray(views[:, view])) for view in (0, 1)]
    taught: dict[str, Wanted] = {}
    for straight, mirrored in zip(*opinions, strict=True):
        if straight.attribute in shared:
            mean = (straight.probabilities + mirrored.probabilities) / 2
            order = [straight.classes.index(each) for each in faces.classes[straight.attribute]]
            taught[straight.attribute] = mean[:, order]
    return replace(faces, taught=taught)


def _embedded(
    chips: ChipStore, embedder: Embedder, folder: Path, progress: Progress
) -> NDArray[np.float32]:
    """`(faces, 2, dimensions)`: each face as it is and mirrored."""
    file = folder / f"{embedder.name}-{chips.digest}.npy"
    if not file.is_file():

        def embedded(start: int) -> NDArray[np.float32]:
            some = range(start, min(start + _BATCH, len(chips)))
            straight = np.stack([chips[face] for face in some])
            both = np.stack([straight, straight[:, :, ::-1]], axis=1)
            vectors = embedder.embed(both.reshape(-1, *straight.shape[1:]))
            progress(len(some))
            return vectors.reshape(len(some), 2, -1)

        with ThreadPoolExecutor(available_cores()) as pool:
            parts = list(pool.map(embedded, range(0, len(chips), _BATCH)))
        with written_aside(file) as aside, aside.open("wb") as stream:
            np.save(stream, np.concatenate(parts))
    vectors: NDArray[np.float32] = np.load(file)
    return vectors
