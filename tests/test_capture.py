"""The capture thread and its queue: what arrives, in which order, and how it ends."""

import threading
from collections.abc import Iterator
from itertools import islice

import pytest
from fakes import PATIENCE_S, NumberedSource, PacedSource, SeekableNumbers, number_of
from fakes import frame as make_frame

from stream.controls import Controls, RunReport
from stream.errors import SourceError
from stream.frames import Frame, SourceKind
from stream.playback import Playback
from stream.sources.capture import Capture

_MAX_READ_AHEAD = 5
"""Frames that may be read and not yet taken: the queue of a file, and those being passed on."""


class _UnclosableSource(NumberedSource):
    def close(self) -> None:
        super().close()
        raise SourceError("the lid is stuck")


class _GrowingSource(NumberedSource):
    """Its frames are larger from the fourth on, and again from the sixth."""

    def frames(self) -> Iterator[Frame]:
        for each in super().frames():
            scale = 1 + (each.index > 2) + (each.index > 4)
            yield make_frame(each.index, (96 * scale, 64 * scale))


def _indices(capture: Capture) -> list[int]:
    return [frame.index for frame in capture]


def _wait_for_reader() -> None:
    """Until the reading thread has ended."""
    for thread in threading.enumerate():
        if thread.name == "capture":
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def test_every_frame_of_a_file_arrives_in_order() -> None:
    source = NumberedSource(100)
    with Capture(source) as capture:
        frames = list(capture)
    assert [frame.index for frame in frames] == list(range(100))
    assert [number_of(frame.image) for frame in frames] == list(range(100))
    assert capture.dropped == 0
    assert capture.info is source.info
    assert source.closed_by == ["capture"]


def test_a_source_without_frames_ends() -> None:
    with Capture(NumberedSource(0)) as capture:
        assert _indices(capture) == []


def test_pictures_are_never_dropped_either() -> None:
    with Capture(NumberedSource(50, kind="pictures")) as capture:
        assert _indices(capture) == list(range(50))


def test_the_reader_of_a_file_waits_for_its_consumer() -> None:
    source = NumberedSource(100)
    with Capture(source) as capture:
        for taken, _ in enumerate(capture, start=1):
            assert source.given <= taken + _MAX_READ_AHEAD
    assert source.given == 100


def test_a_blocked_reader_goes_on_when_there_is_room() -> None:
    source = PacedSource(kind="video")
    with Capture(source) as capture:
        source.give(2)
        source.wait_for_read()
        source.allow()  # this one finds no room, should the queue be short
        frames = iter(capture)
        assert [next(frames).index for _ in range(3)] == [0, 1, 2]
        source.give(1)
        assert next(frames).index == 3
        source.end()
        assert next(frames, None) is None
    assert capture.dropped == 0


def test_the_newest_live_frame_wins_and_the_others_are_counted() -> None:
    source = PacedSource()
    with Capture(source) as capture:
        frames = iter(capture)
        source.give(1)
        assert next(frames).index == 0
        source.give(5)
        assert next(frames).index == 5
        assert capture.dropped == 4
        source.give(1)
        assert next(frames).index == 6
        assert capture.dropped == 4
        source.end()
    assert repr(capture).endswith(", ended, 4 dropped)")


def test_drops_before_the_first_frame_is_taken_are_not_counted() -> None:
    source = PacedSource()
    with Capture(source) as capture:
        source.give(5)  # while a model is being loaded
        frames = iter(capture)
        assert next(frames).index == 4
        assert capture.dropped == 0
        source.give(2)
        assert next(frames).index == 6
        assert capture.dropped == 1
        source.end()


def test_live_frames_that_pass_while_the_user_pauses_are_not_counted() -> None:
    source, controls, report = PacedSource(), Controls(), RunReport()
    with Capture(source, controls, report) as capture:
        frames = iter(capture)
        source.give(1)
        assert next(frames).index == 0
        controls.paused = True
        source.give(3)
        controls.paused = False
        source.give(1)
        assert next(frames).index == 4
        assert capture.dropped == report.dropped == 1
        source.end()


def test_a_consumer_that_waits_in_vain_may_ask_for_the_end() -> None:
    polls: list[int] = []

    def poll_input() -> None:
        polls.append(1)
        controls.quit_requested = len(polls) == 3

    source, controls = PacedSource(), Controls(poll_input=poll_input)
    with Capture(source, controls) as capture:
        source.wait_for_read()
        assert _indices(capture) == []
        source.end()
    assert len(polls) == 3


def test_a_live_frame_that_waits_when_the_source_ends_is_not_lost() -> None:
    source = PacedSource()
    with Capture(source) as capture:
        source.give(1)
        source.end()
        _wait_for_reader()
        assert _indices(capture) == [0]


def test_a_consumer_waits_for_the_next_frame() -> None:
    source = PacedSource()
    with Capture(source) as capture:
        taken: list[Frame] = []
        consumer = threading.Thread(target=lambda: taken.append(next(iter(capture))))
        consumer.start()
        source.wait_for_read()
        assert not taken
        source.allow()
        consumer.join(PATIENCE_S)
        assert [frame.index for frame in taken] == [0]
        source.end()


@pytest.mark.parametrize("fail_at", [0, 1, 2, 50])
@pytest.mark.parametrize("error", [SourceError("torn"), ValueError("odd"), KeyboardInterrupt()])
def test_frames_read_before_an_error_come_first(fail_at: int, error: BaseException) -> None:
    source = NumberedSource(100, fail_at=fail_at, error=error)
    taken: list[int] = []
    with Capture(source) as capture, pytest.raises(type(error)) as caught:
        for frame in capture:
            taken.append(frame.index)
    assert taken == list(range(fail_at))
    assert caught.value is error
    assert source.closed_by == ["capture"]


def test_a_live_frame_read_before_an_error_comes_first() -> None:
    source = NumberedSource(3, kind="camera", fail_at=2)
    with Capture(source) as capture:
        _wait_for_reader()
        frames = iter(capture)
        assert next(frames).index == 1
        with pytest.raises(SourceError, match="the tape is torn"):
            next(frames)


def test_an_error_is_raised_again_where_frames_are_taken_again() -> None:
    with Capture(NumberedSource(3, fail_at=0)) as capture:
        for _ in range(2):
            with pytest.raises(SourceError):
                next(iter(capture))


def test_an_error_of_closing_is_raised_at_the_end() -> None:
    source = _UnclosableSource(3)
    taken: list[int] = []
    with Capture(source) as capture, pytest.raises(SourceError, match="the lid is stuck"):
        for frame in capture:
            taken.append(frame.index)
    assert taken == [0, 1, 2]


def test_an_error_of_reading_counts_before_one_of_closing() -> None:
    with (
        Capture(_UnclosableSource(3, fail_at=1)) as capture,
        pytest.raises(SourceError, match="torn"),
    ):
        list(capture)


class _FailingOnInterrupt(NumberedSource):
    """Its second read ends with an error once it is interrupted."""

    def __init__(self) -> None:
        super().__init__(2)
        self.failed = False
        self._interrupted = threading.Event()

    def frames(self) -> Iterator[Frame]:
        yield next(super().frames())
        self._interrupted.wait(PATIENCE_S)
        self.failed = True
        raise SourceError("torn")

    def interrupt(self) -> None:
        self._interrupted.set()


def test_an_error_after_the_consumer_has_left_is_not_raised() -> None:
    source = _FailingOnInterrupt()
    with Capture(source) as capture:
        frames = iter(capture)
        assert next(frames).index == 0
    assert source.failed
    assert source.closed_by == ["capture"]
    assert next(frames, None) is None
    assert _indices(capture) == []


def test_a_consumer_that_raises_ends_the_reader() -> None:
    source = NumberedSource(1000)
    with pytest.raises(ZeroDivisionError), Capture(source) as capture:
        for frame in capture:
            1 / (frame.index - 3)
    assert source.closed_by == ["capture"]
    assert source.given <= 4 + _MAX_READ_AHEAD


def test_a_consumer_that_leaves_early_with_the_queue_full_ends_the_reader() -> None:
    source = PacedSource(kind="video")
    with Capture(source) as capture:
        source.give(2)
        source.wait_for_read()
        source.allow()  # this frame finds no room, and its reader waits for some
        assert next(iter(capture)).index == 0
    assert source.closed_by == ["capture"]


def test_closing_with_no_frame_taken_ends_the_reader() -> None:
    source = NumberedSource(1000)
    with Capture(source):
        pass
    assert source.closed_by == ["capture"]
    assert source.given <= _MAX_READ_AHEAD


@pytest.mark.parametrize("kind", ["camera", "video"])
def test_closing_does_not_wait_for_a_read_that_blocks(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    source = PacedSource(kind=kind)
    with Capture(source) as capture:
        source.wait_for_read()
        capture.close()
        # The read still goes on, and the device is not closed under it.
        assert source.closed_by == []
        assert caplog.messages == [
            "numbers does not return from a read: it is released when it does"
        ]
        assert _indices(capture) == []
        source.end()
        _wait_for_reader()
    assert source.closed_by == ["capture"]


def test_closing_wakes_a_consumer_that_waits() -> None:
    source = PacedSource()
    ended = threading.Event()
    with Capture(source) as capture:

        def consume() -> None:
            assert _indices(capture) == []
            ended.set()

        consumer = threading.Thread(target=consume)
        consumer.start()
        source.wait_for_read()
        capture.close()
        assert ended.wait(PATIENCE_S)
        consumer.join(PATIENCE_S)
        source.end()
        _wait_for_reader()


def test_closing_twice() -> None:
    source = NumberedSource(10)
    with Capture(source) as capture:
        capture.close()
        capture.close()
    capture.close()
    assert source.closed_by == ["capture"]


def test_closing_before_the_start_releases_the_source() -> None:
    source = NumberedSource(10)
    capture = Capture(source)
    capture.close()
    assert len(source.closed_by) == 1
    assert source.given == 0
    assert _indices(capture) == []


def test_iterating_before_the_start_is_a_mistake_that_is_named() -> None:
    capture = Capture(NumberedSource(10))
    with pytest.raises(RuntimeError, match="with"):
        next(iter(capture))
    capture.close()


def test_iterating_after_the_end_gives_nothing() -> None:
    with Capture(NumberedSource(3)) as capture:
        assert _indices(capture) == [0, 1, 2]
        assert _indices(capture) == []
    assert _indices(capture) == []


def test_closing_empties_the_queue() -> None:
    source = PacedSource(kind="video")
    with Capture(source) as capture:
        source.give(2)
        source.end()
        _wait_for_reader()
    assert _indices(capture) == []


@pytest.mark.parametrize(
    ("kind", "is_said"), [("video", True), ("stream", True), ("pictures", False)]
)
def test_a_change_of_size_is_said_once(
    kind: SourceKind, is_said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with Capture(_GrowingSource(8, kind=kind)) as capture:
        sizes = [frame.size_wh for frame in capture]
    assert sizes[-1] == (288, 192)
    said = "numbers changes its size at 0.1 s from 96×64 to 192×128: a recording keeps the first"
    assert caplog.messages == [said] * is_said


# --- a source that is played, in which the user goes to and fro ---


def _played(source: NumberedSource) -> Controls:
    return Controls(playback=Playback.of(source.info, recorded=False))


def test_the_user_goes_to_another_place_and_on_from_there() -> None:
    source = SeekableNumbers(200)
    controls = _played(source)
    with Capture(source, controls) as capture:
        frames = iter(capture)
        taken = [next(frames) for _ in range(3)]
        controls.press("right")  # 5 s on from the beginning
        taken += [next(frames) for _ in range(3)]
        controls.press("home")
        controls.playback.position_s = 5.08
        controls.press("home")
        taken += [next(frames) for _ in range(2)]
    assert [frame.index for frame in taken] == [0, 1, 2, 125, 126, 127, 0, 1]
    assert [number_of(frame.image) for frame in taken] == [0, 1, 2, 125, 126, 127, 0, 1]
    assert [frame.index for frame in taken if frame.sought] == [125, 0]
    assert source.sought_s == [5.0, 0.0]
    assert source.closed_by == ["capture"]


def test_the_last_of_several_places_that_are_wanted_at_once_counts() -> None:
    source = SeekableNumbers(200)
    controls = _played(source)
    with Capture(source, controls) as capture:
        frames = iter(capture)
        assert next(frames).index == 0
        for key in ("right", "home", "right"):
            controls.press(key)
        assert next(frames).index == 125
    assert source.sought_s == [5.0]


@pytest.mark.parametrize("last", ["q", "space", "x"])
def test_at_the_end_of_what_is_played_the_user_may_go_back_or_on_or_quit(last: str) -> None:
    keys = ["left", last]
    seen: list[bool] = []

    def poll_input() -> None:
        if controls.playback.at_end and keys:
            seen.append(controls.playback.at_end)
            controls.press(keys.pop(0))

    source = SeekableNumbers(200)
    controls = _played(source)
    controls.poll_input = poll_input
    indices = []
    with Capture(source, controls) as capture:
        for frame in capture:
            controls.playback.position_s = frame.time_s
            indices.append(frame.index)
    assert indices == [*range(200), *range(74, 200)]
    assert seen == [True, True]
    assert controls.quit_requested is (last == "q")  # else the next source follows
    assert source.closed_by == ["capture"]


@pytest.mark.parametrize("source", [NumberedSource(3), SeekableNumbers(3)], ids=["pipe", "file"])
def test_a_window_that_is_lost_at_the_end_keeps_nothing_waiting(source: NumberedSource) -> None:
    def poll_input() -> None:
        if controls.playback.at_end:
            controls.playback.mode = "free"

    controls = _played(source)
    controls.poll_input = poll_input
    with Capture(source, controls) as capture:
        assert _indices(capture) == [0, 1, 2]
    assert source.closed_by == ["capture"]


def test_an_error_is_raised_also_where_the_end_would_stay() -> None:
    source = SeekableNumbers(20, fail_at=3)
    with Capture(source, _played(source)) as capture, pytest.raises(SourceError, match="torn"):
        list(capture)


def test_an_error_behind_a_place_that_is_sought_is_raised() -> None:
    class Torn(SeekableNumbers):
        def frames_from(self, time_s: float) -> Iterator[Frame]:
            raise SourceError("torn there")

    source = Torn(200)
    controls = _played(source)
    with Capture(source, controls) as capture:
        frames = iter(capture)
        assert next(frames).index == 0
        controls.press("right")
        with pytest.raises(SourceError, match="torn there"):
            next(frames)
    assert source.closed_by == ["capture"]


class _LatePlayback(Playback):
    """To which three frames come too late."""

    def is_late(self, frame: Frame, now_s: float, *, paused: bool) -> bool:
        return frame.index in (1, 2, 5)


@pytest.mark.parametrize(
    ("record", "indices", "dropped"), [(False, [0, 3, 4, 6], 3), (True, [0, 1, 2, 3], 0)]
)
def test_frames_that_are_too_late_are_left_out_and_counted_unless_they_are_recorded(
    record: bool, indices: list[int], dropped: int
) -> None:
    report, controls = RunReport(), Controls(playback=_LatePlayback(), record=record)
    with Capture(SeekableNumbers(20), controls, report) as capture:
        assert [frame.index for frame in islice(capture, 4)] == indices
    assert report.dropped == dropped


def test_the_first_frame_may_be_looked_at_before_it_is_taken() -> None:
    source = NumberedSource(3)
    with Capture(source) as capture:
        peeked = capture.peek(PATIENCE_S)
        assert peeked is not None
        assert next(iter(capture)) is peeked


@pytest.mark.parametrize("end", ["no frames", "closed", "none in time"])
def test_without_a_frame_there_is_nothing_to_look_at(end: str) -> None:
    source = PacedSource() if end == "none in time" else NumberedSource(0)
    with Capture(source) as capture:
        if end == "closed":
            capture.close()
        assert capture.peek(0.01 if end == "none in time" else PATIENCE_S) is None
        if isinstance(source, PacedSource):
            source.end()
