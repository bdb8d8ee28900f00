"""Average linkage with pairs that must stay apart, against SciPy's without any."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.cluster import hierarchy
from scipy.spatial.distance import pdist, squareform

from stream.labelling.linkage import average_linkage


def _linked(
    distances: NDArray[np.float64],
    threshold: float,
    apart: NDArray[np.bool_] | None = None,
    weights: NDArray[np.float32] | None = None,
) -> list[int]:
    count = len(distances)
    none = np.zeros((count, count), dtype=bool)
    ones = np.ones(count, np.float32)
    return average_linkage(
        distances.astype(np.float32),
        ones if weights is None else weights,
        none if apart is None else apart,
        threshold,
    ).tolist()


@pytest.mark.parametrize("count", [2, 3, 10, 60])
@pytest.mark.parametrize("threshold", [0.5, 1.5, 2.5])
def test_without_pairs_apart_it_is_scipy_s(count: int, threshold: float) -> None:
    points = np.random.default_rng(count).normal(size=(count, 4))
    found = np.array(_linked(squareform(pdist(points)), threshold))
    theirs = hierarchy.fcluster(hierarchy.average(pdist(points)), threshold, "distance")
    np.testing.assert_array_equal(found[:, None] == found, theirs[:, None] == theirs)


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_and_one_alone(count: int) -> None:
    assert _linked(np.zeros((count, count)), 1.0) == list(range(count))


def test_a_pair_apart_stays_apart_also_when_others_would_join_it() -> None:
    """The middle one is as near to either end; it takes the nearer, and that bars the other."""
    distances = squareform([0.1, 0.2, 0.15])
    apart = np.zeros((3, 3), dtype=bool)
    apart[0, 2] = apart[2, 0] = True
    assert _linked(distances, 1.0) == [0, 0, 0]
    assert _linked(distances, 1.0, apart) == [0, 0, 2]


def test_heavier_members_count_more() -> None:
    distances = squareform([0.1, 0.3, 0.9])  # the third is near the first, far from the second
    assert _linked(distances, 0.5) == [0, 0, 2]
    heavy_first = np.array([9, 1, 1], np.float32)
    assert _linked(distances, 0.5, weights=heavy_first) == [0, 0, 0]


def test_a_cluster_has_the_number_of_its_first_member() -> None:
    points = np.array([[0.0], [5.0], [0.1], [5.1]])
    assert _linked(squareform(pdist(points)), 1.0) == [0, 1, 0, 1]
