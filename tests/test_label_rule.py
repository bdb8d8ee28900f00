"""Evidence of several views → what is shown, and when that changes."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.classification.classifier import Prediction
from stream.labelling.evidence import TrackEvidence
from stream.labelling.label_rule import LabelRule
from stream.settings.schema import LabelSettings
from stream.tracks import Label

_CLASSES = ("A", "B", "C")


def _prediction(*rows: list[float]) -> Prediction:
    return Prediction("attribute", _CLASSES, np.array(rows, dtype=np.float32))


def _nothing(min_confidence: float = 0.5) -> TrackEvidence:
    return TrackEvidence(LabelSettings(min_confidence=min_confidence))


def _add(evidence: TrackEvidence, prediction: Prediction, index: int, weight: float) -> None:
    evidence.add([prediction], index, weight, now_s=0.0)


def _label(evidence: TrackEvidence) -> Label:
    return evidence.labels["attribute"]


def _after(views: list[list[float]], min_confidence: float = 0.5) -> Label:
    evidence = _nothing(min_confidence)
    for view in views:
        _add(evidence, _prediction(view), 0, 1.0)
    return _label(evidence)


_ROWS = st.lists(st.floats(0.01, 1), min_size=3, max_size=3).map(
    lambda row: np.array(row, dtype=np.float32) / np.float32(sum(row))
)
_VIEWS = st.lists(st.tuples(_ROWS, st.floats(0.01, 1)), min_size=1, max_size=12)
_THRESHOLDS = st.floats(0, 1)


def _evidence(
    views: list[tuple[NDArray[np.float32], float]], min_confidence: float
) -> TrackEvidence:
    evidence = _nothing(min_confidence)
    for row, weight in views:
        _add(evidence, _prediction(row.tolist()), 0, weight)
    return evidence


def test_nothing_was_seen_yet() -> None:
    assert _nothing().labels == {}
    assert repr(_nothing()) == "TrackEvidence(0 views, [])"


def test_one_view() -> None:
    label = _after([[0.1, 0.7, 0.2]])
    assert (label.text, label.confidence) == ("B", pytest.approx(0.7))
    assert label.probabilities == pytest.approx({"A": 0.1, "B": 0.7, "C": 0.2})


def test_the_row_of_the_face_is_taken() -> None:
    evidence = _nothing()
    _add(evidence, _prediction([0.9, 0.05, 0.05], [0.05, 0.05, 0.9]), 1, 1.0)
    assert _label(evidence).text == "C"


@pytest.mark.parametrize(("confidence", "text"), [(0.49, None), (0.51, "A")])
def test_under_the_threshold_it_says_unsure(confidence: float, text: str | None) -> None:
    rest = (1 - confidence) / 2
    label = _after([[confidence, rest, rest]])
    assert label.text == text
    assert label.confidence == pytest.approx(confidence)


def test_better_views_weigh_more() -> None:
    evidence = _nothing()
    _add(evidence, _prediction([0.8, 0.2, 0.0]), 0, 0.1)
    _add(evidence, _prediction([0.2, 0.8, 0.0]), 0, 0.9)
    assert _label(evidence).text == "B"
    assert _label(evidence).probabilities == pytest.approx({"A": 0.26, "B": 0.74, "C": 0.0})


def test_a_shown_label_does_not_flicker() -> None:
    evidence = _nothing(0.4)
    shown = set()
    for number in range(40):  # now a little rather this, now a little rather that
        likelier = 0.48 if number % 2 else 0.44
        _add(evidence, _prediction([likelier, 0.92 - likelier, 0.08]), 0, 1.0)
        shown.add(_label(evidence).text)
    assert len(shown) == 1


@pytest.mark.parametrize(("other", "text"), [(0.54, "A"), (0.56, "B")])
def test_another_class_must_be_clearly_likelier_to_take_the_place_of_one_shown(
    other: float, text: str
) -> None:
    prediction = _prediction([0.4, other, 0.6 - other])
    assert LabelRule(0.3, {}).label(prediction, Label("A", 0.0, {})).text == text
    assert LabelRule(0.3, {}).label(prediction, None).text == "B"


def test_a_shown_label_changes_for_good_reason() -> None:
    evidence = _nothing()
    _add(evidence, _prediction([0.9, 0.1, 0.0]), 0, 1.0)
    assert _label(evidence).text == "A"
    texts = []
    for _ in range(10):
        _add(evidence, _prediction([0.0, 1.0, 0.0]), 0, 1.0)
        texts.append(_label(evidence).text)
    assert texts[-1] == "B"
    assert sum(before != after for before, after in zip(["A", *texts], texts, strict=False)) <= 2


@pytest.mark.parametrize(("second", "text"), [(0.30, "A"), (0.26, None)])
def test_a_label_shown_holds_a_little_under_the_threshold_and_no_further(
    second: float, text: str | None
) -> None:
    rest = (1 - second) / 2
    label = _after([[0.52, 0.26, 0.22], [second, rest, rest]])
    assert label.text == text
    if text is not None:
        assert label.confidence == pytest.approx((0.52 + second) / 2)


def test_a_label_that_is_held_under_the_threshold_says_so() -> None:
    assert not _after([[0.52, 0.26, 0.22]]).is_held
    held = _after([[0.52, 0.26, 0.22], [0.30, 0.35, 0.35]])
    assert (held.text, held.is_held) == ("A", True)
    assert held.confidence == pytest.approx(0.41)
    unsure = _after([[0.48, 0.28, 0.24]])
    assert (unsure.text, unsure.is_held) == (None, False)


@pytest.mark.parametrize(("second", "text"), [(0.70, None), (0.74, "A")])
def test_what_was_unsure_must_pass_the_threshold_clearly(second: float, text: str | None) -> None:
    rest = (1 - second) / 2
    assert _after([[0.48, 0.28, 0.24], [second, rest, rest]]).text == text


def test_what_was_unsure_can_be_said_in_the_end_under_any_threshold() -> None:
    label = _after([[0.9, 0.1, 0.0], *[[1.0, 0.0, 0.0]] * 20], min_confidence=0.98)
    assert label.text == "A"


@settings(deadline=None)
@given(_VIEWS, _THRESHOLDS)
def test_what_is_shown_is_true(
    views: list[tuple[NDArray[np.float32], float]], min_confidence: float
) -> None:
    label = _label(_evidence(views, min_confidence))
    assert sum(label.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert tuple(label.probabilities) == _CLASSES
    assert all(-1e-6 <= value <= 1 + 1e-6 for value in label.probabilities.values())
    if label.text is None:
        assert label.confidence == max(label.probabilities.values())
        assert label.confidence < min_confidence + 0.101
    else:
        assert label.confidence == label.probabilities[label.text]
        assert label.confidence >= min_confidence - 0.101
        assert label.confidence >= max(label.probabilities.values()) - 0.151


@settings(deadline=None)
@given(_VIEWS, _THRESHOLDS, st.randoms(use_true_random=False))
def test_the_order_of_views_does_not_matter_for_the_mean(
    views: list[tuple[NDArray[np.float32], float]], min_confidence: float, random: Random
) -> None:
    shuffled = views.copy()
    random.shuffle(shuffled)
    one, other = _evidence(views, min_confidence), _evidence(shuffled, min_confidence)
    assert _label(one).probabilities == pytest.approx(_label(other).probabilities, abs=1e-6)


@settings(deadline=None)
@given(_ROWS, _THRESHOLDS)
def test_of_one_view_the_likeliest_class_is_shown_if_it_is_likely_enough(
    row: NDArray[np.float32], min_confidence: float
) -> None:
    label = _label(_evidence([(row, 1.0)], min_confidence))
    likeliest = _CLASSES[int(row.argmax())]
    assert label.text == (likeliest if row.max() >= min_confidence else None)
    assert label.confidence == pytest.approx(float(row.max()))


_GROUPS = {"B or C": ("B", "C")}


def test_classes_of_a_group_are_shown_as_one_and_kept_apart() -> None:
    label = LabelRule(0.5, _GROUPS).label(_prediction([0.4, 0.3, 0.3]), None)
    assert (label.text, label.confidence) == ("B or C", pytest.approx(0.6))
    assert label.probabilities == pytest.approx({"A": 0.4, "B": 0.3, "C": 0.3})
    assert label.finest == "B"


_TREE = {"A or B": ("A", "B"), "B or C": ("B", "C"), "any": _CLASSES}


@pytest.mark.parametrize(
    ("row", "text", "confidence", "finest"),
    [
        ([0.6, 0.3, 0.1], "A", 0.6, None),  # the finest word that is sure
        ([0.4, 0.35, 0.25], "A or B", 0.75, "A"),
        ([0.25, 0.35, 0.4], "B or C", 0.75, "C"),
        ([0.4, 0.2, 0.4], "A or B", 0.6, "A"),  # of two that are as likely the first
    ],
)
def test_where_no_class_is_sure_a_word_for_several_is_said(
    row: list[float], text: str, confidence: float, finest: str | None
) -> None:
    label = LabelRule(0.5, {}, _TREE).label(_prediction(row), None)
    assert (label.text, label.finest) == (text, finest)
    assert label.confidence == pytest.approx(confidence)
    assert label.probabilities == pytest.approx(dict(zip(_CLASSES, row, strict=True)))


def test_the_word_for_the_fewest_classes_is_taken_and_unsure_comes_last() -> None:
    rule, row = LabelRule(0.8, {}, _TREE), [0.4, 0.2, 0.4]
    assert rule.label(_prediction(row), None).text == "any"
    narrow = {"A or B": ("A", "B")}
    label = LabelRule(0.8, {}, narrow).label(_prediction(row), None)
    assert (label.text, label.finest, label.confidence) == (None, None, pytest.approx(0.4))


def test_between_a_class_and_a_word_for_several_labels_do_not_flicker() -> None:
    """A class just under and just over the threshold: the word changes once at most."""
    rule, label, words = LabelRule(0.5, {}, _TREE), None, []
    for number in range(40):
        chance = 0.52 if number % 2 else 0.46
        label = rule.label(_prediction([chance, 0.9 - chance, 0.1]), label)
        words.append(label.text)
    assert len(set(words)) == 1
    assert rule.label(_prediction([0.56, 0.34, 0.1]), label).text == "A or B"
    assert rule.label(_prediction([0.62, 0.28, 0.1]), label).text == "A"  # clearly sure


def test_a_word_for_several_gives_way_to_one_that_leads() -> None:
    rule = LabelRule(0.5, {}, {"A or B": ("A", "B"), "B or C": ("B", "C")})
    shown = Label("A or B", 0.0, {})
    assert rule.label(_prediction([0.22, 0.45, 0.33]), shown).text == "A or B"
    assert rule.label(_prediction([0.14, 0.45, 0.41]), shown).text == "B or C"
    assert rule.label(_prediction([0.25, 0.1, 0.65]), shown).text == "C"


def test_a_class_under_its_threshold_falls_to_the_word_that_has_it() -> None:
    rule = LabelRule(0.5, {}, _TREE)
    assert rule.label(_prediction([0.42, 0.38, 0.2]), Label("A", 0.0, {})).text == "A"  # is held
    assert rule.label(_prediction([0.38, 0.38, 0.24]), Label("A", 0.0, {})).text == "A or B"


@settings(deadline=None)
@given(
    _ROWS,
    _THRESHOLDS,
    st.sampled_from([None, *(Label(text, 0, {}) for text in (None, "A", "A or B", "B or C"))]),
)
def test_a_word_for_several_that_was_shown_is_shown_again(
    row: NDArray[np.float32], min_confidence: float, before: Label | None
) -> None:
    rule, prediction = LabelRule(min_confidence, {}, _TREE), _prediction(row.tolist())
    label = rule.label(prediction, before)
    assert rule.label(prediction, label) == label
    assert label.confidence <= 1


@settings(deadline=None)
@given(_ROWS, _THRESHOLDS, st.sampled_from([None, Label(None, 0, {}), Label("B or C", 0, {})]))
def test_what_was_shown_is_shown_again(
    row: NDArray[np.float32], min_confidence: float, before: Label | None
) -> None:
    """So a log in which each view stands for many frames can be drawn again."""
    rule, prediction = LabelRule(min_confidence, _GROUPS), _prediction(row.tolist())
    label = rule.label(prediction, before)
    assert rule.label(prediction, label) == label
