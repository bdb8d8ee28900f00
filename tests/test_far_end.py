"""The state of a destination, what waits for it, and the pace at which it is sent to."""

import pytest

from stream.backoff import Backoff
from stream.deliveries import Delivery
from stream.sinks.publishing.ending import Ending
from stream.sinks.publishing.far_end import FarEnd
from stream.sinks.publishing.mailbox import Mailbox
from stream.sinks.publishing.pace import Pace


class _Clock:
    def __init__(self) -> None:
        self.now_s = 100.0
        self.slept_s: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, pause_s: float) -> None:
        self.slept_s.append(round(pause_s, 3))
        self.now_s += pause_s


def test_an_outage_is_said_once_and_tried_again_in_growing_pauses(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, delivery = _Clock(), Delivery("frame")
    far_end = FarEnd("there", delivery, Backoff(lambda: 1.0), clock)
    assert not far_end.is_away and far_end.pause_s == 0
    pauses_s = []
    for _ in range(7):
        far_end.note_away("refuses")
        pauses_s.append(far_end.pause_s)
        clock.now_s += far_end.pause_s
        assert far_end.pause_s == 0
    assert pauses_s == [1, 2, 4, 8, 16, 30, 30]
    far_end.note_there()
    assert (delivery.outages, delivery.outages_s) == (1, 91.0)
    assert not far_end.is_away
    lost, back = caplog.messages
    assert lost.startswith("there: refuses; tried again since ")
    assert back == "there is there again after 91.0 s"
    far_end.note_away("refuses")
    assert (far_end.pause_s, delivery.outages) == (1, 2)


def test_a_refusal_is_said_once_and_is_no_outage(caplog: pytest.LogCaptureFixture) -> None:
    delivery = Delivery("event")
    far_end = FarEnd("there", delivery)
    for _ in range(3):
        far_end.note_refused("answers 400")
    assert caplog.messages == ["there: answers 400; what it refuses is dropped"]
    assert (far_end.is_away, far_end.last_reason, delivery.outages) == (False, "answers 400", 0)


def test_the_newest_win_in_a_mailbox() -> None:
    mailbox = Mailbox[int](3)
    assert [mailbox.put(number) for number in range(5)] == [0, 0, 0, 1, 1]
    taken = [mailbox.take(0) for _ in range(6)]
    assert [each for each in taken if each is not None] == [2, 3, 4]
    mailbox.put(5)
    mailbox.end()
    assert (mailbox.take(0), mailbox.take(60), mailbox.is_ended) == (5, None, True)


def test_room_in_a_mailbox_is_waited_for_until_it_is_over() -> None:
    mailbox, asked = Mailbox[int](1), list[bool]()

    def is_over() -> bool:
        asked.append(True)
        if len(asked) == 3:
            mailbox.take(0)
        return False

    mailbox.put(1)
    mailbox.await_room(is_over)
    assert len(asked) == 3
    mailbox.put(2)
    mailbox.await_room(lambda: True)
    assert len(mailbox) == 1


def test_frames_are_due_at_their_own_pace() -> None:
    clock = _Clock()
    pace = Pace(clock, clock.sleep)
    for time_s in (5.0, 5.04, 5.08):
        pace.wait(time_s)
    assert clock.slept_s == [0, 0.04, 0.04]
    clock.now_s += 0.1  # the search has taken its time: what is late is due at once
    for time_s in (5.12, 5.16, 5.24):
        pace.wait(time_s)
    assert clock.slept_s[3:] == [0, 0, 0.06]
    clock.now_s += 10.0  # so much is not made up for
    for time_s in (5.28, 5.32):
        pace.wait(time_s)
    assert clock.slept_s[6:] == [0, 0.04]


def test_the_end_of_a_run_takes_its_time_once() -> None:
    clock, cut = _Clock(), list[str]()
    ending = Ending(clock)
    assert ending.left_s(0.1) == pytest.approx(0.8)
    clock.now_s += 50.0  # nothing counts before the first begins
    ending.begin(lambda: cut.append("first"))
    assert ending.left_s(0.1) == pytest.approx(0.8)
    clock.now_s += 0.5
    ending.begin(lambda: cut.append("second"))
    assert ending.left_s(0.1) == pytest.approx(0.3)
    clock.now_s += 5.0
    assert ending.left_s(0.1) == 0.1 and not cut
    ending.cut()
    clock.now_s += 0.3
    ending.cut()
    assert ending.left_s(0.05) == pytest.approx(0.1)
    assert cut == ["first", "second"]


def test_the_counts_of_two_runs_are_added_and_said() -> None:
    whole = Delivery("frame", sent=1)
    assert whole.words() == "1 frame sent"
    whole.add(Delivery("frame", sent=4, replaced=2, lost=3, outages=1, outages_s=2.5))
    assert whole.words() == "5 frames sent, 5 dropped, 1 outage"
    assert whole.as_dict() == {
        "unit": "frame",
        "sent": 5,
        "dropped": 5,
        "outages": 1,
        "outages_s": 2.5,
    }
