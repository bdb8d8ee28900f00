"""What is said of the classes before anything is fitted on them."""

import pytest

from training.fitting.class_counts import class_counts_line
from training.fitting.settings import FitSettings


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
