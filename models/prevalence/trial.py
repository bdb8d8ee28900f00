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

from models.prevalence.correction import AttributeCorrection
from models.prevalence.estimation import estimate_prevalence
from models.prevalence.interval import CONFIDENCE_LEVEL, corrected_prevalence

POPULATION = 200
"""Faces of a population."""

DRAWS = 1_000
"""Populations in all, an equal number of each mix; more make the figures steadier."""

_INTERVAL_DRAWS = 300
"""Populations in all of which the intervals are made, too; an interval takes ten times as long."""

_MOST_EXCESS = 0.005
"""How much larger than that of raw shares the error may be at any mix of a correction that is a
gain."""

_HONEST_COVERAGE = (0.92, 0.98)
"""Least and greatest share of the intervals that hold the true share, of a correction that is a
gain: with fewer they promise too much, with more they say too little."""

_MAX_WIDENING = 3.0
"""Factor by which intervals are widened at most; what would need more is not corrected."""

_SEED = 1
"""Of what is drawn."""

_LEAST_REACH = 1e-9
"""Least distance of an end from the share that is divided by."""

_Mix: TypeAlias = Callable[[np.random.Generator, int], NDArray[np.float64]]
"""Draws the shares `(k,)` of a population."""


@dataclass(frozen=True, slots=True)
class MixTrial:
    """The mean errors at one mix, and how many of the intervals are right.

    Attributes:
        mix: its name.
        raw: error of the share of the likeliest class.
        corrected: error of the corrected share.
        needed: `(n,)`, of the intervals of all classes of all populations the factor by which each
            would have to be widened to hold the true share; up to 1 it does.
    """

    mix: str
    raw: float
    corrected: float
    needed: NDArray[np.float64]

    @property
    def coverage(self) -> float:
        """Share of the intervals that hold the true share."""
        return float((self.needed <= 1).mean()) if len(self.needed) else 0.0


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
        return float((self._needed <= 1).mean())

    @property
    def widening(self) -> float:
        """The least factor of the intervals with which as many as they promise hold it."""
        needed = np.quantile(self._needed, CONFIDENCE_LEVEL, method="higher")
        return float(np.clip(needed, 1, _MAX_WIDENING))

    @property
    def _needed(self) -> NDArray[np.float64]:
        return np.concatenate([each.needed for each in self.mixes])

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
                    "coverage": round(each.coverage, 3),
                }
                for each in self.mixes
            },
        }


def is_gain(result: Trial) -> bool:
    """Whether the corrected shares are nearer to the truth, at no mix much further from it, and
    have intervals that hold it as often as they say.
    """
    is_nearer = result.corrected < result.raw and result.excess <= _MOST_EXCESS
    return is_nearer and _HONEST_COVERAGE[0] <= result.coverage <= _HONEST_COVERAGE[1]


def trial(
    correction: AttributeCorrection,
    probabilities: NDArray[np.floating],
    truth: NDArray[np.intp],
    from_px: float,
    draws: int | None = None,
    on_drawn: Callable[[int], None] = lambda drawn: None,
) -> Trial:
    """Tests a correction on labelled faces that it was not fitted on.

    Args:
        correction: of the attribute.
        probabilities: `(n, k)` of the faces.
        truth: `(n,)`, the class of each; each class has a face.
        from_px: width that the faces count as, px.
        draws: populations in all, `DRAWS` unless given.
        on_drawn: is given the number of populations that were tested since the last call.
    """
    random = np.random.default_rng(_SEED)
    draws = DRAWS if draws is None else draws
    mixes = _mixes(len(correction.classes))
    each_mix = _draws_of_a_mix(draws, len(mixes))
    rows = [np.flatnonzero(truth == each) for each in range(len(correction.classes))]
    results = []
    for name, mix in mixes.items():
        errors: list[tuple[float, float]] = []
        needed: list[NDArray[np.float64]] = []
        for draw in range(each_mix):
            shares = mix(random, len(rows))
            faces, true = _population(random, shares, rows)
            with_interval = draw * len(mixes) * DRAWS < _INTERVAL_DRAWS * draws
            error, factors = _judge(
                correction, probabilities[faces], true, shares if with_interval else None, from_px
            )
            errors.append(error)
            needed += factors
            on_drawn(1)
        raw, corrected = np.mean(errors, axis=0).tolist()
        results.append(MixTrial(name, raw, corrected, np.concatenate(needed)))
    return Trial(from_px, len(truth), each_mix * len(mixes), tuple(results))


def drawn_populations(classes: int, draws: int | None = None) -> int:
    """How many populations a trial of so many classes draws, of as many as are asked for."""
    mixes = len(_mixes(classes))
    return _draws_of_a_mix(DRAWS if draws is None else draws, mixes) * mixes


def _draws_of_a_mix(draws: int, mixes: int) -> int:
    return max(draws // mixes, 1)


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
) -> tuple[tuple[float, float], list[NDArray[np.float64]]]:
    """The raw and the corrected error of a population, and where asked by how much its intervals
    would have to be widened.

    Args:
        mix: the shares that the intervals should hold; None where none are made.
    """
    raw = np.bincount(probabilities.argmax(axis=1), minlength=len(true)) / len(probabilities)
    needed = []
    if mix is None:
        views = np.zeros(len(probabilities), dtype=np.intp)
        likelihoods = correction.likelihoods(probabilities, views)
        shares = estimate_prevalence(likelihoods, np.ones((1, len(probabilities))))[0]
    else:
        found = corrected_prevalence(
            correction, probabilities, np.full(len(probabilities), from_px)
        )
        shares = found.shares
        away = np.where(mix < shares, shares - mix, mix - shares)
        reach = np.where(mix < shares, shares - found.lows, found.highs - shares)
        needed.append(away / np.maximum(reach, _LEAST_REACH))
    return (float(np.abs(raw - true).mean()), float(np.abs(shares - true).mean())), needed
