"""Faces in a picture, as detectors and the aligner give them, and the geometry of boxes.

Boxes are `xyxy`: left, top, right, bottom in pixels of the picture they were found in, with the
right and bottom edges exclusive. They may reach beyond the picture. No faces (n = 0) is ordinary.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Image: TypeAlias = NDArray[np.uint8]
"""`(height, width, 3)`, BGR, C-contiguous."""

LANDMARK_COUNT = 5
"""How many landmarks a face has: outer and inner corner of the eye on the picture's right, of the
one on its left, nose base."""


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """The faces that a detector finds.

    Attributes:
        boxes_xyxy: `(n, 4)` float32.
        scores: `(n,)` float32, the detector's own confidence: higher is surer.
        rolls_deg: `(n,)` float32, by how many degrees each face is turned clockwise in the picture,
            -180 to 180; 0 from a detector that does not say.
    """

    boxes_xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    rolls_deg: NDArray[np.float32]

    def __post_init__(self) -> None:
        _check_shape(self.boxes_xyxy, (-1, 4), "boxes_xyxy")
        _check_shape(self.scores, (len(self.boxes_xyxy),), "scores")
        _check_shape(self.rolls_deg, (len(self.boxes_xyxy),), "rolls_deg")

    @classmethod
    def of(
        cls, boxes_xyxy: ArrayLike, scores: ArrayLike, rolls_deg: ArrayLike | None = None
    ) -> Self:
        """From any array-likes, empty ones too; upright where no rolls are given."""
        boxes = np.asarray(boxes_xyxy, dtype=np.float32).reshape(-1, 4)
        rolls = np.zeros(len(boxes)) if rolls_deg is None else rolls_deg
        floats = (np.asarray(each, dtype=np.float32).reshape(-1) for each in (scores, rolls))
        return cls(boxes, *floats)

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Self:
        return type(self)(self.boxes_xyxy[chosen], self.scores[chosen], self.rolls_deg[chosen])

    def mapped(
        self, scale_xy: tuple[float, float], offset_xy: tuple[float, float] = (0.0, 0.0)
    ) -> Self:
        """The same faces in a picture where pixel p lies at `scale * p + offset`."""
        scale, offset = (np.array(pair * 2, dtype=np.float32) for pair in (scale_xy, offset_xy))
        return type(self)(self.boxes_xyxy * scale + offset, self.scores, self.rolls_deg)

    def turned_back(self, quarters: int, size_wh: tuple[int, int]) -> Self:
        """The same faces in a picture of that size, of which theirs is `np.rot90(…, quarters)`."""
        left, top, right, bottom = self.boxes_xyxy.T
        width, height = map(np.float32, size_wh)
        edges = {
            1: (width - bottom, left, width - top, right),
            2: (width - right, height - bottom, width - left, height - top),
            3: (top, height - right, bottom, height - left),
        }[quarters]
        rolls = (self.rolls_deg + 90 * quarters + 180) % 360 - 180
        return type(self)(np.stack(edges, axis=1), self.scores, rolls.astype(np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Faces found and ready to be aligned.

    Attributes:
        boxes_xyxy: `(n, 4)` float32.
        landmarks_xy: `(n, 5, 2)` float32, pixels; the order is that of `LANDMARK_COUNT`.
        scores: `(n,)` float32, the detector's own confidence: higher is surer.
    """

    boxes_xyxy: NDArray[np.float32]
    landmarks_xy: NDArray[np.float32]
    scores: NDArray[np.float32]

    def __post_init__(self) -> None:
        _check_shape(self.boxes_xyxy, (-1, 4), "boxes_xyxy")
        _check_shape(self.scores, (len(self.boxes_xyxy),), "scores")
        _check_shape(self.landmarks_xy, (len(self.boxes_xyxy), LANDMARK_COUNT, 2), "landmarks_xy")

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Self:
        return type(self)(self.boxes_xyxy[chosen], self.landmarks_xy[chosen], self.scores[chosen])


def concatenate(detections: Sequence[Detections]) -> Detections:
    """Several detections as one; without any, none."""
    if not detections:
        return Detections.of([], [])
    return Detections(
        np.concatenate([each.boxes_xyxy for each in detections]),
        np.concatenate([each.scores for each in detections]),
        np.concatenate([each.rolls_deg for each in detections]),
    )


def sizes_wh(boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Width and height of each box, `(n, 2)`."""
    return boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]


def centres_xy(boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    """The middle of each box, `(n, 2)`."""
    return (boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / np.float32(2)


def iou(first_xyxy: NDArray[np.float32], second_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of each pair, `(n, m)`; 0 where either box is empty."""
    return _iou(first_xyxy, second_xyxy, _areas(first_xyxy), _areas(second_xyxy))


def _iou(
    first_xyxy: NDArray[np.float32],
    second_xyxy: NDArray[np.float32],
    first_areas: NDArray[np.float32],
    second_areas: NDArray[np.float32],
) -> NDArray[np.float32]:
    """`iou` of boxes whose areas are known."""
    top_left = np.maximum(first_xyxy[:, None, :2], second_xyxy[None, :, :2])
    bottom_right = np.minimum(first_xyxy[:, None, 2:], second_xyxy[None, :, 2:])
    shared = (bottom_right - top_left).clip(0).prod(axis=-1)
    union = first_areas[:, None] + second_areas - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=shared > 0)


def clip(boxes_xyxy: NDArray[np.float32], size_wh: tuple[int, int]) -> NDArray[np.float32]:
    """The part of each box that lies inside a picture of that size; empty where none does."""
    return boxes_xyxy.clip(0, np.array([*size_wh, *size_wh], dtype=np.float32))


def fraction_inside(
    boxes_xyxy: NDArray[np.float32], size_wh: tuple[int, int]
) -> NDArray[np.float32]:
    """The part of each box inside a picture of that size, `(n,)`, 0 to 1; 0 for an empty box."""
    whole, inside = _areas(boxes_xyxy), _areas(clip(boxes_xyxy, size_wh))
    return np.divide(inside, whole, out=np.zeros_like(whole), where=whole > 0)


def non_maximum_suppression(detections: Detections, max_iou: float) -> Detections:
    """The surest of each group of overlapping detections, surest first."""
    order = np.argsort(-detections.scores, kind="stable")
    boxes = detections.boxes_xyxy[order]
    areas = _areas(boxes)
    remaining = np.ones(len(order), dtype=np.bool_)
    kept: list[int] = []
    while remaining.any():
        surest = int(remaining.argmax())
        kept.append(surest)
        one = slice(surest, surest + 1)
        remaining &= _iou(boxes[one], boxes, areas[one], areas)[0] <= max_iou
        remaining[surest] = False  # an empty box overlaps nothing, not even itself
    return detections[order[kept]]


def without_nested(detections: Detections, max_inside: float) -> Detections:
    """Those that do not lie in the box of a surer one with more than that share of their own.

    Args:
        detections: surest first.
        max_inside: 0 to 1.
    """
    boxes = detections.boxes_xyxy
    top_left = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    bottom_right = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = (bottom_right - top_left).clip(0).prod(axis=-1)
    inside = shared > max_inside * _areas(boxes)[None].clip(1e-6)
    return detections[np.flatnonzero(~np.triu(inside, k=1).any(axis=0))]


def _areas(boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    """The area of each box, `(n,)` px."""
    return np.clip(sizes_wh(boxes_xyxy), 0, None).prod(axis=-1)


def _check_shape(array: NDArray[np.float32], expected: tuple[int, ...], name: str) -> None:
    """Raises ValueError where an array is not float32 of that shape; -1 stands for any size."""
    fits = array.ndim == len(expected) and all(
        want in (-1, have) for want, have in zip(expected, array.shape, strict=True)
    )
    if not fits:
        shape = ", ".join("n" if size < 0 else str(size) for size in expected)
        raise ValueError(f"{name} should have shape ({shape}), has {array.shape}")
    if array.dtype != np.float32:
        raise ValueError(f"{name} should be float32, is {array.dtype}")
