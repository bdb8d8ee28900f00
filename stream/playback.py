"""How a source is played in a window: its pace, its place, and where the user wants to go."""

import math
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from stream.frames import ASSUMED_FPS, Frame, SourceInfo

SEEK_S = 5.0
"""How far the arrow keys go in a video, s; that of common players."""

_SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""The speeds to choose from, media seconds a second."""

_BEFORE_S = 1e-3
"""How long before a frame the one before it is asked for, s: more than times are rounded by."""

_LATE_S = 0.1
"""Delay from which a frame of a paced video is left out, s; less makes slow machines show fewer
frames, more lets the picture fall behind its clock."""

_LONGEST_GAP_S = 0.25
"""Time after which a frame is shown however late it is, s: a slow machine shows four a second."""

_RESTART_S = 1.0
"""Delay from which the clock is set back to the frame that is shown, s: what cannot keep up even
with frames left out plays slower."""

Mode: TypeAlias = Literal["free", "paced", "by hand"]
"""When the next frame is shown: as it comes, at its time, or when the user wants it."""


@dataclass(slots=True)
class Playback:
    """The place and the pace of one source: media time against the clock of the machine.

    Keys ask for another place, which the capture takes; the window says what it shows, and asks
    when the next frame is due. All of them do so in the thread of the loop.

    Attributes:
        mode: when the next frame is shown.
        refusal: why no other place can be shown, for the user; empty where it can.
        start_s: media time of the first frame; pictures are a second apart.
        end_s: media time of the last frame; infinite where it is not known.
        step_s: from one frame to the next, as far as it is known.
        position_s: media time of the frame on the screen.
        speed: media seconds a second.
        at_end: there is no further frame, and the last one stays.
    """

    mode: Mode = "free"
    refusal: str = "there is no other place to go to"
    start_s: float = 0.0
    end_s: float = math.inf
    step_s: float = 1 / ASSUMED_FPS
    position_s: float = 0.0
    speed: float = 1.0
    at_end: bool = False
    _target_s: float | None = field(default=None, init=False)
    _steps: int = field(default=0, init=False)
    _due: tuple[float, float] | None = field(default=None, init=False)  # media time, clock
    _shown_at_s: float = field(default=-math.inf, init=False)

    @classmethod
    def of(cls, info: SourceInfo, *, recorded: bool) -> "Playback":
        """How a source is played in a window.

        1. A live source has its own pace, and only one place.
        2. What is recorded is shown as it is annotated, whole and as fast as can be.
        3. Of pictures each waits for a key.
        4. A video has its own pace.

        Args:
            info: the source.
            recorded: whether it is written into files too.
        """
        if info.is_live:
            return cls(refusal="a live source has no other place to go to")
        if recorded:
            return cls(refusal="all of it is written, in order: no other place can be shown")
        refusal = "" if info.seekable else "what comes through a pipe comes once, in order"
        mode: Mode = "by hand" if info.kind == "pictures" else "paced"
        end_s = math.inf if info.last_s is None else info.last_s
        return cls(mode, refusal, info.start_s, end_s, 1 / info.nominal_fps, info.start_s)

    # --- what the user wants ---

    def press(self, key: str) -> str:
        """Does what a key of the playback asks for; returns a notice, empty for none.

        Args:
            key: `left`, `right`, `home`, a comma, a full stop or a square bracket.
        """
        if key in ("[", "]"):
            return self._change_speed(1 if key == "]" else -1)
        if key == "." or (key == "right" and self.mode == "by hand"):
            return self._step()
        if self.refusal:
            return self.refusal
        place_s = self._place_s(key)
        self._target_s = None if place_s == self.position_s else place_s
        self._steps = 0
        return ""

    def _place_s(self, key: str) -> float:
        """The media time that a key leads to from the place that is shown, or wanted already."""
        place_s = self.position_s if self._target_s is None else self._target_s
        match key:
            case "home":
                place_s = self.start_s
            case "left" | "," if self.mode == "by hand":
                place_s -= 1
            case ",":  # a frame is found by its time as long as it is shown
                place_s -= _BEFORE_S if self._target_s is None else self.step_s
            case "left":
                place_s -= SEEK_S
            case _:
                place_s += SEEK_S
        return min(max(place_s, self.start_s), max(self.end_s, self.position_s))

    def _step(self) -> str:
        """Lets one more frame pass."""
        if self.mode == "free":
            return self.refusal
        if not self.at_end:
            self._steps += 1
        return ""

    def _change_speed(self, direction: int) -> str:
        """The next speed in that direction, which a notice names."""
        if self.mode != "paced":
            return "only a video that is not recorded has another speed"
        place = _SPEEDS.index(self.speed) + direction
        self.speed = _SPEEDS[min(max(place, 0), len(_SPEEDS) - 1)]
        return f"speed {self.speed:g}×"

    # --- where the capture is to go ---

    @property
    def is_sought(self) -> bool:
        """Whether another place is wanted, so that the frames at hand are not."""
        return self._target_s is not None

    def take_target(self) -> float | None:
        """The media time that is wanted, handed over once; None where the order is kept."""
        target_s, self._target_s = self._target_s, None
        if target_s is not None:
            self.at_end = False
        return target_s

    # --- when a frame is shown ---

    def wait_s(self, frame: Frame, now_s: float, *, paused: bool) -> float:
        """How long a frame must wait until it is due, s; infinite where only a key can tell.

        1. As frames come, the first one, the one that was sought, and one let through: not at all.
        2. By hand, and while the user pauses: for a key.
        3. Else until its media time, counted from the frame before.
        """
        if self.mode == "free" or self._due is None or frame.sought or self._steps:
            return 0.0
        if self.mode == "by hand":
            return math.inf
        if paused:
            self._due = self._due[0], now_s  # the clock stands still
            return math.inf
        return max(self._due_s(frame) - now_s, 0.0)

    def is_late(self, frame: Frame, now_s: float, *, paused: bool) -> bool:
        """Whether a frame is to be left out: it is late, and another was shown a moment ago."""
        if self.mode != "paced" or self.wait_s(frame, now_s, paused=paused) or self._steps:
            return False
        if self._due is None or frame.sought or now_s - self._shown_at_s > _LONGEST_GAP_S:
            return False
        return now_s - self._due_s(frame) > _LATE_S

    def shown(self, frame: Frame, now_s: float) -> None:
        """A frame is on the screen from now on."""
        is_anew = self._due is None or frame.sought or bool(self._steps)
        due_s = now_s if is_anew else self._due_s(frame)
        if now_s - due_s > _RESTART_S:
            due_s = now_s
        self._due, self._shown_at_s = (frame.time_s, due_s), now_s
        self.position_s = frame.time_s
        if not frame.sought:
            self._steps = max(self._steps - 1, 0)

    def _due_s(self, frame: Frame) -> float:
        """When a frame is due, by the clock, at the present speed."""
        media_s, clock_s = self._due or (frame.time_s, 0.0)
        return clock_s + (frame.time_s - media_s) / self.speed
