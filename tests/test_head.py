"""How sure a head is: as sure as it is right, within bounds, and never of another class."""

import numpy as np
import pytest

from training.fitting.head import fit_inverse_temperature, temperature_scaled


def test_the_fitted_temperature_undoes_a_wrong_one() -> None:
    random = np.random.default_rng(0)
    honest = random.dirichlet([1, 1, 1], size=20_000)
    targets = (honest.cumsum(axis=1) < random.random((20_000, 1))).sum(axis=1)
    underconfident = temperature_scaled(honest, 0.5)
    assert fit_inverse_temperature(underconfident, targets) == pytest.approx(2, rel=0.05)
    assert (temperature_scaled(honest, 3).argmax(axis=1) == honest.argmax(axis=1)).all()


def test_logarithms_of_probabilities_are_divided_by_the_temperature() -> None:
    found = temperature_scaled(np.array([[0.8, 0.2], [1.0, 0.0]]), 2, min_probability=0.1)
    expected = [[0.64 / 0.68, 0.04 / 0.68], [1 / 1.01, 0.01 / 1.01]]
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("right", [3, 4])
def test_a_handful_that_is_right_does_not_make_certain(right: int) -> None:
    """Right of 4 counts as (right + 1) of 6; the ratio of both classes is a power of 3 / 2."""
    probabilities = np.array([[0.6, 0.4]] * 4)
    targets = np.array([0] * right + [1] * (4 - right))
    share = (right + 1) / 6
    expected = np.log(share / (1 - share)) / np.log(1.5)
    assert fit_inverse_temperature(probabilities, targets) == pytest.approx(expected)


def test_the_inverse_temperature_has_bounds() -> None:
    doubtful = np.array([[0.501, 0.499]] * 100)
    assert fit_inverse_temperature(doubtful, np.zeros(100, dtype=np.int64)) == pytest.approx(5)
    boastful = np.array([[0.999, 0.001]] * 100)
    assert fit_inverse_temperature(boastful, np.ones(100, dtype=np.int64)) == pytest.approx(0.2)
