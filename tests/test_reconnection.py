"""Lost sources: how often and how long they are tried again, and what is said of it."""

from collections.abc import Callable

import av
import pytest
from fakes import HastyReconnection

from stream.errors import SourceError
from stream.sources.reconnection import Reconnection, loss_reason

_PATIENT_CALLS = 1000  # so many tries in a fraction of a second are no patience


class _Recorded(Reconnection):
    """Notes its waits, and waits."""

    def __init__(self, limit_s: float) -> None:
        super().__init__("the tape", limit_s)
        self.pauses_s: list[float] = []

    def pause(self, pause_s: float) -> bool:
        self.pauses_s.append(pause_s)
        return super().pause(pause_s)


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
    expected = [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0]
    assert reconnection.pauses_s == expected
    lost, back = caplog.messages
    assert lost == "the tape is gone: trying again for 1000 s"
    assert back.startswith("the tape is back after ")


def test_it_gives_up_in_time() -> None:
    reconnection = _Recorded(0.26)
    with pytest.raises(SourceError) as caught:
        reconnection.retry("is gone", _failing(_PATIENT_CALLS))
    assert str(caught.value) == "the tape is gone, and was not back within 0.26 s"
    assert str(caught.value.__cause__) == f"failure {len(reconnection.pauses_s)}"
    first_s, *later_s = reconnection.pauses_s
    assert first_s == 0.25
    assert all(pause_s <= 0.02 for pause_s in later_s)  # what is left of the time, and no more


def test_it_begins_anew_with_each_loss() -> None:
    reconnection = HastyReconnection()
    for _ in range(2):
        assert reconnection.retry("is gone", _failing(1)) == "opened by call 2"
    assert reconnection.pauses_s == [0.25, 0.5, 0.25, 0.5]


def test_without_time_a_loss_is_an_error_at_once(caplog: pytest.LogCaptureFixture) -> None:
    reconnection = HastyReconnection(0.0)
    with pytest.raises(SourceError, match=r"^the tape is gone$"):
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
    assert reconnection.pauses_s == [0.25, 0.5, 1.0]


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
