"""Finding faces in video: dlib's CNN detector, a part of the picture at a time, on a CPU in 8-bit
integers.

Faces of video are seen again and again, so what counts is how soon one is found and how steadily
it is followed, not whether each picture on its own gives what dlib would give.
"""

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from models.crops import crops
from models.detector import (
    FIRST_CENTRE,
    MAX_IOU,
    SMALLEST_PX,
    STRIDE,
    VOTE_DEPTH,
    WINDOW_PX,
    refined,
)
from models.dlib_weights import DETECTOR_FILE, installed_file
from models.faces import Detections, Image, concatenate, non_maximum_suppression, sizes_wh
from models.graphs import detector_graph
from models.pyramid import BACKGROUND_BGR
from models.quantized import GROUP_PX, quantized_detector_graph
from models.runtime import Device, Session

_LEVEL_RATIO = 5 / 6  # dlib's: a face is seen at a size within a tenth of the window's
_BORDER_PX = 11  # of background around each level, as dlib has it
_CONTEXT_PX = WINDOW_PX // 2 + 16  # around the middles of the windows that are of interest
_REACH_PX = WINDOW_PX // 4  # from a region to the middle of a face that is of interest
_CALL_PX = 20_000  # what a call of the network costs, whatever it is given; on a GPU,
_GPU_CALL_PX = 1_000_000  # which is what floats are for, pixels cost little beside it
_NEAR_PX = 128  # side of the crop that is searched near a known face
_NEAR_FACE_PX = (88.0, 73.0)  # width of that face in it: as much above as below the window's
_GLIMPSE = 0.3  # under the threshold, what a search in parts takes for a face that may be one
_BACKGROUND = np.array([*map(round, BACKGROUND_BGR), 0], dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Band:
    """Some rows of the picture at one scale.

    Attributes:
        size_wh: of the whole picture at that scale, px.
        top, bottom: the rows whose windows it answers for.
    """

    size_wh: tuple[int, int]
    top: int
    bottom: int


class VideoDetector:
    """dlib's CNN detector, a part of the picture at a time.

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
        self._laid_out = _in_groups if quantized else _in_planes
        self._view, self._canvas = _Scratch(), _Scratch()
        graph = quantized_detector_graph if quantized else detector_graph
        model = graph(installed_file(DETECTOR_FILE))
        self._session = Session(model, threads=threads, device=device)

    def __repr__(self) -> str:
        numbers = "integers" if self._quantized else "floats"
        where = f"{numbers}, device={self._session.device}"
        return f"VideoDetector(threshold={self._threshold:g}, {where})"

    def detect(self, image: Image, scale: float = 1.0) -> Detections:
        """All faces of the picture, surest first."""
        glimpsed = self.detect_part(image, scale, 0, 1)
        return glimpsed[glimpsed.scores > self._threshold]

    def detect_part(
        self,
        image: Image,
        scale: float,
        part: int,
        parts: int,
        regions_xyxy: NDArray[np.float32] | None = None,
    ) -> Detections:
        """What one of so many parts of the search finds; all of them cost about the same.

        What is a little under the threshold is among it: seen in another size than the window's,
        or at the edge of it, it may be a face on a closer look.
        """
        height, width = image.shape[:2]
        size_wh = max(round(width * scale), 1), max(round(height * scale), 1)
        if regions_xyxy is None:
            regions_xyxy = np.array([[0, 0, width, height]], dtype=np.float32)
        found = [Detections.of([], [])]
        for band in plan(size_wh, parts)[part]:
            px = width / band.size_wh[0]  # of the picture, of one of the band's
            margin_px = (_REACH_PX + _CONTEXT_PX) * px
            regions = joined(regions_xyxy, margin_px, self._call_px * px**2)
            found += [self._search_band(image, band, region) for region in regions]
        return non_maximum_suppression(concatenate(found), MAX_IOU)

    def detect_near(self, image: Image, boxes_xyxy: NDArray[np.float32]) -> Detections:
        """Searches a crop around each box, at the scales around that of its face, in one call."""
        views = [crops(image, boxes_xyxy, _NEAR_PX, face_px) for face_px in _NEAR_FACE_PX]
        pixels = [crop for found, _ in views for crop in found]
        if not pixels:
            return Detections.of([], [])
        mappings = [mapping for _, found in views for mapping in found]
        scales, offsets = (np.array(each, np.float32) for each in zip(*mappings, strict=True))
        canvases = np.stack(pixels)
        if self._quantized:
            column = cv2.cvtColor(canvases.reshape(-1, _NEAR_PX, 3), cv2.COLOR_BGR2BGRA)
            canvases = column.reshape(-1, _NEAR_PX, _NEAR_PX, 4).astype(np.uint8, copy=False)
        windows = self._windows(canvases, self._threshold - VOTE_DEPTH, scales, offsets)
        return refined(windows, self._threshold)

    def _search_band(
        self, image: Image, band: Band, region_xyxy: NDArray[np.float32]
    ) -> Detections:
        """At least the faces whose middle lies in those rows, and in the region or near it."""
        size, whole = np.array(band.size_wh), np.array(image.shape[1::-1])
        ratio = size / whole
        first = np.maximum(region_xyxy[:2] * ratio - _REACH_PX, [0, band.top])
        last = np.minimum(region_xyxy[2:] * ratio + _REACH_PX, [size[0], band.bottom])
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
        canvas = self._framed(view)
        scale = (cut / (width, height)).astype(np.float32)[None]
        offset = np.array([[left, top]], dtype=np.float32) - scale * _BORDER_PX
        return self._windows(canvas[None], self._threshold - _GLIMPSE, scale, offset)

    def _framed(self, view: Image) -> NDArray[np.uint8]:
        """A picture with background around it, in the colours and the width that integers want."""
        height, width = view.shape[:2]
        wide, high = width + 2 * _BORDER_PX, height + 2 * _BORDER_PX
        canvas = self._canvas.array(high, wide + -wide % GROUP_PX, 4 if self._quantized else 3)
        background = _BACKGROUND[: canvas.shape[2]]
        inside = np.s_[_BORDER_PX : _BORDER_PX + height, _BORDER_PX : _BORDER_PX + width]
        canvas[:_BORDER_PX] = canvas[_BORDER_PX + height :] = background
        canvas[:, :_BORDER_PX] = canvas[:, _BORDER_PX + width :] = background
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
        scores = self._session.run_in_parts(self._laid_out(canvases))
        items, rows, columns = np.nonzero(scores > threshold)
        if not len(items):
            return Detections.of([], [])
        centres = np.stack([columns, rows], axis=1).astype(np.float32) * STRIDE + FIRST_CENTRE + 0.5
        scale, offset = scales_xy[items], offsets_xy[items]
        half = WINDOW_PX / 2
        corners = [(centres - half) * scale + offset, (centres + half) * scale + offset]
        return Detections(np.concatenate(corners, axis=1), scores[items, rows, columns])


def _in_planes(canvases: NDArray[np.uint8]) -> NDArray[np.generic]:
    """`(n, height, width, 3)` BGR as the network in floats takes them."""
    return np.ascontiguousarray(canvases.transpose(0, 3, 1, 2), dtype=np.float32)


def _in_groups(canvases: NDArray[np.uint8]) -> NDArray[np.generic]:
    """`(n, height, width, 4)` BGRA, the width a multiple of four, as integers are taken."""
    count, height, width, _ = canvases.shape
    return canvases.reshape(count, height, width // GROUP_PX, -1)


class _Scratch(threading.local):
    """Memory that is used again and again: to be given new pages costs as much as the work.

    Each thread has its own.
    """

    def __init__(self) -> None:
        self._bytes = np.empty(0, dtype=np.uint8)

    def array(self, *shape: int) -> NDArray[np.uint8]:
        """An array that is good until the next one is asked for; what is in it means nothing."""
        size = math.prod(shape)
        if size > len(self._bytes):
            self._bytes = np.empty(size, dtype=np.uint8)
        return self._bytes[:size].reshape(shape)


def joined(
    regions_xyxy: NDArray[np.float32], margin_px: float, call_px: float
) -> NDArray[np.float32]:
    """The same regions, `(n, 4)`, those made one that are searched together with less effort.

    It is never more than that of searching all that lies between them.

    Args:
        regions_xyxy: not many.
        margin_px: how far around a region the picture must be looked at.
        call_px: how many pixels cost as much as beginning with one more region.
    """
    regions = regions_xyxy
    while len(regions) > 1:
        low = np.minimum(regions[:, None, :2], regions[None, :, :2])
        high = np.maximum(regions[:, None, 2:], regions[None, :, 2:])
        together = (high - low + 2 * margin_px).prod(axis=-1) + call_px
        alone = together.diagonal()
        more = together - alone[:, None] - alone
        np.fill_diagonal(more, np.inf)
        one, other = divmod(int(more.argmin()), len(regions))
        if more[one, other] > 0:
            break
        both = np.concatenate([low[one, other], high[one, other]])
        regions = np.vstack([np.delete(regions, [one, other], axis=0), both])
    if len(regions) < 2:
        return regions
    everything = np.concatenate([regions[:, :2].min(axis=0), regions[:, 2:].max(axis=0)])[None]
    at_once, apart = (
        ((sizes_wh(each) + 2 * margin_px).prod(axis=1) + call_px).sum()
        for each in (everything, regions)
    )
    return everything if at_once < apart else regions


@lru_cache(maxsize=64)
def plan(size_wh: tuple[int, int], parts: int) -> tuple[tuple[Band, ...], ...]:
    """The search of a picture of that size, in parts of about the same number of pixels.

    First comes every other level, then those between: a face that is missed for being between two
    sizes has another chance half a search later.
    """
    levels = list(_levels(size_wh))
    tape = levels[::2] + levels[1::2]
    share = sum(width * height for width, height in levels) / parts
    divided: list[tuple[Band, ...]] = []
    for part in range(parts):
        bands, start = [], 0
        for width, height in tape:
            cuts = np.array([part * share, (part + 1) * share]) - start
            top, bottom = np.rint(cuts / width).clip(0, height).astype(int).tolist()
            if bottom > top:
                bands.append(Band((width, height), top, bottom))
            start += width * height
        divided.append(tuple(bands))
    return tuple(divided)


def _levels(size_wh: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The sizes at which a picture is searched, largest first."""
    width, height = size_wh
    while min(width, height) >= SMALLEST_PX:
        yield width, height
        width, height = round(width * _LEVEL_RATIO), round(height * _LEVEL_RATIO)
