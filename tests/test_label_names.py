"""Names of labels and classes: none may stand for two columns."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from training_helpers import face_picture, table_info, write_list, write_picture, write_table
from typer.testing import CliRunner

from models.classification.bundle import (
    CARD_FILE,
    MANIFEST_FILE,
    EmbedderSpec,
    HeadSpec,
    Manifest,
    load_bundle,
    save_bundle,
)
from models.classification.label_names import RESERVED_COLUMNS, check_label_names
from models.errors import ModelError
from stream.sinks.data import tables
from training.commands.app import app
from training.features.table_files import _FIXED_COLUMNS

_WRONG: list[tuple[Mapping[str, Sequence[str]], str]] = [
    *(({name: ("a", "b")}, f"a label cannot be called {name!r}") for name in ("score", "left")),
    *(({name: ("a", "b")}, f"a label cannot be called {name!r}") for name in ("track", "file")),
    ({"mood": ("confidence", "b")}, "a class of 'mood' cannot be called 'confidence'"),
    ({"best": ("frame", "b")}, "the column 'best_frame'"),
    ({"a": ("b_c", "d"), "a_b": ("c", "d")}, "the column 'a_b_c'"),
    ({"a": ("b", "c"), "a_b": ("c", "d")}, "a label cannot be called 'a_b'"),
    ({"a": ("b", "b")}, "cannot be called 'b'"),
    ({"a": ("", "b")}, "empty name"),
    ({"a\ud800": ("b", "c")}, r"a\ud800"),
    ({"a": ("b\udce9", "c")}, r"b\udce9"),
]


@pytest.mark.parametrize(("attributes", "complaint"), _WRONG)
def test_a_name_that_is_taken(attributes: Mapping[str, Sequence[str]], complaint: str) -> None:
    with pytest.raises(ValueError) as error:
        check_label_names(attributes.items())
    assert complaint in str(error.value)
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {
            "gender": ("Female", "Male"),
            "age": ("0-2", "over 70"),
            "Male": ("not Male", "Male"),
        },
        {"Score": ("left", "right")},
        {"é 日本": ("\x1b[31m", "b")},
    ],
)
def test_any_other_name(attributes: Mapping[str, Sequence[str]]) -> None:
    check_label_names(attributes.items())


def test_all_columns_of_all_tables_are_reserved() -> None:
    columns = {
        *tables.face_columns({}),
        *tables.track_columns({}),
        *tables.person_columns({}),
    }
    assert columns | set(_FIXED_COLUMNS) | {"picture"} == RESERVED_COLUMNS


@pytest.mark.parametrize(("attributes", "complaint"), _WRONG)
def test_a_model_folder_with_such_names(
    attributes: Mapping[str, Sequence[str]], complaint: str, tmp_path: Path
) -> None:
    heads = tuple(
        HeadSpec(attribute=f"a{number}", classes=("b", "c"), file=f"{number}.onnx")
        for number in range(len(attributes))
    )
    embedder = EmbedderSpec(name="dlib-resnet-v1", dimensions=128, chip_size=150)
    files = {CARD_FILE: b"card", **{head.file: b"weights" for head in heads}}
    save_bundle(tmp_path / "model", Manifest(embedder=embedder, attributes=heads), files)
    path = tmp_path / "model" / MANIFEST_FILE
    content = json.loads(path.read_text())
    for head, (name, classes) in zip(content["attributes"], attributes.items(), strict=True):
        head |= {"attribute": name, "classes": list(classes)}
    path.write_text(json.dumps(content))
    with pytest.raises(ModelError) as error:
        load_bundle(tmp_path / "model")
    assert complaint in str(error.value)


@pytest.mark.parametrize(
    ("name", "classes", "complaint"),
    [
        ("score", ("a", "b"), "a label cannot be called 'score'"),
        ("mood", ("confidence", "b"), "a class of 'mood' cannot be called 'confidence'"),
    ],
)
def test_training_refuses_them_before_it_begins(
    name: str, classes: tuple[str, str], complaint: str, tmp_path: Path
) -> None:
    rows = []
    for number in range(4):
        write_picture(tmp_path / f"{number}.jpg", face_picture(number))
        rows.append({"file": f"{number}.jpg", name: classes[number % 2]})
    write_list(tmp_path / "list.csv", rows)
    out = tmp_path / "features.parquet"
    result = CliRunner().invoke(app, ["features", str(tmp_path / "list.csv"), "--out", str(out)])
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1
    assert not out.exists()
    vectors = np.random.default_rng(0).normal(size=(40, 128)).astype(np.float32)
    labels = [(classes[number // 2 % 2],) for number in range(40)]
    write_table(out, table_info((name,)), vectors, labels)
    result = CliRunner().invoke(app, ["fit", str(out), "--out", str(tmp_path / "model")])
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "model").exists()
