"""The sink that writes subtitles, in the form that the ending of the name says."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from stream.drawing.overlay import Overlay
from stream.errors import SinkError
from stream.frames import SourceInfo
from stream.people import Person
from stream.settings.schema import OverlaySection
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.data.line_file import LineFile
from stream.sinks.subtitles.ass import AssForm
from stream.sinks.subtitles.cues import SRT, VTT, CueForm
from stream.sinks.subtitles.form import SubtitleForm
from stream.tracks import Track

SUBTITLE_SUFFIXES = (".ass", ".vtt", ".srt")
"""How the name of a file of subtitles may end, which names its format."""


class Subtitles:
    """Writes what is seen in each frame as a track of subtitles, with the times of the source.

    Of a live source times count from its first frame, as those of its recording.

    Args:
        path: ends in one of `SUBTITLE_SUFFIXES`.
        info: the source.
        settings: what labels say, in which colours, and how large; whether boxes and labels are
            drawn on pictures does not count.

    Raises:
        SinkError: the file cannot be made.
    """

    quit_requested = False

    def __init__(self, path: Path, info: SourceInfo, settings: OverlaySection) -> None:
        self.name = f"subtitles ({path.name})"
        self.output = path
        self._info = info
        self._settings = settings
        self._form: SubtitleForm | None = None
        self._start_s = 0.0
        self._last_s = 0.0
        self._file = LineFile(path)

    def __repr__(self) -> str:
        return f"Subtitles({self.output})"

    def write(self, annotated: AnnotatedFrame) -> None:
        """Adds the events that end with the frame.

        Raises:
            SinkError: the disk refuses.
        """
        frame = annotated.frame
        if self._form is None:
            self._start_s = frame.time_s if self._info.is_live else 0.0
            self._form = self._opened_form(annotated.overlay)
            self._file.write(self._form.header)
        tracks = _scaled(annotated.tracks, frame.size_wh, self._info.size_wh)
        self._last_s = frame.time_s - self._start_s
        self._file.write(self._form.text(self._last_s, tracks))

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Adds the events that last to the end, which is that of the last frame.

        Raises:
            SinkError: the disk refuses.
        """
        form, end_s = self._form, self._last_s + 1 / self._info.nominal_fps
        try:
            if form is not None:
                self._file.write(form.text(end_s, ()))
        except SinkError:
            self._file.close(complete=False, keep=True)
            raise
        self._file.close(complete=complete, keep=form is not None)

    def _opened_form(self, overlay: Overlay) -> SubtitleForm:
        suffix = self.output.suffix.lower()
        if suffix == ".ass":
            return AssForm(overlay.fresh(), self._info.size_wh)
        return CueForm(VTT if suffix == ".vtt" else SRT, self._settings)


def _scaled(
    tracks: Sequence[Track], frame_wh: tuple[int, int], video_wh: tuple[int, int]
) -> Sequence[Track]:
    """The tracks of a frame in px of the video, whose other frames may have another size."""
    if frame_wh == video_wh:
        return tracks
    (width, height), (video_width, video_height) = frame_wh, video_wh
    scale_xy = [video_width / width, video_height / height]
    scale = np.array(scale_xy * 2, dtype=np.float32)
    return [replace(track, box_xyxy=track.box_xyxy * scale) for track in tracks]
