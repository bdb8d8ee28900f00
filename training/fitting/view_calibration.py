"""Fits how sure a model may be of a view: by its quality, and by what else the face looks like.

The likeliest class of a face is right or wrong, and its confidence should be the chance of that. So
the coefficients of each attribute are those with which its confidence has the least logarithmic
loss against being right. A normal prior keeps them small where few faces speak for more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from models.classification.calibration import (
    MIN_PROBABILITY,
    QUALITY_TERMS,
    AttributeCalibration,
    Calibration,
    inverse_temperatures,
    quality_terms,
    tempered,
)
from models.classification.view_quality import ViewQuality

MIN_FACES = 200
"""Labelled faces that a calibration needs; an attribute with fewer is left as its head gives it."""

_QUALITY_DEVIATION = 0.5
"""Standard deviation of the prior of the coefficients of view quality; wider trusts fewer faces."""

_APPARENT_DEVIATION = 0.2
"""Standard deviation of the prior of the coefficients of other attributes' classes. Tuned on halves
of the rows of FairFace that the shipped model's training left out."""

_DECIMALS = 4
"""Decimals of a coefficient that are kept."""

UNKNOWN = -1
"""Number of the class of a face without a label."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LabelledViews:
    """n views of labelled faces on which nothing was fitted.

    Attributes:
        probabilities: attribute → what its head says, `(n, k)`.
        targets: attribute → number of the class of each, `(n,)`, `UNKNOWN` where it has no label.
        quality: of the views; None where it was not measured.
        weights: `(n,)`, what each counts: the views of one face count one together.
    """

    probabilities: Mapping[str, NDArray[np.float32]]
    targets: Mapping[str, NDArray[np.int64]]
    quality: ViewQuality | None
    weights: NDArray[np.float64]


def fit_calibration(
    views: LabelledViews, classes: Mapping[str, tuple[str, ...]], record: Mapping[str, Any]
) -> Calibration:
    """The calibration of all attributes for which there are faces enough.

    Args:
        views: what it is fitted on.
        classes: of each attribute.
        record: on what it is fitted, for the file.
    """
    fitted = {
        name: _fit_attribute(name, views, classes)
        for name in classes
        if views.weights[views.targets[name] != UNKNOWN].sum() >= MIN_FACES
    }
    return Calibration(attributes=fitted, record=dict(record))


def _fit_attribute(
    attribute: str, views: LabelledViews, classes: Mapping[str, tuple[str, ...]]
) -> AttributeCalibration:
    known = views.targets[attribute] != UNKNOWN
    quality = ViewQuality.unknown(len(known)) if views.quality is None else views.quality
    others = [name for name in classes if name != attribute]
    terms = np.hstack(
        [quality_terms(quality[known]), *(views.probabilities[each][known] for each in others)]
    )
    deviations = np.full(terms.shape[1], _APPARENT_DEVIATION)
    deviations[: len(QUALITY_TERMS)] = _QUALITY_DEVIATION
    found = _least_loss(
        views.probabilities[attribute][known],
        views.targets[attribute][known],
        terms.astype(np.float64),
        views.weights[known],
        deviations,
    )
    coefficients = iter(found.round(_DECIMALS).tolist())
    by_quality = {name: next(coefficients) for name in QUALITY_TERMS}
    apparent = {each: {name: next(coefficients) for name in classes[each]} for each in others}
    return AttributeCalibration(**by_quality, apparent=apparent)


def _least_loss(
    probabilities: NDArray[np.float32],
    targets: NDArray[np.int64],
    terms: NDArray[np.float64],
    weights: NDArray[np.float64],
    deviations: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The coefficients `(m,)` of the terms `(n, m)` with the least loss and prior."""
    rows = np.arange(len(targets))
    logs = np.log(np.maximum(probabilities, MIN_PROBABILITY)).astype(np.float64)
    likeliest = logs.argmax(axis=1)
    is_right = likeliest == targets

    def loss(coefficients: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        inverse = inverse_temperatures(terms @ coefficients)
        shares = tempered(probabilities, inverse).astype(np.float64)
        confidence = shares[rows, likeliest].clip(MIN_PROBABILITY, 1 - MIN_PROBABILITY)
        losses = -np.where(is_right, np.log(confidence), np.log1p(-confidence))
        prior = coefficients / deviations
        # Of the loss by the confidence, by the inverse temperature, by its logarithm.
        slope = (confidence - is_right) / (1 - confidence)
        slope *= logs[rows, likeliest] - (shares * logs).sum(axis=1)
        gradient = terms.T @ (weights * slope * inverse) + prior / deviations
        return float(weights @ losses + 0.5 * prior @ prior), gradient

    found = minimize(loss, np.zeros(terms.shape[1]), jac=True, method="L-BFGS-B")
    return np.asarray(found.x, dtype=np.float64)
