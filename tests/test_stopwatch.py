"""The stopwatch: how long each stage took in each thread, and nothing while none is measured."""

import threading

import pytest

from stream.stopwatch import StageTiming, Stopwatch, measuring, stage


@stage("work")
def _work() -> str:
    return "done"


class _Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_what_is_within_a_stage_is_not_counted_twice() -> None:
    wall, cpu = _Clock(), _Clock()
    watch = Stopwatch(wall, cpu)
    for _ in range(3):
        watch.enter("outer")
        wall.now_s += 1.0
        cpu.now_s += 0.5
        for name in ("inner", "other"):
            watch.enter(name)
            wall.now_s += 4.0
            cpu.now_s += 1.0
            watch.enter("innermost")
            wall.now_s += 16.0
            watch.leave()
            watch.leave()
        wall.now_s += 2.0
        watch.leave()
    assert {name: timing for (_, name), timing in watch.timings.items()} == {
        "outer": StageTiming(3, 9.0, 1.5),
        "inner": StageTiming(3, 12.0, 3.0),
        "other": StageTiming(3, 12.0, 3.0),
        "innermost": StageTiming(6, 96.0, 0.0),
    }


def test_a_decorated_stage_is_measured_each_time() -> None:
    with measuring() as watch:
        assert [_work() for _ in range(3)] == 3 * ["done"]
    assert {name: timing.calls for (_, name), timing in watch.timings.items()} == {"work": 3}


def test_a_stage_that_fails_is_counted() -> None:
    with measuring() as watch:
        with pytest.raises(KeyError), stage("outer"), stage("inner"):
            raise KeyError
        with stage("after"):
            pass
    assert {name: timing.calls for (_, name), timing in watch.timings.items()} == {
        "inner": 1,
        "outer": 1,
        "after": 1,
    }


def test_threads_do_not_mix() -> None:
    def nest() -> None:
        for _ in range(200):
            with stage("outer"):
                _work()

    with measuring() as watch:
        threads = [threading.Thread(target=nest, name=f"{number}") for number in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert {key: timing.calls for key, timing in watch.timings.items()} == {
        (f"{number}", name): 200 for number in range(4) for name in ("outer", "work")
    }


def test_only_what_begins_and_ends_meanwhile_is_measured() -> None:
    before = stage("before")
    before.__enter__()
    with measuring() as watch:
        before.__exit__(None, None, None)
        _work()
        after = stage("after")
        after.__enter__()
    after.__exit__(None, None, None)
    assert [name for _, name in watch.timings] == ["work"]
    assert _work() == "done"


def test_one_at_a_time() -> None:
    with measuring(), pytest.raises(RuntimeError, match="being measured already"), measuring():
        pass
    with measuring() as watch:
        pass
    assert watch.timings == {}


def test_timings_add_up() -> None:
    assert StageTiming(1, 2.0, 1.0) + StageTiming(2, 1.0, 0.5) == StageTiming(3, 3.0, 1.5)
