"""What both halves of a table share, and pictures with two labels: found, named and refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from training_helpers import drawn_table

from training.errors import DatasetError
from training.features.leaks import (
    Contradiction,
    Leak,
    describe_contradictions,
    describe_leaks,
    find_contradictions,
    find_leaks,
    table_leaks,
)
from training.features.table import FeatureTable
from training.features.table_files import read_table
from training.fitting.fit import fit
from training.fitting.settings import FitSettings, command_line

_NOBODY = (None,) * 4


def _hashes(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.uint64)


def test_nearly_identical_pictures_in_both_halves() -> None:
    files, splits = ("a", "b", "c", "d"), ("test", "train", "test", "train")
    assert find_leaks(files, splits, _NOBODY, _hashes(0b1, 0b11111, 2**40, 2**50 - 1)) == (
        Leak("a", "b"),
    )
    assert find_leaks(files, splits, _NOBODY, _hashes(7, 7, 7, 7)) == (
        Leak("a", "b"),
        Leak("c", "b"),
    )
    five_bits = _hashes(0b1, 0b111111, 2**40, 2**50 - 1)
    assert find_leaks(files, splits, _NOBODY, five_bits) == ()
    assert find_leaks(files, ("test", "train") * 2, _NOBODY, _hashes(0, 0, 0, 0)) == ()
    same_half = ("test", "test", "train", "train")
    assert find_leaks(files, same_half, _NOBODY, _hashes(7, 7, 2**50 - 1, 2**51 - 1)) == ()


def test_a_file_that_is_listed_for_both_halves() -> None:
    leaks = find_leaks(("a", "a"), ("train", "test"), (None, None), _hashes(0, 0))
    assert leaks == (Leak("a", "a"),)


def test_known_people_in_both_halves() -> None:
    files, splits = ("a", "b", "c", "d"), ("test", "train", "test", "train")
    leaks = find_leaks(files, splits, ("ann", "ann", None, None), _hashes(0, 0, 0, 0))
    assert leaks == (Leak("a", "b", "ann"),)
    assert describe_leaks(leaks) == "1 known person is in both halves, such as ann in a and b"


def test_one_picture_with_two_labels() -> None:
    labels = {"gender": ("x", "y", None, "x"), "hat": ("no", "no", "no", "no")}
    found = find_contradictions(("a", "b", "c", "d"), labels, _hashes(1, 3, 7, 2**40))
    assert found == (Contradiction("gender", ("a", "b"), ("x", "y")),)
    assert describe_contradictions(found).endswith("such as a and b (gender: x and y)")
    (twice,) = find_contradictions(("a", "a"), {"hat": ("yes", "no")}, _hashes(0, 0))
    assert str(twice) == "a (hat: yes and no)"


@pytest.fixture(scope="module")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> FeatureTable:
    """A drawn table in which two pictures, 4 held out and 5 in training, are nearly identical."""
    table = read_table(drawn_table(tmp_path_factory.mktemp("drawn") / "t.parquet", 400))
    hashes = np.random.default_rng(0).integers(1, 2**64, len(table), dtype=np.uint64)
    hashes[5] = hashes[4] ^ np.uint64(0b1011)
    return replace(table, picture_hashes=hashes)


def test_a_table_with_a_leak_is_fitted_on_only_where_that_is_allowed(leaking: FeatureTable) -> None:
    assert table_leaks(leaking) == (Leak("4.jpg", "5.jpg"),)
    settings = FitSettings(attributes=("gender",), classifier="logistic")
    said = "1 held-out picture is nearly identical to training pictures, such as 4.jpg and 5.jpg"
    with pytest.raises(DatasetError, match=said) as caught:
        fit(leaking, settings)
    assert "--allow-leak" in str(caught.value)
    allowed = replace(settings, allow_leak=True)
    assert "--allow-leak" in command_line(allowed)
    record = fit(leaking, allowed).manifest.provenance["settings"]
    assert FitSettings.from_record(record) == allowed
    del record["allow_leak"]  # a model of before leaks were looked for
    assert FitSettings.from_record(record) == allowed


def test_a_table_of_an_earlier_version_is_searched_for_people_only(leaking: FeatureTable) -> None:
    unknown = np.zeros(len(leaking), dtype=np.uint64)
    assert table_leaks(replace(leaking, picture_hashes=unknown)) == ()


def test_hashes_are_kept_with_a_table(tmp_path: Path) -> None:
    path = drawn_table(tmp_path / "t.parquet", 8)
    assert set(read_table(path).picture_hashes.tolist()) == {0}
