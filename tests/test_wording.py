"""Labels in words: in full, short, and unsure."""

import re
from pathlib import Path

import pytest
from fakes import label
from hypothesis import example, given
from hypothesis import strategies as st

from stream.drawing.wording import _BARE, Words, display_name, full_lines, label_text, short_lines
from stream.tracks import Label

_OF_THE_PAGE = Path(__file__).parents[1] / "stream" / "page" / "assets" / "wording.js"

_RACES = ("Black", "East Asian", "Indian", "Middle Eastern", "Southeast Asian", "White")


def _of(text: str | None, classes: tuple[str, ...], confidence: float = 0.8) -> Label:
    return Label(text, confidence, dict.fromkeys(classes, 1 / len(classes)))


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (label("Female", 0.914), "Female 91%"),
        (label("Female", 1.0), "Female 99%"),
        (label(None, 0.4), "gender unsure"),
        (Label("Female", 0.42, {}, is_held=True), "Female"),
    ],
)
def test_a_label_in_words(said: Label, text: str) -> None:
    assert label_text("gender", said) == text


def test_without_confidence() -> None:
    assert label_text("gender", label("Female", 0.9), with_confidence=False) == "Female"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *[("20-29", "face age 20–29 80%"), ("more than 70", "face age more than 70 80%")],
        *[("adult", "adult 80%"), ("yes", "face age yes 80%"), ("False", "face age False 80%")],
        *[
            ("F", "face age F 80%"),
            ("女性", "女性 80%"),
            ("Man", "Man 80%"),
            ("Other", "face age Other 80%"),
        ],
    ],
)
def test_a_class_that_says_little_is_said_with_its_attribute(name: str, text: str) -> None:
    assert label_text("face_age", _of(name, (name, "x"))) == text


def test_names_as_pictures_show_them() -> None:
    assert display_name("Latino_Hispanic") == "Latino Hispanic"
    assert display_name("20-29") == "20–29"
    assert display_name("non-binary") == "non-binary"


def test_full_lines_have_what_is_unsure_apart() -> None:
    labels = {"gender": label("Female", 0.9), "race": label(None, 0.3)}
    sure, unsure = (Words("Female 90%"),), (Words("race unsure", is_sure=False),)
    assert full_lines(labels, with_confidence=True) == (sure, unsure)
    held = {"gender": Label("Female", 0.42, {}, is_held=True)}
    assert full_lines(held, with_confidence=True, surest=True) == ((Words("Female 99%"),),)


def _short(labels: dict[str, Label], names: dict[str, dict[str, str]]) -> str:
    (line,) = short_lines(labels, names)
    return "".join(words.text for words in line)


def test_short_names_are_those_of_the_model() -> None:
    labels = {"gender": label("Female"), "race": _of("Southeast Asian", _RACES)}
    names = {"gender": {"Female": "F"}, "race": {"Southeast Asian": "SE Asian"}}
    assert _short(labels, names) == "F · SE Asian"
    # A class without one keeps its name where others of the attribute have one.
    assert _short({"race": _of("White", _RACES)}, names) == "White"


@pytest.mark.parametrize(
    ("name", "classes", "short"),
    [
        ("Female", ("Female", "Male"), "F"),
        ("East Asian", _RACES, "EA"),
        ("Middle Eastern", _RACES, "ME"),
        ("Latino_Hispanic", ("Latino_Hispanic", "Black"), "LH"),
        ("Sad", ("Sad", "Surprised", "Happy"), "Sa"),
        ("Mal", ("Mal", "Male"), "Mal"),
        ("20-29", ("10-19", "20-29"), "20–29"),
        ("Asian", ("East Asian", "Southeast Asian"), "A"),  # a group
        ("女性", ("女性", "男性"), "女"),
    ],
)
def test_classes_without_short_names_have_their_first_letters(
    name: str, classes: tuple[str, ...], short: str
) -> None:
    assert _short({"x": _of(name, classes)}, {}) == short


def test_short_labels_say_which_are_unsure() -> None:
    (line,) = short_lines({"gender": label("Male"), "race": label(None)}, {})
    assert line == (Words("M"), Words(" · "), Words("?", is_sure=False))


@given(st.text(alphabet="abcNoYyesfalsther 0123éß-", max_size=8))
@example("yes")
@example("No")
@example("FALSE")
@example("20–29")
@example("other people")
def test_the_page_takes_the_same_classes_for_bare(name: str) -> None:
    """Its rule is written in JavaScript; there an unsure label has no name and is bare too."""
    found = re.search(r"^const BARE = /(.*)/i;$", _OF_THE_PAGE.read_text(), re.MULTILINE)
    assert found is not None
    theirs = re.compile(found[1], re.IGNORECASE | re.ASCII)
    assert bool(theirs.search(name)) == bool(_BARE.fullmatch(name) or not name)
