"""What is said of the held-out faces before anything is fitted, and what is kept without them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from training_helpers import drawn_table

from models.classification.bundle import load_bundle
from training.errors import DatasetError
from training.evaluation.evaluate import evaluate
from training.evaluation.publish import publish
from training.features.table import FeatureTable
from training.features.table_files import read_table
from training.fitting.fit import fit
from training.fitting.held_out import held_out_notes, unlearned_classes
from training.fitting.settings import FitSettings

_SETTINGS = FitSettings(attributes=("race",), classifier="logistic")
_RACES = ("Black", "Indian", "White")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> FeatureTable:
    return read_table(drawn_table(tmp_path_factory.mktemp("drawn") / "t.parquet", 480))


def _relabelled(table: FeatureTable, *, test: dict[str, str | None]) -> FeatureTable:
    """With other races of the held-out faces."""
    held = table.splits == "test"
    race = [
        test.get(name, name) if is_held else name
        for name, is_held in zip(table.labels["race"], held, strict=True)
    ]
    return replace(table, labels={**table.labels, "race": np.array(race, dtype=object)})


def test_nothing_is_said_of_enough_faces_of_all_classes(table: FeatureTable) -> None:
    assert list(held_out_notes(table, {"race": _RACES})) == []


def test_too_few_faces_are_said_before_the_fit_as_in_the_report(
    table: FeatureTable, tmp_path: Path
) -> None:
    held = np.flatnonzero(table.splits == "test")
    few = table[np.setdiff1d(np.arange(len(table)), held[30:])]
    notes = list(held_out_notes(few, {"race": _RACES}))
    assert notes == [
        "race: measured on 30 faces only, so an accuracy may be off by 0.17: "
        "hold out more with --hold-out, or go by fit --cross-validate 5"
    ]
    fitted = fit(few, _SETTINGS)
    assert publish(tmp_path / "model", fitted, few)["cautions"] == notes


def test_a_class_in_one_half_only_is_said_before_it_is_fitted(
    table: FeatureTable, tmp_path: Path
) -> None:
    changed = _relabelled(table, test={"Black": "Martian"})
    said: list[str] = []
    fitted = fit(changed, _SETTINGS, said.append)
    lines = "\n".join(said)
    assert lines.index("no training face is Martian, so that is not") < lines.index("fitting")
    assert "no held-out face is Black" in lines
    assert unlearned_classes(changed, "race", _RACES) == ("Martian",)
    report = publish(tmp_path / "model", fitted, changed)
    others = int(((table.labels["race"] != "Black") & (table.splits == "test")).sum())
    assert report["attributes"]["race"]["rows"] == others


def test_of_many_classes_in_one_half_the_first_are_named(table: FeatureTable) -> None:
    for count, end in ((6, "c4 or c5: that is not"), (90, "c4 or 85 others: that is not")):
        classes = [*_RACES, *(f"c{number}" for number in range(count))]
        (note,) = held_out_notes(table, {"race": classes})
        assert note.startswith("race: no held-out face is c0 or c1 or ") and end in note


@pytest.mark.parametrize("how", ["unlabelled", "foreign", "none held out"])
def test_what_was_fitted_is_kept_where_nothing_can_be_measured(
    how: str, table: FeatureTable, tmp_path: Path
) -> None:
    if how == "none held out":
        changed = table[table.splits == "train"]
    else:
        name = None if how == "unlabelled" else "Martian"
        changed = _relabelled(table, test=dict.fromkeys(_RACES, name))
    said: list[str] = []
    fitted = fit(changed, _SETTINGS, said.append)
    assert "no held-out face has a label: its accuracy is not measured" in said[0]
    report = publish(tmp_path / "model", fitted, changed)
    assert report["attributes"] == {}
    bundle = load_bundle(tmp_path / "model")
    assert [head.attribute for head in bundle.manifest.attributes] == ["race"]
    card = bundle.files["card.md"].decode()
    assert card.startswith("# Model card: race as perceived")
    assert "Nothing was measured" in card


def test_a_table_without_training_rows_is_refused_and_evaluated_whole(
    table: FeatureTable, tmp_path: Path
) -> None:
    fitted = fit(table, _SETTINGS)
    publish(tmp_path / "model", fitted, table)
    held = replace(table, splits=np.array(["test"] * len(table), dtype=object))
    with pytest.raises(DatasetError, match="all 480 faces of the table are held out"):
        fit(held, _SETTINGS)
    report = evaluate(load_bundle(tmp_path / "model"), held)
    data = report["data"]
    assert (data["faces"], data["of_faces"], data["training_faces"]) == (480, 480, 0)
    data = evaluate(load_bundle(tmp_path / "model"), table, split=None)["data"]
    assert (data["faces"], data["of_faces"], data["training_faces"]) == (480, 480, 360)
