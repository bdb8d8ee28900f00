"""How far a batch has come: inputs, hours of video, the rate, the time left, failures."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from models.program.printable import printable
from stream.batch.contract import Result
from stream.batch.job import Job

_LINE_S = 60.0
"""Time between two lines where no terminal shows the bar, s."""

_MINUTE_S, _HOUR_S = 60.0, 3600.0

_SHORT_S = 120.0
"""Durations up to this are told in seconds, s."""


class Account:
    """What a batch has come to since it was started.

    Args:
        count: how many inputs wait.
        clock: the monotonic clock, s.

    Attributes:
        count: how many inputs there were to do.
        done: how many are done.
        failed: how many have failed and are set aside.
        retried: how many attempts have failed besides.
        media_s: how much video was done, s.
        part: what is done of the inputs that are going on, in inputs.
        part_media_s: how much video that is, s.
        interrupted: a signal has ended the batch.
    """

    def __init__(self, count: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.count = count
        self.done = self.failed = self.retried = 0
        self.media_s = self.part = self.part_media_s = 0.0
        self.interrupted = False
        self._frames = self._faces = self._people = 0
        self._perceived: Counter[str] = Counter()
        self._clock = clock
        self._begun_s = clock()
        self._ended_s: float | None = None

    def __repr__(self) -> str:
        return f"Account({self.line()})"

    def add(self, result: Result) -> None:
        """Adds what an input came to that is done, or is set aside."""
        self.done += not result.error
        self.failed += bool(result.error)
        if not result.error:
            self.media_s += result.media_s
            self._frames += result.summary.get("frames", 0)
            self._faces += result.summary.get("faces", 0)
            self._people += result.summary.get("people", 0)
            self._perceived.update(result.summary.get("perceived", {}))

    def go_on(self, jobs: Iterable[Job]) -> None:
        """Takes in how far the inputs are that are going on."""
        going = list(jobs)
        self.part = sum(job.share for job in going)
        self.part_media_s = sum(job.media_s for job in going)

    def finish(self) -> None:
        """Stops the clock; what goes on then is given up."""
        self._ended_s = self._clock()
        self.go_on(())

    @property
    def elapsed_s(self) -> float:
        """From the beginning until the end, or until now."""
        return (self._clock() if self._ended_s is None else self._ended_s) - self._begun_s

    @property
    def rate(self) -> float:
        """Seconds of video in a second."""
        return self._seen_s / self.elapsed_s if self.elapsed_s else 0.0

    @property
    def left_s(self) -> float | None:
        """How long the rest takes if it is as what was done, s; None before anything was."""
        settled = self.settled
        return self.elapsed_s * (self.count - settled) / settled if settled > 0 else None

    @property
    def settled(self) -> float:
        """How many inputs need no more work, with what is done of those that are going on."""
        return self.done + self.failed + self.part

    @property
    def _seen_s(self) -> float:
        return self.media_s + self.part_media_s

    def line(self) -> str:
        """How far it has come, in one line."""
        words = [f"{self.done + self.failed:,} of {amount(self.count, 'input')}"]
        if self.failed:
            words.append(f"{self.failed:,} failed")
        if self._seen_s:
            words.append(f"{duration(self._seen_s)} of video, {self.rate:.1f}× real time")
        if self.left_s is not None and self._ended_s is None:
            words.append(f"{duration(self.left_s)} left")
        return " · ".join(words)

    def as_dict(self) -> dict[str, Any]:
        """The account as JSON has it."""
        return {
            "inputs": self.count,
            "done": self.done,
            "failed": self.failed,
            "retried": self.retried,
            "frames": self._frames,
            "faces": self._faces,
            "people": self._people,
            "perceived": dict(self._perceived),
            "media_s": round(self.media_s, 3),
            "elapsed_s": round(self.elapsed_s, 3),
            "interrupted": self.interrupted,
        }


class ProgressLine:
    """Shows an account: as a bar on a terminal, else as a line now and then.

    Use it as a context manager; the bar goes at the end.

    Args:
        account: what is shown.
        console: where.
        quiet: nothing is shown.
        clock: the monotonic clock, s.
    """

    def __init__(
        self,
        account: Account,
        console: Console,
        *,
        quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._account = account
        self._console = console
        self._quiet = quiet
        self._clock = clock
        self._said_s = clock()
        self._bar = Progress(
            BarColumn(bar_width=20),
            TextColumn("{task.description}", markup=False),
            console=console,
            transient=True,
            disable=quiet or not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=max(account.count, 1))

    def __repr__(self) -> str:
        return f"ProgressLine({self._account.line()})"

    def __enter__(self) -> Self:
        self._bar.start()
        self.refresh()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def refresh(self) -> None:
        """Shows what the account has come to."""
        account = self._account
        if not self._bar.disable:
            self._bar.update(self._task, completed=account.settled, description=account.line())
        elif not self._quiet and self._clock() - self._said_s >= _LINE_S:
            self._said_s = self._clock()
            self._console.print(printable(account.line()), highlight=False, soft_wrap=True)


def amount(number: int, one: str, many: str = "") -> str:
    """So many of something, of which there may be millions; `many` where no s is added."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """A duration for people: `40 s`, `5 min`, `2 h 5 min`."""
    if seconds < _SHORT_S:
        return f"{seconds:.0f} s"
    minutes = round(seconds / _MINUTE_S)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{minutes} min"
