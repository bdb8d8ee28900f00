"""The scikit-learn classifiers to choose from, with defaults for 128-d face embeddings."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.class_weight import compute_sample_weight

from training.errors import DatasetError

ClassifierName: TypeAlias = Literal["mlp", "logistic", "svm", "knn", "forest"]
"""The classifiers that can be fitted."""

ClassifierChoice: TypeAlias = ClassifierName | Literal["auto"]
"""What a user may choose; `auto` is the best of `AUTO_CLASSIFIERS`."""

AUTO_CLASSIFIERS: tuple[ClassifierName, ...] = ("mlp", "logistic")
"""The classifiers of which `auto` takes, for each attribute, the one with the lower loss on the
development rows."""

MAX_ROWS: Mapping[ClassifierChoice, int] = {"svm": 10_000, "knn": 40_000}
"""Rows, at most, that a classifier is fitted on; more are subsampled. The time of an SVM grows with
their square, and a k-NN holds all of them."""

CLEAR_ONLY: frozenset[ClassifierChoice] = frozenset({"knn", "svm"})
"""Classifiers that are fitted on no filmed faces. On FairFace a k-NN loses two points of race on
clear faces with filmed neighbours, and one on filmed faces. An SVM takes so few rows that clear
faces lose what filmed ones gain, and the parts it is calibrated on would share faces."""

GRIDS: Mapping[ClassifierName, Sequence[Mapping[str, Any]]] = {
    "mlp": [
        {"hidden": (256, 64), "alpha": 1.0},
        {"hidden": (256, 64), "alpha": 0.3},
        {"hidden": (512,), "alpha": 1.0},
        {"hidden": (128, 32), "alpha": 0.5},
    ],
    "logistic": [{"C": value} for value in (0.03, 0.003, 0.3, 3.0)],
    "svm": [{"C": value} for value in (3.0, 1.0, 10.0)],
    "knn": [{"n_neighbors": value} for value in (25, 10, 50)],
    "forest": [{"min_samples_leaf": value} for value in (20, 10, 40)],
}
"""Options that `--search` tries; the first are the default."""

_SVM_PARTS = 3
"""Parts of the rows on each of which an SVM that was fitted on the others is calibrated; more take
longer, and as many faces of each class are needed."""

_TREES = 100
"""Trees of a forest; more are steadier and larger: 100 of 35,000 faces, with leaves of 20, are
22 MB of ONNX for seven classes."""

_BATCH_ROWS = 256
"""Rows of a batch of the MLP; more make an epoch faster, in fewer steps."""

_LEARNING_RATE = 1e-3
"""First learning rate of the MLP (Adam; scikit-learn's default); higher fits in fewer epochs and
less finely."""

_LEARNING_RATE_DECAY = 0.5
"""Factor of the learning rate after each epoch without a lower loss on the development rows; lower
settles sooner."""

_MAX_EPOCHS = 60
"""Epochs of the MLP at most; more only count where it still gains by then."""

_PATIENCE_EPOCHS = 5
"""Epochs without a lower loss on the development rows after which the MLP stops; more try smaller
learning rates, and take longer."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Embeddings `(n, d)` and targets: `(n,)` class numbers, or `(n, m)` flags of 0 and 1."""

    embeddings: NDArray[np.float32]
    targets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.embeddings)

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "Rows":
        return Rows(self.embeddings[chosen], self.targets[chosen])


def fit_mlp(
    fitted: Rows,
    development: Rows,
    *,
    hidden: tuple[int, ...],
    alpha: float,
    class_weight: str | None,
    seed: int,
) -> Pipeline:
    """A scaler and scikit-learn's MLPClassifier, with early stopping on given rows.

    `MLPClassifier(early_stopping=True)` draws its validation rows one by one, so a face could be
    fitted on while its mirror image is validated on.

    Args:
        fitted: the rows it is fitted on.
        development: the rows whose loss ends the fitting; the weights of the best epoch are kept.
        hidden: size of each hidden layer.
        alpha: strength of the L2 penalty.
        class_weight: None, or `balanced`.
        seed: of the initial weights and the order of the rows.
    """
    scaler = StandardScaler().fit(fitted.embeddings)
    scaled, held = scaler.transform(fitted.embeddings), scaler.transform(development.embeddings)
    targets = fitted.targets
    mlp = MLPClassifier(
        hidden,
        alpha=alpha,
        batch_size=min(_BATCH_ROWS, len(scaled)),
        learning_rate_init=_LEARNING_RATE,
        random_state=seed,
    )
    weights = compute_sample_weight(class_weight, targets) if class_weight else np.ones(len(scaled))
    order = np.random.default_rng(seed)
    classes = np.arange(targets.shape[1] if targets.ndim == 2 else targets.max() + 1)
    best_loss, best_epoch = np.inf, 0
    for epoch in range(1, _MAX_EPOCHS + 1):
        rows = order.permutation(len(scaled))
        mlp.partial_fit(scaled[rows], targets[rows], classes=classes, sample_weight=weights[rows])
        loss = cross_entropy(mlp.predict_proba(held), development.targets)
        if loss < best_loss:
            best_loss, best_epoch = loss, epoch
            coefficients = [each.copy() for each in mlp.coefs_]
            intercepts = [each.copy() for each in mlp.intercepts_]
            continue
        if epoch - best_epoch >= _PATIENCE_EPOCHS:
            break
        # scikit-learn decays the learning rate of plain gradient descent only; this is Adam's.
        mlp._optimizer.learning_rate_init *= _LEARNING_RATE_DECAY
    mlp.coefs_, mlp.intercepts_ = coefficients, intercepts
    return make_pipeline(scaler, mlp)


def fit_classifier(
    name: ClassifierName,
    fitted: Rows,
    development: Rows,
    options: Mapping[str, Any],
    *,
    class_weight: str | None,
    seed: int,
) -> Pipeline:
    """A fitted pipeline with `predict_proba`: `(n, k)` classes, or `(n, m)` flags.

    Args:
        name: which classifier.
        fitted: the rows it is fitted on.
        development: rows that only decide when an MLP stops.
        options: an entry of its grid.
        class_weight: None, or `balanced`.
        seed: of its random numbers.

    Raises:
        DatasetError: the classifier takes no class weights, or a class has too few rows for it.
    """
    flags = fitted.targets.ndim == 2
    if class_weight and (name == "knn" or (name == "mlp" and flags)):
        what = "knn" if name == "knn" else "an mlp for several independent flags"
        raise DatasetError(f"{what} takes no class weights: choose logistic, svm or forest")
    if name == "mlp":
        return fit_mlp(fitted, development, class_weight=class_weight, seed=seed, **options)
    _check_counts(name, fitted.targets)
    estimator = _estimator(name, options, class_weight, seed, len(fitted))
    if flags:
        estimator = OneVsRestClassifier(estimator)
    # A tree compares one value at a time: a scale would change nothing.
    steps = [estimator] if name == "forest" else [StandardScaler(), estimator]
    with warnings.catch_warnings():
        # Few faces of many classes are said before, in words that help.
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        return make_pipeline(*steps).fit(fitted.embeddings, fitted.targets)


def _check_counts(name: ClassifierName, targets: NDArray[np.int64]) -> None:
    """Raises DatasetError where a class, or a flag that is set or not, has too few rows."""
    if name != "svm":
        return
    columns = targets.T if targets.ndim == 2 else [targets]
    fewest = min(int(np.unique(each, return_counts=True)[1].min()) for each in columns)
    if fewest < _SVM_PARTS:
        raise DatasetError(
            f"an svm needs {_SVM_PARTS} faces of each class to fit on, and one has {fewest}: "
            "choose another --classifier, or label more of them"
        )


def _estimator(
    name: ClassifierName,
    options: Mapping[str, Any],
    class_weight: str | None,
    seed: int,
    rows: int,
) -> Any:
    if name == "logistic":
        return LogisticRegression(max_iter=1000, class_weight=class_weight, **options)
    if name == "svm":
        svc = SVC(class_weight=class_weight, random_state=seed, **options)
        return CalibratedClassifierCV(svc, cv=_SVM_PARTS, ensemble=False)
    if name == "knn":
        return KNeighborsClassifier(min(options["n_neighbors"], rows))
    return RandomForestClassifier(
        _TREES, class_weight=class_weight, n_jobs=-1, random_state=seed, **options
    )


def cross_entropy(probabilities: NDArray[np.floating[Any]], targets: NDArray[np.int64]) -> float:
    """Mean negative log-likelihood; over flags, of each flag."""
    if targets.ndim == 2:
        columns = zip(probabilities.T, targets.T, strict=True)
        return float(np.mean([log_loss(truth, flag, labels=[0, 1]) for flag, truth in columns]))
    return float(log_loss(targets, probabilities, labels=np.arange(probabilities.shape[1])))
