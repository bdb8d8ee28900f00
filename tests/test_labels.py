"""Labels as text: what means none, and which classes may be one."""

import pytest

from training.datasets.label_notes import label_notes
from training.datasets.labels import known


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
        "n / a",
        "# N/A",
        "k.A.",
        "\uff2e\uff0f\uff21",
        "\u200b",
        " " * 40,
    ],
)
def test_a_text_that_means_no_label(text: str) -> None:
    assert known(text) is None
    assert known(f" {text.swapcase()} ") is None


@pytest.mark.parametrize(
    "text", ["Nana", "no", "0", "unknown", "not Male", "3-9", " Male", "nan" * 20]
)
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


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        (("1", "1.0", "0", "2"), "'1' (1) and '1.0' (1)"),
        (("True", "1", "False", "0,0"), "'True' (1) and '1' (1)"),
        (("yes", "no", "true"), "'yes' (1) and 'true' (1)"),
    ],
)
def test_classes_that_may_mean_the_same_are_named(names: tuple[str, ...], meant: str) -> None:
    note, *_ = label_notes({"smile": names})
    assert note.startswith(f"smile: {meant} may mean the same but count as 2 classes")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        *(("Femal", "Female"), ("Femmale", "Female"), ("Fenale", "Female"), ("Mael", "Male")),
        *(("East Asain", "East Asian"), ("east-asian", "East Asian"), ("20-92", "20-29")),
    ],
)
def test_a_mistyped_class_is_named_with_the_nearest_one(wrong: str, right: str) -> None:
    labels = ("Male", "Female", "East Asian", "Southeast Asian", "20-29", "30-39") * 20
    (note,) = label_notes({"label": (wrong, *labels)})
    assert note == (
        f"label: {wrong!r} (1) is a letter off {right!r} (20) but counts as a class of its own: "
        "correct it if it is mistyped"
    )


@pytest.mark.parametrize(
    "names",
    [
        ("Male", "Female") * 10,
        ("East Asian",) * 50 + ("Southeast Asian", "West Asian"),
        ("cat",) * 50 + ("bat",),
        ("1990",) * 50 + ("1991",),
        tuple(f"person {number}" for number in range(300)),
        ("smiled",) * 20 + ("smiles",) * 20,
    ],
)
def test_classes_that_are_both_meant_are_not_named(names: tuple[str, ...]) -> None:
    assert not list(label_notes({"label": names}))


@pytest.mark.parametrize(
    "name",
    [
        *("unknown", "Not available", "UNLABELED", "no_label", "keine Angabe", "Inconnu"),
        *("desconocido", "\u4e0d\u660e", "unsure"),
    ],
)
def test_a_class_that_may_mean_no_label_is_named(name: str) -> None:
    (note,) = label_notes({"gender": ("Male", name, name, None)})
    assert note.startswith(f"gender: {name!r} (2) counts as a class: leave the label empty")


def test_people_who_may_be_one_are_named() -> None:
    (note,) = label_notes({}, ("Anna", "anna", None, "Anna", "p1", "p2"))
    assert note.startswith("identity: 'Anna' (2) and 'anna' (1) differ in letter case or spaces")
    assert "count as 2 people" in note
