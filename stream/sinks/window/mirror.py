"""Annotated frames mirrored left to right, as people are used to seeing themselves."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from stream.drawing.overlay import Overlay
from stream.sinks.contract import AnnotatedFrame
from stream.tracks import Track

_FLIP_X = np.array([-1, 1], np.float32)
"""What velocities are multiplied by."""


def mirrored(annotated: AnnotatedFrame, overlay: Overlay) -> AnnotatedFrame:
    """The frame mirrored, and its boxes; labels are drawn as they are read.

    Args:
        annotated: as the camera sees it.
        overlay: draws the mirrored frames, and no others: it remembers where labels were.
    """
    frame = annotated.frame
    width = frame.size_wh[0]

    def flipped() -> Image:
        return np.ascontiguousarray(frame.image[:, ::-1])

    return AnnotatedFrame(
        replace(frame, pixels=flipped, coded=None),
        [_mirrored_track(track, width) for track in annotated.tracks],
        overlay,
        _mirrored_boxes(annotated.faces_xyxy, width),
        annotated.blur,
    )


def _mirrored_track(track: Track, width: int) -> Track:
    box_xyxy = _mirrored_boxes(track.box_xyxy[None], width)[0]
    return replace(track, box_xyxy=box_xyxy, velocity_xy=track.velocity_xy * _FLIP_X)


def _mirrored_boxes(boxes_xyxy: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Boxes `(n, 4)` px of a picture of that width, in the mirrored picture."""
    left, top, right, bottom = boxes_xyxy.T
    return np.stack([width - right, top, width - left, bottom], axis=1).astype(np.float32)
