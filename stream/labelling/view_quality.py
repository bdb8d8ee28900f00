"""How good a view of a face is: its weight as evidence."""

import numpy as np
from numpy.typing import NDArray

from models.classification.view_quality import ViewQuality
from models.faces import Faces

_FULL_WIDTH_PX = 60.0
"""Width from which a face counts fully, px; on faces of FairFace, shrunk and enlarged again, wider
ones are labelled no better."""

_FULL_SHARPNESS = 0.4
"""Sharpness from which a face counts fully: the median of such faces of 60 px; blurred by 1.5 px
they have 0.17."""

_LEAST_FACTOR = 0.05
"""The lowest value of each factor: the worst view still counts."""


def view_weights(faces: Faces, quality: ViewQuality, clear_score: float) -> NDArray[np.float32]:
    """How much each view counts, `(n,)`, above 0 and at most 1.

    The product of face width, sharpness, frontality and detector score, each from 0 (useless) to
    1 (as good as can be).

    Args:
        faces: how they are turned, and how sure the detector is of them.
        quality: of the same views.
        clear_score: detector score from which a face counts fully.
    """
    width, sharp = quality.widths_px / _FULL_WIDTH_PX, quality.sharpness / _FULL_SHARPNESS
    score = faces.scores / np.float32(clear_score)
    factors = np.stack([width, sharp, frontality(faces.landmarks_xy), score])
    weights: NDArray[np.float32] = factors.clip(_LEAST_FACTOR, 1).prod(axis=0).astype(np.float32)
    return weights


def frontality(landmarks_xy: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each face looks into the camera, `(n,)` from 0 to 1.

    The nose of a face seen from the front lies under the middle of the eyes; at the height of an
    eye, or beyond, the face is in profile.
    """
    right, left = landmarks_xy[:, 0:2].mean(axis=1), landmarks_xy[:, 2:4].mean(axis=1)
    between = left - right
    distance = np.linalg.norm(between, axis=1).clip(1)
    middle = (left + right) / 2
    aside = np.einsum("ij,ij->i", landmarks_xy[:, 4] - middle, between) / distance**2
    return (1 - 2 * np.abs(aside)).clip(0, 1).astype(np.float32)
