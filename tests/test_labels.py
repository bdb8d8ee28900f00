"""Labels as text: what means none, and which classes may be one."""

import pytest

from training.datasets.labels import known, label_notes


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "none",
        "N/A",
        "n.a.",
        "null",
        "?",
        "",
        " ",
        "\t",
        "#N/A",
        "<NA>",
        "NaT",
        "--",
        "#REF!",
    ],
)
def test_a_text_that_means_no_label(text: str) -> None:
    assert known(text) is None
    assert known(f" {text.swapcase()} ") is None


@pytest.mark.parametrize("text", ["Nana", "no", "0", "unknown", "not Male", "3-9", " Male"])
def test_a_text_that_is_a_label(text: str) -> None:
    assert known(text) == text


def test_classes_that_may_be_one_are_named_with_how_often_they_occur() -> None:
    labels = {
        "gender": ("Male", "male", "Male", "Female", None),
        "race": ("East Asian", "East  asian ", "East_Asian", "West Asian"),
        "name": ("Jos\u00e9", "Jose\u0301"),
        "age": ("3-9", "39", "10-19"),
    }
    notes = list(label_notes(labels))
    assert len(notes) == 3
    assert notes[0].startswith("gender: 'Male' (2) and 'male' (1) differ in letter case or spaces")
    assert "race: 'East Asian' (1) and 'East  asian ' (1) and 'East_Asian' (1)" in notes[1]
    assert notes[2].startswith("name: ")


@pytest.mark.parametrize("unseen", ["\u200b", "\u00ad", "\ufeff", "\x00", "\n"])
def test_characters_that_are_not_seen_make_no_other_class(unseen: str) -> None:
    (note,) = label_notes({"gender": ("Male", f"Ma{unseen}le")})
    assert "'Male' (1) and" in note and "are one" in note


@pytest.mark.parametrize("name", ["unknown", "Not available", "UNLABELED", "no_label"])
def test_a_class_that_may_mean_no_label_is_named(name: str) -> None:
    (note,) = label_notes({"gender": ("Male", name, name, None)})
    assert note.startswith(f"gender: {name!r} (2) counts as a class: leave the label empty")
