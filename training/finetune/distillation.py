"""Distillation: a network also learns from what models made before it say of each face.

(Hinton et al., Distilling the Knowledge in a Neural Network, 2015.) Teachers are shown each face as
it is, once, before training; the network that learns is shown it small, blurred and compressed.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.features.progress import ProgressCallback, no_progress
from training.finetune.labelled_faces import LabelledFaces
from training.finetune.teachers import Teacher
from training.outputs import written_aside

_SHARD_FACES = 256
"""Faces whose probabilities share a file: what a kill loses at most."""


@dataclass(frozen=True, slots=True, eq=False)
class TeacherProbabilities:
    """What all teachers together say of the faces that are fitted on.

    Attributes:
        teachers: their digests; empty where no teacher is asked.
        by_attribute: for each attribute `(faces, classes)`, the mean over the teachers; rows of 0
            for faces that are not fitted on. Empty where no teacher is asked.
    """

    teachers: tuple[str, ...] = ()
    by_attribute: tuple[NDArray[np.float32], ...] = ()


def teacher_probabilities(
    teachers: Sequence[Teacher],
    faces: LabelledFaces,
    folder: Path,
    progress: ProgressCallback = no_progress,
) -> TeacherProbabilities:
    """Asks each teacher about each face that is fitted on, unless an earlier run did.

    Args:
        teachers: one or more; each counts alike.
        faces: with the classes that are learned.
        folder: where the answers are kept, 4 bytes for a class of a face and a teacher. They are
            found again by the digests of the teacher and of the faces.
        progress: is given the number of faces done, each once for each teacher.

    Raises:
        DatasetError: a teacher has other classes.
        OutputError: the disk refuses.
    """
    counts = [len(names) for names in faces.classes.values()]
    means = np.zeros((len(faces.chips), sum(counts)), dtype=np.float32)
    for teacher in teachers:
        for start in range(0, len(faces.fitted), _SHARD_FACES):
            part = faces.fitted[start : start + _SHARD_FACES]
            path = folder / f"{_digest(teacher, faces, part)}.npy"
            known = path.is_file()
            if not known:
                chips = np.stack([faces.chips[face] for face in part.tolist()])
                found = teacher.probabilities(chips, faces.classes)
                with written_aside(path) as aside, aside.open("wb") as file:
                    np.save(file, found)
            means[part] += np.load(path) / len(teachers)
            progress(len(part), known=known)
    by_attribute = np.split(means, np.cumsum(counts)[:-1], axis=1)
    return TeacherProbabilities(tuple(each.digest for each in teachers), tuple(by_attribute))


def blend(
    labels: NDArray[np.float32], probabilities: NDArray[np.float32], share: float
) -> NDArray[np.float32]:
    """Targets `(n, classes)` that are the teachers' probabilities by a share, else the label.

    Where a face has no label (a row of 0), they are the teachers' probabilities alone.
    """
    has_label = labels.any(axis=1, keepdims=True)
    return np.where(has_label, (1 - share) * labels + share * probabilities, probabilities).astype(
        np.float32
    )


def _digest(teacher: Teacher, faces: LabelledFaces, part: NDArray[np.intp]) -> str:
    """The name of the file with what a teacher says of some of the faces."""
    classes = [(name, *names) for name, names in faces.classes.items()]
    digest = hashlib.sha256(repr((teacher.digest, faces.chips.digest, classes)).encode())
    digest.update(part.astype(np.int64).tobytes())
    return digest.hexdigest()[:16]
