"""How many workers a machine takes: as many as its cores and its memory suffice for."""

import pytest

from stream.batch.machine import Machine, counts_memory
from stream.batch.pool_size import PoolSize, pool_size
from stream.errors import ConfigError
from stream.settings import Config
from stream.settings.schema import EngineSection

needs_counts = pytest.mark.skipif(not counts_memory(), reason="memory is counted on Linux only")


def _config(threads: int) -> Config:
    return Config(engine=EngineSection(threads=threads, device="cpu"))


@needs_counts
@pytest.mark.parametrize(
    ("cores", "memory_mb", "size"),
    [
        (1, 64_000, PoolSize(1, 1, 64_000)),
        (8, 64_000, PoolSize(8, 1, 8_000)),
        (8, 3_000, PoolSize(3, 2, 2_000)),  # what memory forbids as processes, threads take
        (8, 500, PoolSize(1, 8, 2_000)),  # a large picture may well fit
    ],
)
def test_cores_and_memory(cores: int, memory_mb: int, size: PoolSize) -> None:
    assert pool_size(_config(0), Machine(cores, memory_mb)) == size


def test_where_nothing_is_known_of_memory() -> None:
    assert pool_size(_config(0), Machine(4, None)) == PoolSize(4, 1, 0)


def test_the_threads_of_the_settings_are_kept() -> None:
    assert pool_size(_config(2), Machine(8, None)) == PoolSize(4, 2, 0)
    assert pool_size(_config(9), Machine(8, None)) == PoolSize(1, 9, 0)


@needs_counts
def test_what_each_may_take_says_how_many_there_are() -> None:
    assert pool_size(_config(0), Machine(8, 8_000), memory_mb=4_000) == PoolSize(2, 4, 4_000)


@pytest.mark.skipif(counts_memory(), reason="memory is counted here")
def test_a_limit_of_memory_that_cannot_be_kept_is_refused() -> None:
    with pytest.raises(ConfigError, match="--memory-mb: only Linux"):
        pool_size(_config(0), Machine(8, None), memory_mb=4_000)


def test_so_many_workers_as_are_asked_for() -> None:
    assert pool_size(_config(0), Machine(8, None), workers=2) == PoolSize(2, 4, 0)
    assert pool_size(_config(0), Machine(2, None), workers=5) == PoolSize(5, 1, 0)


def test_a_worker_is_told_its_threads() -> None:
    assert PoolSize(2, 3).applied(Config()).engine.threads == 3
