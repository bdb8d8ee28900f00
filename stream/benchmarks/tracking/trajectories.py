"""The trajectories of faces in the scenes: position, size, tilt and blur by time."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

SIZE_WH = (1280, 720)
"""Width and height of the scenes, px."""

_WALK_PX_PER_S = 200.0
"""Speed of who walks in, px/s; more is sooner wholly in the picture."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a chip lies: its middle and width in px, its tilt in degrees, its blur in px."""

    x: float
    y: float
    width: float
    tilt_degrees: float = 0.0
    blur_px: float = 0.0


Trajectory: TypeAlias = Callable[[float], Pose | None]
"""The pose of a face at a time in seconds; None while the face is not in the scene."""


def panning(x: float) -> Trajectory:
    """Around a place `x`, a share of the width, as if the camera turned to and fro."""

    def pose(time_s: float) -> Pose:
        swing = math.sin(2 * math.pi * time_s / 4)
        return Pose(
            (x + 0.08 * swing) * SIZE_WH[0], (0.5 + 0.1 * swing) * SIZE_WH[1], 150, 8 * swing
        )

    return pose


def approaching(x: float) -> Trajectory:
    """At a place `x`, a share of the width, first growing, then shrinking."""

    def pose(time_s: float) -> Pose:
        near = 0.5 - 0.5 * math.cos(2 * math.pi * time_s / 8)
        return Pose(x * SIZE_WH[0], 0.5 * SIZE_WH[1], 60 + 320 * near)

    return pose


def blurring(x: float) -> Trajectory:
    """Around a place `x`, a share of the width, blurred every other two seconds."""

    def pose(time_s: float) -> Pose:
        blur_px = 3.5 * max(math.sin(2 * math.pi * time_s / 4), 0)
        shift = 0.04 * math.sin(2 * math.pi * time_s / 3)
        return Pose((x + shift) * SIZE_WH[0], 0.5 * SIZE_WH[1], 160, blur_px=blur_px)

    return pose


def crossing(y: float, *, right: bool) -> Trajectory:
    """From one side to the other in six seconds, at a height `y`, a share of the scene's."""

    def pose(time_s: float) -> Pose:
        way = 0.12 + 0.76 * time_s / 6
        return Pose((way if right else 1 - way) * SIZE_WH[0], y * SIZE_WH[1], 150)

    return pose


def leaving_and_returning(time_s: float) -> Pose | None:
    """Out at the left after two and a half seconds, back a second later."""
    if 2.5 <= time_s < 3.5:
        return None
    away = 2.5 - time_s if time_s < 2.5 else time_s - 3.5
    return Pose(-60 + 200 * min(away, 2.0), 0.5 * SIZE_WH[1], 150)


def appearing(x: float, y: float, width: float, at_s: float) -> Trajectory:
    """At once at a place `x`, `y`, in shares of the scene's sides, where it stays."""

    def pose(time_s: float) -> Pose | None:
        return None if time_s < at_s else Pose(x * SIZE_WH[0], y * SIZE_WH[1], width)

    return pose


def walking_in(x: float, y: float, width: float, at_s: float) -> Trajectory:
    """From the nearer side to a place `x`, `y`, in shares of the scene's sides, where it stays."""

    def pose(time_s: float) -> Pose | None:
        if time_s < at_s:
            return None
        way = _WALK_PX_PER_S * (time_s - at_s) - width / 2
        near = min(x, 1 - x) * SIZE_WH[0]
        from_side = min(way, near)
        return Pose(from_side if x < 0.5 else SIZE_WH[0] - from_side, y * SIZE_WH[1], width)

    return pose
