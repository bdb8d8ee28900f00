"""dlib's CNN face detector on ONNX Runtime: all scales of a picture on one canvas, as dlib does."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.detection.crops import crops
from models.detection.detector import (
    CROP_FACE_PX,
    CROP_PX,
    DLIB_TRAITS,
    MIN_SIDE_PX,
    NEIGHBOUR_IOU,
    WINDOW_PX,
    resized,
)
from models.detection.pyramid import Layout, tiled_layout
from models.faces import Detections, Image, concatenate, iou, non_maximum_suppression
from models.networks.dlib_weights import DETECTOR_FILE, installed_file
from models.networks.graphs import detector_graph
from models.networks.runtime import Device, Session

_MAX_IOU = 0.3383
"""Overlap above which only the surer of two windows is kept; from the options that the network's
file stores."""

_VOTING_MARGIN = 0.8
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

_CANDIDATE_MARGIN = 0.3
"""How far under the threshold a window is still worth a closer look; more finds faces sooner whose
size is not the window's, and costs more crops."""

_NEAR_MARGIN = 0.4
"""How far under the threshold a window may score and still be a face where one is expected; more
keeps faces that are seen badly, and what only looks like one."""

_VOTING_IOU = 0.4
"""Overlap with a face's window above which another window votes for its box; higher lets fewer
vote, and boxes jitter more."""


class CnnDetector:
    """dlib's max-margin CNN detector, run on ONNX Runtime.

    Args:
        threads: cores for one call, 0 for all.
        device: where it runs.
    """

    traits = replace(DLIB_TRAITS, candidate_margin=_CANDIDATE_MARGIN)

    def __init__(self, *, threads: int = 0, device: Device = "auto") -> None:
        weights = installed_file(DETECTOR_FILE)
        self._session = Session(detector_graph(weights), threads=threads, device=device)

    def __repr__(self) -> str:
        return f"CnnDetector(device={self._session.device})"

    def detect(
        self, image: Image, scale: float = 1.0, threshold: float | None = None
    ) -> Detections:
        """All faces of the picture, surest first."""
        threshold = self.traits.threshold if threshold is None else threshold
        searched, back_xy = resized(image, scale)
        height, width = searched.shape[:2]
        if min(height, width) < MIN_SIDE_PX:
            return Detections.of([], [])
        layout = tiled_layout(width, height)
        (scores,) = self._search([searched], layout)
        windows = _windows(scores, layout, threshold)
        return non_maximum_suppression(windows, _MAX_IOU).mapped(back_xy)

    def detect_near(
        self, image: Image, boxes_xyxy: NDArray[np.float32], threshold: float | None = None
    ) -> Detections:
        """Searches a crop around each box, at the scales around that of its face, in one call."""
        threshold = self.traits.threshold if threshold is None else threshold
        if not len(boxes_xyxy):
            return Detections.of([], [])
        pixels, transforms = crops(image, boxes_xyxy, CROP_PX, CROP_FACE_PX)
        layout = tiled_layout(CROP_PX, CROP_PX, _CROP_LEVELS)
        windows = [
            _windows(scores, layout, threshold - _VOTING_MARGIN).mapped(*transform)
            for scores, transform in zip(self._search(pixels, layout), transforms, strict=True)
        ]
        voted = box_voting(concatenate(windows), threshold)
        return non_maximum_suppression(voted, NEIGHBOUR_IOU)

    def squares(self, boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """The boxes themselves, one a face."""
        return boxes_xyxy[:, None]

    def _search(self, pictures: list[Image], layout: Layout) -> NDArray[np.float32]:
        """The scores of all windows, `(n, rows, columns)`."""
        canvases = np.empty((len(pictures), 3, layout.height, layout.width), dtype=np.float32)
        for picture, canvas in zip(pictures, canvases, strict=True):
            layout.paint(picture, canvas)
        return self._session.run_in_batches(canvases)


def box_voting(windows: Detections, threshold: float) -> Detections:
    """The faces where faces were expected, each box the mean of the windows that overlap it.

    dlib's windows lie 8 px apart and grow in steps of a fifth. Weighted by their scores they give
    boxes that move as smoothly as their faces do (Gidaris and Komodakis, ICCV 2015). Scores a
    little under the threshold are faces too, so that a face that is seen badly for a while is not
    lost.

    Args:
        windows: all that score higher than `threshold - _VOTING_MARGIN`, of all crops.
        threshold: scores above it are faces anywhere.
    """
    faces = non_maximum_suppression(windows[windows.scores > threshold - _NEAR_MARGIN], _MAX_IOU)
    voting = np.where(iou(faces.boxes_xyxy, windows.boxes_xyxy) > _VOTING_IOU, 1, 0)
    weights = voting * (windows.scores - (threshold - _VOTING_MARGIN))
    boxes = weights @ windows.boxes_xyxy / weights.sum(axis=1, keepdims=True)
    return Detections.of(boxes, faces.scores)


def _window_centres_xy(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float32]:
    """The pixels of a canvas at the centres of the windows that cells of its scores stand for.

    Returns:
        `(n, 2)` float32.
    """
    return np.stack([columns, rows], axis=1).astype(np.float32) * _STRIDE_PX + _FIRST_CENTRE_PX


def _windows(scores: NDArray[np.float32], layout: Layout, threshold: float) -> Detections:
    """All windows of one canvas that score higher, in the picture painted on it."""
    rows, columns = np.nonzero(scores > threshold)
    boxes = layout.to_picture(_window_centres_xy(rows, columns), _HALF_WINDOW_PX)
    return Detections.of(boxes, scores[rows, columns])
