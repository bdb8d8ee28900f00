"""Which rows are not fitted on: whole people or whole pictures, and never all of a class."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from training_helpers import table_info, write_table

from training.datasets.samples import TRAIN, FlagAttribute
from training.datasets.splits import hold_out_names
from training.errors import DatasetError
from training.features.table import FeatureTable
from training.features.table_files import read_table
from training.fitting.tasks import Task, development_rows, plan_tasks


def _table(
    folder: Path, labels: Sequence[Sequence[str]], flag_attributes: tuple[FlagAttribute, ...] = ()
) -> FeatureTable:
    names = tuple(each.attribute for each in flag_attributes) or ("kind",)
    embeddings = np.zeros((len(labels), 128), dtype=np.float32)
    info = table_info(names, flag_attributes)
    table = read_table(write_table(folder / "table.parquet", info, embeddings, labels))
    return replace(table, splits=_column(*[TRAIN] * len(labels)))


def _task(table: FeatureTable) -> Task:
    (task,) = plan_tasks(table, np.arange(len(table)), tuple(table.labels))
    return task


def _column(*values: str | None) -> np.ndarray[tuple[int, ...], np.dtype[np.object_]]:
    return np.array(values, dtype=object)


def test_without_people_a_picture_is_on_one_side_with_all_its_rows(tmp_path: Path) -> None:
    plain = _table(tmp_path, [("a",), ("a",), ("b",), ("b",)] * 100)
    table = replace(
        plain,
        files=_column(*(f"{row // 4}.jpg" for row in range(400))),
        faces=np.arange(400, dtype=np.int32) // 2 % 2,
        mirrored=np.arange(400) % 2 == 1,
    )
    held = development_rows(table, _task(table), 1)
    pictures = held.reshape(100, 4)
    assert (pictures.all(axis=1) == pictures.any(axis=1)).all()
    assert 3 <= pictures.all(axis=1).sum() <= 20
    assert not np.array_equal(held, development_rows(table, _task(table), 2))


def test_a_person_is_on_one_side_with_all_pictures_also_where_others_are_unknown(
    tmp_path: Path,
) -> None:
    plain = _table(tmp_path, [("a",), ("b",)] * 200)
    people = [f"person {row % 50}" if row < 200 else None for row in range(400)]
    table = replace(plain, identities=_column(*people))
    held = development_rows(table, _task(table), 1)
    sides = [
        {person for person, is_held in zip(people, held, strict=True) if is_held == side}
        for side in (True, False)
    ]
    assert sides[0] & sides[1] == {None}
    assert len(sides[0]) > 1, "a known person is held too"


def _seed_that_draws(files: Sequence[str], wanted: str) -> int:
    """A seed by which that picture would be a development row, and others too."""
    place = list(files).index(wanted)
    return next(
        seed
        for seed in range(1000)
        if (held := hold_out_names(files, 0.1, seed))[place] and held.sum() > 3
    )


def test_a_class_of_one_row_is_fitted_on_though_it_is_drawn(tmp_path: Path) -> None:
    table = _table(tmp_path, [("rare",) if row == 3 else ("usual",) for row in range(80)])
    files = table.files.tolist()
    seed = _seed_that_draws(files, "3.jpg")
    expected = hold_out_names(files, 0.1, seed)
    expected[3] = False
    assert np.array_equal(development_rows(table, _task(table), seed), expected)


def test_a_flag_that_one_row_has_or_lacks_is_fitted_on_though_it_is_drawn(tmp_path: Path) -> None:
    composition = FlagAttribute("hat", ("hat",), ("not hat", "hat"))
    other = FlagAttribute("tie", ("tie",), ("not tie", "tie"))
    for rare, usual in (("hat", "not hat"), ("not hat", "hat")):
        labels = [(rare if row == 3 else usual, ("tie", "not tie")[row % 2]) for row in range(80)]
        table = _table(tmp_path, labels, (composition, other))
        files = table.files.tolist()
        seed = _seed_that_draws(files, "3.jpg")
        expected = hold_out_names(files, 0.1, seed)
        expected[3] = False
        assert np.array_equal(development_rows(table, _task(table), seed), expected), rare


def test_rows_whose_label_is_not_known_are_in_no_task(tmp_path: Path) -> None:
    plain = _table(tmp_path, [("a",), ("b",)] * 10)
    kinds = _column(None, "b", *["a", "b"] * 9)
    table = replace(plain, labels={"kind": kinds})
    task = _task(table)
    assert task.rows.tolist() == list(range(1, 20))
    assert task.targets.tolist() == [1, *[0, 1] * 9]


def test_mirrored_rows_alone_are_neither_faces_to_fit_on_nor_classes(tmp_path: Path) -> None:
    table = _table(tmp_path, [("a",), ("b",)] * 20)
    mirrored = replace(table, mirrored=np.arange(40) % 2 == 1)
    with pytest.raises(DatasetError, match="have only 'a' for kind: two classes are needed"):
        _task(mirrored)
    with pytest.raises(DatasetError, match="none is for training"):
        plan_tasks(mirrored, np.flatnonzero(mirrored.mirrored), ("kind",))
    path = write_table(tmp_path / "t.parquet", table.info, table.embeddings, [("a",)] * 40)
    whole = pq.read_table(path)
    place = whole.schema.get_field_index("mirrored")
    pq.write_table(whole.set_column(place, "mirrored", pa.array([True] * 40)), path)
    with pytest.raises(DatasetError, match="all of its faces are mirrored or filmed"):
        read_table(path)
