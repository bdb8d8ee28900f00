"""How far a batch has come, in numbers, as a line, and on a terminal."""

from io import StringIO

import pytest
from rich.console import Console

from stream.batch.contract import Input, Result, Task
from stream.batch.job import Job
from stream.batch.ledger import Taken
from stream.batch.progress import Account, ProgressLine, duration
from stream.several.listing import NamedSource
from stream.sinks import Outputs


class _Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def _done(media_s: float = 0.0) -> Result:
    counts = {"frames": 50, "faces": 20, "people": 2, "perceived": {"Male, White": 2}}
    return Result(key=1, worker="w", summary=counts, media_s=media_s)


def _failed() -> Result:
    return Result(key=2, worker="w", summary={"frames": 7}, error="cut", media_s=100)


def test_before_anything_is_done_no_time_is_guessed() -> None:
    account = Account(1200, _Clock())
    assert account.line() == "0 of 1,200 inputs"
    assert account.left_s is None


def test_inputs_hours_rate_time_left_and_failures() -> None:
    clock = _Clock()
    account = Account(40, clock)
    for _ in range(9):
        account.add(_done(media_s=800))
    account.add(_failed())
    clock.now_s += 600
    assert (
        account.line()
        == "10 of 40 inputs · 1 failed · 2 h 0 min of video, 12.0× real time · 30 min left"
    )
    account.part = 5.0
    assert account.left_s == pytest.approx(600 / 15 * 25)
    account.finish()
    clock.now_s += 1000
    assert account.line() == "10 of 40 inputs · 1 failed · 2 h 0 min of video, 12.0× real time"


def test_spans_that_are_done_of_a_video_that_goes_on_count() -> None:
    clock = _Clock()
    account = Account(2, clock)
    taken = Taken(
        key=1,
        input=Input(name="a", source=NamedSource("a", "file"), outputs=Outputs()),
        attempt=1,
    )
    job = Job(taken)
    job.divide([Task(key=1, source=taken.input.source, outputs=Outputs())] * 4)
    job.add(job.begin(), _done(media_s=600))
    account.go_on([job])
    clock.now_s += 60
    assert account.line() == "0 of 2 inputs · 10 min of video, 10.0× real time · 7 min left"
    account.finish()
    assert account.line() == "0 of 2 inputs"


def test_pictures_have_no_hours() -> None:
    account = Account(1, _Clock())
    account.add(_done())
    assert account.line() == "1 of 1 input · 0 s left"


def test_for_programs() -> None:
    clock = _Clock()
    account = Account(3, clock)
    account.add(_done(media_s=2.0))
    account.add(_done(media_s=3.0))
    account.add(_failed())
    account.retried = 1
    clock.now_s += 2.5
    account.finish()
    assert account.as_dict() == {
        "inputs": 3,
        "done": 2,
        "failed": 1,
        "retried": 1,
        "frames": 100,
        "faces": 40,
        "people": 4,
        "perceived": {"Male, White": 4},
        "media_s": 5.0,
        "elapsed_s": 2.5,
        "interrupted": False,
    }


def test_without_a_terminal_it_says_a_line_a_minute() -> None:
    clock, text = _Clock(), StringIO()
    account = Account(2, clock)
    with ProgressLine(account, Console(file=text), clock=clock) as line:
        for _ in range(5):
            clock.now_s += 30
            line.refresh()
    assert text.getvalue().splitlines() == ["0 of 2 inputs"] * 2


def test_on_a_terminal_it_is_a_bar_that_goes_in_the_end() -> None:
    clock, text = _Clock(), StringIO()
    account = Account(2, clock)
    console = Console(file=text, force_terminal=True, width=100)
    with ProgressLine(account, console, clock=clock) as line:
        account.add(_done())
        clock.now_s += 10
        line.refresh()
    shown = text.getvalue()
    assert "1 of 2 inputs" in shown
    assert shown.endswith("\x1b[2K")  # the line is empty again


@pytest.mark.parametrize("is_terminal", [False, True])
def test_it_may_be_quiet(is_terminal: bool) -> None:
    clock, text = _Clock(), StringIO()
    console = Console(file=text, force_terminal=is_terminal)
    with ProgressLine(Account(2, clock), console, quiet=True, clock=clock) as line:
        clock.now_s += 100
        line.refresh()
    assert text.getvalue() == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (119, "119 s"), (121, "2 min"), (3599, "1 h 0 min"), (90_000, "25 h 0 min")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words
