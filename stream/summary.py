"""What a run came to."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imutils.video import FPS

from stream.frames import Frame, SourceInfo
from stream.people import Person
from stream.sinks.people_ledger import PeopleLedger
from stream.tracks import Track

_log = logging.getLogger(__name__)


class Summary:
    """Counts while a run goes on.

    Args:
        info: the source.

    Attributes:
        frames: how many were annotated.
        dropped: how many a live source gave that were not.
        faces: how many were seen, over all frames.
        people: how many have been seen and are gone; at the end, all.
        perceived: how many of them were last perceived as what, such as `Female, White`.
        failures: what went wrong on the way, a line each.
        outputs: what was written and is complete.
        interrupted: it was stopped by Ctrl-C or a signal.
    """

    def __init__(self, info: SourceInfo) -> None:
        self.frames = 0
        self.dropped = 0
        self.faces = 0
        self.people = 0
        self.perceived: Counter[str] = Counter()
        self.failures: list[str] = []
        self.outputs: list[Path] = []
        self.interrupted = False
        self._here = PeopleLedger(info)
        self._rate = FPS()

    def __repr__(self) -> str:
        return f"Summary({self.frames} frames, {self.people} people)"

    def start(self, failures: list[str], outputs: list[Path]) -> None:
        """The first frame is about to be taken; both lists may still grow."""
        self.failures, self.outputs = failures, outputs
        self._rate.start()

    def add(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """One more frame."""
        self.frames += 1
        self._rate.update()
        self.faces += sum(track.missed_frames == 0 for track in tracks)
        self._take(self._here.add(frame, tracks))

    def fail(self, reason: str) -> None:
        """The run ends early; said at once."""
        self.failures.append(reason)
        _log.error("%s", reason)

    def finish(self, dropped: int) -> None:
        """The last frame has been taken."""
        if self.frames:
            self._rate.stop()
        self.dropped = dropped
        self._take(self._here.leave())

    @property
    def elapsed_s(self) -> float:
        """From the first frame to the last."""
        return float(self._rate.elapsed()) if self.frames else 0.0

    @property
    def fps(self) -> float:
        """Frames a second."""
        return self.frames / self.elapsed_s if self.elapsed_s else 0.0

    def line(self) -> str:
        """All in one line."""
        words = [
            f"{_count(self.frames, 'frame', 'frames')} in {self.elapsed_s:.1f} s",
            f"({self.fps:.1f} a second)",
        ]
        if self.dropped:
            words.append(f"and {self.dropped} dropped,")
        words.append(f"{_count(self.people, 'person', 'people')}")
        if self.outputs:
            words.append(f"→ {', '.join(map(str, self.outputs))}")
        return " ".join(words)

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "frames": self.frames,
            "dropped": self.dropped,
            "faces": self.faces,
            "people": self.people,
            "perceived": dict(self.perceived),
            "elapsed_s": round(self.elapsed_s, 3),
            "fps": round(self.fps, 2),
            "outputs": [str(path) for path in self.outputs],
            "failures": self.failures,
            "interrupted": self.interrupted,
        }

    def _take(self, gone: Sequence[Person]) -> None:
        self.people += len(gone)
        self.perceived.update(person.perceived() for person in gone)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
