"""Which frames of a log are exported, and where they come from: the video, decoded to the frame."""

import math
from collections.abc import Iterator

from stream.errors import SourceError
from stream.export.logs import ExportedLog
from stream.frames import Frame
from stream.sinks.data.log_lines import LogEntry
from stream.sources.contract import SeekableSource, Source
from stream.sources.span import ROUNDING_S

_SEEK_FROM_S = 10.0
"""How far the next wanted frame must lie ahead to be sought, s: to open a video anew and decode
from its keyframe takes as long as to decode some seconds of it."""


def picked_entries(log: ExportedLog, every_s: float) -> Iterator[LogEntry]:
    """The entries of a log that are exported: of each time of that length the first one with a face
    that is seen.

    Args:
        log: of a video.
        every_s: length of these times, counted from the beginning of the video, s.

    Raises:
        SourceError: the log was changed meanwhile, is of pictures, or has frames that were blurred.
    """
    due = -math.inf
    for entry in log.entries():
        if "frame" not in entry:
            continue
        if "time_s" not in entry:
            raise SourceError(f"{log} was written of pictures, which are there as pictures already")
        if entry.get("blur"):
            raise SourceError(f"faces were blurred in the run that wrote {log}: {REFUSAL}")
        number = math.floor((entry["time_s"] + ROUNDING_S) / every_s)
        if number >= due and any(not face.get("missed") for face in entry["faces"]):
            due = number + 1
            yield entry


REFUSAL = "they are not to be recognisable; annotate the video without --blur to export it"
"""Why frames of a run with blurred faces are not exported."""


class WantedFrames:
    """Gives the frames of a video that have certain times, asked for in order.

    Args:
        source: of the video, just opened.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._frames = source.frames()
        self._last_s = 0.0

    def __repr__(self) -> str:
        return f"WantedFrames({self._source}, {self._last_s:g} s)"

    def at(self, time_s: float) -> Frame:
        """The frame of just that time; those before it are passed over, or sought past.

        Raises:
            SourceError: there is none, or the video cannot be read.
        """
        source = self._source
        is_far = time_s - self._last_s > _SEEK_FROM_S
        if is_far and isinstance(source, SeekableSource) and source.info.seekable:
            self._frames = source.frames_from(time_s)
        for frame in self._frames:
            self._last_s = frame.time_s
            if frame.time_s >= time_s - ROUNDING_S:
                if frame.time_s > time_s + ROUNDING_S:
                    break
                return frame
        raise SourceError(
            f"{source.info.name} has no frame at {time_s:g} s: give the video that the log was "
            "written of"
        )
