"""Average linkage of faces of which some may not be joined: clustering with cannot-links."""

import numpy as np
from numpy.typing import NDArray


def average_linkage(
    distances: NDArray[np.float32],
    weights: NDArray[np.float32],
    apart: NDArray[np.bool_],
    threshold: float,
) -> NDArray[np.intp]:
    """Joins the two nearest clusters until none are nearer than a threshold (UPGMA).

    The distance of two clusters is the mean over the pairs of their members, a pair weighted by
    the product of the weights of its two. Clusters that hold a pair that must stay apart have no
    distance, so that nothing ever joins them.

    Args:
        distances: `(n, n)`, symmetric.
        weights: `(n,)`, above 0, how much each member counts.
        apart: `(n, n)`, symmetric, the pairs that must stay apart.
        threshold: the distance from which clusters stay apart.

    Returns:
        `(n,)`, by member the first member of its cluster.
    """
    clusters = np.arange(len(distances))
    if len(distances) < 2:
        return clusters
    mean = np.where(apart | np.eye(len(distances), dtype=bool), np.float32(np.inf), distances)
    total = weights.copy()
    neighbour, nearest = mean.argmin(axis=1), mean.min(axis=1)
    while nearest.min() < threshold:
        one = int(nearest.argmin())
        kept, gone = sorted((one, int(neighbour[one])))
        row = (total[kept] * mean[kept] + total[gone] * mean[gone]) / (total[kept] + total[gone])
        total[kept] += total[gone]
        mean[gone] = mean[:, gone] = np.inf
        row[gone] = np.inf
        mean[kept] = mean[:, kept] = row
        clusters[clusters == gone] = kept
        closer = row < nearest
        neighbour[closer], nearest[closer] = kept, row[closer]
        stale = np.isin(neighbour, (kept, gone)) & ~closer
        stale[[kept, gone]] = True
        neighbour[stale], nearest[stale] = mean[stale].argmin(axis=1), mean[stale].min(axis=1)
    return clusters
