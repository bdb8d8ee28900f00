"""Progress without a terminal: a line a minute, with a rate that what was known does not raise."""

import pytest

from training.commands.progress_lines import ProgressLines


class _Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time_s = 0.0

    def __call__(self) -> float:
        return self.time_s


def _said(total: int, *steps: tuple[float, int], known: tuple[float, int] = (0, 0)) -> list[str]:
    """What is said where so many are done at these times, after those known from before."""
    lines: list[str] = []
    clock = _Clock()
    progress = ProgressLines(total, lines.append, clock)
    clock.time_s, done = known
    progress.advance(done, known=True)
    for clock.time_s, done in steps:
        progress.advance(done)
    return lines


def test_a_line_a_minute() -> None:
    lines = _said(40_000, *((float(second), 20) for second in range(1, 200)))
    assert len(lines) == 3
    assert lines[0] == "1200 of 40000 pictures (3%), 20 pictures/s, about 32 min left"


def test_what_was_known_from_before_raises_no_rate() -> None:
    """Nor does the time lower it in which they were read: 40 s of the first minute."""
    first, second = _said(40_000, (60, 200), (120, 600), known=(40, 20_000))
    assert first == "20200 of 40000 pictures (50%), 10 pictures/s, about 33 min left"
    assert second == "20800 of 40000 pictures (52%), 10 pictures/s, about 32 min left"


def test_known_pictures_alone_promise_no_end() -> None:
    (line,) = _said(40_000, known=(60, 20_000))
    assert line == "20000 of 40000 pictures (50%), 0 pictures/s, time left not known"


def test_a_short_run_says_nothing() -> None:
    assert _said(100, (1, 50), (59.9, 50)) == []


@pytest.mark.parametrize(
    ("total", "step", "end"),
    [
        (100, (60, 90), "1.5 pictures/s, less than a minute left"),
        (100, (60, 100), "1.7 pictures/s, nearly done"),
        (90, (60, 100), "nearly done"),
        (100, (60, 0), "0 pictures/s, time left not known"),
        (100_000, (60, 300), "5 pictures/s, about 5 h 32 min left"),
        (0, (60, 0), "nearly done"),
    ],
)
def test_the_time_left(total: int, step: tuple[float, int], end: str) -> None:
    (line,) = _said(total, step)
    assert line.endswith(end)
