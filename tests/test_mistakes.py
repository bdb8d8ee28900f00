"""The surest errors and the labels that look wrong: found among labels changed on purpose."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from models.classification.bundle import Bundle
from training.evaluation.evaluate import Comparison, compare, report_on
from training.evaluation.mistakes import LISTED_ISSUES, SHOWN_ERRORS, find_label_issues
from training.evaluation.predictions import predictions_table, write_predictions
from training.features.table import FeatureTable
from training.fitting.fit import fit
from training.fitting.settings import FitSettings


def _relabelled(table: FeatureTable, rows: NDArray[np.intp]) -> FeatureTable:
    """The table with the other gender in some rows."""
    gender = table.labels["gender"].copy()
    gender[rows] = np.where(gender[rows] == "Male", "Female", "Male")
    return replace(table, labels={**table.labels, "gender": gender})


def _held_out(table: FeatureTable) -> NDArray[np.intp]:
    return np.flatnonzero(table.splits == "test")


@pytest.fixture(scope="module")
def compared(drawn_model: Bundle, drawn_faces: FeatureTable) -> Comparison:
    """Every twentieth held-out face is labelled wrongly."""
    return compare(drawn_model, _relabelled(drawn_faces, _held_out(drawn_faces)[::20]))


def test_changed_labels_are_among_those_that_look_wrong(
    drawn_model: Bundle, drawn_faces: FeatureTable, compared: Comparison
) -> None:
    issues = report_on(drawn_model, compared)["attributes"]["gender"]["label_issues"]
    changed = set(drawn_faces.files[_held_out(drawn_faces)[::20]])
    listed = [each["file"] for each in issues["faces"]]
    assert issues["count"] == len(listed)
    assert len(changed & set(listed)) >= 6, "of 15; a clear face is surer than the mean"
    assert len(changed & set(listed)) >= 0.8 * len(listed)
    for each in issues["faces"]:
        assert each["label"] != each["perceived"]
        assert each["label_probability"] < 0.1 < each["confidence"]


def test_a_label_that_the_model_agrees_with_is_never_doubted() -> None:
    given = np.repeat(np.arange(3), 40)
    probabilities = np.full((120, 3), 0.1, dtype=np.float32)
    probabilities[np.arange(120), given] = 0.8
    issues, likely = find_label_issues(probabilities, given)
    assert len(issues) == len(likely) == 0
    probabilities[0] = 0.9, 0.05, 0.05
    probabilities[50] = 0.05, 0.9, 0.05
    given[0], given[50] = 2, 0
    issues, likely = find_label_issues(probabilities, given)
    assert sorted(zip(issues.tolist(), likely.tolist(), strict=True)) == [(0, 0), (50, 1)]


@pytest.mark.parametrize(("faces", "doubted"), [(4, 0), (5, 1)])
def test_a_class_of_a_few_faces_is_not_suggested(faces: int, doubted: int) -> None:
    """One wrong label among four would set its mean confidence to anything."""
    given = np.array([0] * 20 + [1] * faces)
    probabilities = np.full((20 + faces, 2), 0.05, dtype=np.float32)
    probabilities[np.arange(len(given)), given] = 0.95
    probabilities[0] = 0.05, 0.95
    assert len(find_label_issues(probabilities, given)[0]) == doubted


def test_the_surest_errors_come_first(drawn_model: Bundle, compared: Comparison) -> None:
    figures = report_on(drawn_model, compared)["attributes"]["race"]
    errors, counts = figures["surest_errors"], np.array(figures["confusion"])
    confidences = [each["confidence"] for each in errors]
    assert len(errors) == min(SHOWN_ERRORS, counts.sum() - counts.trace())
    assert confidences == sorted(confidences, reverse=True)
    truth = dict(zip(compared.table.files, compared.truths["race"], strict=True))
    assert all(truth[each["file"]] == each["label"] != each["perceived"] for each in errors)
    doubted = {each["file"] for each in figures["label_issues"]["faces"]}
    assert doubted
    for each in errors:
        assert each["label_looks_wrong"] == (each["file"] in doubted)


def test_faces_without_a_label_are_no_errors(
    drawn_model: Bundle, drawn_faces: FeatureTable
) -> None:
    gender = drawn_faces.labels["gender"].copy()
    gender[_held_out(drawn_faces)[5:]] = None
    unlabelled = replace(drawn_faces, labels={**drawn_faces.labels, "gender": gender})
    figures = report_on(drawn_model, compare(drawn_model, unlabelled))["attributes"]["gender"]
    known = set(drawn_faces.files[_held_out(drawn_faces)[:5]])
    assert {each["file"] for each in figures["surest_errors"]} <= known
    assert figures["label_issues"] == {"count": 0, "faces": []}


def test_a_row_a_face_with_the_columns_of_a_log(compared: Comparison, tmp_path: Path) -> None:
    write_predictions(tmp_path, compared)
    written = pq.read_table(tmp_path / "predictions.parquet")
    assert written.column_names == [
        *("file", "face", "identity", "split", "face_px"),
        *("gender_label", "gender", "gender_confidence", "gender_Female", "gender_Male"),
        *("race_label", "race", "race_confidence", "race_Black", "race_Indian", "race_White"),
    ]
    assert written["file"].to_pylist() == compared.table.files.tolist()
    assert written["gender_label"].to_pylist() == compared.truths["gender"].tolist()
    probabilities = compared.predictions["gender"].probabilities
    assert written["gender_Male"].to_pylist() == pytest.approx(probabilities[:, 1].tolist())
    male = [each == "Male" for each in written["gender"].to_pylist()]
    assert male == (probabilities[:, 1] > 0.5).tolist()
    assert written["gender_confidence"].to_pylist() == probabilities.max(axis=1).tolist()


def test_what_the_dataset_does_not_label_is_predicted_too(
    drawn_model: Bundle, drawn_faces: FeatureTable
) -> None:
    only = replace(drawn_faces, labels={"gender": drawn_faces.labels["gender"]})
    written = predictions_table(compare(drawn_model, only))
    assert written["race_label"].null_count == len(written) == 300
    assert written["race"].null_count == 0


def test_a_class_called_label_keeps_its_column(drawn_faces: FeatureTable) -> None:
    names = {"Female": "label", "Male": "label_"}
    gender = np.array([names[each] for each in drawn_faces.labels["gender"]], dtype=object)
    renamed = replace(drawn_faces, labels={"gender": gender})
    fitted = fit(renamed, FitSettings(classifier="logistic"))
    comparison = compare(Bundle(Path("model"), fitted.manifest, fitted.files), renamed)
    written = predictions_table(comparison)
    assert written.column_names[5:] == [
        *("gender_label__", "gender", "gender_confidence", "gender_label", "gender_label_")
    ]
    assert set(written["gender_label__"].to_pylist()) == {"label", "label_"}


def test_all_labels_that_look_wrong_are_in_the_list(
    drawn_model: Bundle, drawn_faces: FeatureTable, tmp_path: Path
) -> None:
    """Names that a spreadsheet would calculate stand there as text."""
    held = _held_out(drawn_faces)
    files = drawn_faces.files.copy()
    files[held[0]] = "=HYPERLINK(1).jpg"
    many = compare(drawn_model, replace(_relabelled(drawn_faces, held[::2]), files=files))
    write_predictions(tmp_path, many)
    with (tmp_path / "label_issues.csv").open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["attribute"] == "race"]
    issues = report_on(drawn_model, many)["attributes"]["race"]["label_issues"]
    assert len(rows) == issues["count"]
    assert [row["file"] for row in rows[:LISTED_ISSUES]] == [e["file"] for e in issues["faces"]]
    assert "\n=" not in (tmp_path / "label_issues.csv").read_text()
    json.dumps(issues, allow_nan=False)
