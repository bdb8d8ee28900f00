"""The tables of a batch: a row an input and a row a person, made of the ledger alone."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from fakes import label, person

from stream.batch.contract import Input, Result
from stream.batch.ledger import Ledger
from stream.batch.tables import check_columns, write_tables
from stream.errors import ConfigError, SinkError
from stream.several.listing import NamedSource
from stream.sinks import Outputs


def _ledger(folder: Path, *names: str) -> Ledger:
    """Of inputs that are not there, each with a column of its own."""
    ledger = Ledger(folder / "ledger.sqlite", clock=lambda: 1_767_225_600.4)
    ledger.enroll(
        [
            Input(
                name=name,
                source=NamedSource(f"/in/{name}", "file"),
                outputs=Outputs(log=folder / f"{name}.parquet"),
                columns={f"column {number}": f"cell {number}"},
            )
            for number, name in enumerate(names)
        ],
        "1",
    )
    return ledger


def test_a_row_an_input_and_a_row_a_person(tmp_path: Path) -> None:
    women = replace(person(3, {"gender": label("Female", 0.75)}), first_s=1.0, last_s=4.5, frames=9)
    unsure = person(4, {"gender": label(None, 0.5), "race": label("White", 0.9)})
    with _ledger(tmp_path, "a.mp4", "b.mp4", "c.mp4") as ledger:
        for result in (
            Result(
                key=1,
                worker="host/17",
                summary={"frames": 12, "faces": 20, "people": 2, "skipped": {".jpg": 1, ".gif": 2}},
                people=[women, unsure],
                media_s=5.0,
                elapsed_s=2.0,
            ),
            Result(key=2, worker="host/18", error="it is \x1b[2Jcut short"),
        ):
            assert ledger.take() is not None
            ledger.finish(result, 0)
        summary_path, persons_path = write_tables(ledger)
    assert (summary_path.name, persons_path.name) == ("summary.parquet", "persons.parquet")
    done, failed, waiting = pq.read_table(summary_path).to_pylist()
    assert done == {
        "input": "a.mp4",
        "path": os.path.abspath("/in/a.mp4"),
        "named": True,
        "state": "done",
        "attempts": 1,
        "error": "",
        "frames": 12,
        "faces": 20,
        "people": 2,
        "left_out": 3,
        "media_s": 5.0,
        "elapsed_s": 2.0,
        "begun": "2026-01-01T00:00:00+00:00",
        "ended": "2026-01-01T00:00:00+00:00",
        "worker": "host/17",
        "column 0": "cell 0",
        "column 1": None,
        "column 2": None,
    }
    assert (failed["state"], failed["error"]) == ("failed", r"it is \x1b[2Jcut short")
    assert (waiting["state"], waiting["begun"], waiting["column 2"]) == ("waiting", None, "cell 2")
    first, second = pq.read_table(persons_path).to_pylist()
    assert {name: first[name] for name in ("input", "person", "first_s", "last_s", "frames")} == {
        **{"input": "a.mp4", "person": 3, "first_s": 1.0, "last_s": 4.5, "frames": 9}
    }
    assert (first["gender"], first["gender_Female"], first["race"]) == ("Female", 0.75, None)
    assert (second["gender"], second["race"]) == (None, "White")
    assert first["column 0"] == "cell 0"
    assert first["quality"] == 1.0


def test_they_are_written_anew_as_a_whole(tmp_path: Path) -> None:
    """What is done again has the people of its last attempt alone."""
    with _ledger(tmp_path, "a.mp4") as ledger:
        for people in ([person(1), person(2)], [person(5)]):
            ledger.take()
            ledger.finish(Result(key=1, worker="", people=people), 0)
            write_tables(ledger)
            [given] = [ledger._inputs[1]]
            ledger.enroll([given], "2")
    tracks = pq.read_table(tmp_path / "persons.parquet")["person"].to_pylist()
    assert tracks == [5]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("ledger.sqlite", "persons.parquet", "summary.parquet"),
    ]


def test_a_batch_of_nobody_has_tables_too(tmp_path: Path) -> None:
    with _ledger(tmp_path, "a.mp4") as ledger:
        write_tables(ledger, "-1-of-2")
    assert pq.read_table(tmp_path / "persons-1-of-2.parquet").num_rows == 0
    assert pq.read_table(tmp_path / "summary-1-of-2.parquet").num_rows == 1


def test_names_that_are_no_utf8_stand_there_escaped(tmp_path: Path) -> None:
    if sys.platform in ("darwin", "win32"):
        pytest.skip("names are UTF-8 there")
    with _ledger(tmp_path, os.fsdecode(b"caf\xe9.mp4")) as ledger:
        write_tables(ledger)
    assert pq.read_table(tmp_path / "summary.parquet")["input"].to_pylist() == [r"caf\udce9.mp4"]


@pytest.mark.parametrize("name", ["input", "Frames", "state", "person", "gender", "race_White"])
def test_a_column_of_a_list_that_the_tables_have_is_refused(name: str) -> None:
    attributes = {"gender": ["Female", "Male"], "race": ["White"]}
    check_columns(["place", "gender of the speaker"], attributes)
    with pytest.raises(ConfigError, match=f"the list's column {name} has the name of a column"):
        check_columns(["place", name], attributes)


def test_what_cannot_be_written_is_one_line_and_leaves_what_was_there(tmp_path: Path) -> None:
    with _ledger(tmp_path, "a.mp4") as ledger:
        write_tables(ledger)
        before = (tmp_path / "summary.parquet").read_bytes()
        (tmp_path / "summary.part.parquet").mkdir()
        with pytest.raises(SinkError, match=r"summary\.parquet cannot be made"):
            write_tables(ledger)
    assert (tmp_path / "summary.parquet").read_bytes() == before
