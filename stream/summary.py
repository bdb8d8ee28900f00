"""What a run came to."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imutils.video import FPS

from stream.annotator import Track

_log = logging.getLogger(__name__)


class Summary:
    """Counts while a run goes on.

    Attributes:
        frames: how many were annotated.
        dropped: how many a live source gave that were not.
        faces: how many were seen, over all frames.
        people: by track id, what each was last perceived as (None: unsure).
        failures: what went wrong on the way, a line each.
        outputs: what was written and is complete.
        interrupted: it was stopped by Ctrl-C or a signal.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.dropped = 0
        self.faces = 0
        self.people: dict[int, dict[str, str | None]] = {}
        self.failures: list[str] = []
        self.outputs: list[Path] = []
        self.interrupted = False
        self._rate = FPS()

    def __repr__(self) -> str:
        return f"Summary({self.frames} frames, {len(self.people)} people)"

    def start(self, failures: list[str], outputs: list[Path]) -> None:
        """The first frame is about to be taken; both lists may still grow."""
        self.failures, self.outputs = failures, outputs
        self._rate.start()

    def add(self, tracks: Sequence[Track]) -> None:
        """One more frame."""
        self.frames += 1
        self._rate.update()
        for track in tracks:
            self.faces += track.missed_frames == 0
            self.people[track.track_id] = {name: label.text for name, label in track.labels.items()}

    def fail(self, reason: str) -> None:
        """The run ends early; said at once."""
        self.failures.append(reason)
        _log.error("%s", reason)

    def finish(self, dropped: int) -> None:
        """The last frame has been taken."""
        if self.frames:
            self._rate.stop()
        self.dropped = dropped

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
        words.append(f"{_count(len(self.people), 'person', 'people')}")
        if self.outputs:
            words.append(f"→ {', '.join(map(str, self.outputs))}")
        return " ".join(words)

    def perceived(self) -> Counter[str]:
        """How many people were last perceived as what, such as `Female, White`."""
        return Counter(
            ", ".join(text or f"{name} unsure" for name, text in labels.items())
            or "too small to say"
            for labels in self.people.values()
        )

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "frames": self.frames,
            "dropped": self.dropped,
            "faces": self.faces,
            "people": self.people,
            "elapsed_s": round(self.elapsed_s, 3),
            "fps": round(self.fps, 2),
            "outputs": [str(path) for path in self.outputs],
            "failures": self.failures,
            "interrupted": self.interrupted,
        }


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
