"""Classifiers that are fitted here: when the MLP stops, class weights, and what it leans on."""

from importlib.metadata import version

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier

from training.errors import DatasetError
from training.fitting.classifiers import GRIDS, ClassifierName, Rows, fit_classifier, fit_mlp

_CHECKED = "1.9"
"""Release of scikit-learn by whose source `MLPClassifier._optimizer` was checked."""

_WHAT_TO_CHECK = (
    f"scikit-learn is {version('scikit-learn')}, the training was checked with {_CHECKED}: "
    "training.fitting.classifiers.fit_mlp lowers the learning rate of a running fit through "
    "MLPClassifier._optimizer.learning_rate_init, which is private. Check in "
    "sklearn/neural_network that partial_fit keeps that optimiser from call to call "
    "(_multilayer_perceptron.py) and that AdamOptimizer reads learning_rate_init at every step "
    "(_stochastic_optimizers.py); then write the release into _CHECKED of this test"
)


def _rows(count: int = 400, seed: int = 0) -> Rows:
    """Two overlapping clouds, the second of which is rare."""
    random = np.random.default_rng(seed)
    targets = (random.random(count) < 0.2).astype(np.int64)
    embeddings = random.normal(size=(count, 8)) + 0.8 * targets[:, None]
    return Rows(embeddings.astype(np.float32), targets)


def test_scikit_learn_is_of_the_release_whose_private_optimiser_was_checked() -> None:
    assert version("scikit-learn").split(".")[:2] == _CHECKED.split("."), _WHAT_TO_CHECK


def test_scikit_learn_s_private_optimiser_still_sets_the_pace() -> None:
    rows = _rows()
    mlp = MLPClassifier((4,), learning_rate_init=0.01, random_state=0)
    mlp.partial_fit(rows.embeddings, rows.targets, classes=[0, 1])
    assert getattr(mlp._optimizer, "learning_rate_init", None) == 0.01, _WHAT_TO_CHECK
    optimiser, before = mlp._optimizer, mlp.coefs_[0].copy()
    mlp.partial_fit(rows.embeddings, rows.targets)
    assert mlp._optimizer is optimiser, _WHAT_TO_CHECK
    moved = mlp.coefs_[0].copy()
    assert not np.array_equal(moved, before), _WHAT_TO_CHECK
    mlp._optimizer.learning_rate_init = 0.0
    mlp.partial_fit(rows.embeddings, rows.targets)
    assert np.array_equal(mlp.coefs_[0], moved), _WHAT_TO_CHECK


def _after_one_epoch(rows: Rows, seed: int) -> list[NDArray[np.float64]]:
    """The weights by scikit-learn alone."""
    values = rows.embeddings
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    order = np.random.default_rng(seed).permutation(len(rows))
    mlp = MLPClassifier((6,), alpha=0.1, batch_size=256, learning_rate_init=1e-3, random_state=seed)
    mlp.partial_fit(scaled[order], rows.targets[order], classes=[0, 1])
    return [*mlp.coefs_, *mlp.intercepts_]


def test_an_mlp_keeps_its_best_epoch_slows_down_and_stops() -> None:
    """Development rows that say the contrary make the first epoch the best."""
    rows = _rows()
    contrary = Rows(rows.embeddings, 1 - rows.targets)
    mlp = fit_mlp(rows, contrary, hidden=(6,), alpha=0.1, class_weight=None, seed=4)[-1]
    for found, expected in zip(
        [*mlp.coefs_, *mlp.intercepts_], _after_one_epoch(rows, 4), strict=True
    ):
        np.testing.assert_allclose(found, expected, atol=1e-5)
    assert len(mlp.loss_curve_) == 6, "five epochs without progress are the end"
    assert mlp._optimizer.learning_rate_init == 1e-3 * 0.5**4, "halved after each but the last"


def test_an_mlp_that_gains_goes_on() -> None:
    rows = _rows()
    mlp = fit_mlp(rows, _rows(seed=1), hidden=(6,), alpha=0.1, class_weight=None, seed=4)[-1]
    assert len(mlp.loss_curve_) > 20


@pytest.mark.parametrize("name", ["mlp", "logistic", "forest"])
def test_balanced_weights_make_the_rare_class_likelier(name: ClassifierName) -> None:
    rows, development = _rows(), _rows(seed=1)
    likely = [
        fit_classifier(
            name, rows, development, GRIDS[name][0], class_weight=weight, seed=0
        ).predict_proba(development.embeddings)[:, 1]
        for weight in (None, "balanced")
    ]
    assert likely[0].mean() == pytest.approx(0.2, abs=0.06)
    assert likely[1].mean() > likely[0].mean() + 0.03


def test_balanced_weights_reach_an_svm() -> None:
    """Its probabilities are calibrated afterwards, so their mean stays."""
    rows = _rows()
    found = [
        fit_classifier("svm", rows, rows, {"C": 1.0}, class_weight=weight, seed=0)
        .predict_proba(rows.embeddings)
        .round(6)
        for weight in (None, "balanced")
    ]
    assert not np.array_equal(found[0], found[1])


def test_the_first_of_each_grid_is_the_default_and_all_differ() -> None:
    assert {name: len(grid) for name, grid in GRIDS.items()} == {
        "mlp": 4,
        "logistic": 4,
        "svm": 3,
        "knn": 3,
        "forest": 3,
    }
    for grid in GRIDS.values():
        assert len({repr(each) for each in grid}) == len(grid)


def test_neighbours_are_no_more_than_there_are_faces() -> None:
    rows = _rows(10)
    knn = fit_classifier("knn", rows, rows, GRIDS["knn"][0], class_weight=None, seed=0)
    assert knn.predict_proba(rows.embeddings).shape == (10, 2)


@pytest.mark.parametrize("flags", [False, True])
def test_a_class_with_too_few_faces_for_an_svm_is_said(flags: bool) -> None:
    targets = np.array([0] * 20 + [1] * 2)
    few = Rows(_rows(22).embeddings, np.stack([targets, targets], axis=1) if flags else targets)
    with pytest.raises(DatasetError, match="needs 3 faces of each class to fit on, and one has 2"):
        fit_classifier("svm", few, few, GRIDS["svm"][0], class_weight=None, seed=0)


def test_many_classes_of_few_faces_are_no_warning() -> None:
    rows = Rows(_rows(30).embeddings, np.arange(30) % 20)
    for name in ("logistic", "knn", "forest"):
        fit_classifier(name, rows, rows, GRIDS[name][0], class_weight=None, seed=0)
