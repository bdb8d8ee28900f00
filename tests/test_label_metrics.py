"""The metrics of labels, on labels made up by hand."""

import math

import pytest
from fakes import label, track

from stream.benchmarks.tracking.label_metrics import (
    FaceOutcome,
    LabelMetrics,
    label_changes,
    most_probable_class,
)
from stream.tracks import Label

_BETTER = FaceOutcome(settled_right=True, views=4, views_right=3, shown_right=True)
_WORSE = FaceOutcome(settled_right=False, views=2, views_right=1, shown_right=None)
_SAME = FaceOutcome(settled_right=True, views=5, views_right=5, shown_right=True)


def test_every_face_counts_as_much_whatever_its_number_of_views() -> None:
    metrics = LabelMetrics((_BETTER, _WORSE, _SAME))
    assert metrics.settled_accuracy == pytest.approx(2 / 3)
    assert metrics.single_accuracy == pytest.approx((0.75 + 0.5 + 1) / 3)
    assert metrics.gain == pytest.approx((0.25 - 0.5 + 0) / 3)


def test_the_margin_of_the_gain_shrinks_with_more_faces() -> None:
    few, many = LabelMetrics((_BETTER, _WORSE)), LabelMetrics((_BETTER, _WORSE) * 50)
    deviation = 0.375 * math.sqrt(2)  # of 0.25 and -0.5
    assert few.gain_margin == pytest.approx(1.96 * deviation / math.sqrt(2))
    assert many.gain_margin < few.gain_margin / 6
    assert LabelMetrics((_BETTER,)).gain_margin == math.inf


def test_the_counts_behind_the_shares_are_reported() -> None:
    counts = LabelMetrics((_BETTER, _WORSE, _SAME), changes=3, track_minutes=1.5).as_dict()
    assert {name: counts[name] for name in ("faces", "views", "settled_right", "views_right")} == {
        "faces": 3,
        "views": 11,
        "settled_right": 2,
        "views_right": 9,
    }
    assert (counts["faces_better_settled"], counts["faces_worse_settled"]) == (1, 1)
    assert (counts["shown"], counts["shown_right"]) == (2, 2)
    assert counts["changes_per_minute"] == 2


def test_metrics_add_up() -> None:
    total = LabelMetrics((_BETTER,), 1, 0.5) + LabelMetrics((_WORSE,), 2, 1.0)
    assert total == LabelMetrics((_BETTER, _WORSE), 3, 1.5)


def test_metrics_of_no_faces() -> None:
    counts = LabelMetrics().as_dict()
    assert (counts["settled_accuracy"], counts["gain_margin_95"], counts["changes_per_minute"]) == (
        0,
        None,
        0,
    )


def test_changes_are_counted_by_track_to_unsure_and_from_it_too() -> None:
    def frame(*texts: str | None) -> list[object]:
        return [track(row, labels={"gender": label(text)}) for row, text in enumerate(texts)]

    shown = [("Female", "Male"), ("Female", "Male"), ("Male", "Male"), (None, "Male"), ("Male",)]
    frames = [frame(*texts) for texts in shown]
    assert label_changes(frames, "gender") == 3
    assert label_changes(frames, "race") == 0


def test_the_first_label_of_a_track_is_no_change() -> None:
    frames = [[track(1)], [track(1, labels={"gender": label("Male")})], [track(2)]]
    assert label_changes(frames, "gender") == 0


def test_an_unsure_label_has_a_most_probable_class_too() -> None:
    assert most_probable_class(Label(None, 0.4, {"A": 0.3, "B": 0.4, "C": 0.3})) == "B"
