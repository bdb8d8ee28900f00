"""Held-out faces → the correction of an attribute, and the test that shows whether it is a gain."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from models.prevalence.correction import AttributeCorrection, StoredCalibration, ViewCorrection
from models.prevalence.estimation import fit_calibration
from models.prevalence.trial import Trial, drawn_populations, is_gain, trial

_RESAMPLES = 20
"""Resampled calibrations; more make the ends of intervals steadier and the file larger."""

_RESAMPLED_SHARE = 0.25
"""Share of the held-out faces that a resampled calibration is fitted on. Less makes intervals
wider, for a film is further from those faces than a sample of them: with all of them intervals held
too few true shares. Tuned on a quarter of the held-out faces, against another one."""

_FEWEST_FACES = 200
"""Held-out faces of a half at least; with fewer there is no correction."""

_SEED = 20_020_101
"""Of the halves and of what is drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutFaces:
    """What a classifier says of labelled faces that it was not fitted on, of one range of widths.

    Attributes:
        from_px: width of the narrowest, px.
        probabilities: `(n, k)`.
        truth: `(n,)`, the class of each.
    """

    from_px: float
    probabilities: NDArray[np.floating]
    truth: NDArray[np.intp]

    def part(self, rows: NDArray[np.intp]) -> "HeldOutFaces":
        """Some of the faces."""
        return HeldOutFaces(self.from_px, self.probabilities[rows], self.truth[rows])


def fit_correction(
    classes: Sequence[str],
    views: Sequence[HeldOutFaces],
    draws: int | None = None,
    on_drawn: Callable[[int], None] = lambda drawn: None,
) -> AttributeCorrection | None:
    """The correction of an attribute, fitted on all faces, and tested on halves of them.

    Args:
        classes: the k classes.
        views: the faces, the narrowest range first.
        draws: populations that each view is tested on; by default as many as `trial` takes.
        on_drawn: is given the number of populations that were tested since the last call.

    Returns:
        None where there are too few faces, or where a class has none in one of the halves.
    """
    halves = [_halves(view) for view in views]
    if not _are_enough(classes, halves):
        return None
    widening = max(_widening(classes, first, draws, on_drawn) for first, _ in halves)
    trials = [_trial(classes, *pair, draws, on_drawn, widening) for pair in halves]
    return _fit(
        *(classes, views, widening),
        test={"views": [each.as_dict() for each in trials]},
        gain=all(map(is_gain, trials)),
    )


def count_populations(
    classes: Sequence[str], views: Sequence[HeldOutFaces], draws: int | None = None
) -> int:
    """How many populations `fit_correction` tests in all; none where it gives no correction."""
    halves = [_halves(view) for view in views]
    if not _are_enough(classes, halves):
        return 0
    widened = [_can_be_widened(classes, first) for first, _ in halves]
    return drawn_populations(len(classes), draws) * (len(halves) + sum(widened))


def split_in_halves(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The rows of which the first half fits the correction that the second half tests."""
    order = np.random.default_rng(_SEED).permutation(count)
    return np.sort(order[: count // 2]), np.sort(order[count // 2 :])


def _halves(faces: HeldOutFaces) -> tuple[HeldOutFaces, HeldOutFaces]:
    first, second = split_in_halves(len(faces.truth))
    return faces.part(first), faces.part(second)


def _trial(
    classes: Sequence[str],
    fitted_on: HeldOutFaces,
    tested_on: HeldOutFaces,
    draws: int | None,
    on_drawn: Callable[[int], None],
    widening: float = 1.0,
) -> Trial:
    tested = _fit(classes, [fitted_on], widening)
    faces = tested_on.probabilities, tested_on.truth, tested_on.from_px
    return trial(tested, *faces, draws, on_drawn)


def _widening(
    classes: Sequence[str],
    first: HeldOutFaces,
    draws: int | None,
    on_drawn: Callable[[int], None],
) -> float:
    """By how much intervals are widened, from the half that is fitted on alone: as much as those of
    one half of it need on the other half.
    """
    if not _can_be_widened(classes, first):
        return 1.0
    return round(_trial(classes, *_halves(first), draws, on_drawn).widening, 2)


def _can_be_widened(classes: Sequence[str], first: HeldOutFaces) -> bool:
    return all(_has_all(classes, each) for each in _halves(first))


def _has_all(classes: Sequence[str], faces: HeldOutFaces) -> bool:
    return bool(np.bincount(faces.truth, minlength=len(classes)).all())


def _are_enough(
    classes: Sequence[str], halves: Sequence[tuple[HeldOutFaces, HeldOutFaces]]
) -> bool:
    return all(_is_enough(classes, each) for pair in halves for each in pair)


def _is_enough(classes: Sequence[str], faces: HeldOutFaces) -> bool:
    return len(faces.truth) >= _FEWEST_FACES and _has_all(classes, faces)


def _fit(
    classes: Sequence[str],
    views: Sequence[HeldOutFaces],
    widening: float,
    *,
    test: Mapping[str, object] = MappingProxyType({}),
    gain: bool = False,
) -> AttributeCorrection:
    return AttributeCorrection(
        classes=list(classes),
        views=[_fit_view(view) for view in views],
        test=dict(test),
        is_gain=gain,
        widening=widening,
    )


def _fit_view(faces: HeldOutFaces) -> ViewCorrection:
    random = np.random.default_rng(_SEED)
    count, classes = faces.probabilities.shape
    share = np.full(count, 1 / count)
    resampled = [
        fit_calibration(
            faces.probabilities,
            faces.truth,
            random.multinomial(round(_RESAMPLED_SHARE * count), share).astype(np.float64),
        )
        for _ in range(_RESAMPLES)
    ]
    pairs = faces.truth * classes + faces.probabilities.argmax(axis=1)
    confusion = np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    return ViewCorrection(
        from_px=faces.from_px,
        faces=count,
        calibration=StoredCalibration.of(fit_calibration(faces.probabilities, faces.truth)),
        resampled=[StoredCalibration.of(each) for each in resampled],
        confusion=confusion.tolist(),
    )
