"""The stopwatch: who took how long, in which stage, and nothing where nobody measures."""

import threading
import time

import pytest

from stream.stopwatch import Lap, measuring, stage


@stage("work")
def _work(seconds: float) -> str:
    time.sleep(seconds)
    return "done"


def test_what_is_within_a_stage_is_not_counted_twice() -> None:
    began_s = time.perf_counter()
    with measuring() as watch:
        for _ in range(3):
            with stage("outer"):
                time.sleep(0.01)
                assert _work(0.02) == "done"
    elapsed_s = time.perf_counter() - began_s
    laps = {name: lap for (_, name), lap in watch.laps.items()}
    assert (laps["outer"].rounds, laps["work"].rounds) == (3, 3)
    assert laps["outer"].wall_s >= 0.03
    assert laps["work"].wall_s >= 0.06
    assert laps["outer"].wall_s + laps["work"].wall_s <= elapsed_s
    assert laps["work"].cpu_s < laps["work"].wall_s  # it slept


def test_a_stage_that_fails_is_counted() -> None:
    with measuring() as watch:
        with pytest.raises(KeyError), stage("outer"), stage("inner"):
            raise KeyError
        with stage("after"):
            pass
    assert {name: lap.rounds for (_, name), lap in watch.laps.items()} == {
        "inner": 1,
        "outer": 1,
        "after": 1,
    }


def test_threads_do_not_mix() -> None:
    def nest() -> None:
        for _ in range(200):
            with stage("outer"):
                _work(0)

    with measuring() as watch:
        threads = [threading.Thread(target=nest, name=f"{number}") for number in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert {key: lap.rounds for key, lap in watch.laps.items()} == {
        (f"{number}", name): 200 for number in range(4) for name in ("outer", "work")
    }


def test_only_what_begins_and_ends_meanwhile_is_measured() -> None:
    before = stage("before")
    before.__enter__()
    with measuring() as watch:
        before.__exit__(None, None, None)
        _work(0)
        after = stage("after")
        after.__enter__()
    after.__exit__(None, None, None)
    assert [name for _, name in watch.laps] == ["work"]
    assert _work(0) == "done"


def test_one_at_a_time() -> None:
    with measuring(), pytest.raises(RuntimeError, match="being measured already"), measuring():
        pass
    with measuring() as watch:
        pass
    assert watch.laps == {}


def test_laps_add_up() -> None:
    assert Lap(1, 2.0, 1.0) + Lap(2, 1.0, 0.5) == Lap(3, 3.0, 1.5)
