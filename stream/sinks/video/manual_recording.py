"""Recordings that the user begins and ends while it runs."""

from dataclasses import replace
from pathlib import Path

from stream.controls import Controls
from stream.errors import ConfigError, SinkError
from stream.frames import Frame, SourceInfo
from stream.settings.schema import RecorderSection
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.paths import dated_path
from stream.sinks.video.recorder import Recorder


class ManualRecordings:
    """Records while the user wants it, each time into a new file named after the moment.

    Args:
        folder: where.
        info: the source.
        settings: how it is recorded.
        controls: what the user wants, and where it is said what is recorded.
    """

    name = "recording"
    output = None
    quit_requested = False

    def __init__(
        self, folder: Path, info: SourceInfo, settings: RecorderSection, controls: Controls
    ) -> None:
        self._folder = folder
        self._info = info
        self._settings = settings
        self._controls = controls
        self._recorder: Recorder | None = None

    def __repr__(self) -> str:
        return f"Takes({self._recorder})"

    def write(self, annotated: AnnotatedFrame) -> None:
        """Begins, goes on or ends.

        Raises:
            SinkError: the file cannot be written; nothing more is recorded in this run.
        """
        try:
            if self._controls.record:
                self._begin(annotated.frame).write(annotated)
            else:
                self._end(complete=True)
        except SinkError as error:
            self._controls.bar_recording = f"not recording: {error}"
            self._controls.notice = self._controls.bar_recording
            raise

    def close(self, *, complete: bool) -> None:
        """Ends what is being recorded.

        Raises:
            SinkError: the end cannot be written.
        """
        self._end(complete=complete)

    def _begin(self, frame: Frame) -> Recorder:
        """The recorder at work; one that is new begins with this frame."""
        if self._recorder is None:
            path = dated_path(self._folder, "recording", ".mp4")
            part = replace(self._info, start_s=frame.time_s, size_wh=frame.size_wh)
            try:
                self._recorder = Recorder(path, part, self._settings)
            except ConfigError as error:  # this FFmpeg cannot
                raise SinkError(str(error)) from error
            self._controls.recording = path
        return self._recorder

    def _end(self, *, complete: bool) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return
        self._controls.recording = None
        recorder.close(complete=complete)
        if complete:
            self._controls.saved.append(recorder.output)
            self._controls.notice = f"saved {recorder.output}"
