"""Feature tables on disk: which are read, what their digest covers, and the CSV files."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from training_helpers import drawn_table, flagged_table

from training.errors import DatasetError
from training.features.table import FeatureTable
from training.features.table_files import is_table, read_table, table_writer, write_csv


@pytest.fixture
def table(tmp_path: Path) -> FeatureTable:
    return read_table(drawn_table(tmp_path / "table.parquet", 20))


def _rewritten(path: Path, **changes: object) -> None:
    """With another description."""
    content = pq.read_table(path)
    info = json.loads(content.schema.metadata[b"face_train"]) | changes
    metadata = {b"face_train": json.dumps(info).encode()}
    pq.write_table(content.replace_schema_metadata(metadata), path)


def test_a_table_of_another_version_is_refused(tmp_path: Path) -> None:
    path = drawn_table(tmp_path / "table.parquet", 20)
    _rewritten(path, dataset="renamed")
    assert read_table(path).info.dataset == "renamed"
    _rewritten(path, schema="face-features/6")
    said = r"its schema is face-features/6, this program reads face-features/1, .*/2, .*/3, .*/5"
    with pytest.raises(DatasetError, match=said):
        read_table(path)
    _rewritten(path, schema="face-features/2", colour="red")
    with pytest.raises(DatasetError, match=r"its description is not understood: .*colour"):
        read_table(path)


def test_a_table_of_version_1_does_not_say_which_detector_found_its_faces(tmp_path: Path) -> None:
    path = drawn_table(tmp_path / "table.parquet", 20)
    content = pq.read_table(path)
    first = json.loads(content.schema.metadata[b"face_train"]) | {"schema": "face-features/1"}
    del first["detector"]
    metadata = {b"face_train": json.dumps(first).encode()}
    pq.write_table(content.replace_schema_metadata(metadata), path)
    table = read_table(path)
    assert len(table) == 20
    assert table.info.detector is None


def test_a_table_of_version_3_does_not_say_how_sharp_its_faces_are_and_none_is_filmed(
    tmp_path: Path,
) -> None:
    path = drawn_table(tmp_path / "table.parquet", 20)
    content = pq.read_table(path).drop_columns(["sharpness", "filmed"])
    third = json.loads(content.schema.metadata[b"face_train"]) | {"schema": "face-features/3"}
    metadata = {b"face_train": json.dumps(third).encode()}
    pq.write_table(content.replace_schema_metadata(metadata), path)
    table = read_table(path)
    assert not table.filmed.any() and table.as_found.all()
    quality = table.quality
    assert np.isnan(quality.sharpness).all() and len(quality) == 20
    assert set(quality.widths_px.tolist()) == {100}


@pytest.mark.parametrize(
    "changes",
    [
        {"dimensions": 10**12},
        {"dimensions": "many"},
        {"dimensions": 7},
        {"attributes": 3},
        {"attributes": [1]},
        {"compositions": [1]},
        {"compositions": None},
    ],
    ids=str,
)
def test_a_description_that_does_not_fit_is_refused(
    changes: dict[str, object], tmp_path: Path
) -> None:
    path = drawn_table(tmp_path / "table.parquet", 20)
    _rewritten(path, **changes)
    with pytest.raises(DatasetError, match="is damaged or not a table of features: ") as caught:
        read_table(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", [b"[" * 100_000, b"[1]", b"7", b"", b"\xff"])
def test_a_description_that_is_none_is_refused(text: bytes, tmp_path: Path) -> None:
    path = drawn_table(tmp_path / "table.parquet", 20)
    content = pq.read_table(path).replace_schema_metadata({b"face_train": text})
    pq.write_table(content, path)
    with pytest.raises(DatasetError, match="is damaged or not a table of features: "):
        read_table(path)


@pytest.mark.skipif(sys.platform == "win32", reason="has no FIFOs")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "table.parquet")
    assert is_table(tmp_path / "table.parquet")
    with pytest.raises(DatasetError):
        read_table(tmp_path / "table.parquet")


def test_a_table_without_one_of_its_columns_is_refused(tmp_path: Path) -> None:
    path = drawn_table(tmp_path / "table.parquet", 20)
    pq.write_table(pq.read_table(path).drop_columns(["race"]), path)
    with pytest.raises(DatasetError, match=r"is not a table of features: .*were changed"):
        read_table(path)


def test_what_flags_compose_is_read_again(tmp_path: Path) -> None:
    info = read_table(flagged_table(tmp_path / "table.parquet", 20)).info
    assert [each.attribute for each in info.flag_attributes] == list(info.attributes)
    assert info.flag_attributes[1].flags == ("White", "Black", "Asian")
    assert type(info).from_json(info.to_json().encode()) == info


def test_a_list_of_pictures_is_no_table(tmp_path: Path) -> None:
    pq.write_table(pa.table({"file": ["a.jpg"], "gender": ["Male"]}), tmp_path / "list.parquet")
    assert not is_table(tmp_path / "list.parquet")
    assert is_table(drawn_table(tmp_path / "table.parquet", 20))
    (tmp_path / "folder.parquet").mkdir()
    assert not is_table(tmp_path / "folder.parquet")
    assert not is_table(tmp_path / "list.csv")


def test_the_digest_is_of_all_that_a_head_is_fitted_on(table: FeatureTable) -> None:
    embeddings, splits = table.embeddings.copy(), table.splits.copy()
    embeddings[3, 5] += 1
    splits[0] = "train"
    files, gender = table.files.copy(), table.labels["gender"].copy()
    files[0] = "other.jpg"
    gender[0] = None
    digests = [
        each.digest()
        for each in (
            table,
            replace(table, embeddings=embeddings),
            replace(table, splits=splits),
            replace(table, files=files),
            replace(table, labels={**table.labels, "gender": gender}),
        )
    ]
    assert len(set(digests)) == len(digests)
    other_order = dict(reversed(table.labels.items()))
    assert replace(table, labels=other_order).digest() == table.digest()


def test_csv_files_have_a_line_a_face_and_leave_unknown_labels_empty(
    table: FeatureTable, tmp_path: Path
) -> None:
    race = table.labels["race"].copy()
    race[0] = None
    mirrored = np.arange(20) % 2 == 1
    shown = replace(table, mirrored=mirrored, labels={**table.labels, "race": race})
    write_csv(shown, tmp_path / "features.csv", tmp_path / "labels.csv")
    features = pyarrow.csv.read_csv(tmp_path / "features.csv")
    labels = pyarrow.csv.read_csv(tmp_path / "labels.csv")
    assert features["file"].to_pylist() == labels["file"].to_pylist()
    assert labels["file"].to_pylist() == [f"{number}.jpg" for number in range(0, 20, 2)]
    assert labels["race"].to_pylist() == ["", *race[2::2]]
    assert labels["split"].to_pylist() == ["test", "train"] * 5
    np.testing.assert_allclose(features["7"].to_numpy(), table.embeddings[::2, 7], rtol=1e-6)


def test_a_group_of_no_rows_is_not_written(table: FeatureTable, tmp_path: Path) -> None:
    path = tmp_path / "empty.parquet"
    with table_writer(path, table.info) as writer:
        writer.write([])
    with pytest.raises(DatasetError, match="has no rows: no face was found"):
        read_table(path)


def test_cells_and_columns_that_are_missing_are_named(tmp_path: Path) -> None:
    path = drawn_table(tmp_path / "table.parquet", 20)
    whole = pq.read_table(path)
    for name in ("filmed", "mirrored"):
        place = whole.schema.get_field_index(name)
        empty = pa.array([None] * 20, pa.bool_())
        pq.write_table(whole.set_column(place, name, empty), path)
        with pytest.raises(DatasetError, match=f"its column {name} has empty cells"):
            read_table(path)
    pq.write_table(whole.drop_columns(["filmed"]), path)  # which only earlier versions lack
    with pytest.raises(DatasetError, match="its columns were changed"):
        read_table(path)


def test_the_command_of_an_earlier_version_films_nothing(tmp_path: Path) -> None:
    path = drawn_table(tmp_path / "table.parquet", 20)
    command = read_table(path).info.command
    _rewritten(path, schema="face-features/4")
    assert read_table(path).info.command == f"{command} --filmed 0"
