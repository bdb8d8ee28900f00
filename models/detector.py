"""Finding faces: dlib's CNN detector on ONNX Runtime, and dlib's HOG detector.

Both look through a window of 80×80 px and shrink the picture step by step until larger faces fit
it; neither enlarges. So a picture of scale 1 gives up the faces of about 80 px and more, and a
search at scale s those of about 80 / s px and more (see `DetectionSettings`).
"""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from models.crops import crops
from models.dlib_weights import DETECTOR_FILE, installed_file
from models.faces import (
    Detections,
    Image,
    concatenate,
    iou,
    non_maximum_suppression,
)
from models.graphs import detector_graph
from models.pyramid import Layout, tiled_layout
from models.runtime import Device, Session

WINDOW_PX = 80
"""Height and width of the smallest face either detector finds, in px of the picture searched."""

SMALLEST_PX = WINDOW_PX // 2
"""Half a face: no face is looked for in a picture lower or narrower than that, which would be too
small for the network's convolutions besides (dlib's own overrun their memory on it)."""

MAX_IOU = 0.3383
"""Non-maximum suppression, from the options stored in the network's file."""

VOTE_DEPTH = 0.8
"""Windows so far under the threshold still say where a face is, which halves the jitter."""

_HALF_WINDOW = 39.5  # from the centre of the window's middle to the centres of its edge pixels
STRIDE, FIRST_CENTRE = 8, 14
"""Output cell (x, y) looks at pixel (8x + 14, 8y + 14)."""

_CROP_FACE_PX = WINDOW_PX * 1.2
_CROP_PX = 160  # of the crop searched near a known face, which is _CROP_FACE_PX wide in it
_CROP_LEVELS = 3  # the face may have shrunk or grown by a sixth
_DOWNSAMPLINGS, _KERNEL_PX = 3, 5  # convolutions of stride 2, and their size
_FIELD_PX = 29  # what those three see at once
_CONTEXT_ROWS = 2 + 2 + 2 + 4  # scores to either side that the four convolutions after them see
_WHOLE_PX = 4_000_000  # a canvas up to that size is searched in one piece: it is faster,
_STRIP_PX = 1_100_000  # a larger one in strips of that size: at full HD they save 120 MB
_NEAR_SLACK = 0.4  # a face is expected there: so much less sure may it be
_VOTE_IOU = 0.4


class Detector(Protocol):
    """Finds faces; boxes are px of the picture given, at whatever scale it was searched."""

    def detect(self, image: Image, scale: float = 1.0) -> Detections:
        """All faces of the picture, searched at `scale` times its size, surest first."""

    def detect_near(self, image: Image, boxes_xyxy: NDArray[np.float32]) -> Detections:
        """The faces near places, `(n, 4)`, where faces are expected; one may be found twice."""


@runtime_checkable
class DivisibleDetector(Detector, Protocol):
    """One whose search can be spread over several frames."""

    def detect_part(
        self,
        image: Image,
        scale: float,
        part: int,
        parts: int,
        regions_xyxy: NDArray[np.float32] | None = None,
    ) -> Detections:
        """What one of so many parts of a search finds: all together see what `detect` sees.

        Only faces in regions, `(n, 4)` px, and close to them are looked for; None is everywhere.
        """


class CnnDetector:
    """dlib's max-margin CNN detector, run on ONNX Runtime.

    Args:
        threshold: scores above it are faces; 0 is dlib's own choice, higher finds fewer.
        threads: cores for one call, 0 for all.
        device: where it runs.
    """

    def __init__(
        self, *, threshold: float = 0.0, threads: int = 0, device: Device = "auto"
    ) -> None:
        self._threshold = threshold
        weights = installed_file(DETECTOR_FILE)
        self._session = Session(detector_graph(weights), threads=threads, device=device)

    def __repr__(self) -> str:
        return f"CnnDetector(threshold={self._threshold:g}, device={self._session.device})"

    def detect(self, image: Image, scale: float = 1.0) -> Detections:
        """All faces of the picture, surest first."""
        searched, back_xy = resized(image, scale)
        height, width = searched.shape[:2]
        if min(height, width) < SMALLEST_PX:
            return Detections.of([], [])
        layout = tiled_layout(width, height)
        (scores,) = self._search([searched], layout)
        windows = _windows(scores, layout, self._threshold)
        return non_maximum_suppression(windows, MAX_IOU).mapped(back_xy)

    def detect_near(self, image: Image, boxes_xyxy: NDArray[np.float32]) -> Detections:
        """Searches a crop around each box, at the scales around that of its face, in one call."""
        if not len(boxes_xyxy):
            return Detections.of([], [])
        pixels, mappings = crops(image, boxes_xyxy, _CROP_PX, _CROP_FACE_PX)
        layout = tiled_layout(_CROP_PX, _CROP_PX, _CROP_LEVELS)
        windows = [
            _windows(scores, layout, self._threshold - VOTE_DEPTH).mapped(*mapping)
            for scores, mapping in zip(self._search(pixels, layout), mappings, strict=True)
        ]
        return refined(concatenate(windows), self._threshold)

    def _search(self, pictures: list[Image], layout: Layout) -> NDArray[np.float32]:
        """The scores of all windows, `(n, rows, columns)`."""
        canvases = np.empty((len(pictures), 3, layout.height, layout.width), dtype=np.float32)
        for picture, canvas in zip(pictures, canvases, strict=True):
            layout.paint(picture, canvas)
        strips = [
            self._session.run_in_parts(canvases[:, :, top:bottom])[:, whole]
            for top, bottom, whole in _strips(layout)
        ]
        return np.concatenate(strips, axis=1)


class HogDetector:
    """dlib's frontal face detector: histograms of gradients, for upright frontal faces.

    Args:
        threshold: scores above it are faces; 0 is dlib's own choice, higher finds fewer.
    """

    def __init__(self, *, threshold: float = 0.0) -> None:
        self._threshold = threshold
        self._detector = dlib.get_frontal_face_detector()

    def __repr__(self) -> str:
        return f"HogDetector(threshold={self._threshold:g})"

    def detect(self, image: Image, scale: float = 1.0) -> Detections:
        """All faces of the picture, surest first."""
        searched, back_xy = resized(image, scale)
        # Gradients are taken from the channel where they are strongest: the order is all one.
        rectangles, scores, _ = self._detector.run(searched, 0, self._threshold)
        boxes = [rectangle_xyxy(each) for each in rectangles]
        return Detections.of(boxes, list(scores)).mapped(back_xy)

    def detect_near(self, image: Image, boxes_xyxy: NDArray[np.float32]) -> Detections:
        """Searches a crop around each box."""
        return detect_in_crops(self, image, boxes_xyxy)


def detect_in_crops(
    detector: Detector, image: Image, boxes_xyxy: NDArray[np.float32]
) -> Detections:
    """`detect_near` for a detector that takes one picture at a time."""
    pixels, mappings = crops(image, boxes_xyxy, _CROP_PX, _CROP_FACE_PX)
    found = [
        detector.detect(crop).mapped(*mapping)
        for crop, mapping in zip(pixels, mappings, strict=True)
    ]
    return concatenate(found)


def resized(image: Image, scale: float) -> tuple[Image, tuple[float, float]]:
    """The picture at that scale, and by how much its x and y are multiplied on the way back.

    Its size is rounded to whole pixels, so that is not quite 1 / scale.
    """
    if scale == 1:
        return image, (1.0, 1.0)
    height, width = image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    searched = cv2.resize(image, size, interpolation=flags).astype(np.uint8, copy=False)
    return searched, (width / size[0], height / size[1])


def refined(windows: Detections, threshold: float) -> Detections:
    """The faces where faces were expected, each box the mean of the windows that overlap it.

    dlib's windows lie 8 px apart and grow in steps of a fifth. Weighted by their scores they give
    boxes that move as smoothly as their faces do. And scores a little under the threshold are
    faces too, so that one that is seen badly for a while is not lost.

    Args:
        windows: all that score higher than `threshold - VOTE_DEPTH`, of all crops.
        threshold: scores above it are faces anywhere.
    """
    faces = non_maximum_suppression(windows[windows.scores > threshold - _NEAR_SLACK], MAX_IOU)
    votes = np.where(iou(faces.boxes_xyxy, windows.boxes_xyxy) > _VOTE_IOU, 1, 0)
    weights = votes * (windows.scores - (threshold - VOTE_DEPTH))
    boxes = weights @ windows.boxes_xyxy / weights.sum(axis=1, keepdims=True)
    return Detections.of(boxes, faces.scores)


def rectangle_xyxy(rectangle: dlib.rectangle) -> tuple[int, int, int, int]:
    """dlib's rectangle, whose right and bottom edges are inclusive, as our box."""
    return rectangle.left(), rectangle.top(), rectangle.right() + 1, rectangle.bottom() + 1


def _strips(layout: Layout) -> Iterator[tuple[int, int, slice]]:
    """Pieces of a canvas that give the same scores one by one as all at once, in less memory.

    Returns:
        The first and the last row of each, in px, and which rows of its scores are whole.
    """
    rows = layout.height
    for _ in range(_DOWNSAMPLINGS):
        rows = (rows - _KERNEL_PX) // 2 + 1
    step = max(_STRIP_PX // (layout.width * STRIDE), 2 * _CONTEXT_ROWS)
    if layout.width * layout.height <= _WHOLE_PX:
        step = rows
    for first in range(0, rows, step):
        last = min(first + step, rows)
        above, below = max(first - _CONTEXT_ROWS, 0), min(last + _CONTEXT_ROWS, rows)
        bottom = layout.height if below == rows else STRIDE * (below - 1) + _FIELD_PX
        yield STRIDE * above, bottom, slice(first - above, last - above)


def _windows(scores: NDArray[np.float32], layout: Layout, threshold: float) -> Detections:
    """All windows of one canvas that score higher, in the picture painted on it."""
    rows, columns = np.nonzero(scores > threshold)
    centres = np.stack([columns, rows], axis=1).astype(np.float32) * STRIDE + FIRST_CENTRE
    return Detections(layout.to_picture(centres, _HALF_WINDOW), scores[rows, columns])
