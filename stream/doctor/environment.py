"""Checks of the program's environment: files of settings, codecs, cameras, a screen."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from stream.doctor.findings import Finding

if TYPE_CHECKING:
    from stream.settings import Settings
    from stream.sources.camera import CameraInfo

_DECODERS = {
    "H.264": "h264",
    "HEVC": "hevc",
    "VP9": "vp9",
    "AV1": "av1",
    "AAC": "aac",
    "Opus": "opus",
}
"""The codecs that are looked for, with FFmpeg's names of their decoders."""

_SOUND_ENCODERS = {"AAC": "aac", "Opus": "libopus"}
"""The codecs of sound, with FFmpeg's names of their encoders."""

_REQUIRED = "H.264"
"""The codec without which `face-stream run` cannot work."""


def settings(load: "Callable[[], Settings]") -> Finding:
    """Whether the settings in force can be read, and where they are from."""
    in_force = load()
    origins = in_force.origins.values()
    layers = [each for each in dict.fromkeys(origins) if each != "default"]
    if not layers:
        return Finding("settings", "ok", "all at their defaults")
    changed = sum(origin != "default" for origin in origins)
    return Finding("settings", "ok", f"{changed} set by {', '.join(layers)}")


def codecs(is_there: "Callable[[str, str], bool] | None" = None) -> Finding:
    """Which codecs this FFmpeg reads and writes.

    Args:
        is_there: whether it has a codec of that name, to read (`r`) or to write (`w`).
    """
    from stream.sinks.video.codecs import CODECS

    has = is_there or _has_codec
    encoders = {each.title: each.encoder for each in CODECS.values()} | _SOUND_ENCODERS
    unread = [name for name, codec in _DECODERS.items() if not has(codec, "r")]
    unwritten = [name for name in _DECODERS if not has(encoders[name], "w")]
    whole = [name for name in _DECODERS if name not in (*unread, *unwritten)]
    parts = {"reads and writes": whole, "cannot read": unread, "cannot write": unwritten}
    found = "; ".join(f"{what} {', '.join(names)}" for what, names in parts.items() if names)
    if not (unread or unwritten):
        return Finding("codecs", "ok", found)
    remedy = "install PyAV's own wheel: pip install --force-reinstall av"
    return Finding("codecs", "broken" if _REQUIRED in unread + unwritten else "note", found, remedy)


def cameras(
    find: "Callable[[], Iterable[CameraInfo]] | None" = None,
    may_open: Callable[[Path], bool] | None = None,
    system: str = sys.platform,
) -> Finding:
    """Which cameras are connected, and whether this user may open them."""
    from stream.sources.camera import list_cameras

    if find is None and not system.startswith("linux"):
        remedy = "try the first one: face-stream run 0"
        return Finding("cameras", "note", "this system does not list them", remedy)
    found = list((find or list_cameras)())
    if not found:
        remedy = "connect one; videos, pictures and streams need none"
        return Finding("cameras", "note", "none", remedy)
    listed = ", ".join(f"{each.index} ({each.name})" for each in found)
    closed = [str(each.path) for each in found if not (may_open or _may_open)(each.path)]
    if closed:
        remedy = "join the group that may: sudo usermod -aG video $USER, then log in again"
        return Finding("cameras", "note", f"{listed}; {closed[0]} may not be opened", remedy)
    return Finding("cameras", "ok", listed)


def screen(
    has_display: Callable[[], bool] | None = None,
    environment: Mapping[str, str] = os.environ,
    shows_windows: Callable[[], bool] | None = None,
) -> Finding:
    """Whether a window can be opened.

    Args:
        has_display: whether one can be opened now.
        environment: names the display.
        shows_windows: whether OpenCV was built with windows.
    """
    from stream.sinks.window import screen as windows

    if not (shows_windows or windows.shows_windows)():
        remedy = "pip uninstall opencv-python-headless, then pip install opencv-python"
        return Finding("screen", "note", windows.NO_WINDOWS, f"{remedy}; recording needs neither")
    if (has_display or windows.has_display)():
        return Finding("screen", "ok", "a window can be opened")
    if not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        found, remedy = "none", "start it on a desktop, or record instead: --no-show --save out.mp4"
    else:
        found = "there is one, but no window can be opened on it"
        remedy = "look at DISPLAY (over SSH: ssh -X), or record instead: --no-show --save out.mp4"
    return Finding("screen", "note", found, remedy)


def _has_codec(name: str, mode: str) -> bool:
    import av

    try:
        av.Codec(name, "w" if mode == "w" else "r")
    except av.codec.codec.UnknownCodecError:
        return False
    return True


def _may_open(path: Path) -> bool:
    return os.access(path, os.R_OK | os.W_OK)
