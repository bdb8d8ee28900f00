"""The calibration by view finds what a made-up head is wrong about."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.classification.view_quality import ViewQuality
from training.evaluation.figures import expected_calibration_error
from training.fitting.view_calibration import (
    MIN_FACES,
    UNKNOWN,
    LabelledViews,
    fit_calibration,
)

_CLASSES = {"gender": ("Female", "Male"), "age": ("child", "adult")}


def _made(
    count: int, width: float = 0.0, child: float = 0.0, seed: int = 0, share_unknown: float = 0.0
) -> LabelledViews:
    """Views of which the head for gender is too sure by a known law.

    Args:
        count: how many.
        width: coefficient of the logarithm of the width, 12.5 to 100 px.
        child: coefficient of the probability of being a child.
        seed: of what is drawn.
        share_unknown: share of the faces without a label.
    """
    random = np.random.default_rng(seed)
    widths = 100 * 2 ** -random.uniform(0, 3, count)
    children = random.uniform(0, 1, count)
    said = 1 / (1 + np.exp(-random.normal(0, 3, count)))
    exponent = width * np.log2(widths / 100) + child * children
    powers = np.stack([said, 1 - said], axis=1) ** np.exp(exponent)[:, None]
    chances = powers[:, 1] / powers.sum(axis=1)
    targets = (random.uniform(size=count) < chances).astype(np.int64)
    targets[random.uniform(size=count) < share_unknown] = UNKNOWN
    return LabelledViews(
        probabilities={
            "gender": _two(said),
            "age": _two(children),
        },
        targets={"gender": targets, "age": np.full(count, UNKNOWN)},
        quality=ViewQuality(*np.stack([widths, np.full(count, 0.65)]).astype(np.float32)),
        weights=np.ones(count),
    )


def _two(first: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.stack([first, 1 - first], axis=1).astype(np.float32)


def _error(views: LabelledViews, probabilities: NDArray[np.float32]) -> float:
    correct = probabilities.argmax(axis=1) == views.targets["gender"]
    return expected_calibration_error(probabilities.max(axis=1), correct)


def test_the_law_by_which_a_head_is_too_sure_is_found() -> None:
    found = fit_calibration(_made(6000, width=0.5, child=-0.6), _CLASSES, {"faces": 6000})
    own = found.attributes["gender"]
    assert own.width == pytest.approx(0.5, abs=0.1)
    child, adult = own.apparent["age"]["child"], own.apparent["age"]["adult"]
    assert -0.9 < child - adult < -0.3
    assert found.record == {"faces": 6000}
    others = _made(4000, width=0.5, child=-0.6, seed=1)
    assert others.quality is not None
    before = others.probabilities["gender"]
    after = found.calibrate("gender", others.probabilities, _CLASSES, others.quality)
    assert _error(others, before) > 0.1
    assert _error(others, after) < 0.03
    assert np.array_equal(before.argmax(axis=1), after.argmax(axis=1))


def test_a_head_that_is_as_sure_as_it_is_right_is_hardly_changed() -> None:
    views = _made(4000)
    own = fit_calibration(views, _CLASSES, {}).attributes["gender"]
    assert abs(own.width) < 0.08
    assert max(map(abs, own.apparent["age"].values())) < 0.15


def test_few_faces_do_not_make_large_coefficients() -> None:
    own = fit_calibration(_made(MIN_FACES, width=2.0), _CLASSES, {}).attributes["gender"]
    assert 0 < own.width < 2


def test_an_attribute_with_too_few_labels_is_left_as_its_head_gives_it() -> None:
    assert not fit_calibration(_made(MIN_FACES - 1), _CLASSES, {}).attributes
    assert not fit_calibration(_made(MIN_FACES, share_unknown=0.2), _CLASSES, {}).attributes


def test_the_views_of_a_face_count_one_together() -> None:
    """Four copies of each view, each with a quarter of the weight, say the same."""
    views = _made(1000, width=0.5)
    assert views.quality is not None
    rows = np.tile(np.arange(1000), 4)
    copies = LabelledViews(
        probabilities={name: each[rows] for name, each in views.probabilities.items()},
        targets={name: each[rows] for name, each in views.targets.items()},
        quality=views.quality[rows],
        weights=np.full(4000, 0.25),
    )
    once = fit_calibration(views, _CLASSES, {}).attributes["gender"]
    again = fit_calibration(copies, _CLASSES, {}).attributes["gender"]
    assert again.width == pytest.approx(once.width, abs=2e-3)
    assert not fit_calibration(
        LabelledViews(
            probabilities={name: each[:400] for name, each in copies.probabilities.items()},
            targets={name: each[:400] for name, each in copies.targets.items()},
            quality=views.quality[rows[:400]],
            weights=copies.weights[:400],
        ),
        _CLASSES,
        {},
    ).attributes


def test_without_quality_only_what_else_a_face_looks_like_counts() -> None:
    made = _made(4000, width=0.5, child=-0.6)
    views = LabelledViews(
        probabilities=made.probabilities,
        targets=made.targets,
        quality=None,
        weights=made.weights,
    )
    own = fit_calibration(views, _CLASSES, {}).attributes["gender"]
    assert (own.width, own.sharpness) == (0, 0)
    assert own.apparent["age"]["child"] < own.apparent["age"]["adult"] - 0.3
