"""Runs the sources of a page, and serves them until the user ends it."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from models.program.interrupts import exit_code, telling
from stream.errors import ConfigError
from stream.page.announcer import Announcer
from stream.page.app import application
from stream.page.door import Door
from stream.page.guard import Guard, served_names
from stream.page.hub import Hub
from stream.page.made_files import MadeFiles
from stream.page.page import Page
from stream.page.server import PageServer, is_loopback
from stream.page.uploads import Uploads
from stream.session import Model
from stream.settings import Config
from stream.several.listing import NamedSource
from stream.several.naming import name_outputs
from stream.several.preparation import made_folders, prepared
from stream.several.sequence import Report
from stream.several.side_by_side import end_members, so_far
from stream.several.totals import Totals
from stream.sinks import Outputs
from stream.sources import WHOLE, Span

_POLL_S = 0.2
"""Time between two looks at whether the page is to end, s."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the page is, with the tokens.

    Attributes:
        control: for those who may do everything.
        watch: for those who only watch.
    """

    control: str
    watch: str


def serve(
    sources: Sequence[NamedSource],
    outputs: Outputs,
    config: Config,
    span: Span = WHOLE,
    *,
    tell: Callable[[Addresses], None],
    report: Report = lambda _source, _summary: None,
) -> Totals:
    """Annotates sources side by side, and serves the page until the user ends it.

    A source that ends, fails or is lost says so on the page, which stays up.

    Args:
        sources: perhaps none: cameras and addresses may be added from the page.
        outputs: what is written of them.
        config: the settings.
        span: the part of each video that is wanted.
        tell: is told where the page is, as soon as it answers.
        report: is told what each source came to.

    Raises:
        ConfigError, SinkError, ModelError: what was asked for cannot be had; nothing was written.
    """
    settings, totals = config.serve, Totals(len(sources))
    if not (sources or settings.allow):
        raise ConfigError("there is no SOURCE: name one, or what may be added by serve.allow")
    outputs = replace(outputs, show=False, crops=True)
    own = name_outputs(outputs, sources, config) if sources else []
    with (
        made_folders([Path(settings.folder)]),
        prepared(sources, own, config),
        PageServer(settings) as server,
        ExitStack() as stack,
    ):
        if not is_loopback(settings.host) and not server.is_secure:
            _log.warning("the page is not encrypted: anyone on the way sees pictures and token")
        hub = Hub(Model(config).load(), server.loop)
        uploads = stack.enter_context(Uploads(hub))
        page, door = Page(hub, MadeFiles(Path(settings.folder), settings.max_disk_bytes)), Door()
        announcer = Announcer(
            server.loop,
            {
                "sources": page.sources,
                "people": partial(hub.people, all_history=False),
                "files": page.made,
            },
        )
        hub.on_event = lambda number, event: announcer.announce(
            "person", {**event, "number": number}
        )
        names = served_names(settings.host, settings.names)
        guard = Guard(
            application(page, uploads, announcer),
            door,
            names,
            server.port,
            is_secure=server.is_secure,
        )
        server.start(guard)
        scheme = "https" if server.is_secure else "http"
        place = f"{scheme}://{_shown_host(settings.host)}:{server.port}/?token="
        tell(Addresses(place + door.control, place + door.watch))
        stack.enter_context(telling(lambda: json.dumps(so_far(hub.members, totals))))
        stack.callback(announcer.close)
        stack.callback(_end, hub, totals, report)
        try:
            for source, each in zip(sources, own, strict=True):
                hub.add(source, each, span)
            _wait(page)
        except KeyboardInterrupt:
            totals.interrupted = True
    totals.finish()
    return totals


def _wait(page: Page) -> None:
    """Waits until a signal comes, what reads the lines of a source leaves, or no source gave
    anything.

    Raises:
        ConfigError, ModelError: no source can be annotated.
    """
    tick, hub = threading.Event(), page.hub
    while not exit_code(0):
        members = [each.member for each in hub.sources]
        if hub.shared.error is not None:
            raise hub.shared.error
        if any(each.controls.quit_requested for each in members):
            return
        if members and all(each.done.is_set() for each in members) and _is_in_vain(hub):
            return
        page.note_states()
        page.enforce_limit()
        tick.wait(_POLL_S)


def _is_in_vain(hub: Hub) -> bool:
    """Whether no source gave a picture, and none may be added: why is said already."""
    may_be_added = bool(hub.model.config.serve.allow)
    return not may_be_added and not any(each.summary.frames for each in hub.members)


def _end(hub: Hub, totals: Totals, report: Report) -> None:
    hub.end(hub.sources)
    totals.expect(len(hub.members))
    end_members(hub.members, totals, report)


def _shown_host(host: str) -> str:
    """A host as an address has it."""
    if host in ("0.0.0.0", "::"):
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host
