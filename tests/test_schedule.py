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
    return [schedule.next_part(frame(number, fps=fps)) for number in range(count)]


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
        if schedule.next_part(Frame(frame().image, index, time_s, 0.0))
    ]
    assert searched == [0.0, 0.41, 0.82, 5.0, 1.0]


def test_after_a_restart_all_is_searched_at_once() -> None:
    schedule = Schedule(_info("camera"), divisible=True)
    _shares(schedule, 3)
    schedule.restart()
    assert schedule.next_part(frame(3)) == _WHOLE
    assert schedule.next_part(frame(4)) != _WHOLE


@pytest.mark.parametrize(("skip", "parts"), [(None, 20), (4, 5), (0, 1)])
def test_of_a_live_source_each_frame_has_its_part(skip: int | None, parts: int) -> None:
    shares = _shares(Schedule(_info("camera"), skip, divisible=True), 1 + 2 * parts)
    assert shares[0] == _WHOLE
    turns = [share.index for share in shares[1:] if share and share.count == parts]
    assert sorted(turns) == sorted(2 * list(range(parts)))
    assert all(later == (earlier + 1) % parts for earlier, later in pairwise(turns))


class _Day:
    """A live source whose frames wait for so long before they are looked at."""

    def __init__(self, max_staleness_s: float = 0.5) -> None:
        self.now_s = 100.0
        self.shedding = LoadShedding(max_staleness_s, clock=lambda: self.now_s)
        self.index = 0

    def run(self, seconds: float, *, dropped: int = 0, age_s: float = 0.0, fps: float = 30) -> None:
        for _ in range(round(seconds * fps)):
            self.now_s += (1 + dropped) / fps
            self.index += 1 + dropped
            self.shedding.observe(Frame(frame().image, self.index, 0.0, self.now_s - age_s))


def test_frames_in_time_shed_no_load() -> None:
    day = _Day()
    day.run(10, age_s=0.02)
    assert day.shedding.level == 0
    assert day.shedding.note == ""
    assert day.shedding.saving == (1.0, 1.0)


@pytest.mark.parametrize("trouble", [{"dropped": 1}, {"age_s": 0.4}])
def test_within_a_second_less_is_done_and_later_more_again(trouble: dict[str, float]) -> None:
    day = _Day()
    day.run(5)
    day.run(0.3, **trouble)  # type: ignore[arg-type]
    rarity, coarseness = day.shedding.saving
    assert (rarity > 3, coarseness) == (True, 1.0)
    day.run(1.0, **trouble)  # type: ignore[arg-type]
    assert day.shedding.saving[1] < 1
    assert "more rarely, at" in day.shedding.note
    day.run(60)
    assert day.shedding.level == 0


def test_a_dropped_frame_now_and_then_is_no_trouble() -> None:
    day = _Day()
    for _ in range(20):
        day.run(0.5)
        day.run(1 / 30, dropped=1)
    assert day.shedding.level == 0


def _calm_day() -> _Day:
    """One on which all has been in time for a while."""
    day = _Day()
    day.run(5)
    return day


def _next(day: _Day, late: str) -> int:
    """The level after frames that come late (x) or in time (-)."""
    for each in late:
        day.run(1 / 30, dropped=int(each == "x"))
    return day.shedding.level


@pytest.mark.parametrize(
    ("late", "level"), [("xx", 0), ("xxx", 1), ("x-----xx", 1), ("x------xx", 0), ("xx------x", 0)]
)
def test_three_late_frames_of_eight_are_trouble(late: str, level: int) -> None:
    assert _next(_calm_day(), late) == level


def test_after_each_step_frames_are_counted_anew() -> None:
    assert [_next(day, "x") for day in [_calm_day()] for _ in range(7)] == [0, 0, 1, 1, 1, 2, 2]


@pytest.mark.parametrize(("age_s", "level"), [(0.24, 0), (0.26, 1)])
def test_a_frame_is_late_after_half_of_what_its_age_may_be(age_s: float, level: int) -> None:
    day = _calm_day()
    day.run(0.1, age_s=age_s)
    assert day.shedding.level == level


def test_each_second_without_a_late_frame_takes_one_step_back() -> None:
    day = _calm_day()
    assert _next(day, "xxxxxx") == 2
    levels = []
    for _ in range(5):
        day.run(0.5)
        levels.append(day.shedding.level)
    assert levels == [2, 2, 1, 1, 0]


def test_a_late_frame_begins_the_second_anew() -> None:
    day = _calm_day()
    _next(day, "xxx")
    for _ in range(4):
        day.run(0.8)
        assert _next(day, "x") == 1
    day.run(1.1)
    assert day.shedding.level == 0


def _seconds_of_patience(day: _Day) -> float:
    """After a step, until it is taken back."""
    assert _next(day, "xxx") == 1
    frames = 0
    while day.shedding.level:
        day.run(1 / 30)
        frames += 1
    return round(frames / 30, 0)


def test_patience_doubles_where_a_step_back_was_in_vain_and_is_short_again_later() -> None:
    day = _calm_day()
    assert [_seconds_of_patience(day) for _ in range(7)] == [1, 2, 4, 8, 16, 32, 32]
    day.run(33)
    assert _seconds_of_patience(day) == 1


@pytest.mark.parametrize(
    ("may_coarsen", "level", "saving"), [(True, 8, (1.6**4, 0.8**4)), (False, 4, (1.6**4, 1.0))]
)
def test_saving_has_its_limits(may_coarsen: bool, level: int, saving: tuple[float, float]) -> None:
    shedding = LoadShedding(0.5, may_coarsen=may_coarsen, clock=lambda: 0.0)
    for index in range(0, 200, 2):
        shedding.observe(Frame(frame().image, index, 0.0, 0.0))
    assert shedding.level == level
    assert shedding.saving == pytest.approx(saving)


@pytest.mark.parametrize(
    ("kind", "skip", "saves"),
    [("camera", None, True), ("camera", 4, False), ("video", None, False)],
)
def test_only_live_sources_are_searched_less_and_only_where_the_user_does_not_say_how_often(
    kind: SourceKind, skip: int | None, saves: bool
) -> None:
    shedding = LoadShedding(0.5, clock=lambda: 0.0)
    schedule = Schedule(_info(kind), skip, divisible=True, load_shedding=shedding)
    for index in range(0, 40, 2):
        schedule.next_part(Frame(frame().image, index, index / 25, 0.0))
    assert bool(shedding.level) is saves
    assert schedule.load_shedding_note == shedding.note


def test_what_was_tried_in_vain_is_tried_more_rarely() -> None:
    """The machine keeps up at level 1 and not at level 0."""
    day = _Day()
    tried = []
    for step in range(600):
        day.run(0.1, dropped=int(day.shedding.level == 0))
        if day.shedding.level == 0:
            tried.append(step)
    assert len(tried) < 40  # of 60 s, less than 4 at the level that is too much


def test_a_search_that_grows_goes_on_where_it_was() -> None:
    day = _Day()
    schedule = Schedule(_info("camera", 30.0), divisible=True, load_shedding=day.shedding)
    places = []
    for number in range(60):
        day.now_s += 2 / 30
        share = schedule.next_part(Frame(frame().image, 2 * number, 0.0, day.now_s))
        assert share is not None
        if number:
            places.append(share.index / share.count)
    steps = [(later - earlier) % 1 for earlier, later in pairwise(places)]
    assert max(steps) < 0.1
    assert share.scale_factor < 1
