"""What the user wishes while a run goes on, and what the run reports.

The window, the loop, the capture and the sinks meet here, and do not know one another.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stream.deliveries import Delivery
from stream.playback import Playback
from stream.source_history import SourceHistory

KEYS = (
    ("Space", "pause, go on; next picture"),
    ("←  →", "5 s back, on; picture before, next"),
    (",  .  [  ]", "a frame back, on; slower, faster"),
    ("Home", "to the beginning"),
    ("F", "full screen, on and off"),
    ("S", "save the picture"),
    ("R", "start and stop recording"),
    ("B", "blur faces, on and off"),
    ("H", "this help, on and off"),
    ("Q, Esc", "quit"),
)
"""The keys of the window and what each does, as the help shows them."""

_PLAYBACK_KEYS = frozenset({"left", "right", "home", ",", ".", "[", "]"})
"""The keys that `Playback` takes."""

_WHILE_RECORDING = "while it records, no other place can be shown: R ends the recording"
"""The notice where the user would leave a gap in a recording."""


_KEPT_FAILURES = 100
"""Failures that are kept and said; a run of weeks on a full disk has one in each segment."""


def no_input() -> None:
    """There is no window, and so no key."""


@dataclass(slots=True)
class Controls:
    """What the user wishes: the window sets it, the loop, the annotator and the sinks act on it.

    Attributes:
        quit_requested: the run is to end.
        next_requested: the source at hand is to end, whose last frame has been looked at; the next
            one follows, if there is one.
        paused: no further frame is wanted for now; live ones pass and are not counted.
        blur: faces are to be unrecognisable.
        record: frames are to be recorded.
        snapshot: the picture is to be saved; the window takes this back when it has done so.
        help: the keys are to be shown.
        full_screen: the window is to fill the screen.
        lacks_screen: a window was asked for, and there is no screen.
        playback: the place and the pace that are wanted of a file.
        poll_input: reads the keys while no frame arrives; the window sets it.
    """

    quit_requested: bool = False
    next_requested: bool = False
    paused: bool = False
    blur: bool = False
    record: bool = False
    snapshot: bool = False
    help: bool = False
    full_screen: bool = False
    lacks_screen: bool = False
    playback: Playback = field(default_factory=Playback)
    poll_input: Callable[[], None] = no_input

    def press(self, key: str, recording_refusal: str = "") -> str:
        """Does what a key asks for.

        Args:
            key: a small letter, another character, or the name of a key such as `space`; one
                without a meaning does nothing, but at the end of the source a character ends that
                source: Alt and Shift must not.
            recording_refusal: why nothing can be recorded; empty where it can.

        Returns:
            A notice for the user; empty where the picture itself shows what has changed.
        """
        if key in _PLAYBACK_KEYS:
            return self._play(key)
        match key:
            case "q" | "escape":
                self._leave(key)
            case "space":
                return self._go_on()
            case "f":
                self.full_screen = not self.full_screen
            case "s":
                self.snapshot = True
            case "r":
                return recording_refusal or self._toggle_recording()
            case "b":
                return self._toggle_blur()
            case "h":
                self.help = not self.help
            case _ if len(key) == 1 and self.playback.at_end:
                self.next_requested = True
        return ""

    def _leave(self, key: str) -> None:
        """Leaves the full screen, if the key is `escape`, else the run."""
        if key == "escape" and self.full_screen:
            self.full_screen = False
        else:
            self.quit_requested = True

    def _go_on(self) -> str:
        """At the end of the source ends that; else shows the next picture, or pauses a video and
        goes on.
        """
        if self.playback.at_end:
            self.next_requested = True
        elif self.playback.mode == "by hand":
            return self.playback.press("right")
        else:
            self.paused = not self.paused
        return ""

    def _toggle_recording(self) -> str:
        self.record = not self.record
        return "recording begins" if self.record else "recording ends"

    def _toggle_blur(self) -> str:
        self.blur = not self.blur
        return "faces are blurred" if self.blur else "faces are shown"

    def _play(self, key: str) -> str:
        """Does what a key of the playback asks for; to step is to pause."""
        if self.record and key in ("left", "right", "home", ","):
            return _WHILE_RECORDING
        notice = self.playback.press(key)
        if key in (",", ".") and self.playback.mode == "paced" and not notice:
            self.paused = True
        return notice


@dataclass(slots=True)
class SegmentCounts:
    """The parts of a run that is divided.

    Attributes:
        complete: how many were written.
        deleted: how many old ones were deleted.
        deleted_bytes: how large they were, bytes.
    """

    complete: int = 0
    deleted: int = 0
    deleted_bytes: int = 0
    _last: int = -1

    def as_dict(self) -> dict[str, int]:
        """The counts as JSON has them."""
        return {
            "complete": self.complete,
            "deleted": self.deleted,
            "deleted_bytes": self.deleted_bytes,
        }

    def words(self) -> str:
        """The counts for people; empty where there are none."""
        if not self.complete:
            return ""
        deleted = f", and {self.deleted} old ones deleted" if self.deleted else ""
        return f"{self.complete} segment{'s' if self.complete != 1 else ''}{deleted}"

    def add(self, other: "SegmentCounts") -> None:
        """Adds the segments of another run."""
        self.complete += other.complete
        self.deleted += other.deleted
        self.deleted_bytes += other.deleted_bytes

    def note_complete(self, number: int) -> None:
        """A file of a segment is complete; each segment counts once."""
        if number > self._last:
            self.complete, self._last = self.complete + 1, number


@dataclass(slots=True)
class RunReport:
    """What the run reports: its parts set it, the window and the summary read it.

    Attributes:
        recording: the file that frames are being written to; None while there is none.
        recording_refusal: why keys cannot start a recording, for the user; empty where they can.
        taken: frames that the loop has taken.
        dropped: frames that were not annotated, since the first was taken: of a live source those
            that newer ones replaced, of a video those that were too late to be shown.
        skipped: pictures that were left out, by kind.
        history: when the source was live, lost and back, and what of it was damaged.
        smallest_face_px: width of the smallest face that all searches would find, px; 0 without a
            search.
        finer_search: the option by which smaller ones would be found; empty where there is none.
        load_shedding: what is done to keep up with a live source, for the user.
        notice: a message about what the user last asked for; the window shows it and takes it back.
        outputs: the files and folders that are complete.
        failures: what went wrong on the way, a line each; of a long run the first hundred.
        further_failures: how many more there were.
        segments: how many parts of a run that is divided were written, and deleted again.
        deliveries: what became of what is sent on, by the name of its destination.
    """

    recording: Path | None = None
    recording_refusal: str = ""
    taken: int = 0
    dropped: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    history: SourceHistory = field(default_factory=SourceHistory)
    smallest_face_px: float = 0.0
    finer_search: str = ""
    load_shedding: str = ""
    notice: str = ""
    outputs: list[Path] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    further_failures: int = 0
    segments: SegmentCounts = field(default_factory=SegmentCounts)
    deliveries: dict[str, Delivery] = field(default_factory=dict)

    def accounts(self, known_gaps: int = 0) -> dict[str, Any]:
        """What became of the run so far, as JSON has it.

        Args:
            known_gaps: the gaps that are left out, from the first on: an earlier log has them.
        """
        return {
            "dropped": self.dropped,
            "skipped": dict(self.skipped.most_common()),
            **self.history.as_dict(known_gaps),
            "segments": self.segments.as_dict(),
            "deliveries": {name: each.as_dict() for name, each in list(self.deliveries.items())},
            "failures": self.failures,
            "further_failures": self.further_failures,
        }

    def add(self, other: "RunReport") -> None:
        """Adds what another run reports but for its outputs and its failures."""
        self.dropped += other.dropped
        self.skipped.update(dict(other.skipped))
        self.history.add(other.history)
        self.segments.add(other.segments)
        for name, each in list(other.deliveries.items()):
            self.deliveries.setdefault(name, Delivery(each.unit)).add(each)
        self.further_failures += other.further_failures

    def note_failure(self, line: str) -> bool:
        """Adds what went wrong; whether it is to be said: no failure of a run of weeks is said
        twice, and only the first ones are.
        """
        if line in self.failures:
            return False
        if len(self.failures) >= _KEPT_FAILURES:
            self.further_failures += 1
            return False
        self.failures.append(line)
        return True
