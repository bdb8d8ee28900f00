"""What the user asks for while a run goes on, and what he is told of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

KEYS = (
    ("Space", "pause, go on; next picture"),
    ("S", "save the picture as it is shown"),
    ("R", "start and stop recording"),
    ("B", "blur faces, on and off"),
    ("H", "this help, on and off"),
    ("Q, Esc", "quit"),
)
"""What keys do, for people."""


def _nothing() -> None:
    pass


@dataclass(slots=True)
class Controls:
    """Whoever hears the user sets it, the loop and the sinks read it: no part knows another.

    Attributes:
        quit_requested: the run is to end.
        paused: no further frame is wanted for now; live ones pass and are not counted.
        blur: faces are to be unrecognisable.
        record: what comes is to be recorded.
        snapshot: the picture is to be saved; whoever does it takes this back.
        help: the keys are to be shown.
        bar_recording: why `record` cannot be asked for; empty where it can.
        recording: the file that frames are being written to; None while there is none.
        dropped: frames of a live source that were lost because others took too long.
        note: what is done to keep up with a live source.
        notice: a word about what was last asked for.
        saved: the files that are complete.
        attend: looks after the user while there is no frame to show him.
    """

    quit_requested: bool = False
    paused: bool = False
    blur: bool = False
    record: bool = False
    snapshot: bool = False
    help: bool = False
    bar_recording: str = ""
    recording: Path | None = None
    dropped: int = 0
    note: str = ""
    notice: str = ""
    saved: list[Path] = field(default_factory=list)
    attend: Callable[[], None] = _nothing

    def press(self, key: str) -> None:
        """A key: a small letter, `space` or `escape`; others do nothing."""
        match key:
            case "q" | "escape":
                self.quit_requested = True
            case "space":
                self.paused = not self.paused
            case "s":
                self.snapshot = True
            case "r" if self.bar_recording:
                self.notice = self.bar_recording
            case "r":
                self.record = not self.record
                self.notice = "recording begins" if self.record else "recording ends"
            case "b":
                self.blur = not self.blur
                self.notice = "faces are blurred" if self.blur else "faces are shown"
            case "h":
                self.help = not self.help
