"""Which pictures are held out: whole people, the same part of each class, another by each seed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.datasets import Samples
from training.datasets.splits import (
    HoldOut,
    hold_out_development,
    hold_out_identities,
    hold_out_names,
    hold_out_stratified,
    split,
)
from training.errors import DatasetError


def _samples(
    count: int,
    identities: tuple[str | None, ...] | None = None,
    splits: tuple[str | None, ...] | None = None,
) -> Samples:
    return Samples(
        name="made up",
        root=Path(),
        files=tuple(f"{number}.jpg" for number in reversed(range(count))),
        labels={"gender": tuple(("Male", "Female", "Female")[n % 3] for n in range(count))},
        identities=identities or (None,) * count,
        splits=splits or (None,) * count,
    )


def test_nobody_is_in_both_halves() -> None:
    people = tuple(f"person {number % 40}" for number in range(200))
    splits, how = split(_samples(200, people), HoldOut())
    halves = {
        half: {p for p, s in zip(people, splits, strict=True) if s == half} for half in splits
    }
    assert not halves["train"] & halves["test"]
    assert len(halves["test"]) == 4
    assert "the people" in how


def test_people_of_whom_only_some_are_known_are_kept_apart_too() -> None:
    people = tuple(f"person {number % 25}" if number < 100 else None for number in range(200))
    splits, how = split(_samples(200, people), HoldOut(fraction=0.2))
    halves: dict[str, list[str | None]] = {"train": [], "test": []}
    for person, half in zip(people, splits, strict=True):
        halves[half].append(person)
    assert set(halves["train"]) & set(halves["test"]) == {None}
    known = set(halves["test"]) - {None}
    unknown_count = halves["test"].count(None)
    assert known and unknown_count, "both kinds are held out"
    # A fifth of 25 people and 100 rows that count as one each.
    assert len(known) + unknown_count == 25
    assert how == "0.2 of the people, drawn with seed 20170624"


def test_a_dataset_s_own_split_is_taken_unless_another_is_named() -> None:
    given = ("test", None, "train", *[None] * 27)
    splits, how = split(_samples(30, splits=given), HoldOut())
    assert splits == ("test", *["train"] * 29)
    assert how == "the dataset's own split"
    splits, how = split(_samples(30, splits=given), HoldOut(fraction=0.5))
    assert splits.count("test") == 15
    assert how.startswith("0.5 of each class")


@pytest.mark.parametrize("marked", ["test", None])
def test_a_dataset_that_holds_out_all_its_pictures_is_obeyed(marked: str | None) -> None:
    """A validation folder alone is not split anew; what no row marks is for training."""
    given = ("test",) * 29 + (marked,)
    splits, how = split(_samples(30, splits=given), HoldOut())
    assert splits.count("test") == (30 if marked else 29)
    assert how == "the dataset's own split"


def test_of_training_pictures_alone_a_tenth_is_held_out() -> None:
    splits, how = split(_samples(30, splits=("train",) * 30), HoldOut())
    assert splits.count("test") == 3
    assert how.startswith("0.1 of each class")


def test_a_picture_marked_for_training_is_not_held_out_where_others_are_not_marked() -> None:
    given = ("train",) * 15 + (None,) * 15
    splits, _ = split(_samples(30, splits=given), HoldOut())
    assert set(splits[:15]) == {"train"}
    assert "test" in splits[15:]


def test_that_a_given_split_is_set_aside_is_said() -> None:
    given = ("test", *["train"] * 29)
    for hold_out in (HoldOut(fraction=0.5), HoldOut(first=3)):
        _, how = split(_samples(30, splits=given), hold_out)
        assert how.endswith(", not the dataset's own split")


def test_pictures_are_drawn_among_those_that_can_be_used() -> None:
    samples = _samples(40)
    usable = np.arange(40) % 10 == 0
    for seed in range(5):
        splits, _ = split(samples, HoldOut(), seed, usable=usable)
        assert {row for row, half in enumerate(splits) if half == "test"} < {0, 10, 20, 30}
    # By number everyone means the same pictures, whether they can be used or not.
    assert split(samples, HoldOut(first=3), usable=usable) == split(samples, HoldOut(first=3))


def test_one_picture_that_can_be_used_is_for_training() -> None:
    splits, how = split(_samples(4), HoldOut(), usable=np.array([False, True, False, False]))
    assert set(splits) == {"train"}
    assert how.startswith("nothing: ")


def test_what_is_alike_is_not_parted() -> None:
    alike = np.arange(90) // 3
    for identities in (None, tuple(f"person {number % 45}" for number in range(90))):
        for seed in range(5):
            splits, _ = split(_samples(90, identities), HoldOut(), seed, alike=alike)
            assert {len(set(splits[row : row + 3])) for row in range(0, 90, 3)} == {1}
            if identities is not None:
                assert splits[:45] == splits[45:]


@pytest.mark.parametrize("known", [False, True])
def test_each_class_of_two_pictures_or_more_is_in_both_halves(known: bool) -> None:
    races = ["White"] * 80 + ["Black"] * 5 + ["Indian"] * 2 + ["Other"]
    samples = replace(
        _samples(88, tuple(f"person {row}" for row in range(88)) if known else None),
        labels={"gender": ("Male", "Female") * 44, "race": tuple(races)},
    )
    for seed in range(20):
        splits, _ = split(samples, HoldOut(), seed)
        held = {race for race, half in zip(races, splits, strict=True) if half == "test"}
        kept = {race for race, half in zip(races, splits, strict=True) if half == "train"}
        assert held == {"White", "Black", "Indian"}
        assert kept == {*held, "Other"}
        assert splits.count("test") < 14


def test_people_stay_whole_where_a_class_needs_one() -> None:
    people = tuple(f"person {row // 4}" for row in range(80))
    races = tuple("Black" if row // 4 in (3, 7) else "White" for row in range(80))
    samples = replace(_samples(80, people), labels={"race": races})
    for seed in range(10):
        splits, _ = split(samples, HoldOut(fraction=0.05), seed)
        assert {len(set(splits[row : row + 4])) for row in range(0, 80, 4)} == {1}
        held = {race for race, half in zip(races, splits, strict=True) if half == "test"}
        assert held == {"Black", "White"}


def test_without_people_each_class_is_held_out_alike() -> None:
    samples = _samples(300)
    splits, _ = split(samples, HoldOut(fraction=0.2))
    held = [g for g, s in zip(samples.labels["gender"], splits, strict=True) if s == "test"]
    assert (held.count("Male"), held.count("Female")) == (20, 40)


def test_the_first_by_number_are_held_out() -> None:
    samples = _samples(30)
    splits, _ = split(samples, HoldOut.parse("first:3"))
    held = {f for f, s in zip(samples.files, splits, strict=True) if s == "test"}
    assert held == {"0.jpg", "1.jpg", "2.jpg"}


def test_a_split_is_the_same_for_a_seed_and_another_for_another() -> None:
    samples = _samples(100)
    assert split(samples, HoldOut(), 1) == split(samples, HoldOut(), 1)
    assert split(samples, HoldOut(), 1)[0] != split(samples, HoldOut(), 2)[0]


@pytest.mark.parametrize(
    "text", ["some", "first:", "first:0", "first:-1", "1.5", "1", "0", "-0.1", "nan"]
)
def test_a_hold_out_that_is_not_understood(text: str) -> None:
    with pytest.raises(DatasetError, match="--hold-out"):
        HoldOut.parse(text)
    with pytest.raises(DatasetError, match=f"^--development {text} is not"):
        HoldOut.parse(text, "--development")


def test_a_half_must_not_be_empty() -> None:
    with pytest.raises(DatasetError, match="leaves one half empty"):
        split(_samples(3), HoldOut(first=3))


@pytest.mark.parametrize("text", ["given", "first:5000", "0.1"])
def test_a_hold_out_is_spelt_as_it_is_read(text: str) -> None:
    assert HoldOut.parse(text).text == text


def test_another_seed_holds_out_others_however_it_is_drawn() -> None:
    names = [f"person {number // 2}" for number in range(200)]
    classes = ["a", "b"] * 100
    for how, rows in (
        (hold_out_identities, names),
        (hold_out_names, names),
        (hold_out_stratified, classes),
    ):
        first, again, other = (how(rows, 0.2, seed) for seed in (1, 1, 2))
        assert np.array_equal(first, again), how
        assert not np.array_equal(first, other), how


def test_a_name_is_drawn_or_not_whatever_the_others_are() -> None:
    names = [f"{number}.jpg" for number in range(400)]
    held = hold_out_names(names, 0.1, 3)
    assert 20 < held.sum() < 60
    assert np.array_equal(hold_out_names(names[::4], 0.1, 3), held[::4])


def test_at_least_one_name_is_drawn_with_all_its_rows() -> None:
    names = ["ann", "bob", "ann", "cid"]
    held = hold_out_names(names, 1e-9, 0)
    assert len({name for name, is_held in zip(names, held, strict=True) if is_held}) == 1
    assert held[0] == held[2]


def test_at_least_one_row_is_held_out_of_few() -> None:
    assert hold_out_stratified(["a", "b", "a"], 0.1, 0).sum() == 1


def test_development_rows_are_the_first_pictures_where_that_is_asked_for() -> None:
    """By the numbers in their names; a mirrored row has its picture's name, and its fate."""
    files = ["10.jpg", "9.jpg", "9.jpg", "100.jpg", "2.jpg"]
    held = hold_out_development(files, [None] * 5, HoldOut(first=2), seed=1)
    assert held.tolist() == [False, True, True, False, True]


def test_development_rows_are_whole_people() -> None:
    files = [f"{number}.jpg" for number in range(6)]
    people = ["a", "b", "a", None, "b", None]
    held = hold_out_development(files, people, HoldOut(first=1), seed=1)
    assert held.tolist() == [True, False, True, False, False, False]
    drawn = hold_out_development(files * 50, [f"{n % 40}" for n in range(300)], HoldOut(), seed=1)
    by_person = {(n % 40, bool(each)) for n, each in enumerate(drawn)}
    assert len(by_person) == 40 and 0 < drawn.sum() < 90


def test_a_share_of_development_rows_is_the_share_of_the_names() -> None:
    files = [f"{number}.jpg" for number in range(2000)]
    half = hold_out_development(files, [None] * 2000, HoldOut(fraction=0.5), seed=3)
    tenth = hold_out_development(files, [None] * 2000, HoldOut(), seed=3)
    assert half.mean() == pytest.approx(0.5, abs=0.05)
    assert tenth.mean() == pytest.approx(0.1, abs=0.03)
    assert not (tenth & ~half).any(), "a smaller share is part of a larger one"
