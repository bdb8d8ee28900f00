"""Data association: which face of a frame may belong to which track."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.faces import centres_xy, sizes_wh
from stream.following.track_state import TrackState

_REACH = 0.4
"""How far from its expected place a face that was lost just now may come back, in face widths;
farther bridges faster motion and confuses more neighbours."""

_REACH_PER_FRAME = 0.08
"""Growth of the reach of a lost face a frame, in face widths: less is known of its place."""

_MAX_REACH = 1.2
"""The largest reach of a lost face, in face widths."""

_MAX_GROWTH = 1.6
"""Factor by which the width and the height of a face may both change while it is lost, up or down;
more confuses faces at different distances."""


def closeness(
    lost: Sequence[TrackState],
    predicted_xyxy: Sequence[NDArray[np.float32]],
    boxes_xyxy: NDArray[np.float32],
) -> NDArray[np.float32]:
    """The closeness of each box to where a lost face should be by now or was last seen."""
    seen_xyxy = [each.seen_xyxy for each in lost]
    return np.maximum(
        _closeness_to(lost, predicted_xyxy, boxes_xyxy), _closeness_to(lost, seen_xyxy, boxes_xyxy)
    )


def _closeness_to(
    lost: Sequence[TrackState],
    expected_xyxy: Sequence[NDArray[np.float32]],
    boxes_xyxy: NDArray[np.float32],
) -> NDArray[np.float32]:
    """How near each box is to where a lost face is expected, 1 to 0; -1 out of its reach."""
    expected = stacked(expected_xyxy)
    sizes, found_sizes = sizes_wh(expected)[:, None].clip(1), sizes_wh(boxes_xyxy)[None].clip(1)
    gaps = centres_xy(expected)[:, None] - centres_xy(boxes_xyxy)[None]
    distance = np.linalg.norm(gaps, axis=-1) / sizes[..., 0]
    missed = np.array([each.missed_frames for each in lost], dtype=np.float32)[:, None]
    reach = (_REACH + _REACH_PER_FRAME * missed).clip(max=_MAX_REACH)
    # Of a face that comes out from behind something, one side is still short.
    growth = np.maximum(found_sizes / sizes, sizes / found_sizes).min(axis=-1)
    within = (distance <= reach) & (growth <= _MAX_GROWTH)
    return np.where(within, 1 - distance / _MAX_REACH, -1).astype(np.float32)


def assign(gain: NDArray[np.float32], least: float) -> list[tuple[int, int]]:
    """The pairs of row and column with the largest sum of gains; those below `least` left out."""
    possible = gain >= least
    if (possible.sum(axis=0) <= 1).all() and (possible.sum(axis=1) <= 1).all():
        rows, columns = np.nonzero(possible)  # no pair competes with another
    else:
        from scipy.optimize import linear_sum_assignment  # takes half a second: only where needed

        rows, columns = linear_sum_assignment(gain, maximize=True)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return [(row, column) for row, column in pairs if possible[row, column]]


def stacked(boxes: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Boxes `(4,)` as one array, `(n, 4)`; none as `(0, 4)`."""
    return np.array(boxes, dtype=np.float32).reshape(-1, 4)
