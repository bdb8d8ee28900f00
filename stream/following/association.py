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
    """The pairs of row and column with the largest sum of gains, in the order of their rows.

    Args:
        gain: `(n, m)`, what each pair is worth.
        least: a pair that is worth less, at least 0, is none.
    """
    possible = gain >= least
    is_lone = possible & (possible.sum(axis=0) == 1) & (possible.sum(axis=1, keepdims=True) == 1)
    pairs = [(row, column) for row, column in np.argwhere(is_lone).tolist()]
    contested = possible & ~is_lone
    if contested.any():
        rows, columns = contested.any(axis=1).nonzero()[0], contested.any(axis=0).nonzero()[0]
        worth = np.where(possible, gain, 0)[np.ix_(rows, columns)].astype(np.float64)
        chosen = [(int(rows[row]), int(columns[column])) for row, column in _best_pairs(worth)]
        pairs.extend(pair for pair in chosen if possible[pair])
    return sorted(pairs)


def _best_pairs(worth: NDArray[np.float64]) -> list[tuple[int, int]]:
    """A pair for each row, or for each column if these are fewer, of the largest sum.

    The Hungarian method by shortest augmenting paths (Jonker and Volgenant, 1987): row after row is
    added, and the pairs so far are changed along the path that loses least. SciPy has the same, but
    takes half a second to import, during which a live picture would stand still.
    """
    if len(worth) > worth.shape[1]:
        return [(row, column) for column, row in _best_pairs(worth.T)]
    count, columns = worth.shape
    row_dual, column_dual = np.zeros(count), np.zeros(columns)
    row_of, column_of = np.full(columns, -1), np.full(count, -1)
    for added in range(count):
        loss, path = np.full(columns, np.inf), np.full(columns, -1)
        is_open, reached = np.ones(columns, dtype=np.bool_), [added]
        least, row, end = 0.0, added, -1
        while end < 0:
            reduced = least - worth[row] - row_dual[row] - column_dual
            is_shorter = is_open & (reduced < loss)
            loss[is_shorter], path[is_shorter] = reduced[is_shorter], row
            nearest = int(np.where(is_open, loss, np.inf).argmin())
            least, is_open[nearest] = float(loss[nearest]), False
            row = int(row_of[nearest])
            if row < 0:
                end = nearest
            else:
                reached.append(row)
        row_dual[added] += least
        for row in reached[1:]:
            row_dual[row] += least - loss[column_of[row]]
        column_dual[~is_open] -= least - loss[~is_open]
        while end >= 0:
            row = int(path[end])
            row_of[end] = row
            column_of[row], end = end, int(column_of[row])
    return list(enumerate(column_of.tolist()))


def stacked(boxes: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Boxes `(4,)` as one array, `(n, 4)`; none as `(0, 4)`."""
    return np.array(boxes, dtype=np.float32).reshape(-1, 4)
