"""Cross-validation: whole people in a part, every class in each, and no held-out row in any."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from training_helpers import drawn_table, flagged_table

from training.errors import DatasetError
from training.evaluation.card import card
from training.evaluation.cross_validation import cross_validate, folds_of
from training.evaluation.publish import publish
from training.features.table import FeatureTable
from training.features.table_files import read_table
from training.fitting.fit import fit
from training.fitting.settings import FitSettings, command_line

SETTINGS = FitSettings(attributes=("gender",), classifier="logistic", folds=3)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> FeatureTable:
    return read_table(drawn_table(tmp_path_factory.mktemp("drawn") / "t.parquet", 400))


def test_people_stay_together_and_classes_are_spread() -> None:
    people = np.arange(300) // 3
    classes = np.array([int(number // 3 % 10 == 0) for number in range(300)])
    parts = folds_of(people, classes, 5, seed=0)
    for person in range(100):
        assert len(set(parts[people == person])) == 1
    assert np.bincount(parts).tolist() == [60] * 5
    assert np.bincount(parts[classes == 1]).tolist() == [6] * 5
    assert folds_of(people, classes, 5, seed=0).tolist() == parts.tolist()
    assert folds_of(people, classes, 5, seed=1).tolist() != parts.tolist()


def test_mean_and_spread_of_an_accuracy(table: FeatureTable) -> None:
    said: list[str] = []
    crossed = cross_validate(table, SETTINGS, said.append)
    assert crossed is not None and crossed["folds"] == len(said) == 3
    gender = crossed["attributes"]["gender"]
    assert gender["rows"] == 300, "those held out take no part"
    values = gender["accuracy"]["values"]
    assert len(values) == 3 and all(0.7 < each < 1 for each in values)
    assert gender["accuracy"]["mean"] == pytest.approx(np.mean(values), abs=1e-3)
    assert gender["accuracy"]["deviation"] == pytest.approx(np.std(values, ddof=1), abs=1e-3)
    assert crossed == cross_validate(table, SETTINGS)


def test_what_is_held_out_changes_nothing(table: FeatureTable) -> None:
    changed = replace(table, embeddings=table.embeddings.copy())
    changed.embeddings[table.splits == "test"] = 7.0
    assert cross_validate(changed, SETTINGS) == cross_validate(table, SETTINGS)


def test_a_face_and_its_mirror_image_are_no_two_faces(table: FeatureTable) -> None:
    """Labels that say nothing are not known by heart from the mirror images."""
    rows = np.repeat(np.arange(len(table)), 2)
    noise = np.random.default_rng(0).integers(2, size=len(table))[rows]
    names = np.array(["Female", "Male"], dtype=object)[noise]
    doubled = replace(table[rows], mirrored=np.arange(len(rows)) % 2 == 1, labels={"gender": names})
    crossed = cross_validate(doubled, replace(SETTINGS, classifier="knn"))
    assert crossed is not None
    gender = crossed["attributes"]["gender"]
    assert gender["rows"] == 300
    assert gender["accuracy"]["mean"] < 0.62


def test_nearly_identical_pictures_are_in_one_part(table: FeatureTable) -> None:
    """Each picture twice, with labels that say nothing: the twin would give them away."""
    rows = np.repeat(np.arange(len(table)), 2)
    random = np.random.default_rng(0)
    names = np.array(["Female", "Male"], dtype=object)[random.integers(2, size=len(table))[rows]]
    hashes = random.integers(1, 2**63, size=len(table)).astype(np.uint64)[rows]
    twins = replace(
        table[rows],
        files=np.array([f"{number}.jpg" for number in range(len(rows))], dtype=object),
        labels={"gender": names},
        picture_hashes=hashes ^ (np.arange(len(rows)) % 2).astype(np.uint64),
    )
    crossed = cross_validate(twins, replace(SETTINGS, classifier="knn"))
    assert crossed is not None
    gender = crossed["attributes"]["gender"]
    assert gender["rows"] == 600
    assert gender["accuracy"]["mean"] < 0.62


def test_heads_of_flags_are_measured_together(tmp_path: Path) -> None:
    flagged = read_table(flagged_table(tmp_path / "t.parquet"))
    crossed = cross_validate(flagged, FitSettings(classifier="logistic", folds=2))
    assert crossed is not None
    assert {"gender", "race", "Male", "Asian"} <= crossed["attributes"].keys()


def test_too_few_people_are_refused(table: FeatureTable) -> None:
    people = np.array([f"person {number % 2}" for number in range(400)], dtype=object)
    with pytest.raises(DatasetError, match=r"--cross-validate 3: .* of 2 people or pictures only"):
        cross_validate(replace(table, identities=people), SETTINGS)
    lone = np.where(table.labels["gender"] == "Male", "the only man", table.files).astype(object)
    with pytest.raises(DatasetError, match="gender has one class only: more people of each"):
        cross_validate(replace(table, identities=lone), SETTINGS)


def test_a_class_of_one_person_counts_as_errors(table: FeatureTable) -> None:
    kind = np.array([f"{each}" for each in table.labels["race"]], dtype=object)
    rare = np.flatnonzero(table.splits == "train")[:2]
    kind[rare] = "rare"
    people = table.files.copy()
    people[rare] = "the rare one"
    changed = replace(table, identities=people, labels={"kind": kind})
    crossed = cross_validate(changed, replace(SETTINGS, attributes=("kind",)))
    assert crossed is not None
    assert crossed["attributes"]["kind"]["rows"] == 300


def test_it_stands_in_manifest_report_and_card(table: FeatureTable, tmp_path: Path) -> None:
    crossed = cross_validate(table, SETTINGS)
    assert crossed is not None
    fitted = fit(table, SETTINGS).with_record("cross_validation", crossed)
    report = publish(tmp_path / "model", fitted, table)
    assert report["model"]["provenance"]["cross_validation"] == crossed
    text = card(report, fitted.manifest.provenance)
    mean = crossed["attributes"]["gender"]["accuracy"]["mean"]
    assert f"| gender | 300 | {mean:.3f} ± " in text
    assert "--cross-validate 3" in text and "--cross-validate 3" in command_line(SETTINGS)
    assert cross_validate(table, replace(SETTINGS, folds=None)) is None
