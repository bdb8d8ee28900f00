"""Names of classes in a dataset and in a model: several for one, and what is proposed."""

import shlex

import pytest

from training.commands.console import parse_map
from training.errors import DatasetError
from training.evaluation.class_map import proposal, resolve_map, split_classes

_RACES = ("Black", "East Asian", "Southeast Asian", "White")
_CLASSES = {"race": _RACES, "age": ("0-2", "3-59", "60+"), "gender": ("Female", "Male")}


def test_one_class_may_be_several_of_the_model() -> None:
    names, merged = resolve_map(
        {"race": {"Asian": "Southeast Asian + East Asian", "Others": None, "black": "Black"}},
        _CLASSES,
    )
    assert names == {
        "race": {"Asian": "East Asian+Southeast Asian", "Others": None, "black": "Black"}
    }
    assert merged == {"race": {"East Asian+Southeast Asian": ("East Asian", "Southeast Asian")}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("60+", ("60+",)),
        ("3-59+60+", ("3-59", "60+")),
        ("60++3-59", ("60+", "3-59")),
        ("60+61", ()),
        ("", ()),
        ("+", ()),
    ],
)
def test_a_plus_may_be_part_of_a_name(text: str, expected: tuple[str, ...]) -> None:
    assert split_classes(text, _CLASSES["age"]) == expected


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        ({"hair": {"a": "b"}}, "names 'hair', which the model lacks; it has race, age, gender"),
        ({"race": {"Asian": "Asian"}}, "names 'Asian', which is no race of the model"),
        ({"race": {"Asian": "East Asian+White+"}}, "several of them with . between"),
        (
            {"race": {"a": "Black+White", "b": "White+East Asian"}},
            "merges 'White' of race into two groups",
        ),
    ],
)
def test_a_map_that_does_not_fit(names: dict[str, dict[str, str | None]], complaint: str) -> None:
    with pytest.raises(DatasetError, match=complaint):
        resolve_map(names, _CLASSES)


@pytest.mark.parametrize(
    ("attribute", "theirs", "expected"),
    [
        ("race", "black", "Black"),
        ("race", "east_asian", "East Asian"),
        ("race", "Asian", "East Asian+Southeast Asian"),
        ("race", "Black African", "Black"),
        ("race", "Wihte", "White"),
        ("race", "Others", ""),
        ("race", "Indian", ""),
        ("race", "non-white", ""),
        ("race", "not Black", ""),
        ("gender", "F", "Female"),
        ("gender", "m", "Male"),
        ("gender", "unknown", ""),
        ("gender", "1", ""),
        ("age", "4-59", ""),
        ("age", "0-3", ""),
    ],
)
def test_only_what_a_name_suggests_is_proposed(attribute: str, theirs: str, expected: str) -> None:
    said = proposal(attribute, [theirs], _CLASSES[attribute])
    assert said == f"--map '{attribute}:{theirs}={expected}'"


def test_a_proposal_is_a_word_of_a_command_that_is_read_as_it_was_meant() -> None:
    name = "it's: a, b=c"
    said = proposal("race", [name], ["White", f"{name} too"])
    option, text = shlex.split(said)
    assert option == "--map"
    assert parse_map([text]) == {"race": {name: f"{name} too"}}
