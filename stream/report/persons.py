"""The persons of one log: what each is perceived as, and what was counted of each."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stream.report.rows import Answer, LoggedPerson

NO_LABEL = 0
"""Code of a face that was too small for a label."""

UNSURE = 1
"""Code of a face of which the model was unsure."""


@dataclass(slots=True)
class LabelCodes:
    """The labels of one attribute by number: too small, unsure, then each class and each other
    label that was met, such as a group of classes.
    """

    classes: tuple[str, ...]
    texts: list[str] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.classes:
            self.code(name)

    def __len__(self) -> int:
        return UNSURE + 1 + len(self.texts)

    def code(self, text: str | None) -> int:
        """The number of a label, None for unsure."""
        if text is None:
            return UNSURE
        if text not in self._numbers:
            self._numbers[text] = len(self)
            self.texts.append(text)
        return self._numbers[text]


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
        for name, (text, probabilities) in answers.items():
            if (codes := self._codes.get(name)) is None:
                continue
            self._labels[name][row] = codes.code(text)
            values = _normalised(codes.classes, probabilities)
            count = len(codes.classes)
            self._probabilities[name][row * count : (row + 1) * count] = array("f", values)


def _normalised(classes: Sequence[str], probabilities: Mapping[str, float]) -> list[float]:
    """Probabilities in the order of the classes that add up to 1; NaN where they cannot."""
    values = [probabilities.get(name, 0.0) for name in classes]
    total = sum(values)
    is_sound = len(probabilities) == len(classes) and total > 0 and min(values) >= 0
    return [value / total for value in values] if is_sound else [np.nan] * len(classes)
