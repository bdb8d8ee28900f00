"""What of this machine a batch may use: cores and memory, within the limits of its control group.

A container or a job of a cluster often may use less than the machine has. Only Linux says so.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from models.networks.runtime import available_cores

_MB = 1_000_000
"""Bytes in a megabyte."""

_GROUPS = "sys/fs/cgroup"
"""Where control groups of version 2 stand, and the controllers of version 1 below it."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What this process may use.

    Attributes:
        cores: how many at the same time, 1 or more.
        memory_mb: how much is free, MB; None where the system does not say.
    """

    cores: int
    memory_mb: int | None

    @classmethod
    def here(cls, root: Path = Path("/")) -> Self:
        """This machine, as it is now.

        Args:
            root: the folder in which `proc` and `sys` are looked for.
        """
        groups = list(_control_groups(root))
        quotas = [each for group in groups if (each := _quota(group)) is not None]
        cores = min([available_cores(), *(max(1, int(quota)) for quota in quotas)])
        free = [each for group in groups if (each := _free_of_group(group)) is not None]
        if (of_system := _free_of_system(root)) is not None:
            free.append(of_system)
        return cls(cores, min(free) // _MB if free else None)


def resident_mb(pid: int) -> float:
    """The memory of a process that is in use, MB; 0 where it has ended, or no Linux counts it."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / _MB


def counts_memory() -> bool:
    """Whether the memory of a process can be told here."""
    return resident_mb(os.getpid()) > 0


def _free_of_system(root: Path) -> int | None:
    """The memory that programs can still take, bytes."""
    for line in _text(root / "proc/meminfo").splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024
    return None


def _control_groups(root: Path) -> Iterator[Path]:
    """The folders of the control groups of this process, and of those above them."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, own = line.split(":", 2)
        for controller in controllers.split(","):  # none where the version is 2
            top = root / _GROUPS / controller
            folder = top / own.lstrip("/")
            while folder != top:
                yield folder
                folder = folder.parent
            yield top  # in a container the group's own files stand here


def _quota(group: Path) -> float | None:
    """How many cores' time a control group may take; None where it has no limit."""
    if words := _text(group / "cpu.max").split():
        quota, period = words[0], words[1]
    else:
        quota, period = (
            _text(group / f"cpu.cfs_{each}_us").strip() for each in ("quota", "period")
        )
    if not quota.isdecimal() or not period.isdecimal():  # `max`, -1, or no such file
        return None
    return int(quota) / int(period)


def _free_of_group(group: Path) -> int | None:
    """The memory that a control group may still take, bytes; None where it has no limit.

    What files have in the cache counts as taken, and is given back where it is needed.
    """
    for limit_file, used_file, cache in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit, used = (_text(group / each).strip() for each in (limit_file, used_file))
        if limit.isdecimal() and used.isdecimal():
            lines = (line.split() for line in _text(group / "memory.stat").splitlines())
            cached = next((int(words[1]) for words in lines if words[0] == cache), 0)
            return max(int(limit) - int(used) + cached, 0)
    return None


def _text(path: Path) -> str:
    """What a file of the system holds; empty where it is not there."""
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
