"""When how much of the frame is searched, with a clock that the test sets."""

from itertools import pairwise

import pytest
from fakes import frame

from stream.following.load_shedding import LoadShedding
from stream.following.schedule import Schedule, Search
from stream.frames import Frame


def _searches(schedule: Schedule, count: int, fps: float = 25.0) -> list[Search | None]:
    return [schedule.next_search(frame(number, fps=fps)) for number in range(count)]


# --- in its four cases ---


@pytest.mark.parametrize("skip", [0, 1, 4])
def test_so_many_frames_are_skipped_as_was_asked(skip: int) -> None:
    searches = _searches(Schedule(skip), 31)
    assert searches == [None if number % (skip + 1) else Search.ALL for number in range(31)]


@pytest.mark.parametrize(("fps", "every"), [(25.0, 10), (12.5, 5), (29.97, 12), (1.0, 1)])
def test_what_has_changed_is_searched_each_0_4_seconds(fps: float, every: int) -> None:
    searches = _searches(Schedule(), 40, fps)
    first, *others = [number for number, search in enumerate(searches) if search]
    assert [first, *others] == list(range(0, 40, every))
    assert searches[first] is Search.ALL
    assert {searches[number] for number in others} == {Search.CHANGES}


def test_frames_at_odd_times() -> None:
    schedule = Schedule()
    times_s = [0.0, 0.1, 0.39, 0.41, 0.5, 0.8, 0.82, 5.0, 5.1, 1.0]  # the last one jumps back
    searched = [
        time_s
        for index, time_s in enumerate(times_s)
        if schedule.next_search(Frame(frame().image, index, time_s, 0.0))
    ]
    assert searched == [0.0, 0.41, 0.82, 5.0, 1.0]


@pytest.mark.parametrize("skip", [None, 9])
def test_after_a_restart_all_is_searched_at_once(skip: int | None) -> None:
    schedule = Schedule(skip)
    _searches(schedule, 3)
    schedule.restart()
    assert schedule.next_search(frame(3)) is Search.ALL
    assert schedule.next_search(frame(4)) is None
    counted = [schedule.next_search(frame(number)) for number in range(5, 14)]
    assert [search is not None for search in counted] == [False] * 8 + [True]  # 0.4 s, ten frames


@pytest.mark.parametrize(("skip", "every"), [(None, 1), (0, 1), (3, 4)])
def test_while_faces_are_blurred_all_of_each_frame_is_searched_unless_the_user_says_how_often(
    skip: int | None, every: int
) -> None:
    schedule = Schedule(skip)
    searches = [schedule.next_search(frame(number), search_all=True) for number in range(12)]
    assert searches == [None if number % every else Search.ALL for number in range(12)]


def test_when_the_blur_ends_the_next_search_is_0_4_seconds_on() -> None:
    schedule = Schedule()
    for number in range(5):
        schedule.next_search(frame(number), search_all=True)
    searches = [schedule.next_search(frame(number)) for number in range(5, 15)]
    assert searches == [None] * 9 + [Search.CHANGES]


def test_of_a_search_in_steps_each_frame_has_one_until_none_is_left() -> None:
    schedule = Schedule()
    _searches(schedule, 10)
    assert schedule.next_search(frame(10)) is Search.CHANGES
    steps = [schedule.next_search(frame(number), has_steps=True) for number in range(11, 40)]
    assert steps == [Search.NEXT_STEP] * 29
    assert schedule.next_search(frame(40)) is Search.CHANGES, "it began 1.2 s ago"
    assert schedule.next_search(frame(41)) is None


def test_a_cut_or_a_blur_does_not_wait_for_steps() -> None:
    schedule = Schedule()
    _searches(schedule, 1)
    assert schedule.next_search(frame(1), has_steps=True) is Search.NEXT_STEP
    assert schedule.next_search(frame(2), has_steps=True, search_all=True) is Search.ALL
    schedule.restart()
    assert schedule.next_search(frame(3), has_steps=True) is Search.ALL


# --- where frames come late ---


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
    assert day.shedding.interval_factor == 1.0


@pytest.mark.parametrize("trouble", [{"dropped": 1}, {"age_s": 0.4}])
def test_within_a_second_less_is_done_and_later_more_again(trouble: dict[str, float]) -> None:
    day = _Day()
    day.run(5)
    day.run(0.3, **trouble)  # type: ignore[arg-type]
    assert 3 < day.shedding.interval_factor < 5
    day.run(1.0, **trouble)  # type: ignore[arg-type]
    assert day.shedding.interval_factor > 10
    assert day.shedding.note == "newcomers looked for 16.8× more rarely"
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


def test_each_level_makes_searches_1_6_times_as_rare_and_there_are_six() -> None:
    shedding, factors = LoadShedding(0.5, clock=lambda: 0.0), set()
    for index in range(0, 200, 2):
        shedding.observe(Frame(frame().image, index, 0.0, 0.0))
        factors.add(round(shedding.interval_factor, 6))
    assert sorted(factors) == [round(1.6**level, 6) for level in range(7)]
    assert shedding.level == 6


@pytest.mark.parametrize(("skip", "saves"), [(None, True), (4, False)])
def test_load_is_shed_only_where_the_user_does_not_say_how_often(
    skip: int | None, saves: bool
) -> None:
    shedding = LoadShedding(0.5, clock=lambda: 0.0)
    schedule = Schedule(skip, load_shedding=shedding)
    for index in range(0, 40, 2):
        schedule.next_search(Frame(frame().image, index, index / 25, 0.0))
    assert bool(shedding.level) is saves
    assert schedule.load_shedding_note == shedding.note


def test_a_file_has_no_load_to_shed() -> None:
    schedule = Schedule()
    for index in range(0, 40, 2):
        schedule.next_search(Frame(frame().image, index, index / 25, 0.0))
    assert schedule.load_shedding_note == ""


def test_what_was_tried_in_vain_is_tried_more_rarely() -> None:
    """The machine keeps up at level 1 and not at level 0."""
    day = _Day()
    tried = []
    for step in range(600):
        day.run(0.1, dropped=int(day.shedding.level == 0))
        if day.shedding.level == 0:
            tried.append(step)
    assert len(tried) < 40  # of 60 s, less than 4 at the level that is too much


def _overloaded(day: _Day) -> Schedule:
    """A schedule that saves as much as it can: every other frame is dropped, and always will be."""
    schedule = Schedule(load_shedding=day.shedding)
    for _ in range(40):
        _observed(schedule, day)
    assert day.shedding.level == 6
    return schedule


def _observed(schedule: Schedule, day: _Day, *, has_steps: bool = False) -> Search | None:
    day.now_s += 2 / 30
    day.index += 2
    late = Frame(frame().image, day.index, day.now_s, day.now_s)
    return schedule.next_search(late, has_steps=has_steps)


def test_searches_of_an_overloaded_source_are_17_times_as_rare() -> None:
    day = _Day()
    schedule = _overloaded(day)
    searched_s = [day.now_s for _ in range(600) if _observed(schedule, day)]
    gaps_s = [later - earlier for earlier, later in pairwise(searched_s)]
    assert gaps_s == pytest.approx([0.4 * 1.6**6] * len(gaps_s), abs=0.07)
    assert len(gaps_s) == 5


def test_steps_of_an_overloaded_source_are_17_frames_apart() -> None:
    day = _Day()
    schedule = _overloaded(day)
    searched = [number for number in range(100) if _observed(schedule, day, has_steps=True)]
    assert {later - earlier for earlier, later in pairwise(searched)} == {17}
