"""Screen time added up by label, over one log or over many."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stream.report.persons import LabelCodes
from stream.report.screen_time import ScreenTime

SUMS = ("persons", "face_s", "largest_s", "area_s", "in_sight_s")
"""What is added up by label."""


@dataclass(slots=True, eq=False)
class Evidence:
    """What the classifier says of persons of one attribute, part by part.

    Attributes:
        probabilities: `(n, k)` each.
        widths_px: `(n,)` each, of the widest view.
        face_s: `(n,)` each, time in sight.
    """

    probabilities: list[NDArray[np.float32]] = field(default_factory=list)
    widths_px: list[NDArray[np.float64]] = field(default_factory=list)
    face_s: list[NDArray[np.float64]] = field(default_factory=list)

    def joined(self) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
        """All parts in one, of which there is at least one."""
        return (
            np.concatenate(self.probabilities),
            np.concatenate(self.widths_px),
            np.concatenate(self.face_s),
        )


class Tally:
    """Sums over the logs that are added.

    Attributes:
        logs: how many were added.
        persons: how many counted.
        total_s, occupied_s, left_out_s: as of `ScreenTime`.
        sums: attributes → what is added up → by code of the label, of a pair by both.
        evidence: by attribute.
        by_likeliest: by attribute, how many persons count by their likeliest class, for their label
            is a word for several.
    """

    def __init__(self, codes: Mapping[str, LabelCodes]) -> None:
        self.codes = codes
        self.logs = self.persons = 0
        self.total_s = self.occupied_s = self.left_out_s = 0.0
        self.sums: dict[tuple[str, ...], dict[str, NDArray[np.float64]]] = {}
        self.evidence: dict[str, Evidence] = {}
        self.by_likeliest: Counter[str] = Counter()

    def add(self, counted: ScreenTime) -> None:
        """Adds a log."""
        chosen = counted.is_counted
        self.logs += 1
        self.persons += int(chosen.sum())
        self.total_s += counted.total_s
        self.occupied_s += counted.occupied_s
        self.left_out_s += counted.left_out_s
        for names, in_sight_s in counted.in_sight_s.items():
            self._add_sums(names, counted, chosen, in_sight_s)
            if len(names) == 1:
                self._add_evidence(names[0], counted, chosen)
                words = counted.persons.words(names[0])
                self.by_likeliest[names[0]] += int(chosen[list(words)].sum())

    def _add_sums(
        self,
        names: tuple[str, ...],
        counted: ScreenTime,
        chosen: NDArray[np.bool_],
        in_sight_s: NDArray[np.float64],
    ) -> None:
        shape = tuple(len(self.codes[name]) for name in names)
        labels = tuple(counted.persons.labels(name)[chosen] for name in names)
        cells = np.ravel_multi_index(labels, shape)
        weights = {
            "persons": np.ones(len(cells)),
            "face_s": counted.face_s[chosen],
            "largest_s": counted.largest_s[chosen],
            "area_s": counted.area_s[chosen],
        }
        size = int(np.prod(shape))
        found = {
            name: np.bincount(cells, each, size).astype(np.float64).reshape(shape)
            for name, each in weights.items()
        }
        found["in_sight_s"] = in_sight_s
        before = self.sums.get(names)
        self.sums[names] = (
            found if before is None else {name: before[name] + found[name] for name in SUMS}
        )

    def _add_evidence(self, name: str, counted: ScreenTime, chosen: NDArray[np.bool_]) -> None:
        probabilities = counted.persons.probabilities(name)[chosen]
        known = np.isfinite(probabilities).all(axis=1)
        if known.any():
            evidence = self.evidence.setdefault(name, Evidence())
            evidence.probabilities.append(probabilities[known])
            evidence.widths_px.append(counted.width_px[chosen][known])
            evidence.face_s.append(counted.face_s[chosen][known])
