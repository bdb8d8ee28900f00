"""The loop of a batch, between a real ledger and an engine whose workers are made up."""

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.errors import ModelError
from stream.batch.batch import Batch
from stream.batch.contract import Input, Result, Task
from stream.batch.division import Division
from stream.batch.ledger import Ledger, Taken
from stream.batch.progress import Account
from stream.errors import SinkError
from stream.settings import Config
from stream.several.listing import NamedSource
from stream.sinks import Outputs

_CRASH = "its process crashed"


class _Engine:
    """Does a task by naming its file, unless a fault is due for it.

    Args:
        faults: by the name of an input, why its first attempts fail.
        capacity: how many tasks go on.

    Attributes:
        tasks: those that were begun.
        raised: what is raised instead of the next results.
    """

    def __init__(self, faults: dict[str, Sequence[str]] | None = None, capacity: int = 2) -> None:
        self.capacity = capacity
        self.tasks: list[Task] = []
        self.raised: BaseException | None = None
        self.is_closed = False
        self._faults = {name: deque(each) for name, each in (faults or {}).items()}
        self._going: list[Task] = []

    def submit(self, task: Task) -> None:
        assert len(self._going) < self.capacity
        self.tasks.append(task)
        self._going.append(task)
        for path in task.outputs.paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name(f"{path.stem}.part{path.suffix}").write_text("begun")

    def finished(self, timeout_s: float) -> Sequence[Result]:
        if self.raised is not None:
            raise self.raised
        if not self._going:  # inputs are joined
            return []
        task = self._going.pop()  # the last one first
        name = Path(task.source.uri).name
        error = self._faults[name].popleft() if self._faults.get(name) else ""
        if not error:
            for path in task.outputs.paths:
                path.with_name(f"{path.stem}.part{path.suffix}").rename(path)
        counts: dict[str, Any] = {"frames": 10, "faces": 3, "people": 1, "perceived": {"Male": 1}}
        return [Result(key=task.key, worker="w", summary=counts, error=error, media_s=2.0)]

    def close(self) -> None:
        self.is_closed = True


class _InThree(Division):
    """Divides every input into three, and adds up."""

    def tasks(self, taken: Taken) -> Sequence[Task]:
        (whole,) = super().tasks(taken)
        logs = [Path(f"{taken.input.outputs.log}.{number}.jsonl") for number in range(3)]
        return [replace(whole, outputs=Outputs(log=log)) for log in logs]

    def joined(self, given: Input, tasks: Sequence[Task], results: Sequence[Result]) -> Result:
        assert [each.outputs.log for each in tasks] == [
            Path(f"{given.outputs.log}.{number}.jsonl") for number in range(3)
        ]
        return replace(results[0], media_s=sum(each.media_s for each in results))


class _Cutting(_Engine):
    """Finds every video longer than it may be."""

    def finished(self, timeout_s: float) -> Sequence[Result]:
        known = {each.key: each for each in self.tasks}
        return [
            each
            if known[each.key].gives_seam or each.error
            else Result(key=each.key, worker="w", cuts_s=(5.0,))
            for each in super().finished(timeout_s)
        ]


class _Halves(Division):
    """Adds up what the spans came to."""

    def joined(self, given: Input, tasks: Sequence[Task], results: Sequence[Result]) -> Result:
        return replace(results[0], media_s=sum(each.media_s for each in results))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger of the inputs a, b, c and d."""
    inputs = []
    for name in "abcd":
        source = tmp_path / name
        source.write_text(name)
        log = tmp_path / "out" / f"{name}.jsonl"
        named = NamedSource(str(source), "file")
        inputs.append(Input(name=name, source=named, outputs=Outputs(log=log)))
    (tmp_path / "out").mkdir()
    with Ledger(tmp_path / "out" / "ledger.sqlite") as ledger:
        ledger.enroll(inputs, "settings")
        yield ledger


def _run(
    ledger: Ledger, engine: _Engine, division: Division | None = None, retries: int = 1
) -> Account:
    account = Account(ledger.to_do)
    division = division or Division(Config(), 0)
    Batch(ledger, engine, division, account, retries=retries).run(lambda: None)
    return account


def _states(ledger: Ledger) -> dict[str, str]:
    return {row.name: row.state for row in ledger.rows()}


def test_all_are_done_in_order_and_the_engine_is_closed(ledger: Ledger, tmp_path: Path) -> None:
    engine = _Engine()
    account = _run(ledger, engine)
    assert sorted(Path(each.source.uri).name for each in engine.tasks) == list("abcd")
    assert [Path(each.source.uri).name for each in engine.tasks[:2]] == ["a", "b"]
    assert set(_states(ledger).values()) == {"done"}
    assert (account.done, account.failed, account.media_s) == (4, 0, 8.0)
    assert account.as_dict()["perceived"] == {"Male": 4}
    assert engine.is_closed
    assert {path.name for path in (tmp_path / "out").glob("*.jsonl")} == {
        f"{name}.jsonl" for name in "abcd"
    }


def test_one_that_fails_is_tried_again_after_all_others(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    engine = _Engine({"a": [_CRASH]}, capacity=1)
    account = _run(ledger, engine)
    assert [Path(each.source.uri).name for each in engine.tasks] == ["a", "b", "c", "d", "a"]
    assert set(_states(ledger).values()) == {"done"}
    assert (account.done, account.failed, account.retried) == (4, 0, 1)
    assert caplog.messages == [f"a: {_CRASH}; it is tried again"]


def test_one_that_fails_too_often_is_set_aside_and_named(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    account = _run(ledger, _Engine({"b": [_CRASH] * 3, "c": ["cut"] * 3}), retries=2)
    assert _states(ledger) == {"a": "done", "b": "failed", "c": "failed", "d": "done"}
    assert (account.done, account.failed, account.retried) == (2, 2, 4)
    errors = {each.getMessage() for each in caplog.records if each.levelno == logging.ERROR}
    assert errors == {f"b: {_CRASH}", "c: cut"}
    caplog.clear()


def test_what_earlier_attempts_left_is_removed_first(ledger: Ledger, tmp_path: Path) -> None:
    engine = _Engine({"a": [_CRASH]}, capacity=1)
    _run(ledger, engine)
    assert not list((tmp_path / "out").glob("*.part*"))


@pytest.mark.parametrize("capacity", [1, 2, 5])
def test_an_input_may_be_several_tasks(ledger: Ledger, capacity: int) -> None:
    engine = _Engine(capacity=capacity)
    account = _run(ledger, engine, _InThree(Config(), 0))
    assert len(engine.tasks) == 12
    assert len({each.key for each in engine.tasks}) == 12
    assert (account.done, account.media_s) == (4, 24.0)
    assert set(_states(ledger).values()) == {"done"}


@pytest.mark.parametrize("capacity", [1, 2, 5])
def test_an_input_that_a_worker_finds_too_long_is_cut(ledger: Ledger, capacity: int) -> None:
    engine = _Cutting({"b": [_CRASH]}, capacity)
    account = _run(ledger, engine, _Halves(Config(), 0))
    names = [Path(each.source.uri).name for each in engine.tasks]
    spans = [Path(each.source.uri).name for each in engine.tasks if each.gives_seam]
    assert sorted(names) == [*"aaa", *"bbbb", *"ccc", *"ddd"]  # the whole of b crashed its worker
    assert sorted(spans) == [*"aabbccdd"]
    assert (account.done, account.retried, account.media_s) == (4, 1, 16.0)


def test_of_an_input_whose_span_fails_no_further_span_is_begun(ledger: Ledger) -> None:
    engine = _Engine({"a": [_CRASH]}, capacity=1)
    account = _run(ledger, engine, _InThree(Config(), 0))
    assert [Path(each.source.uri).name for each in engine.tasks] == [*"abbbcccddd", *"aaa"]
    assert (account.done, account.retried) == (4, 1)


def test_a_join_that_fails_is_a_failure_of_its_input(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(_InThree):
        def joined(self, given: Input, tasks: Sequence[Task], results: Sequence[Result]) -> Result:
            error = "the disk is full" if given.name == "c" else ""
            return replace(results[0], error=error)

    account = _run(ledger, _Engine(), Failing(Config(), 0), retries=0)
    assert (account.done, account.failed) == (3, 1)
    assert "c: the disk is full" in caplog.messages
    caplog.clear()


def test_leftovers_that_cannot_be_removed_are_a_failure_of_their_input(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    class Unable(Division):
        def tasks(self, taken: Taken) -> Sequence[Task]:
            if taken.input.name == "b":
                raise SinkError("b.jsonl cannot be removed")
            return super().tasks(taken)

    _run(ledger, _Engine(), Unable(Config(), 0))
    assert _states(ledger) == {"a": "done", "b": "failed", "c": "done", "d": "done"}
    caplog.clear()


def test_after_a_signal_what_goes_on_waits_again_without_what_was_written(
    ledger: Ledger, tmp_path: Path
) -> None:
    engine = _Engine()
    engine.raised = KeyboardInterrupt()
    account = _run(ledger, engine)
    assert account.interrupted
    assert engine.is_closed
    assert set(_states(ledger).values()) == {"waiting"}
    assert [row.attempts for row in ledger.rows()] == [0] * 4
    assert not list((tmp_path / "out").glob("*.jsonl"))
    assert _run(ledger, _Engine()).done == 4


def test_so_does_it_where_nothing_can_be_done_at_all(ledger: Ledger) -> None:
    engine = _Engine()
    engine.raised = ModelError("it is no model")
    with pytest.raises(ModelError):
        _run(ledger, engine)
    assert engine.is_closed
    assert set(_states(ledger).values()) == {"waiting"}


def test_what_was_not_written_by_the_batch_is_never_removed(
    ledger: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mine = tmp_path / "out" / "a.jsonl"
    mine.write_text("of someone else")
    engine = _Engine()
    engine.raised = KeyboardInterrupt()
    _run(ledger, engine)
    _run(ledger, _Engine({"a": ["a.jsonl exists"] * 3}))
    assert _states(ledger) == {"a": "failed", "b": "done", "c": "done", "d": "done"}
    assert mine.read_text() == "of someone else"
    caplog.clear()
