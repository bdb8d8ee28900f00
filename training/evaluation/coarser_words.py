"""How many faces get a word where a coarser one stands in for a class that is not sure."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.classification.classifier import Prediction
from training.evaluation.figures import COVERAGE_STEPS, class_numbers, coverage_step
from training.evaluation.intervals import Figures
from training.features.table import Column


def coarser_coverage(
    prediction: Prediction, truth: Column, words: Mapping[str, Sequence[str]]
) -> list[Figures]:
    """By `min_confidence`, the share of the faces that get a word, and how often it is right.

    Args:
        prediction: of n faces.
        truth: `(n,)` class names, all of them classes of the prediction.
        words: coarser word → the classes that it stands for; it is right of all of these.
    """
    expected = class_numbers(prediction, truth)
    return [
        coverage_step(float(step), *_worded(prediction, expected, words, step))
        for step in COVERAGE_STEPS
    ]


def _worded(
    prediction: Prediction,
    expected: NDArray[np.int64],
    words: Mapping[str, Sequence[str]],
    min_confidence: float,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which of the faces get a word, and of which it would be right, both `(n,)`.

    As in the stream, where nothing was shown before: the likeliest class if it is sure, else of the
    sure coarser words the likeliest of those for the fewest classes.
    """
    probabilities = prediction.probabilities
    members = [np.isin(prediction.classes, names) for names in words.values()]
    sums = [probabilities[:, each].sum(axis=1) for each in members]
    has_word = probabilities.max(axis=1) >= min_confidence
    is_right = probabilities.argmax(axis=1) == expected
    for size in sorted({int(each.sum()) for each in members}):
        of_size = [number for number, each in enumerate(members) if each.sum() == size]
        chances = np.stack([sums[number] for number in of_size])
        likeliest = chances.argmax(axis=0)
        newly = ~has_word & (chances.max(axis=0) >= min_confidence)
        stands_for = np.stack([members[number] for number in of_size])
        is_right = np.where(newly, stands_for[likeliest, expected], is_right)
        has_word = has_word | newly
    return has_word, is_right
