"""Recordings that the user begins and ends while a run goes on."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from stream.controls import Controls, RunReport
from stream.errors import ConfigError, SinkError
from stream.frames import Frame, SourceInfo
from stream.people import Person
from stream.settings.schema import RecorderSection
from stream.sinks.claims import claim_new_file
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.video.recorder import Recorder


class ManualRecordings:
    """Records while the user wishes it, each time into a new file named after the date and time.

    Args:
        folder: of the files.
        info: the source.
        settings: quality and speed.
        controls: says whether frames are to be recorded.
        report: takes the file being recorded, and those that are complete.
        title: what the names of the files begin with.
        stall_s: time without progress after which an encoder hangs, s; 0 for never.
    """

    name = "recording"
    output = None
    quit_requested = False

    def __init__(
        self,
        folder: Path,
        info: SourceInfo,
        settings: RecorderSection,
        controls: Controls,
        report: RunReport,
        title: str = "recording",
        stall_s: float = 0,
    ) -> None:
        self._folder = folder
        self._title, self._stall_s = title, stall_s
        self._info = info
        self._settings = settings
        self._controls = controls
        self._report = report
        self._recorder: Recorder | None = None
        self._claim = ExitStack()  # of the file that is being recorded

    def __repr__(self) -> str:
        return f"ManualRecordings({self._recorder})"

    def write(self, annotated: AnnotatedFrame) -> None:
        """Begins a recording, continues it, or ends it.

        Raises:
            SinkError: the file cannot be written; nothing more is recorded in this run.
        """
        try:
            if self._controls.record:
                if self._recorder is None:
                    self._recorder = self._begin(annotated.frame)
                self._recorder.write(annotated)
            else:
                self._end(complete=True)
        except SinkError as error:
            self._report.recording_refusal = self._report.notice = f"not recording: {error}"
            raise

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Ends the recording, if there is one.

        Raises:
            SinkError: the end cannot be written.
        """
        self._end(complete=complete)

    def _begin(self, frame: Frame) -> Recorder:
        """Opens a new recording that begins with a frame."""
        path = self._claim.enter_context(claim_new_file(self._folder, self._title, ".mp4"))
        part = replace(self._info, start_s=frame.time_s, size_wh=frame.size_wh)
        try:
            recorder = Recorder(path, part, self._settings, stall_s=self._stall_s)
        except ConfigError as error:  # this FFmpeg lacks the encoder
            self._claim.close()
            raise SinkError(str(error)) from error
        self._report.recording = path
        return recorder

    def _end(self, *, complete: bool) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return
        self._report.recording = None
        with self._claim:
            recorder.close(complete=complete)
        if complete and recorder.output is not None:
            self._report.outputs.append(recorder.output)
            self._report.notice = f"saved {recorder.output}"
