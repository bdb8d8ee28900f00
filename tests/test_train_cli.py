"""The three commands on all five layouts, and everything that can be asked wrongly."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow.parquet as pq
import pytest
from training_helpers import (
    LAYOUT_MAKERS,
    drawn_table,
    make_fairface,
    make_folders,
    make_manifest,
    make_utkface,
    table_info,
    write_table,
)
from typer.main import get_command
from typer.testing import CliRunner, Result

from models.classification.bundle import load_bundle
from models.engine import DetectionSettings
from models.program.locks import locked
from stream.settings import Config
from stream.settings.schema import DetectionSection
from training.commands.app import app
from training.commands.options import DEFAULT_SEED
from training.datasets.samples import TEST
from training.datasets.splits import SEED
from training.features.table_files import FeatureRow, table_writer


def _run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def _done(*words: str | Path) -> str:
    result = _run(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_terminal_that_knows_only_ascii(tmp_path: Path) -> None:
    drawn_table(tmp_path / "table.parquet", 400)
    done = subprocess.run(
        [sys.executable, "-m", "training", "fit", "table.parquet", "--out", "ö"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("\\xf6: model and card\n")
    assert done.stderr == ""


@pytest.mark.parametrize("layout", LAYOUT_MAKERS)
def test_three_commands_take_each_layout_to_a_report(layout: str, tmp_path: Path) -> None:
    dataset = LAYOUT_MAKERS[layout](tmp_path / "data")
    table, model, report = (tmp_path / name for name in ("f.parquet", "model", "report"))
    said = _done("features", dataset, "--out", table, "--hold-out", "0.25", "--no-mirror")
    assert "12 faces of" in said
    said = _done("fit", table, "--out", model, "--classifier", "logistic")
    expected = {
        "fairface": ("gender", "race", "age"),
        "utkface": ("gender", "race"),
        "folders": ("label",),
        "manifest": ("gender", "hat"),
        "lfwa": ("gender", "race", "Male", "Asian", "White", "Black"),
    }[layout]
    heads = {head.attribute for head in load_bundle(model).manifest.attributes}
    assert set(expected) <= heads
    _done("evaluate", model, table, "--out", report)
    content = json.loads((report / "report.json").read_text())
    assert set(content["attributes"]) == heads
    assert (report / "report.html").stat().st_size > 10_000


def test_a_dataset_is_evaluated_by_itself(tmp_path: Path) -> None:
    dataset = make_fairface(tmp_path / "data")
    _done("features", dataset, "--out", tmp_path / "f.parquet")
    model = tmp_path / "model"
    _done("fit", tmp_path / "f.parquet", "--out", model, "--classifier", "logistic")
    card = (model / "card.md").read_text()
    said = _done("evaluate", model, dataset, "--split", "all", "--out", tmp_path / "r", "--card")
    assert f"{model}: card; counts are not corrected, for that needs 400 labelled faces" in said
    report = json.loads((tmp_path / "r" / "report.json").read_text())
    widths = report["attributes"]["gender"]["face_width"]
    assert [each["face_px"] for each in widths] == [10, 15, 20, 30, 40, 60, 80, 120]
    corruptions = report["attributes"]["gender"]["harm"]
    assert corruptions[0]["harm"] == "none" and len(corruptions) == 7
    assert {each["rows"] for each in corruptions} == {12}
    crossed = report["attributes"]["gender"]["width_by_coding"]
    assert {(each["face_px"], each["coding"]) for each in crossed} >= {(24, "H.264, CRF 36")}
    assert {each["rows"] for each in crossed} == {12}
    assert (
        "| px | faces | none | JPEG of quality 30 | H.264, CRF 18 |"
        in (model / "card.md").read_text()
    )
    assert report["data"]["faces"] == 12
    assert (model / "card.md").read_text() != card
    assert sorted(each.name for each in (tmp_path / "r").iterdir()) == [
        *("label_issues.csv", "predictions.parquet", "report.html", "report.json")
    ]
    assert pq.read_metadata(tmp_path / "r" / "predictions.parquet").num_rows == 12
    shown = {
        (each["file"], each["face"])
        for figures in report["attributes"].values()
        for each in figures["surest_errors"]
    }
    page = (tmp_path / "r" / "report.html").read_text()
    assert "by the width of the face and how it is compressed" in page
    assert len(set(re.findall('data:image/jpeg;base64,[^"]+', page))) == len(shown)
    load_bundle(model)
    with_table = _done(
        *("evaluate", model, tmp_path / "f.parquet", "--split", "all", "--pictures", dataset),
        *("--out", tmp_path / "again", "--sample", "5"),
    )
    assert "measured on 5 of these faces, drawn" in with_table
    again = json.loads((tmp_path / "again" / "report.json").read_text())
    assert {each["rows"] for each in again["attributes"]["gender"]["face_width"]} == {5}
    assert "gender: accuracy" in with_table


def test_a_fit_says_what_there_is_before_and_how_steady_it_is(tmp_path: Path) -> None:
    table, model = drawn_table(tmp_path / "t.parquet", 200), tmp_path / "model"
    words = ("fit", table, "--out", model, "--classifier", "logistic", "--attributes", "gender")
    result = _run(*words, "--cross-validate", "3")
    assert result.exit_code == 0, result.output
    unfilmed, counts, *parts, note, fitting, figures = result.stdout.splitlines()[:8]
    assert unfilmed.startswith("no face of the table is filmed")
    assert counts.startswith("gender: 150 faces to fit on: ")
    assert [part.rpartition(", ")[2] for part in parts] == [f"part {n} of 3" for n in (1, 2, 3)]
    assert note.startswith("gender: measured on 50 faces only")
    assert fitting == "gender: fitting logistic"
    assert figures.startswith("gender: accuracy ")
    assert "cross-validated in 3 parts of 150 faces: accuracy 0." in result.stdout
    assert "face-train: gender, race: measured on" not in result.stderr
    assert "measured on 50 faces only" not in result.stderr
    crossed = load_bundle(model).manifest.provenance["cross_validation"]
    assert crossed["attributes"].keys() == {"gender"}
    assert "Cross-validated on the training rows in 3 parts" in (model / "card.md").read_text()
    refused = _run(*words, "--cross-validate", "200")
    _wrong(refused, "the training rows of gender are of 150 people or pictures only: give a")


def test_a_table_is_not_measured_on_faces_of_another_detector(tmp_path: Path) -> None:
    dataset = make_manifest(tmp_path / "list.csv")
    table, model, out = (tmp_path / name for name in ("f.parquet", "model", "report"))
    said = _done("features", dataset, "--out", table, "--detector", "hog")
    assert "12 pictures, faces found by hog" in said
    _done("fit", table, "--out", model, "--classifier", "logistic")
    assert load_bundle(model).manifest.detector == "hog"
    words = ("evaluate", model, table, "--split", "all", "--pictures", dataset, "--out", out)
    for given, complaint in (
        (("--detector", "cnn"), "would be found by cnn: add --detector hog, or make"),
        (("--aligned",), "aligned chips: add --no-aligned --detector hog, or make"),
    ):
        _wrong(_run(*words, *given), "the faces of the table were found by hog; ", complaint)
        assert not out.exists()
    assert "faces found by hog" in _done(*words, "--detector", "hog")
    _done("features", dataset, "--out", table, "--aligned")
    _wrong(_run(*words), "found by no detector, for they were aligned chips; ", "add --aligned, or")
    assert "faces found by no detector" in _done(*words, "--aligned")


@pytest.mark.parametrize("name", ["features", "finetune", "evaluate", "bench"])
def test_the_detectors_and_their_default_are_the_stream_s(name: str) -> None:
    command: Any = get_command(app)
    (option,) = (each for each in command.commands[name].params if each.name == "detector")
    assert option.default == Config().detection.detector == DetectionSettings().detector
    refused = _run(name, "--detector", "eyes")
    assert refused.exit_code == 2
    choices = get_args(DetectionSection.model_fields["detector"].annotation)
    said = " ".join(refused.stderr.replace("│", " ").split())
    assert ", ".join(map(repr, choices)) in said


def test_two_csv_files_beside_the_table(tmp_path: Path) -> None:
    dataset = make_manifest(tmp_path / "list.csv")
    files = tmp_path / "features.csv", tmp_path / "labels.csv"
    _done("features", dataset, "--out", tmp_path / "f.parquet", "--csv", *files)
    assert [len(each.read_text().splitlines()) for each in files] == [13, 13]


def test_a_second_run_says_what_it_knew(tmp_path: Path) -> None:
    dataset = make_manifest(tmp_path / "list.csv")
    words = ("features", dataset, "--out", tmp_path / "f.parquet", "--aligned")
    _done(*words)
    assert "12 of them known from before" in _done(*words)


def test_another_dataset_is_mapped_class_by_class(tmp_path: Path) -> None:
    table = drawn_table(tmp_path / "t.parquet")
    model = tmp_path / "model"
    _done("fit", table, "--out", model, "--classifier", "logistic")
    utk = make_utkface(tmp_path / "utk")
    refused = _run("evaluate", model, utk, "--split", "all", "--labels", "race")
    _wrong(refused, "race: the dataset has 'Asian'", "--map 'race:")
    said = _done(
        *("evaluate", model, utk, "--split", "all", "--labels", "race"),
        *("--map", "race:Asian=Indian"),
    )
    assert "on 12 faces" in said
    said = _done(
        *("evaluate", model, utk, "--split", "all", "--labels", "race"),
        *("--map", "race:Asian="),
    )
    assert "on 8 faces" in said


def test_groups_of_the_configuration_are_merged(tmp_path: Path) -> None:
    table = drawn_table(tmp_path / "t.parquet")
    model = tmp_path / "model"
    _done("fit", table, "--out", model, "--classifier", "logistic")
    config = tmp_path / "config.toml"
    config.write_text('[labels]\ngroups = { race = { Brown = ["Black", "Indian"] } }\n')
    _done("evaluate", model, table, "--config", config, "--out", tmp_path / "r")
    race = json.loads((tmp_path / "r" / "report.json").read_text())["attributes"]["race"]
    assert race["classes"] == ["Brown", "White"]
    config.write_text('[labels]\ngroups = { race = { Brown = ["Green"] } }\n')
    _wrong(_run("evaluate", model, table, "--config", config), "names 'Green'", "Black")
    config.write_text('[labels]\ngroups = { age = { Old = ["50-59", "60-69"] } }\n')
    _wrong(
        _run("evaluate", model, table, "--config", config), "the model has gender, race, not 'age'"
    )


@pytest.fixture(scope="module")
def model_and_table(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("fitted")
    table = drawn_table(folder / "t.parquet")
    _done("fit", table, "--out", folder / "model", "--classifier", "logistic")
    return folder / "model", table


def _wrong(result: Result, *complaints: str, code: int = 2) -> None:
    assert result.exit_code == code, result.output
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stderr.startswith("face-train: ")
    for complaint in complaints:
        assert complaint in result.stderr


def test_what_is_asked_wrongly_is_one_line_and_writes_nothing(
    model_and_table: tuple[Path, Path], tmp_path: Path
) -> None:
    model, table = model_and_table
    out = tmp_path / "out"
    empty = tmp_path / "empty"
    empty.mkdir()
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(table.read_bytes()[:5000])
    one_class = write_table(
        tmp_path / "one.parquet",
        table_info(("hat",)),
        np.ones((8, 128), dtype=np.float32),
        [("yes",)] * 8,
    )
    folders = make_folders(tmp_path / "folders")
    one_of_two = write_table(
        tmp_path / "two.parquet",
        table_info(("hat", "eyes")),
        np.ones((8, 128), dtype=np.float32),
        [("yes", "open"), ("yes", "shut")] * 4,
    )
    held_out = tmp_path / "held.parquet"
    with table_writer(held_out, table_info(("hat",))) as writer:
        writer.write(
            [
                FeatureRow(f"{number}.jpg", 0, False, None, TEST, 100, np.ones(128, "f4"), (hat,))
                for number, hat in enumerate(("yes", "no") * 4)
            ]
        )
    not_numbers = write_table(
        tmp_path / "nan.parquet",
        table_info(("hat",)),
        np.full((8, 128), np.nan, dtype=np.float32),
        [("yes",), ("no",)] * 4,
    )
    foreign = write_table(
        tmp_path / "foreign.parquet",
        table_info(("gender",), embedder="other-net"),
        np.ones((8, 128), dtype=np.float32),
        [("Male",), ("Female",)] * 4,
    )
    cases: Sequence[tuple[Sequence[str | Path], str]] = [
        (("features", tmp_path / "nowhere", "--out", out), "does not exist"),
        (("features", empty, "--out", out), "has no layout that is known"),
        (("features", empty, "--out", out, "--format", "utkface"), "no labelled pictures"),
        (("features", folders, "--out", tmp_path / "x.csv"), "name it .parquet; --csv writes CSV"),
        (("features", folders, "--out", empty), "is a folder: name a file in it"),
        (("features", folders, "--out", out, "--cache", out), "need a name each"),
        (("fit", table, "--out", out, "--attributes", "hair"), "no label column 'hair'"),
        (("fit", table, "--out", out, "--attributes", " , "), "names no label"),
        (("fit", folders, "--out", out), "is a folder: give the table that face-train features"),
        (("fit", held_out, "--out", out), "all 8 faces of the table are held out"),
        (("fit", one_of_two, "--out", out), "for hat: two classes are needed; --attributes eyes"),
        (("fit", one_class, "--out", out), "two classes are needed"),
        (("fit", not_numbers, "--out", out), "8 embeddings are not finite"),
        (("fit", cut, "--out", out), "is damaged"),
        (("fit", tmp_path / "no.parquet", "--out", out), "face-train features makes it"),
        (("fit", table, "--out", empty), "is not a model folder"),
        (("evaluate", model, foreign, "--out", out), "are of other-net, the model is fitted on"),
        (("evaluate", model, cut, "--out", out), "is damaged"),
        (("evaluate", empty, table, "--out", out), "is not a model folder"),
        (("evaluate", model, one_class, "--out", out), "nothing to compare"),
        (("evaluate", model, table, "--out", out, "--map", "race"), "--map 'race'"),
        (("evaluate", model, table, "--out", out, "--map", "race:X=White"), "names 'X'"),
        (("evaluate", model, table, "--out", out, "--config", cut), "cannot be read as a conf"),
        (("evaluate", model, table, "--out", out, "--pictures", empty), "has no layout"),
    ]
    for words, complaint in cases:
        _wrong(_run(*words), complaint)
        assert not out.exists(), words


def test_a_disk_that_refuses_is_a_failure(
    model_and_table: tuple[Path, Path], tmp_path: Path
) -> None:
    model, table = model_and_table
    (tmp_path / "file").write_text("in the way")
    result = _run("evaluate", model, table, "--out", tmp_path / "file" / "report")
    _wrong(result, "cannot write", code=1)


def test_a_model_that_the_disk_does_not_take_is_a_failure(
    model_and_table: tuple[Path, Path], tmp_path: Path
) -> None:
    _, table = model_and_table
    fit = [sys.executable, "-m", "training", "fit", str(table), "--classifier", "logistic"]
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 2; exec "$@"', "sh", *fit, "--out", str(tmp_path / "model")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines()[-1].startswith("face-train: cannot write the model to ")
    assert not (tmp_path / "model").exists()


def test_what_another_run_writes_is_refused(
    model_and_table: tuple[Path, Path], tmp_path: Path
) -> None:
    model, table = model_and_table
    pictures = make_fairface(tmp_path / "data")
    out, two = tmp_path / "t.parquet", tmp_path / "labels.csv"
    features = ("features", pictures, "--out", out)
    cases: Sequence[tuple[Sequence[str | Path], Path, bool]] = [
        (features, out, False),
        (features, tmp_path / "t.parquet.cache", False),
        ((*features, "--cache", tmp_path / "own"), tmp_path / "own", False),
        ((*features, "--csv", tmp_path / "f.csv", two), two, False),
        (("fit", table, "--out", tmp_path / "model"), tmp_path / "model", False),
        (("evaluate", model, table, "--out", tmp_path / "report"), tmp_path / "report", True),
        (("evaluate", model, table, "--card"), model, False),
    ]
    for words, path, inside in cases:
        with locked(path, inside=inside):
            _wrong(_run(*words), f"{path} is being written by another run: wait for its end")
        assert sorted(tmp_path.iterdir()) == [pictures]


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    result = _run("features", tmp_path / "nowhere", "--out", tmp_path / "o", "--debug")
    assert result.exit_code == 2
    assert "Traceback" in result.stderr
    assert "nowhere does not exist" in result.stderr


def test_the_seed_of_the_command_line_is_that_of_the_library() -> None:
    assert DEFAULT_SEED == SEED


@pytest.mark.parametrize(
    "words",
    [
        ["features", "{long}", "--out", "o.parquet"],
        ["fit", "{long}", "--out", "model"],
        ["fit", "{table}", "--out", "{long}"],
        ["evaluate", "{long}", "{table}"],
    ],
)
def test_too_long_a_name_is_refused_in_one_line(words: list[str], tmp_path: Path) -> None:
    names = {"long": "x" * 304, "table": str(drawn_table(tmp_path / "table.parquet", 40))}
    result = _run(*(word.format(**names) for word in words))
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "x" * 60 in result.stderr


def test_a_table_is_one_whatever_its_name_ends_in(
    model_and_table: tuple[Path, Path], tmp_path: Path
) -> None:
    model, table = model_and_table
    renamed = tmp_path / "features"
    renamed.write_bytes(table.read_bytes())
    assert "measured on 150 of 600 faces" in _done("evaluate", model, renamed)
