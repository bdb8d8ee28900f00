"""dlib's CNN face detector for video: a search that can be divided, on a CPU in 8-bit integers.

Faces of video are seen again and again, so what counts is how soon one is found and how steadily
it is followed, not whether each picture on its own gives what dlib would give.
"""

import math
import threading

import cv2
import numpy as np
from numpy.typing import NDArray

from models.cnn_detector import MAX_IOU, VOTING_MARGIN, box_voting, window_centres_xy
from models.crops import crops
from models.detector import WINDOW_PX, scaled_wh
from models.dlib_weights import DETECTOR_FILE, installed_file
from models.faces import Detections, Image, concatenate, non_maximum_suppression
from models.graphs import detector_graph
from models.pyramid import BACKGROUND_BGR, BORDER_PX
from models.quantized import GROUP_PX, quantized_detector_graph
from models.runtime import Device, Session
from models.search_plan import Band, merged_regions, search_plan

_CONTEXT_PX = WINDOW_PX // 2 + 16
"""How far around the centre of a window the picture must be shown, px of the level."""

_REGION_MARGIN_PX = WINDOW_PX // 4
"""How far from a region the centre of a face may lie that is searched for, px of the level."""

_CALL_PX = 20_000
"""What a call of the network in integers costs whatever it is given, in px that could be searched
instead; more joins regions more readily, into fewer calls."""

_GPU_CALL_PX = 1_000_000
"""What a call of the network in floats, which are for a GPU, costs whatever it is given, in px that
could be searched instead: a GPU's pixels cost little beside its calls."""

_NEAR_PX = 128
"""Side of the crop that is searched near a known face, px; larger finds faces that moved farther
and costs more."""

_NEAR_FACE_PX = (88.0, 73.0)
"""Widths of that face in the two crops that are searched, px: a level of the pyramid apart, and as
much above as below the window's, so that boxes keep their size; wider apart follows faster changes
of size, and sees a face that keeps its size less well."""

_CANDIDATE_MARGIN = 0.3
"""How far under the threshold a search in parts still takes a window for a candidate, which a
search in a crop then decides on; more finds faces sooner whose size is not the window's, and costs
more crops."""

_BACKGROUND_BGRA = np.array([*map(round, BACKGROUND_BGR), 0], dtype=np.uint8)
"""The pixel outside the picture, `(4,)`."""


class DivisibleCnnDetector:
    """dlib's CNN detector, whose search can be divided into parts.

    Args:
        threshold: scores above it are faces; 0 is dlib's own choice, higher finds fewer.
        quantized: it calculates in 8-bit integers, else in floats, which a GPU does as fast.
        threads: cores for one call, 0 for all.
        device: where it runs.
    """

    def __init__(
        self,
        *,
        threshold: float = 0.0,
        quantized: bool = True,
        threads: int = 0,
        device: Device = "auto",
    ) -> None:
        self._threshold = threshold
        self._quantized = quantized
        self._call_px = _CALL_PX if quantized else _GPU_CALL_PX
        self._as_input = _pixel_groups if quantized else _channels_first
        self._view, self._canvas = _ThreadBuffer(), _ThreadBuffer()
        graph = quantized_detector_graph if quantized else detector_graph
        model = graph(installed_file(DETECTOR_FILE))
        self._session = Session(model, threads=threads, device=device)

    def __repr__(self) -> str:
        numbers = "integers" if self._quantized else "floats"
        where = f"{numbers}, device={self._session.device}"
        return f"DivisibleCnnDetector(threshold={self._threshold:g}, {where})"

    def detect(self, image: Image, scale: float = 1.0) -> Detections:
        """All faces of the picture, surest first."""
        candidates = self.detect_part(image, scale, 0, 1)
        return candidates[candidates.scores > self._threshold]

    def detect_part(
        self,
        image: Image,
        scale: float,
        part: int,
        parts: int,
        regions_xyxy: NDArray[np.float32] | None = None,
    ) -> Detections:
        """What one of so many parts of the search finds; all of them cost about the same.

        Windows that score a little under the threshold are among them: seen in another size than
        the window's, or at the edge of it, they may be faces on a closer look.
        """
        height, width = image.shape[:2]
        if regions_xyxy is None:
            regions_xyxy = np.array([[0, 0, width, height]], dtype=np.float32)
        found = [Detections.of([], [])]
        for band in search_plan(scaled_wh(image, scale), parts)[part]:
            px = width / band.size_wh[0]  # of the picture, of one of the band's
            margin_px = (_REGION_MARGIN_PX + _CONTEXT_PX) * px
            regions = merged_regions(regions_xyxy, margin_px, self._call_px * px**2)
            found += [self._search_band(image, band, region) for region in regions]
        return non_maximum_suppression(concatenate(found), MAX_IOU)

    def detect_near(self, image: Image, boxes_xyxy: NDArray[np.float32]) -> Detections:
        """Searches a crop around each box, at the scales around that of its face, in one call."""
        views = [crops(image, boxes_xyxy, _NEAR_PX, face_px) for face_px in _NEAR_FACE_PX]
        pixels = [crop for found, _ in views for crop in found]
        if not pixels:
            return Detections.of([], [])
        transforms = [transform for _, found in views for transform in found]
        scales, offsets = (np.array(each, np.float32) for each in zip(*transforms, strict=True))
        canvases = np.stack(pixels)
        if self._quantized:
            column = cv2.cvtColor(canvases.reshape(-1, _NEAR_PX, 3), cv2.COLOR_BGR2BGRA)
            canvases = column.reshape(-1, _NEAR_PX, _NEAR_PX, 4).astype(np.uint8, copy=False)
        windows = self._windows(canvases, self._threshold - VOTING_MARGIN, scales, offsets)
        return box_voting(windows, self._threshold)

    def _search_band(
        self, image: Image, band: Band, region_xyxy: NDArray[np.float32]
    ) -> Detections:
        """At least the faces whose centre lies in those rows, and in the region or near it."""
        size, whole = np.array(band.size_wh), np.array(image.shape[1::-1])
        ratio = size / whole
        first = np.maximum(region_xyxy[:2] * ratio - _REGION_MARGIN_PX, [0, band.top])
        last = np.minimum(region_xyxy[2:] * ratio + _REGION_MARGIN_PX, [size[0], band.bottom])
        if (first >= last).any():
            return Detections.of([], [])
        # In whole pixels of the image, so that what is cut out of it lies where it is said to lie.
        left, top = np.floor((first - _CONTEXT_PX).clip(0) / ratio).astype(int)
        right, bottom = (
            np.ceil(np.minimum(last + _CONTEXT_PX, size) / ratio).astype(int).clip(max=whole)
        )
        cut = np.array([right - left, bottom - top])
        width, height = np.rint(cut * ratio).clip(1).astype(int).tolist()
        view = self._view.array(height, width, 3)
        cv2.resize(
            image[top:bottom, left:right], (width, height), view, interpolation=cv2.INTER_LINEAR
        )
        canvas = self._padded(view)
        scale = (cut / (width, height)).astype(np.float32)[None]
        offset = np.array([[left, top]], dtype=np.float32) - scale * BORDER_PX
        return self._windows(canvas[None], self._threshold - _CANDIDATE_MARGIN, scale, offset)

    def _padded(self, view: Image) -> NDArray[np.uint8]:
        """A picture with background around it, with the channels and the width that are needed."""
        height, width = view.shape[:2]
        wide, high = width + 2 * BORDER_PX, height + 2 * BORDER_PX
        canvas = self._canvas.array(high, wide + -wide % GROUP_PX, 4 if self._quantized else 3)
        background = _BACKGROUND_BGRA[: canvas.shape[2]]
        inside = np.s_[BORDER_PX : BORDER_PX + height, BORDER_PX : BORDER_PX + width]
        canvas[:BORDER_PX] = canvas[BORDER_PX + height :] = background
        canvas[:, :BORDER_PX] = canvas[:, BORDER_PX + width :] = background
        if self._quantized:
            cv2.cvtColor(view, cv2.COLOR_BGR2BGRA, canvas[inside])
        else:
            canvas[inside] = view
        return canvas

    def _windows(
        self,
        canvases: NDArray[np.uint8],
        threshold: float,
        scales_xy: NDArray[np.float32],
        offsets_xy: NDArray[np.float32],
    ) -> Detections:
        """All windows that score higher, where pixel p of a canvas is `scale * p + offset`."""
        scores = self._session.run_in_batches(self._as_input(canvases))
        items, rows, columns = np.nonzero(scores > threshold)
        if not len(items):
            return Detections.of([], [])
        centres = window_centres_xy(rows, columns) + np.float32(0.5)
        scale, offset = scales_xy[items], offsets_xy[items]
        half = WINDOW_PX / 2
        corners = [(centres - half) * scale + offset, (centres + half) * scale + offset]
        return Detections(np.concatenate(corners, axis=1), scores[items, rows, columns])


def _channels_first(canvases: NDArray[np.uint8]) -> NDArray[np.generic]:
    """`(n, height, width, 3)` BGR as the network in floats takes them, channels first."""
    return np.ascontiguousarray(canvases.transpose(0, 3, 1, 2), dtype=np.float32)


def _pixel_groups(canvases: NDArray[np.uint8]) -> NDArray[np.generic]:
    """`(n, height, width, 4)` BGRA, the width a multiple of four, as the network in integers takes
    them."""
    count, height, width, _ = canvases.shape
    return canvases.reshape(count, height, width // GROUP_PX, -1)


class _ThreadBuffer(threading.local):
    """Memory that each thread uses again and again: new pages would cost as much as the work."""

    def __init__(self) -> None:
        self._bytes = np.empty(0, dtype=np.uint8)

    def array(self, *shape: int) -> NDArray[np.uint8]:
        """An array with arbitrary contents, valid until the next one is asked for."""
        size = math.prod(shape)
        if size > len(self._bytes):
            self._bytes = np.empty(size, dtype=np.uint8)
        return self._bytes[:size].reshape(shape)
