"""The summary of a run: how many frames and people there were, and how long it took."""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.pictures.files import counted_kinds
from models.program.printable import counted
from stream.controls import RunReport
from stream.drawing.wording import label_text
from stream.people import Person
from stream.sinks.contract import AnnotatedFrame
from stream.source_history import SourceHistory

_UNSURE = "unsure"
"""What is said of a person whose label is unsure."""

_TOO_SMALL = "too small to say"
"""What is said of a person without labels."""

_log = logging.getLogger(__name__)


class Summary:
    """Counts frames, faces and people, as a sink that gets each frame last.

    Args:
        report: what the run reports.

    Attributes:
        report: what the run reports.
        frames: frames that all sinks have been given.
        faces: faces seen, over all frames.
        people: people whose tracks have ended; at the end, all, whose tracks may be several.
        perceived: how many of them were last perceived as what, such as `Female, White`.
        seen: how many of them by the first of their labels alone, such as `female`, or `unsure`.
        interrupted: the run was stopped by Ctrl-C or a signal.
    """

    name = "summary"
    output = None
    quit_requested = False

    def __init__(self, report: RunReport) -> None:
        self.frames = 0
        self.faces = 0
        self.people = 0
        self.perceived: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.interrupted = False
        self.report = report
        self._started_s: float | None = None
        self._ended_s: float | None = None
        self._has_pictures = False
        self._persons: Sequence[Person] | None = None

    def __repr__(self) -> str:
        return f"Summary({self.frames} frames, {self.people} people)"

    def start(self) -> None:
        """Starts the clock: the first frame is about to be taken."""
        self._started_s = time.monotonic()

    def write(self, annotated: AnnotatedFrame) -> None:
        """Counts one more frame."""
        self.frames += 1
        self._has_pictures = annotated.frame.path is not None
        self.faces += sum(track.missed_frames == 0 for track in annotated.tracks)
        self._count(annotated.ended)

    def settle(self, persons: Sequence[Person]) -> None:
        """Takes the persons of the file for those who are counted, not their tracks."""
        self._persons = persons

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Counts the people who are still present, or the persons of the file."""
        if self._persons is None:
            self._count(present)
            return
        self.people = 0
        self.perceived.clear()
        self.seen.clear()
        self._count(self._persons)

    def finish(self) -> None:
        """Stops the clock: all outputs are closed."""
        self._ended_s = time.monotonic()

    def fail(self, reason: str) -> None:
        """Adds why the run ends early, and logs it at once."""
        self.report.failures.append(reason)
        _log.error("%s", reason)

    def add(self, other: "Summary") -> None:
        """Adds what another run came to, but for its outputs, its failures and its time."""
        self._has_pictures = other._has_pictures and (self._has_pictures or not self.frames)
        self.frames += other.frames
        self.faces += other.faces
        self.people += other.people
        self.perceived.update(dict(other.perceived))  # in one step: it may still be going on
        self.seen.update(dict(other.seen))
        self.interrupted |= other.interrupted
        self.report.add(other.report)

    @property
    def dropped(self) -> int:
        """Frames that were not annotated: newer ones came, or they were too late to be shown."""
        return self.report.dropped

    @property
    def skipped(self) -> Counter[str]:
        """Pictures that were left out, by kind."""
        return self.report.skipped

    @property
    def history(self) -> SourceHistory:
        """When the source was live, lost and back."""
        return self.report.history

    @property
    def outputs(self) -> list[Path]:
        """The files and folders that are complete."""
        return self.report.outputs

    @property
    def failures(self) -> list[str]:
        """What went wrong on the way, a line each."""
        return self.report.failures

    @property
    def elapsed_s(self) -> float:
        """From before the first frame until all outputs were closed, or until now."""
        if not self.frames or self._started_s is None:
            return 0.0
        ended_s = time.monotonic() if self._ended_s is None else self._ended_s
        return ended_s - self._started_s

    @property
    def fps(self) -> float:
        """Frames a second."""
        return self.frames / self.elapsed_s if self.elapsed_s else 0.0

    def line(self) -> str:
        """The summary in one line: who was seen, in how many frames, and what is complete."""
        seen = ", ".join(f"{self.seen[each]} {each}" for each in sorted(self.seen, key=_place))
        people = counted(self.people, "person", "people") + (f": {seen}" if seen else "")
        taken = counted(self.frames, "picture" if self._has_pictures else "frame")
        done = f"{taken} in {self.elapsed_s:.1f} s"
        if self.dropped:
            done += f", {self.dropped} dropped"
        if self.history.gap_count:
            gaps = counted(self.history.gap_count, "gap")
            done += f", {gaps} of {self.history.gaps_s:.1f} s"
        if self.skipped:
            done += f", {counted_kinds(self.skipped)} left out"
        results = [self.report.segments.words(), ", ".join(map(str, self.report.outputs))]
        results += [f"{name}: {each.words()}" for name, each in self.report.deliveries.items()]
        return f"{people} · {done}{''.join(f' → {each}' for each in results if each)}"

    @property
    def advice(self) -> str:
        """What was searched for, and what finds more, where no face was found; else empty."""
        smallest_px = self.report.smallest_face_px
        if self.faces or not self.frames or not smallest_px:
            return ""
        finer = self.report.finer_search
        line = f"no face of {smallest_px:.0f} px and more was found"
        return f"{line}: {finer} finds narrower ones" if finer else line

    def as_dict(self) -> dict[str, Any]:
        """The summary as JSON has it."""
        return {
            "frames": self.frames,
            **self.report.accounts(),
            "faces": self.faces,
            "people": self.people,
            "perceived": dict(self.perceived),
            "elapsed_s": round(self.elapsed_s, 3),
            "fps": round(self.fps, 2),
            "outputs": [str(path) for path in self.outputs],
            "interrupted": self.interrupted,
        }

    def _count(self, people: Sequence[Person]) -> None:
        self.people += len(people)
        self.perceived.update(person.perceived() for person in people)
        self.seen.update(map(_seen_as, people))


def _seen_as(person: Person) -> str:
    """What the first label of a person says."""
    for attribute, label in person.labels.items():
        if label.text is None:
            return _UNSURE
        words = label_text(attribute, label, with_confidence=False)
        return words.lower() if attribute == "gender" else words  # races are names
    return _TOO_SMALL


def _place(seen: str) -> tuple[bool, bool, str]:
    """The order of what was seen: by name, then who may be anything."""
    return seen == _TOO_SMALL, seen == _UNSURE, seen
