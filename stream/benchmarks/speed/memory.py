"""The memory that the program holds, sampled by a thread while something runs."""

import os
import threading
import time
from pathlib import Path
from typing import Self

_STATM = Path("/proc/self/statm")
"""Where Linux tells the memory of a process; the second number is the resident memory in pages."""

_BYTES_PER_MB = 1_000_000
"""Bytes in a megabyte, as memory is reported here."""


class MemorySampler:
    """Notes the resident memory again and again; where the system does not tell it, nothing.

    Args:
        every_s: time between two samples, s.

    Attributes:
        samples: the time since the start in seconds, and the memory then in MB.
    """

    def __init__(self, every_s: float = 0.1) -> None:
        self.samples: list[tuple[float, float]] = []
        self._every_s = every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="memory")

    def __repr__(self) -> str:
        return f"MemorySampler({len(self.samples)} samples)"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        start_s = time.monotonic()
        while _STATM.exists():
            self.samples.append((time.monotonic() - start_s, _resident_mb()))
            if self._ended.wait(self._every_s):
                return


def _resident_mb() -> float:
    """The resident memory of the program, MB; on Linux only."""
    pages = int(_STATM.read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / _BYTES_PER_MB
