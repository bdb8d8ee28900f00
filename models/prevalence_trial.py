"""The test of a correction: populations of known shares, drawn from faces it was not fitted on.

Each population has 200 faces, of classes drawn from a mix. The error of an estimate is the mean,
over the classes, of how far it is from the share among those 200 faces. An interval is right where
it holds the share in the mix, which the faces are a sample of.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.correction import AttributeCorrection
from models.prevalence import estimate_prevalence
from models.prevalence_interval import corrected_prevalence

POPULATION = 200
"""Faces of a population."""

DRAWS = 1_000
"""Populations in all, an equal number of each mix; more make the figures steadier."""

_INTERVAL_DRAWS = 300
"""Populations in all of which the intervals are made, too; an interval takes ten times as long."""

_MOST_EXCESS = 0.005
"""How much larger than that of raw shares the error may be at any mix of a correction that is a
gain."""

_SEED = 1
"""Of what is drawn."""

_Mix: TypeAlias = Callable[[np.random.Generator, int], NDArray[np.float64]]
"""Draws the shares `(k,)` of a population."""


@dataclass(frozen=True, slots=True)
class MixTrial:
    """The mean errors at one mix, and how many of the intervals are right.

    Attributes:
        mix: its name.
        raw: error of the share of the likeliest class.
        corrected: error of the corrected share.
        right, intervals: of all classes of all populations.
    """

    mix: str
    raw: float
    corrected: float
    right: int
    intervals: int


@dataclass(frozen=True, slots=True)
class Trial:
    """The test on faces of one range of widths.

    Attributes:
        from_px: width of the narrowest, px.
        faces: how many there are to draw from.
        draws: populations in all.
        mixes: the results by mix.
    """

    from_px: float
    faces: int
    draws: int
    mixes: tuple[MixTrial, ...]

    @property
    def raw(self) -> float:
        """Mean error of raw shares over all mixes."""
        return float(np.mean([each.raw for each in self.mixes]))

    @property
    def corrected(self) -> float:
        """Mean error of corrected shares over all mixes."""
        return float(np.mean([each.corrected for each in self.mixes]))

    @property
    def excess(self) -> float:
        """How much larger than that of raw shares the error is at the worst mix."""
        return max(each.corrected - each.raw for each in self.mixes)

    @property
    def coverage(self) -> float:
        """Share of the intervals that hold the true share."""
        intervals = sum(each.intervals for each in self.mixes)
        return sum(each.right for each in self.mixes) / max(intervals, 1)

    def as_dict(self) -> dict[str, Any]:
        """The test as `correction.json` has it."""
        return {
            "from_px": self.from_px,
            "faces": self.faces,
            "population": POPULATION,
            "draws": self.draws,
            "raw_error": round(self.raw, 4),
            "corrected_error": round(self.corrected, 4),
            "ratio": round(self.corrected / self.raw, 3) if self.raw else None,
            "worst_excess": round(self.excess, 4),
            "coverage": round(self.coverage, 3),
            "mixes": {
                each.mix: {
                    "raw_error": round(each.raw, 4),
                    "corrected_error": round(each.corrected, 4),
                    "coverage": round(each.right / max(each.intervals, 1), 3),
                }
                for each in self.mixes
            },
        }


def is_gain(result: Trial) -> bool:
    """Whether the corrected shares are nearer to the truth, and at no mix much further from it."""
    return result.corrected < result.raw and result.excess <= _MOST_EXCESS


def trial(
    correction: AttributeCorrection,
    probabilities: NDArray[np.floating],
    truth: NDArray[np.intp],
    from_px: float,
    draws: int | None = None,
) -> Trial:
    """Tests a correction on labelled faces that it was not fitted on.

    Args:
        correction: of the attribute.
        probabilities: `(n, k)` of the faces.
        truth: `(n,)`, the class of each; each class has a face.
        from_px: width that the faces count as, px.
        draws: populations in all, `DRAWS` unless given.
    """
    random = np.random.default_rng(_SEED)
    draws = DRAWS if draws is None else draws
    mixes = _mixes(len(correction.classes))
    rows = [np.flatnonzero(truth == each) for each in range(len(correction.classes))]
    results = []
    for name, mix in mixes.items():
        errors: list[tuple[float, float]] = []
        held: list[NDArray[np.bool_]] = []
        for draw in range(max(draws // len(mixes), 1)):
            shares = mix(random, len(rows))
            faces, true = _population(random, shares, rows)
            with_interval = draw * len(mixes) * DRAWS < _INTERVAL_DRAWS * draws
            error, inside = _judge(
                correction, probabilities[faces], true, shares if with_interval else None, from_px
            )
            errors.append(error)
            held += inside
        raw, corrected = np.mean(errors, axis=0).tolist()
        right = sum(int(each.sum()) for each in held)
        results.append(MixTrial(name, raw, corrected, right, sum(map(len, held))))
    return Trial(from_px, len(truth), max(draws // len(mixes), 1) * len(mixes), tuple(results))


def trial_lines(test: Mapping[str, Any]) -> Iterator[str]:
    """The test of an attribute, as `correction.json` has it, in lines of text."""
    for view in test["views"]:
        yield (
            f"from {view['from_px']:g} px: {view['draws']} populations of {view['population']} "
            f"faces, error {view['raw_error']:.4f} raw, {view['corrected_error']:.4f} corrected "
            f"({view['ratio']:.2f}), worst {view['worst_excess']:+.4f}, "
            f"intervals right {view['coverage']:.1%}"
        )


def _mixes(classes: int) -> dict[str, _Mix]:
    """The kinds of populations by name: of two classes nine shares, of more three."""
    if classes == 2:
        return {f"{share} %": _fixed(share / 100) for share in range(10, 100, 10)}
    return {
        "even": lambda random, k: np.full(k, 1 / k),
        "uneven (Dirichlet 1)": lambda random, k: random.dirichlet(np.ones(k)),
        "very uneven (Dirichlet 0.5)": lambda random, k: random.dirichlet(np.full(k, 0.5)),
    }


def _fixed(share: float) -> _Mix:
    return lambda random, k: np.array([share, 1 - share])


def _population(
    random: np.random.Generator, shares: NDArray[np.float64], rows: list[NDArray[np.intp]]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Rows of the faces of a population, and the share of each class among them."""
    counts = random.multinomial(POPULATION, shares)
    faces = [random.choice(each, count) for each, count in zip(rows, counts, strict=True)]
    return np.concatenate(faces), counts / POPULATION


def _judge(
    correction: AttributeCorrection,
    probabilities: NDArray[np.floating],
    true: NDArray[np.float64],
    mix: NDArray[np.float64] | None,
    from_px: float,
) -> tuple[tuple[float, float], list[NDArray[np.bool_]]]:
    """The raw and the corrected error of a population, and where asked whether intervals are right.

    Args:
        mix: the shares that the intervals should hold; None where none are made.
    """
    raw = np.bincount(probabilities.argmax(axis=1), minlength=len(true)) / len(probabilities)
    inside = []
    if mix is None:
        views = np.zeros(len(probabilities), dtype=np.intp)
        likelihoods = correction.likelihoods(probabilities, views)
        shares = estimate_prevalence(likelihoods, np.ones((1, len(probabilities))))[0]
    else:
        found = corrected_prevalence(
            correction, probabilities, np.full(len(probabilities), from_px)
        )
        shares = found.shares
        inside.append((found.lows <= mix) & (mix <= found.highs))
    return (float(np.abs(raw - true).mean()), float(np.abs(shares - true).mean())), inside
