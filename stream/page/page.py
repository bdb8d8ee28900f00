"""What the page serves, as plain values: its routes ask here, and change things here."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from models.errors import ModelError
from stream.controls import Controls, RunReport
from stream.errors import ConfigError, SinkError
from stream.frames import SourceInfo
from stream.page.allowed import refusal
from stream.page.answers import RefusedError
from stream.page.hub import Hub
from stream.page.live_settings import listed_settings, why_fixed
from stream.page.made_files import MadeFiles, full_reason
from stream.page.served_source import ServedSource
from stream.settings.layers import changed_config
from stream.settings.serve_section import ServeSection
from stream.several.listing import list_sources
from stream.sinks import Outputs
from stream.sinks.opening import check_colours

_SWITCHES = {"paused": "paused", "recording": "record", "blur": "blur"}
"""What is switched of a source, and what `Controls` calls it."""

_ANY_SIZE_WH = (1280, 720)
"""The size of a source by which settings are tried: none depends on it."""


class Page:
    """All that is served.

    Args:
        hub: the sources.
        files: recordings and snapshots.

    Attributes:
        hub: the sources.
        files: recordings and snapshots.
    """

    def __init__(self, hub: Hub, files: MadeFiles) -> None:
        self.hub = hub
        self.files = files
        self._changing = threading.Lock()

    def __repr__(self) -> str:
        return f"Page({self.hub!r})"

    @property
    def settings(self) -> ServeSection:
        """The settings of the page."""
        return self.hub.model.config.serve

    @property
    def watching(self) -> int:
        """How many watch a picture."""
        return sum(served.broadcast.watching for served in self.hub.sources)

    def note_states(self) -> None:
        """Looks at the states of all sources, so that each is known since when it is."""
        for served in self.hub.sources:
            served.note_state()

    def sources(self) -> dict[str, Any]:
        """All sources, as JSON has them."""
        return {"sources": [served.as_dict() for served in self.hub.sources]}

    def made(self) -> dict[str, Any]:
        """The recordings and snapshots, as JSON has them."""
        for served in self.hub.sources:
            for path in list(served.member.summary.report.outputs):
                self.files.add(path, served.number)
        return {"files": self.files.listed()}

    def all_settings(self, *, may_control: bool) -> dict[str, Any]:
        """The settings, as JSON has them."""
        config, blur_fixed = self.hub.model.config, self.hub.blur_fixed
        return {"settings": listed_settings(config, may_control=may_control, blur_fixed=blur_fixed)}

    def control(self, served: ServedSource, wishes: Mapping[str, Any]) -> None:
        """Does what the user wishes of a source.

        Raises:
            RefusedError: it cannot be done; then nothing of it is.
        """
        for name, value in wishes.items():
            if name not in (*_SWITCHES, "snapshot"):
                known = ", ".join((*_SWITCHES, "snapshot"))
                raise RefusedError(400, f"{name[:40]!r} is no control: there are {known}")
            if not isinstance(value, bool):
                raise RefusedError(400, f"{name} is true or false")
        self._check_wishes(served, wishes)
        if wishes.get("snapshot"):
            self._save_snapshot(served)
        served.sink.change(**{_SWITCHES[k]: v for k, v in wishes.items() if k in _SWITCHES})

    def enforce_limit(self) -> None:
        """Ends recordings where they take more than they may."""
        recording = [each for each in self.hub.sources if each.sink.controls.record]
        if recording and self.files.is_full:
            for served in recording:
                served.sink.change(record=False)
                served.member.summary.report.notice = full_reason(self.settings.max_disk_gb)

    def change_settings(self, changes: Mapping[str, Any]) -> None:
        """Changes settings of all sources while they run.

        Raises:
            RefusedError: one cannot be changed, or does not fit; then none is.
        """
        for key in changes:
            if why_not := why_fixed(key, blur_fixed=self.hub.blur_fixed):
                raise RefusedError(422, f"{key[:80]} cannot be changed here: {why_not}")
        with self._changing:
            before = self.hub.model
            try:
                config = changed_config(before.config, changes)
                model = before.changed(config)
                if config.detection != before.config.detection:  # its parts are loaded now
                    info = SourceInfo("page", "stream", _ANY_SIZE_WH)
                    model.annotator(info, Controls(), RunReport())
                check_colours(config, model.attributes)
            except (ConfigError, ModelError) as error:
                raise RefusedError(422, str(error)) from error
            self.hub.change(model)

    def add_source(self, address: object) -> ServedSource:
        """Adds a camera, or an address that may be added.

        Raises:
            RefusedError: it may not be added.
        """
        if reason := refusal(address, self.settings.allow):
            raise RefusedError(403, reason)
        named = list_sources([str(address)])
        if [each.form for each in named] not in (["camera"], ["address"]):
            raise RefusedError(403, "that is neither a camera nor an address")
        if any(str(each.member.source) == str(named[0]) for each in self.hub.sources):
            raise RefusedError(409, f"{named[0]} is on the page already")
        try:
            return self.hub.add(named[0], Outputs(crops=True), is_added=True)
        except ConfigError as error:
            raise RefusedError(409, str(error)) from error

    def remove_source(self, served: ServedSource) -> None:
        """Ends a source, and takes it off the page.

        Raises:
            RefusedError: it was named at the start, and something is written of it.
        """
        if not served.is_added and served.member.has_outputs:
            raise RefusedError(409, "something is written of that source: end the program instead")
        self.hub.remove(served)

    def _check_wishes(self, served: ServedSource, wishes: Mapping[str, Any]) -> None:
        if wishes.get("blur") is False and self.hub.blur_fixed:
            raise RefusedError(409, "faces are blurred from the start of the run: that stays so")
        if served.sink.ended is not None and {"paused", "recording"} & wishes.keys():
            raise RefusedError(409, "that source has ended")
        if wishes.get("recording") or wishes.get("snapshot"):
            if wishes.get("recording") and (
                reason := served.member.summary.report.recording_refusal
            ):
                raise RefusedError(409, reason)
            if self.files.is_full:
                raise RefusedError(409, full_reason(self.settings.max_disk_gb))

    def _save_snapshot(self, served: ServedSource) -> None:
        newest = served.sink.newest()
        if newest is None:
            raise RefusedError(409, "there is no picture yet: try again in a moment")
        picture = replace(newest[1], overlay=self.hub.model.overlay()).picture
        try:
            self.files.save(picture, served.number)
        except SinkError as error:
            raise RefusedError(409, str(error)) from error
