"""Opens the window with the first frame in it, before the model is loaded."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stream.controls import Controls, RunReport
from stream.errors import SinkError
from stream.frames import Frame, SourceInfo
from stream.settings import Config
from stream.sinks.outputs import Outputs
from stream.sinks.window.screen import OpenCvScreen, Screen
from stream.sinks.window.window import Window

_FIRST_FRAME_S = 1.0
"""How long the first frame is waited for, s; without it the window opens with the second."""

_log = logging.getLogger(__name__)


@contextmanager
def opening_window(
    config: Config,
    info: SourceInfo,
    outputs: Outputs,
    controls: Controls,
    report: RunReport,
    first_frame: Callable[[float], Frame | None],
    open_screen: Callable[[], Screen] = OpenCvScreen,
) -> Iterator[Window | None]:
    """Opens the window if one is asked for, and closes it at the end.

    Args:
        config: the settings.
        info: the source.
        outputs: what was asked for.
        controls: what the user wishes.
        report: what the run reports.
        first_frame: waits so many seconds for the first frame, at most.
        open_screen: opens the screen, or raises `SinkError`; tests pass a fake.

    Yields:
        The window; None where none is asked for, or there is no screen: that is logged.
    """

    if not outputs.show:
        yield None
        return
    try:
        screen = open_screen()
    except SinkError as error:
        _log.warning("%s: going on without", error)
        controls.playback.mode, controls.lacks_screen = "free", True
        yield None
        return
    folder, mirror = outputs.snapshots or Path(), config.camera.mirror and info.kind == "camera"
    window = Window(info, controls, report, screen, folder=folder, mirror=mirror)
    try:
        frame = first_frame(_FIRST_FRAME_S)
        if frame is not None:
            window.preview(frame)
        yield window
    finally:
        with suppress(SinkError):  # the sinks have said so
            window.close(complete=False)
