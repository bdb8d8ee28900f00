"""What may be used of a machine: its own figures, or those of the control group."""

import os
from pathlib import Path

import pytest

from models.networks.runtime import available_cores
from stream.batch.machine import Machine, counts_memory, resident_mb

_GB = 1_000_000_000

pytestmark = pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="only Linux has /proc")


def _system(root: Path, groups: str, **files: str | int) -> Path:
    """A folder with what Linux says; in names of files `__` stands for `/`, and `_dot_` for `.`."""
    texts = {"proc/meminfo": "MemTotal: 9 kB\nMemAvailable: 8000000 kB\n"}
    texts["proc/self/cgroup"] = groups
    for name, text in files.items():
        texts[f"sys/fs/cgroup/{name.replace('__', '/').replace('_dot_', '.')}"] = f"{text}\n"
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_this_machine() -> None:
    machine = Machine.here()
    assert 1 <= machine.cores <= available_cores()
    assert machine.memory_mb is not None
    assert machine.memory_mb > 0


def test_without_limits_it_is_what_the_system_has_free(tmp_path: Path) -> None:
    root = _system(tmp_path, "0::/\n", memory_dot_max="max", cpu_dot_max="max 100000")
    assert Machine.here(root) == Machine(available_cores(), 8000 * 1024 // 1000)


def test_where_the_system_says_nothing(tmp_path: Path) -> None:
    assert Machine.here(tmp_path) == Machine(available_cores(), None)


def test_a_group_of_version_2_limits_both_and_so_does_one_above(tmp_path: Path) -> None:
    root = _system(
        tmp_path,
        "0::/jobs/one\n",
        jobs__memory_dot_max=3 * _GB,
        jobs__memory_dot_current=2 * _GB,
        jobs__memory_dot_stat=f"anon 1\ninactive_file {_GB // 2}",
        jobs__one__memory_dot_max="max",
        jobs__one__cpu_dot_max="150000 100000",
    )
    assert Machine.here(root) == Machine(1, 1500)


def test_a_group_of_version_1(tmp_path: Path) -> None:
    root = _system(
        tmp_path,
        "5:memory:/a\n4:cpu,cpuacct:/a\n0::/\n",
        memory__a__memory_dot_limit_in_bytes=_GB,
        memory__a__memory_dot_usage_in_bytes=_GB // 4,
        cpu__a__cpu_dot_cfs_quota_us=50_000,
        cpu__a__cpu_dot_cfs_period_us=100_000,
    )
    assert Machine.here(root) == Machine(1, 750)


def test_in_a_container_the_files_of_the_group_stand_at_the_top(tmp_path: Path) -> None:
    root = _system(tmp_path, "0::/../elsewhere\n", memory_dot_max=_GB, memory_dot_current=0)
    assert Machine.here(root).memory_mb == 1000


def test_a_group_that_has_used_up_its_memory_has_none_left(tmp_path: Path) -> None:
    root = _system(tmp_path, "0::/\n", memory_dot_max=_GB, memory_dot_current=_GB + 1)
    assert Machine.here(root).memory_mb == 0


def test_the_memory_of_a_process(tmp_path: Path) -> None:
    assert counts_memory()
    before_mb = resident_mb(os.getpid())
    taken = bytearray(os.urandom(1)) * 200_000_000
    assert resident_mb(os.getpid()) > before_mb + 150
    del taken
    assert resident_mb(2**22 + 1) == 0  # no process has such a number
