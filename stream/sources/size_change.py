"""Says where the frames of a source change their size."""

import logging

from stream.frames import Frame, SourceInfo

_log = logging.getLogger(__name__)


class SizeChange:
    """Warns once where frames have another size than the first; pictures may.

    Args:
        info: the source, with the size of its first frame.
    """

    def __init__(self, info: SourceInfo) -> None:
        self._info = info
        self._is_watched = info.kind != "pictures"

    def __repr__(self) -> str:
        return f"SizeChange({self._info.name})"

    def note(self, frame: Frame) -> None:
        """Takes in the next frame."""
        if self._is_watched and frame.size_wh != self._info.size_wh:
            self._is_watched = False
            _log.warning(
                "%s changes its size at %.1f s from %d×%d to %d×%d: a recording keeps the first",
                self._info.uri,
                frame.time_s,
                *self._info.size_wh,
                *frame.size_wh,
            )
