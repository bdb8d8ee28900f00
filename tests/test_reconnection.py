"""Lost sources: how often and how long they are tried again, and what is said of it."""

import math
import pickle
import re
from collections.abc import Callable
from itertools import accumulate

import av
import pytest
from fakes import HastyReconnection

from stream.errors import AbsentSourceError, LostSourceError, SourceError
from stream.source_history import SourceHistory
from stream.sources.reconnection import Reconnection, loss_reason

_PATIENT_CALLS = 1000  # so many tries in a fraction of a second are no patience


class _Recorded(Reconnection):
    """Notes its waits, and waits, unless it is hasty."""

    hasty = False

    def __init__(self, limit_s: float) -> None:
        super().__init__("the tape", limit_s)
        self.pauses_s: list[float] = []

    def pause(self, pause_s: float) -> bool:
        self.pauses_s.append(pause_s)
        return super().pause(0.0 if self.hasty else pause_s)


def _failing(times: int) -> Callable[[], str]:
    """Opens after so many failures."""
    calls: list[int] = []

    def reopen() -> str:
        calls.append(1)
        if len(calls) <= times:
            raise SourceError(f"failure {len(calls)}")
        return f"opened by call {len(calls)}"

    return reopen


def test_pauses_grow_up_to_a_limit(caplog: pytest.LogCaptureFixture) -> None:
    reconnection = HastyReconnection(1000.0)
    assert reconnection.retry("is gone", _failing(7)) == "opened by call 8"
    expected = [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert reconnection.pauses_s == expected
    lost, back = caplog.messages
    assert re.fullmatch(
        r"the tape is gone: waiting since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d, "
        r"for 1000 s at most",
        lost,
    )
    assert back.startswith("the tape is back after ")


def test_it_gives_up_in_time() -> None:
    reconnection = _Recorded(0.26)
    with pytest.raises(LostSourceError) as caught:
        reconnection.retry("is gone", _failing(_PATIENT_CALLS))
    assert str(caught.value) == "the tape is gone, and was not back within 0.26 s"
    assert all(pause_s <= 0.26 for pause_s in reconnection.pauses_s)  # what is left of the time
    (gap,) = reconnection.history.gaps
    assert gap.lasted_s is None


def test_a_source_that_was_away_for_two_seconds_is_found_within_three() -> None:
    spread = set()
    for _ in range(200):
        reconnection = _Recorded(60.0)
        reconnection.hasty = True
        reconnection.retry("is gone", _failing(1))
        spread.add(sum(reconnection.pauses_s))
    assert 2.05 < min(spread) < max(spread) < 2.75  # to connect takes a part of a second more
    assert len(spread) > 100  # the pauses of many programs are not the same


def test_for_ever_is_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    reconnection = HastyReconnection(math.inf)
    assert reconnection.retry("is gone", _failing(_PATIENT_CALLS)) == "opened by call 1001"
    assert list(accumulate(reconnection.pauses_s))[-1] > 29_000
    lost, _ = caplog.messages  # said once
    assert "at most" not in lost


def _absent(times: int) -> Callable[[], str]:
    """Is not there so many times."""
    opens = _failing(times)

    def open_once() -> str:
        try:
            return opens()
        except SourceError as error:
            raise AbsentSourceError(f"the tape is not there: {error}") from None

    return open_once


def test_what_is_not_there_yet_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    reconnection = HastyReconnection(30.0)
    assert reconnection.first(_absent(3)) == "opened by call 4"
    reconnection.note_live()
    assert reconnection.pauses_s == [1.0, 2.0, 4.0]
    absent, live = caplog.messages
    assert absent.startswith("the tape is not there: failure 1: waiting since ")
    assert live.startswith("the tape is live after ")
    states = [change.state for change in reconnection.history.changes_since(0)]
    assert states == ["waiting", "live"]


def test_what_does_not_come_is_an_error_that_says_why() -> None:
    with pytest.raises(LostSourceError) as caught:
        _Recorded(0.26).first(_absent(_PATIENT_CALLS))
    said = "the tape is not there: failure 1; it has not come within 0.26 s"
    assert str(caught.value) == said


@pytest.mark.parametrize("limit_s", [0.0, 30.0])
def test_what_is_no_absence_is_not_waited_for(
    limit_s: float, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SourceError, match=r"^failure 1$"):
        HastyReconnection(limit_s).first(_failing(1))
    with pytest.raises(AbsentSourceError, match=r"failure 1$"):
        HastyReconnection(0.0).first(_absent(1))
    assert not caplog.messages


def test_a_history_can_be_pickled_and_goes_on() -> None:
    history = SourceHistory()
    history.note_live()
    history.note_waiting("it is away")
    again = pickle.loads(pickle.dumps(history))  # noqa: S301, its own
    assert again.as_dict() == history.as_dict()
    again.note_back()
    assert (again.reconnects, history.reconnects) == (1, 0)


def test_the_history_of_a_run_of_weeks_is_bounded() -> None:
    history, seen = SourceHistory(), 0
    for number in range(5000):
        history.note_waiting(f"loss {number}")
        history.note_back()
        seen += len(history.changes_since(seen))
    assert (seen, history.reconnects, history.gap_count) == (10_000, 5000, 5000)
    gaps = history.gaps
    assert len(gaps) == 1000
    assert [gaps[0].reason, gaps[-1].reason] == ["loss 4000", "loss 4999"]
    assert len(history.changes_since(0)) == 2000
    assert all(gap.lasted_s is not None and gap.since.tzinfo is not None for gap in gaps)


def test_it_begins_anew_with_each_loss() -> None:
    reconnection = HastyReconnection()
    for _ in range(2):
        assert reconnection.retry("is gone", _failing(1)) == "opened by call 2"
    assert reconnection.pauses_s == [1.0, 2.0, 1.0, 2.0]


def test_without_time_a_loss_is_an_error_at_once(caplog: pytest.LogCaptureFixture) -> None:
    reconnection = HastyReconnection(0.0)
    with pytest.raises(LostSourceError, match=r"^the tape is gone$"):
        reconnection.retry("is gone", _failing(0))
    assert reconnection.pauses_s == []
    assert not caplog.messages


def test_one_that_was_left_before_is_not_opened(caplog: pytest.LogCaptureFixture) -> None:
    reconnection = HastyReconnection()
    reconnection.interrupt()
    assert reconnection.retry("is gone", _failing(0)) is None
    assert not caplog.messages


def test_one_that_is_left_on_the_way_is_not_opened() -> None:
    reconnection = HastyReconnection(interrupt_at=3)
    assert reconnection.retry("is gone", _failing(2)) is None
    assert reconnection.pauses_s == [1.0, 2.0, 4.0]


def test_an_error_that_is_none_of_a_source_is_passed_on() -> None:
    def reopen() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        HastyReconnection().retry("is gone", reopen)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (av.error.ExitError(1, "Immediate exit requested"), "has fallen silent"),
        (av.error.TimeoutError(110, "Connection timed out"), "has fallen silent"),
        (
            av.error.ConnectionResetError(104, "Connection reset by peer", "http://me:pw@host"),
            "was lost: Connection reset by peer",
        ),
    ],
)
def test_a_loss_reason_is_said_without_the_address(error: av.error.FFmpegError, said: str) -> None:
    assert loss_reason(error) == said
