"""When how much of the frame is searched, with a clock that the test sets."""

from itertools import pairwise

import pytest
from fakes import SIZE_WH, frame

from stream.following.load_shedding import LoadShedding
from stream.following.schedule import Schedule, SearchPart
from stream.frames import Frame, SourceInfo, SourceKind

_WHOLE = SearchPart()


def _info(kind: SourceKind = "video", fps: float | None = 25.0) -> SourceInfo:
    return SourceInfo("script", kind, SIZE_WH, fps)


def _shares(schedule: Schedule, count: int, fps: float = 25.0) -> list[SearchPart | None]:
    return [schedule.share(frame(number, fps=fps)) for number in range(count)]


@pytest.mark.parametrize("divisible", [False, True])
@pytest.mark.parametrize("skip", [0, 1, 4])
def test_so_many_frames_are_skipped_as_was_asked(skip: int, divisible: bool) -> None:
    shares = _shares(Schedule(_info(), skip, divisible=divisible), 31)
    assert shares == [None if number % (skip + 1) else _WHOLE for number in range(31)]


@pytest.mark.parametrize(("fps", "every"), [(25.0, 10), (12.5, 5), (29.97, 12), (1.0, 1)])
def test_a_file_is_searched_each_0_4_seconds(fps: float, every: int) -> None:
    shares = _shares(Schedule(_info(fps=fps)), 40, fps)
    assert [number for number, share in enumerate(shares) if share] == list(range(0, 40, every))


def test_a_file_is_searched_by_halves_where_that_can_be() -> None:
    shares = [share for share in _shares(Schedule(_info(), divisible=True), 50) if share]
    assert shares == [
        _WHOLE,
        SearchPart(1, 2),
        SearchPart(0, 2),
        SearchPart(1, 2),
        SearchPart(0, 2),
    ]


def test_frames_at_odd_times() -> None:
    schedule = Schedule(_info(fps=None))
    times_s = [0.0, 0.1, 0.39, 0.41, 0.5, 0.8, 0.82, 5.0, 5.1, 1.0]  # the last one jumps back
    searched = [
        time_s
        for index, time_s in enumerate(times_s)
        if schedule.share(Frame(frame().image, index, time_s, 0.0))
    ]
    assert searched == [0.0, 0.41, 0.82, 5.0, 1.0]


def test_after_a_restart_all_is_searched_at_once() -> None:
    schedule = Schedule(_info("camera"), divisible=True)
    _shares(schedule, 3)
    schedule.restart()
    assert schedule.share(frame(3)) == _WHOLE
    assert schedule.share(frame(4)) != _WHOLE


@pytest.mark.parametrize(("skip", "parts"), [(None, 20), (4, 5), (0, 1)])
def test_of_a_live_source_each_frame_has_its_part(skip: int | None, parts: int) -> None:
    shares = _shares(Schedule(_info("camera"), skip, divisible=True), 1 + 2 * parts)
    assert shares[0] == _WHOLE
    turns = [share.part for share in shares[1:] if share and share.parts == parts]
    assert sorted(turns) == sorted(2 * list(range(parts)))
    assert all(later == (earlier + 1) % parts for earlier, later in pairwise(turns))


class _Day:
    """A live source whose frames wait for so long before they are looked at."""

    def __init__(self, thrift_of_s: float = 0.5) -> None:
        self.now_s = 100.0
        self.thrift = LoadShedding(thrift_of_s, clock=lambda: self.now_s)
        self.index = 0

    def run(self, seconds: float, *, dropped: int = 0, age_s: float = 0.0, fps: float = 30) -> None:
        for _ in range(round(seconds * fps)):
            self.now_s += (1 + dropped) / fps
            self.index += 1 + dropped
            self.thrift.note(Frame(frame().image, self.index, 0.0, self.now_s - age_s))


def test_what_comes_in_time_is_left_alone() -> None:
    day = _Day()
    day.run(10, age_s=0.02)
    assert day.thrift.level == 0
    assert str(day.thrift) == ""
    assert day.thrift.saving == (1.0, 1.0)


@pytest.mark.parametrize("trouble", [{"dropped": 1}, {"age_s": 0.4}])
def test_within_a_second_less_is_done_and_later_more_again(trouble: dict[str, float]) -> None:
    day = _Day()
    day.run(5)
    day.run(0.3, **trouble)  # type: ignore[arg-type]
    rarity, coarseness = day.thrift.saving
    assert (rarity > 3, coarseness) == (True, 1.0)
    day.run(1.0, **trouble)  # type: ignore[arg-type]
    assert day.thrift.saving[1] < 1
    assert "more rarely, at" in str(day.thrift)
    day.run(60)
    assert day.thrift.level == 0


def test_a_dropped_frame_now_and_then_is_no_trouble() -> None:
    day = _Day()
    for _ in range(20):
        day.run(0.5)
        day.run(1 / 30, dropped=1)
    assert day.thrift.level == 0


def test_what_was_tried_in_vain_is_tried_more_rarely() -> None:
    """The machine keeps up at level 1 and not at level 0."""
    day = _Day()
    tried = []
    for step in range(600):
        day.run(0.1, dropped=int(day.thrift.level == 0))
        if day.thrift.level == 0:
            tried.append(step)
    assert len(tried) < 40  # of 60 s, less than 4 at the level that is too much


def test_the_user_s_scale_is_left_alone() -> None:
    thrift = LoadShedding(0.5, may_coarsen=False, clock=lambda: 0.0)
    for index in range(0, 2000, 2):
        thrift.note(frame(index % 256) if index < 256 else Frame(frame().image, index, 0.0, 0.0))
    assert thrift.saving[1] == 1.0


def test_a_search_that_grows_goes_on_where_it_was() -> None:
    day = _Day()
    schedule = Schedule(_info("camera", 30.0), divisible=True, thrift=day.thrift)
    places = []
    for number in range(60):
        day.now_s += 2 / 30
        share = schedule.share(Frame(frame().image, 2 * number, 0.0, day.now_s))
        assert share is not None
        if number:
            places.append(share.part / share.parts)
    steps = [(later - earlier) % 1 for earlier, later in pairwise(places)]
    assert max(steps) < 0.1
    assert share.coarseness < 1
