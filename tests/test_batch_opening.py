"""A batch that is opened: one at a time in a folder, nothing left of what is asked wrongly."""

import os
import shutil
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from models.classification.bundle import DEFAULT_FOLDER, DLIB_FOLDER
from models.errors import ModelError
from stream.batch.contract import Result
from stream.batch.ledger import Enrolment, Ledger
from stream.batch.opening import Order, free_failed, held, opened_batch
from stream.batch.shards import Shard
from stream.batch.standing import standing_in
from stream.errors import ConfigError, SinkError, SourceError
from stream.settings import Config, load_config
from stream.sinks import Outputs


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("d/a/v.mp4", "d/v.mp4", "d/w.mp4"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(name.encode())
    return tmp_path


def _order(*named: str, shard: str | None = None, config: Config | None = None) -> Order:
    out = Path("out")
    outputs = Outputs(log=out)
    return Order(
        named=named or ("d",),
        folder=out,
        config=config or Config(),
        outputs=outputs,
        shard=Shard.parse(shard),
    )


def _open(order: Order) -> None:
    with opened_batch(order):
        pass


def _work_off(ledger: Ledger, *failing: str) -> None:
    while (taken := ledger.take()) is not None:
        error = "it is cut short" if taken.input.name in failing else ""
        for path in taken.input.outputs.paths:
            path.write_bytes(b"result")
        ledger.finish(Result(key=taken.key, worker="", error=error, media_s=3.0), 0)


def test_the_folders_of_outputs_are_there_while_it_is_open_and_empty_ones_go() -> None:
    with opened_batch(_order()):
        assert Path("out/a").is_dir()
    assert [path.name for path in Path("out").iterdir()] == ["ledger.sqlite"]


def test_it_goes_on_with_the_same_settings_whatever_the_machine() -> None:
    with opened_batch(_order()) as (ledger, enrolment):
        assert enrolment == Enrolment(new=3)
        _work_off(ledger)
    same = load_config(overrides=["engine.threads=1", "run.stall_s=0", "source.timeout_s=3"])
    with opened_batch(_order(config=same)) as (_, enrolment):
        assert enrolment == Enrolment(done=3)
    for changed in ("labels.min_confidence=0.9", "overlay.blur=true", "detection.threshold=0.4"):
        with opened_batch(_order(config=load_config(overrides=[changed]))) as (_, enrolment):
            assert enrolment.changed + enrolment.waiting == 3
    with opened_batch(replace(_order(), outputs=Outputs(sheet=Path("out")))) as (_, enrolment):
        assert enrolment == Enrolment(waiting=3)


def test_another_model_is_noticed_and_a_copy_of_the_same_is_none(tmp_path: Path) -> None:
    with opened_batch(_order()) as (ledger, _):
        _work_off(ledger)
    shutil.copytree(DEFAULT_FOLDER, tmp_path / "copy")
    copy = load_config({"engine": {"model": tmp_path / "copy"}})
    with opened_batch(_order(config=copy)) as (_, enrolment):
        assert enrolment == Enrolment(done=3)
    dlib = load_config({"engine": {"model": DLIB_FOLDER}})
    with opened_batch(_order(config=dlib)) as (_, enrolment):
        assert enrolment == Enrolment(changed=3)


def test_a_second_batch_in_the_folder_is_refused() -> None:
    with opened_batch(_order()), pytest.raises(ConfigError, match="out is in use by another batch"):
        _open(_order())
    _open(_order())


def test_shards_are_at_work_beside_each_other() -> None:
    with ExitStack() as stack:
        ledgers = [
            stack.enter_context(opened_batch(_order(shard=f"{number}/2")))[0] for number in (1, 2)
        ]
        for ledger in ledgers:
            _work_off(ledger)
        standing = standing_in(Path("out"))
        assert (standing.states["done"], standing.at_work) == (3, 2)
        with pytest.raises(ConfigError, match="is in use by another batch"):
            stack.enter_context(opened_batch(_order(shard="2/2")))
    with pytest.raises(ConfigError, match="was begun in 2 shards"):
        _open(_order())


@pytest.mark.parametrize(
    ("order", "kind"),
    [
        (_order("gone.mp4"), SourceError),
        (_order("rtsp://host/live"), ConfigError),
        (_order("d", config=load_config(overrides=["recorder.segment_s=60"])), ConfigError),
        (_order("d", config=load_config({"engine": {"model": "gone"}})), ModelError),
    ],
)
def test_what_is_asked_wrongly_leaves_nothing_behind(order: Order, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        _open(order)
    assert not Path("out").exists()


def test_a_column_that_the_tables_have_is_refused_before_anything_is_made() -> None:
    Path("list.csv").write_text("file,gender\nd/v.mp4,unknown\n")
    with pytest.raises(ConfigError, match="the list's column gender"):
        _open(_order("list.csv"))
    assert not Path("out").exists()


def test_a_trial_writes_nothing() -> None:
    with opened_batch(_order(), is_trial=True) as (ledger, enrolment):
        assert enrolment == Enrolment(new=3)
        assert [row.name for row in ledger.rows("waiting")] == ["a/v.mp4", "v.mp4", "w.mp4"]
    assert not Path("out").exists()


def test_a_folder_that_cannot_be_one_is_one_line() -> None:
    Path("out").write_bytes(b"precious")
    with pytest.raises(ConfigError, match="--out out is a file: name a folder"):
        _open(_order())
    if sys.platform == "linux":
        message = "nothing can be written into /proc"
        with pytest.raises(SinkError, match=message), held(Path("/proc/ledger.sqlite")):
            pass


def test_failed_inputs_are_set_free_while_no_batch_is_at_work() -> None:
    with opened_batch(_order()) as (ledger, _):
        _work_off(ledger, "v.mp4", "w.mp4")
        with pytest.raises(ConfigError, match="is in use by another batch"):
            free_failed(Path("out"))
    assert free_failed(Path("out")) == 2
    assert free_failed(Path("out")) == 0
    with opened_batch(_order()) as (_, enrolment):
        assert enrolment == Enrolment(waiting=2, done=1)
    with pytest.raises(ConfigError, match="gone holds no ledger of a batch"):
        free_failed(Path("gone"))


def test_where_it_stands_is_said_in_lines_and_as_json() -> None:
    with opened_batch(_order()) as (ledger, _):
        taken = ledger.take()
        assert taken is not None
        while_running = list(standing_in(Path("out")).lines())
        assert while_running[0] == "3 inputs: 2 waiting, 1 running"
        ledger.finish(Result(key=taken.key, worker="", summary={"people": 2}, media_s=600.0), 0)
        _work_off(ledger, "v.mp4")
    standing = standing_in(Path("out"))
    first, second = standing.lines()
    assert first == "3 inputs: 2 done, 1 failed"
    assert second.startswith("2 people · 10 min of video · 0 frames · last one done at 20")
    told = standing.as_dict()
    assert {name: told[name] for name in ("inputs", "done", "failed", "people", "at_work")} == {
        **{"inputs": 3, "done": 2, "failed": 1, "people": 2, "at_work": 0}
    }
    assert told["failures"] == [{"input": "v.mp4", "error": "it is cut short", "attempts": 1}]


def test_what_a_killed_batch_was_at_is_said() -> None:
    with opened_batch(_order()) as (ledger, _):
        ledger.take()
    *_, last = standing_in(Path("out")).lines()
    assert last == "no batch is at work: 1 input that it was at will be done again"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such right there")
@pytest.mark.skipif(sys.platform != "win32" and os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_one_line() -> None:
    Path("out").mkdir(mode=0o555)
    with pytest.raises(SinkError, match="nothing can be written into out: Permission denied"):
        _open(_order())


@pytest.mark.parametrize(
    "name",
    [
        "n" * 300 + ".mp4",
        "f" * 300 + "/v.mp4",
        "/".join(["f" * 200] * 30) + "/v.mp4",
        "\x01.mp4",
        "v.mp4/w.mp4",
        "v.mp4.jsonl/w.mp4",
    ],
)
def test_a_name_that_no_file_can_have_stops_no_other_input(name: str) -> None:
    Path("d/l.txt").write_text(f"v.mp4\n{name}\nw.mp4\n")
    Path("out").mkdir()
    with opened_batch(_order("d/l.txt")) as (ledger, enrolment):
        assert enrolment == Enrolment(new=3)
        begun = []
        while (taken := ledger.take()) is not None:
            begun.append(Path(taken.input.source.uri).name)
            ledger.finish(Result(key=taken.key, worker="", error="it is not there"), 0)
    assert begun == ["v.mp4", Path(name).name, "w.mp4"]
