"""Live sources side by side: each runs in a thread of its own, and all share one model.

Frames of several sources are not put into one batch: on a CPU a batch of faces takes as long as
the faces one by one, and sources that embed at the same time fill the cores better.
"""

import json
import logging
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from models.classification.bundle import read_short_names
from models.errors import ModelError
from models.program.interrupts import exit_code, finishing, telling
from stream.assembly import LoadedModel
from stream.controls import Controls
from stream.drawing.overlay import Overlay
from stream.drawing.wording import NO_SHORT_NAMES
from stream.errors import ConfigError, SinkError
from stream.run import LoadAnnotator
from stream.settings import Config
from stream.several.listing import NamedSource
from stream.several.member import Member
from stream.several.preparation import prepared
from stream.several.sequence import Report
from stream.several.shared_model import SharedModel
from stream.several.tile import Tile
from stream.several.tile_window import TileWindow
from stream.several.totals import Totals
from stream.sinks import Outputs
from stream.sinks.window.screen import OpenCvScreen, Screen
from stream.sources import WHOLE, Span

_POLL_S = 0.1
"""Time between two looks at whether all sources have ended, where there is no window, s."""

_OPENING_S = 1.0
"""How long sources that are still being opened are waited for in the end, s."""

_log = logging.getLogger(__name__)


def run_side_by_side(
    sources: Sequence[NamedSource],
    outputs: Sequence[Outputs],
    config: Config,
    span: Span = WHOLE,
    *,
    report: Report = lambda _source, _summary: None,
    load: LoadAnnotator | None = None,
    screen: Screen | None = None,
) -> Totals:
    """Annotates live sources at the same time, shown as the tiles of one window.

    1. A source that is lost, fails or hangs says so in its tile and is named; the others go on.
    2. The user quits, or a signal comes: all are completed.

    Args:
        sources: closed in any case.
        outputs: what is written of each; they are shown if they are to be.
        config: the settings.
        span: the part of each that is wanted, where it is a video.
        report: is told what each source came to.
        load: gives what annotates each source; a model that is loaded for this run without one.
        screen: shows the tiles; one of OpenCV's without it.

    Raises:
        ConfigError, SinkError, ModelError: what was asked for can be had of no source; nothing was
            written.
    """
    totals = Totals(len(sources))
    try:
        with prepared(sources, outputs, config):
            model = SharedModel(load or LoadedModel(config).annotator)
            members = [
                Member(source, own, config, span, model)
                for source, own in zip(sources, outputs, strict=True)
            ]
            has_outputs = any(own.are_kept for own in outputs)
            with ExitStack() as stack:
                window = None
                if screen := screen or _opened_screen(outputs):
                    window = _window(members, outputs, config, screen, totals)
                    stack.callback(window.close)
                stack.enter_context(telling(lambda: json.dumps(so_far(members, totals))))
                stack.callback(end_members, members, totals, report)
                for member in members:
                    member.thread.start()
                _watch(members, window, totals, has_outputs=has_outputs)
            if model.error is not None:
                raise model.error
    except KeyboardInterrupt:
        totals.interrupted = True
    except (ConfigError, ModelError) as error:
        if not totals.frames:
            raise
        totals.fail(str(error))
    totals.finish()
    return totals


def _opened_screen(outputs: Sequence[Outputs]) -> Screen | None:
    """The screen, if a window is asked for and there is one."""
    if not any(own.show for own in outputs):
        return None
    try:
        return OpenCvScreen()
    except SinkError as error:
        _log.warning("%s: going on without", error)
        return None


def _window(
    members: Sequence[Member],
    outputs: Sequence[Outputs],
    config: Config,
    screen: Screen,
    totals: Totals,
) -> TileWindow:
    """The window with a tile for each source."""
    try:
        short_names = read_short_names(config.engine.model_folder)
    except ModelError:  # it is said when the model is loaded
        short_names = NO_SHORT_NAMES
    tiles = []
    for member in members:
        overlay = Overlay(config.overlay, short_names, config.labels.group_names)
        name, count = str(member.source), len(members)
        tiles.append(Tile(name, count, overlay, member.controls, member.summary.report))
        member.show_in(tiles[-1])
    saved = next((own.save for own in outputs if own.save is not None), None)
    refusal = "" if saved is None else f"everything is recorded into {saved.parent}"
    controls = Controls(blur=config.overlay.blur)
    return TileWindow(tiles, screen, controls, totals.saved, recording_refusal=refusal)


def _watch(
    members: Sequence[Member], window: TileWindow | None, totals: Totals, *, has_outputs: bool
) -> None:
    """Shows the tiles until all sources have ended, or the end is asked for: by the user, or for
    one of them because what reads its lines has left.

    A window that fails is named; the sources go on if anything is written of them.
    """
    while (going := [each for each in members if not each.done.is_set()]) and not exit_code(0):
        if any(each.controls.quit_requested for each in members):
            return
        if window is None:
            going[0].done.wait(_POLL_S)
            continue
        try:
            window.refresh()
        except SinkError as error:
            totals.fail(f"window: {error}")
            for member in members:
                member.wish(Controls(blur=member.controls.blur))  # the pause ends with it
            window = None
            if not has_outputs:
                _log.error("nothing is left to be written or shown: stopped")
                return
        else:
            if window.quit_requested:
                return


def so_far(members: Sequence[Member], totals: Totals) -> dict[str, Any]:
    """What the sources have come to, while they go on and while they are ended."""
    done = [summary for _, summary in totals.summaries]
    going = [(each.source, each.summary) for each in members if each.summary not in done]
    return totals.so_far(going)


def end_members(members: Sequence[Member], totals: Totals, report: Report) -> None:
    """Completes what all sources have, and adds it up; one that is still being opened is left."""
    with finishing():
        for member in members:
            member.wish(replace(member.controls, quit_requested=True))
        until_s = time.monotonic() + _OPENING_S
        for member in members:
            while not member.done.wait(_POLL_S):
                if not member.is_open and time.monotonic() > until_s:
                    break
            if member.done.is_set():
                if not member.is_left:
                    member.thread.join()
                totals.add_source(member.source, member.summary)
                report(member.source, member.summary)
    for member in members:
        if member.error is not None:
            raise member.error
