"""Colour schemes: by person, by the class of an attribute, or one for all."""

import pytest
from fakes import label

from stream.drawing.colours import UNSURE_GREY, ColourScheme
from stream.tracks import Label

_RACES = {"Black": 0.2, "East Asian": 0.3, "White": 0.5}


def _race(text: str | None) -> dict[str, Label]:
    return {"race": Label(text, 0.5, _RACES)}


def test_by_person_labels_mean_nothing() -> None:
    scheme = ColourScheme()
    colours = [scheme.of(number, {}) for number in range(1, 9)]
    assert len(set(colours)) == 8
    assert [scheme.of(number, _race("White")) for number in range(1, 9)] == colours
    assert scheme.key == []


def test_by_attribute_a_class_has_a_colour_whoever_it_is() -> None:
    scheme = ColourScheme("race")
    by_class = {name: scheme.of(1, _race(name)) for name in _RACES}
    assert len({*by_class.values(), UNSURE_GREY}) == 4
    assert {name: ColourScheme("race").of(7, _race(name)) for name in _RACES} == by_class
    assert scheme.of(1, _race(None)) == UNSURE_GREY
    assert scheme.of(1, {"gender": label()}) == UNSURE_GREY
    assert scheme.of(1, {}) == UNSURE_GREY


def test_the_key_has_the_classes_that_were_met_in_their_order() -> None:
    scheme = ColourScheme("race")
    white, black = scheme.of(1, _race("White")), scheme.of(2, _race("Black"))
    scheme.of(3, _race(None))
    assert scheme.key == [("Black", black), ("White", white)]
    scheme.forget()
    assert scheme.key == []


def test_groups_have_colours_of_their_own_in_a_given_order() -> None:
    one, other = (ColourScheme("race", ["Asian", "European"]) for _ in range(2))
    asian, european = one.of(1, _race("Asian")), one.of(1, _race("European"))
    assert (other.of(1, _race("European")), other.of(1, _race("Asian"))) == (european, asian)
    classes = [one.of(1, _race(name)) for name in _RACES]
    assert len({asian, european, *classes}) == 5
    assert ColourScheme("race").of(1, _race("Asian")) == asian  # met first


@pytest.mark.parametrize(
    ("name", "bgr"), [("#40c0ff", (255, 192, 64)), ("#000000", (0, 0, 0)), ("#FFFFFF", (255,) * 3)]
)
def test_one_colour(name: str, bgr: tuple[int, int, int]) -> None:
    scheme = ColourScheme(name)
    assert scheme.of(1, {}) == bgr
    assert scheme.of(2, _race("White")) == bgr
    assert scheme.key == []
