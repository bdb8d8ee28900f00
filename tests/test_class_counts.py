"""What is said of the classes before anything is fitted on them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from training_helpers import drawn_table

from training.features.table_files import read_table
from training.fitting.class_counts import class_counts, class_counts_line
from training.fitting.settings import FitSettings


def test_a_table_is_counted_without_mirror_images_and_held_out_rows(tmp_path: Path) -> None:
    table = read_table(drawn_table(tmp_path / "t.parquet", 40))
    doubled = replace(table[np.repeat(np.arange(40), 2)], mirrored=np.arange(80) % 2 == 1)
    lines = list(class_counts(doubled, FitSettings()))
    assert [line.partition(" to fit on: ")[0] for line in lines] == [
        "gender: 30 faces",
        "race: 30 faces",
    ]
    female = (table.labels["gender"][table.splits == "train"] == "Female").sum()
    assert f": {female} Female, {30 - female} Male" in lines[0]


def test_a_mistyped_class_is_named_before_it_is_learned(tmp_path: Path) -> None:
    table = read_table(drawn_table(tmp_path / "t.parquet", 40))
    gender = table.labels["gender"].copy()
    gender[np.flatnonzero(gender == "Female")[0]] = "Femal"
    mistyped = replace(table, labels={**table.labels, "gender": gender})
    *_, note = class_counts(mistyped, FitSettings(attributes=("gender",)))
    assert note.startswith("gender: 'Femal' (1) is a letter off 'Female' (")
    assert not [line for line in class_counts(mistyped, FitSettings(attributes=("race",)))][1:]


def test_each_class_is_counted() -> None:
    line = class_counts_line("age", ["3-9"] * 20 + ["20-29"] * 30 + ["10-19"], FitSettings())
    assert line.startswith("age: 51 faces to fit on: 20 3-9, 1 10-19, 30 20-29; imbalanced, ")


@pytest.mark.parametrize(("many", "imbalanced"), [(299, False), (300, True)])
def test_three_times_as_many_are_imbalanced(many: int, imbalanced: bool) -> None:
    labels = ["Male"] * many + ["Female"] * 100
    line = class_counts_line("gender", labels, FitSettings())
    advice = "imbalanced, Male has 3 times the faces of Female: pictures of Female help most"
    assert (advice in line) == imbalanced
    assert ("--class-weight balanced" in line) == imbalanced
    assert "--class-weight" not in class_counts_line("gender", labels, FitSettings(balanced=True))


def test_of_many_classes_the_largest_are_named() -> None:
    labels = [f"class {number}" for number in range(100) for _ in range(number + 1)]
    line = class_counts_line("kind", labels, FitSettings())
    assert "to fit on: 100 class 99, 99 class 98" in line
    assert "81 class 80, and 80 rarer classes; imbalanced, class 99 has 100 times" in line
    assert "class 79" not in line.partition(";")[0]
