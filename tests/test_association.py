"""Which face of a frame may belong to which track: pairs of the largest gain, closeness."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from stream.following.association import assign

_GAINS = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9),
    elements=st.sampled_from([0.0, 0.125, 0.25, 0.5, 0.625, 1.0]),
)


@given(_GAINS, st.sampled_from([0.0, 0.25, 0.5]))
def test_no_other_pairs_are_worth_more(gain: NDArray[np.float32], least: float) -> None:
    pairs = assign(gain, least)
    rows, columns = zip(*pairs, strict=True) if pairs else ((), ())
    assert len(set(rows)) == len(rows)
    assert len(set(columns)) == len(columns)
    assert all(gain[pair] >= least for pair in pairs)
    possible = np.where(gain >= least, gain, 0)
    best = possible[linear_sum_assignment(possible, maximize=True)].sum()
    assert sum(float(gain[pair]) for pair in pairs) == pytest.approx(float(best))


@pytest.mark.parametrize(
    ("gain", "expected"),
    [
        ([[0.9, 0.1], [0.1, 0.8]], [(0, 0), (1, 1)]),  # nobody competes
        ([[0.9, 0.8], [0.8, 0.1]], [(0, 1), (1, 0)]),  # the surest pair would leave one alone
        ([[0.9], [0.8]], [(0, 0)]),
        ([[0.6, 0.9, 0.7]], [(0, 1)]),
        ([[0.1, 0.0], [0.1, 0.1]], []),
    ],
)
def test_pairs_by_hand(gain: list[list[float]], expected: list[tuple[int, int]]) -> None:
    assert assign(np.array(gain, dtype=np.float32), 0.2) == expected


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_without_faces_or_tracks_there_are_no_pairs(shape: tuple[int, int]) -> None:
    assert assign(np.zeros(shape, dtype=np.float32), 0.2) == []


def test_faces_that_compete_do_not_stop_the_picture_to_import_scipy() -> None:
    code = (
        "import sys, numpy as np; import stream.run; from stream.following.association import *; "
        "assign(np.ones((3, 3), np.float32), 0.2); print('scipy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
