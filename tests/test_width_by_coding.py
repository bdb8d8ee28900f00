"""Accuracy and calibration by width crossed with compression, on grey faces made up here."""

from pathlib import Path

import numpy as np
import pytest
from test_robustness import _bundle, _dataset, _Extractor
from training_helpers import CountedProgress

from training.errors import DatasetError
from training.evaluation.face_chips import TablePictures
from training.evaluation.intervals import Figures
from training.evaluation.width_by_coding import (
    CODINGS,
    WIDTHS_PX,
    crossed,
    measure_width_by_coding,
)


def _measured(folder: Path, pictures: list[str], labels: list[str | None]) -> list[Figures]:
    table, samples = _dataset(folder, pictures, labels)
    progress = CountedProgress()
    found = measure_width_by_coding(
        _bundle(),
        table,
        TablePictures(samples, _Extractor()),  # type: ignore[arg-type]
        progress=progress,
    )
    assert sum(progress.done) == len(table)
    return found["light"]


def test_each_width_is_measured_with_each_coding(tmp_path: Path) -> None:
    """One face in four is labelled wrongly; of a plain face no coding changes the brightness."""
    cells = _measured(tmp_path, ["200 150"] * 4, ["light"] * 3 + ["dark"])
    codings, rows = crossed(cells)
    assert codings == list(CODINGS) and list(rows) == list(WIDTHS_PX)
    for cell in cells:
        assert cell["rows"] == 4 and cell["small"]
        assert cell["value"] == 0.75
        assert cell["confidence"] == pytest.approx(1, abs=1e-3)
        assert cell["calibration_error"] == pytest.approx(0.25, abs=1e-3)


def test_a_face_counts_for_widths_up_to_its_own(tmp_path: Path) -> None:
    cells = _measured(tmp_path, ["50 30"] * 2 + ["200 60"] * 3, ["light"] * 5)
    found = {(each["face_px"], each["rows"], each["value"]) for each in cells}
    assert found == {*((px, 5, 0.6) for px in (10, 16, 24)), (40, 3, 1.0), (60, 3, 1.0)}


def test_faces_without_a_label_and_faces_not_found_are_left_out(tmp_path: Path) -> None:
    """The picture of the second has no face any more."""
    cells = _measured(tmp_path, ["200 150", "", "50 150"], ["light", "light", None])
    assert {(each["rows"], each["value"]) for each in cells} == {(1, 1.0)}


def test_more_faces_than_are_coded_together_keep_their_labels(tmp_path: Path) -> None:
    levels = np.random.default_rng(0).integers(2, size=40).tolist()
    pictures = [("50 150", "200 150")[level] for level in levels]
    labels: list[str | None] = [("dark", "light")[level] for level in levels]
    assert {each["value"] for each in _measured(tmp_path, pictures, labels)} == {1.0}


def test_pictures_of_another_dataset_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="has none of the pictures of the table"):
        _measured(tmp_path, [""] * 3, ["light"] * 3)
