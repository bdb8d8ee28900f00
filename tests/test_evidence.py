"""Evidence of one track: by weight, the best view, the time of the next."""

import numpy as np
import pytest

from models.classification.classifier import Prediction
from stream.labelling.evidence import TrackEvidence
from stream.settings.schema import LabelSettings


def _gender(*female: float) -> Prediction:
    rows = [[each, 1 - each] for each in female]
    return Prediction("gender", ("Female", "Male"), np.array(rows, dtype=np.float32))


def _race(*white: float) -> Prediction:
    rows = [[each, 1 - each] for each in white]
    return Prediction("race", ("White", "Black"), np.array(rows, dtype=np.float32))


def test_a_weak_and_a_strong_view_give_their_weighted_mean() -> None:
    evidence = TrackEvidence(LabelSettings())
    evidence.add([_gender(0.9), _race(0.2)], 0, 0.2, 0.0)
    evidence.add([_gender(0.4), _race(0.7)], 0, 0.8, 0.2)
    labels = evidence.labels
    assert labels["gender"].probabilities == pytest.approx({"Female": 0.5, "Male": 0.5})
    assert labels["race"].probabilities == pytest.approx({"White": 0.6, "Black": 0.4})


def test_the_row_of_the_evidence_is_taken() -> None:
    evidence = TrackEvidence(LabelSettings())
    evidence.add([_gender(0.9, 0.3)], 1, 1.0, 0.0)
    assert evidence.labels["gender"].probabilities["Female"] == pytest.approx(0.3)


def test_each_attribute_has_a_threshold_of_its_own() -> None:
    evidence = TrackEvidence(LabelSettings(min_confidence={"race": 0.8}))
    evidence.add([_gender(0.7), _race(0.7)], 0, 1.0, 0.0)
    assert evidence.labels["gender"].text == "Female"
    assert evidence.labels["race"].text is None


def test_quality_is_that_of_the_best_view_and_never_falls() -> None:
    evidence = TrackEvidence(LabelSettings())
    assert evidence.quality == 0
    qualities = []
    for weight in (0.3, 0.8, 0.2, 0.5, 0.9):
        evidence.add([_gender(0.9)], 0, weight, 0.0)
        qualities.append(evidence.quality)
    assert qualities == [0.3, 0.8, 0.8, 0.8, 0.9]


def test_there_are_five_views_in_the_first_second_and_then_one_in_two() -> None:
    """At 25 frames a second, whose times are not exact."""
    evidence, viewed = TrackEvidence(LabelSettings()), []
    assert evidence.next_view_s == float("-inf")
    for number in range(25 * 6):
        now_s = number / 25 - (1e-4 if number % 5 == 0 and number else 0)
        if now_s >= evidence.next_view_s:
            evidence.add([_gender(0.9)], 0, 0.5, now_s)
            viewed.append(number)
    assert viewed == [0, 5, 10, 15, 20, 70, 120]
    assert evidence.views == 7
