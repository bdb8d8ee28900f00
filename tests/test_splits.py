"""Which pictures are held out: whole people, the same part of each class, another by each seed."""

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


def test_a_dataset_of_one_half_only_is_split_anew() -> None:
    splits, how = split(_samples(30, splits=("test",) * 30), HoldOut())
    assert splits.count("test") == 3
    assert how.startswith("0.1 of each class")


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
