"""The persons of one log: what each is perceived as, and what was counted of each."""

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.report.rows import Answer, LoggedPerson

NO_LABEL = 0
"""Code of a face that was too small for a label."""

UNSURE = 1
"""Code of a face of which the model was unsure."""

_WORD_LETTERS = 80
"""Letters that are kept of a label that is no class; a log may have any."""


@dataclass(frozen=True, slots=True)
class LabelCodes:
    """The labels of one attribute by number: too small, unsure, then each class."""

    classes: tuple[str, ...]

    def __len__(self) -> int:
        return UNSURE + 1 + len(self.classes)

    def code(self, answer: Answer, probabilities: Sequence[float]) -> int:
        """The number of a label. The first case that fits decides:

        1. Unsure is unsure, and a class is that class.
        2. A word for several classes is the likeliest of those, where the log says it.
        3. Else it is the likeliest of all classes.

        Args:
            answer: what the log says.
            probabilities: of the classes, in their order; NaN where they are not sound.
        """
        if answer.label is None:
            return UNSURE
        for name in (answer.label, answer.finest):
            if name in self.classes:
                return UNSURE + 1 + self.classes.index(name)
        likeliest = max(probabilities)
        return UNSURE if math.isnan(likeliest) else UNSURE + 1 + probabilities.index(likeliest)


class Persons:
    """The persons of a log, a row each, found by their tracks.

    Memory is some 100 bytes a person, so that a log may have a million.

    Args:
        entries: as the log has them; one that comes later replaces those that have its tracks.
        codes: of each attribute.
    """

    def __init__(self, entries: Iterable[LoggedPerson], codes: Mapping[str, LabelCodes]) -> None:
        self._codes = codes
        self._row_of_track: dict[int, int] = {}
        self._labels = {name: array("i") for name in codes}
        self._words: dict[str, dict[int, str]] = {name: {} for name in codes}
        self._probabilities = {name: array("f") for name in codes}
        self._numbers = array("q")
        row_of_person: dict[int, int] = {}
        for entry in entries:
            row = row_of_person.get(entry.number)
            if row is None:
                row = row_of_person[entry.number] = self._new_row(entry.number)
            self._fill(row, entry.answers)
            for track in entry.tracks:
                self._row_of_track[track] = row

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The number of each person `(n,)`, as in the log."""
        return np.array(self._numbers, dtype=np.int64)

    def rows(self, tracks: NDArray[np.int64]) -> NDArray[np.intp]:
        """The row of each track `(n,)`; a track that was not known is a person of its own."""
        found = []
        for track in tracks.tolist():
            row = self._row_of_track.get(track)
            if row is None:
                row = self._row_of_track[track] = self._new_row(track)
            found.append(row)
        return np.array(found, dtype=np.intp)

    def labels(self, attribute: str) -> NDArray[np.int32]:
        """The code of the label of each person `(n,)`."""
        return np.array(self._labels[attribute], dtype=np.int32)

    def words(self, attribute: str) -> Mapping[int, str]:
        """By row the label of each person whose label is a word for several classes."""
        return self._words[attribute]

    def probabilities(self, attribute: str) -> NDArray[np.float32]:
        """The probability of each class `(n, k)`, NaN where there is none."""
        flat = np.array(self._probabilities[attribute], dtype=np.float32)
        return flat.reshape(-1, len(self._codes[attribute].classes))

    def _new_row(self, number: int) -> int:
        self._numbers.append(number)
        for name, codes in self._codes.items():
            self._labels[name].append(NO_LABEL)
            self._probabilities[name].extend([np.nan] * len(codes.classes))
        return len(self._numbers) - 1

    def _fill(self, row: int, answers: Mapping[str, Answer]) -> None:
        for name, answer in answers.items():
            if (codes := self._codes.get(name)) is None:
                continue
            values = _normalised(codes.classes, answer.probabilities)
            self._labels[name][row] = codes.code(answer, values)
            if answer.label is None or answer.label in codes.classes:
                self._words[name].pop(row, None)
            else:
                self._words[name][row] = answer.label[:_WORD_LETTERS]
            count = len(codes.classes)
            self._probabilities[name][row * count : (row + 1) * count] = array("f", values)


def _normalised(classes: Sequence[str], probabilities: Mapping[str, float]) -> list[float]:
    """Probabilities in the order of the classes that add up to 1; NaN where they cannot."""
    values = [probabilities.get(name, 0.0) for name in classes]
    total = sum(values)
    is_sound = len(probabilities) == len(classes) and total > 0 and min(values) >= 0
    return [value / total for value in values] if is_sound else [np.nan] * len(classes)
