"""dlib's CNN face detector on ONNX Runtime: all scales of a picture on one canvas, as dlib does."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models.crops import crops
from models.detector import CROP_FACE_PX, CROP_PX, MIN_SIDE_PX, WINDOW_PX, resized
from models.dlib_weights import DETECTOR_FILE, installed_file
from models.faces import Detections, Image, concatenate, iou, non_maximum_suppression
from models.graphs import detector_graph
from models.pyramid import Layout, tiled_layout
from models.runtime import Device, Session

MAX_IOU = 0.3383
"""Overlap above which only the surer of two windows is kept; from the options that the network's
file stores."""

VOTING_MARGIN = 0.8
"""How far under the threshold a window may score and still vote for the box of a face; votes halve
the jitter of boxes."""

_STRIDE_PX = 8
"""Distance of neighbouring windows, px: the network shrinks its input by that factor."""

_FIRST_CENTRE_PX = 14
"""The pixel, in x and in y, at the centre of the first window."""

_HALF_WINDOW_PX = (WINDOW_PX - 1) / 2
"""From the centre of a window to the centres of its edge pixels, px."""

_CROP_LEVELS = 3
"""Scales at which a crop near a known face is searched: it may have shrunk or grown by a sixth."""

_DOWNSAMPLINGS = 3
"""How many convolutions of stride 2 the network begins with, as in dlib's
`dnn_mmod_face_detection_ex.cpp`."""

_KERNEL_PX = 5
"""Width and height of the filters of these convolutions, px, as in that file."""

_FIELD_PX = 29
"""Width and height of what one value behind these three convolutions depends on, px: 5 + 8 + 16."""

_CONTEXT_ROWS = 2 + 2 + 2 + 4
"""Rows to either side on which a row of scores depends: half of the filters of the convolutions
that follow, three of 5×5 and one of 9×9; with fewer, scores at the edge of a strip would differ."""

_UNDIVIDED_PX = 4_000_000
"""Size of the largest canvas that is searched in one piece, which is faster, px."""

_STRIP_PX = 1_100_000
"""Size of the strips in which a larger canvas is searched, px; smaller ones take less memory and
overlap more. At full HD strips save 120 MB."""

_NEAR_MARGIN = 0.4
"""How far under the threshold a window may score and still be a face where one is expected; more
keeps faces that are seen badly, and what only looks like one."""

_VOTING_IOU = 0.4
"""Overlap with a face's window above which another window votes for its box; higher lets fewer
vote, and boxes jitter more."""


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
        if min(height, width) < MIN_SIDE_PX:
            return Detections.of([], [])
        layout = tiled_layout(width, height)
        (scores,) = self._search([searched], layout)
        windows = _windows(scores, layout, self._threshold)
        return non_maximum_suppression(windows, MAX_IOU).mapped(back_xy)

    def detect_near(self, image: Image, boxes_xyxy: NDArray[np.float32]) -> Detections:
        """Searches a crop around each box, at the scales around that of its face, in one call."""
        if not len(boxes_xyxy):
            return Detections.of([], [])
        pixels, transforms = crops(image, boxes_xyxy, CROP_PX, CROP_FACE_PX)
        layout = tiled_layout(CROP_PX, CROP_PX, _CROP_LEVELS)
        windows = [
            _windows(scores, layout, self._threshold - VOTING_MARGIN).mapped(*transform)
            for scores, transform in zip(self._search(pixels, layout), transforms, strict=True)
        ]
        return box_voting(concatenate(windows), self._threshold)

    def _search(self, pictures: list[Image], layout: Layout) -> NDArray[np.float32]:
        """The scores of all windows, `(n, rows, columns)`."""
        canvases = np.empty((len(pictures), 3, layout.height, layout.width), dtype=np.float32)
        for picture, canvas in zip(pictures, canvases, strict=True):
            layout.paint(picture, canvas)
        strips = [
            self._session.run_in_batches(canvases[:, :, top:bottom])[:, rows]
            for top, bottom, rows in _strips(layout)
        ]
        return np.concatenate(strips, axis=1)


def box_voting(windows: Detections, threshold: float) -> Detections:
    """The faces where faces were expected, each box the mean of the windows that overlap it.

    dlib's windows lie 8 px apart and grow in steps of a fifth. Weighted by their scores they give
    boxes that move as smoothly as their faces do (Gidaris and Komodakis, ICCV 2015). Scores a
    little under the threshold are faces too, so that a face that is seen badly for a while is not
    lost.

    Args:
        windows: all that score higher than `threshold - VOTING_MARGIN`, of all crops.
        threshold: scores above it are faces anywhere.
    """
    faces = non_maximum_suppression(windows[windows.scores > threshold - _NEAR_MARGIN], MAX_IOU)
    voting = np.where(iou(faces.boxes_xyxy, windows.boxes_xyxy) > _VOTING_IOU, 1, 0)
    weights = voting * (windows.scores - (threshold - VOTING_MARGIN))
    boxes = weights @ windows.boxes_xyxy / weights.sum(axis=1, keepdims=True)
    return Detections.of(boxes, faces.scores)


def window_centres_xy(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float32]:
    """The pixels of a canvas at the centres of the windows that cells of its scores stand for.

    Returns:
        `(n, 2)` float32.
    """
    return np.stack([columns, rows], axis=1).astype(np.float32) * _STRIDE_PX + _FIRST_CENTRE_PX


def _windows(scores: NDArray[np.float32], layout: Layout, threshold: float) -> Detections:
    """All windows of one canvas that score higher, in the picture painted on it."""
    rows, columns = np.nonzero(scores > threshold)
    boxes = layout.to_picture(window_centres_xy(rows, columns), _HALF_WINDOW_PX)
    return Detections(boxes, scores[rows, columns])


def _strips(layout: Layout) -> Iterator[tuple[int, int, slice]]:
    """Pieces of a canvas that give the same scores one by one as all at once, in less memory.

    Returns:
        The first and the last row of each, in px, and which rows of its scores are whole.
    """
    rows = layout.height
    for _ in range(_DOWNSAMPLINGS):
        rows = (rows - _KERNEL_PX) // 2 + 1
    step = max(_STRIP_PX // (layout.width * _STRIDE_PX), 2 * _CONTEXT_ROWS)
    if layout.width * layout.height <= _UNDIVIDED_PX:
        step = rows
    for first in range(0, rows, step):
        last = min(first + step, rows)
        above, below = max(first - _CONTEXT_ROWS, 0), min(last + _CONTEXT_ROWS, rows)
        bottom = layout.height if below == rows else _STRIDE_PX * (below - 1) + _FIELD_PX
        yield _STRIDE_PX * above, bottom, slice(first - above, last - above)
