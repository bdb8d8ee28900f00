"""Memory that the program holds, sampled by a thread while something runs."""

import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_STATM = Path("/proc/self/statm")  # Linux; the second figure is what is resident, in pages
_MB = 1_000_000


class MemoryWatch:
    """Notes the resident memory again and again; where the system does not say it, nothing.

    Args:
        every_s: between two samples.

    Attributes:
        samples: seconds since it began, and MB.
    """

    def __init__(self, every_s: float = 0.1) -> None:
        self.samples: list[tuple[float, float]] = []
        self._every_s = every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="memory")

    def __repr__(self) -> str:
        return f"MemoryWatch({len(self.samples)} samples)"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        start_s = time.monotonic()
        while _STATM.exists():
            self.samples.append((time.monotonic() - start_s, resident_mb()))
            if self._over.wait(self._every_s):
                return


def resident_mb() -> float:
    """What the program holds now; on Linux."""
    pages = int(_STATM.read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / _MB
