"""How small the faces of a search may be, and the setting that makes it finer."""

import logging

from models.engine import DetectionSettings, Engine
from stream.controls import RunReport
from stream.settings.schema import MAX_UPSAMPLE

_log = logging.getLogger(__name__)

_COARSER = 1.1
"""How many times as wide as asked for the smallest face may be before that is said."""

_ADVISED_FACTOR = 2
"""How many times as fine a search is that is advised where no face was found."""


def note_smallest(engine: Engine, size_wh: tuple[int, int], report: RunReport) -> None:
    """Reports how small faces may be in frames of a size, px, and which setting makes them smaller.

    It is said once that they may not be as small as asked for.
    """
    smallest_px, settings = engine.smallest_px(size_wh), engine.settings
    before_px, asked_px = report.smallest_face_px, settings.min_face_px
    if smallest_px <= before_px:
        return
    report.smallest_face_px = smallest_px
    report.finer_search = finer_search(settings, _ADVISED_FACTOR)
    if before_px <= asked_px * _COARSER < smallest_px:
        finer = finer_search(settings, smallest_px / asked_px)
        _log.warning(
            "%d×%d is searched for faces of %.0f px and more, not of detection.min_face_px = %g%s",
            *size_wh,
            smallest_px,
            asked_px,
            f": {finer} searches finer, and longer" if finer else "",
        )


def finer_search(settings: DetectionSettings, factor: float) -> str:
    """The option that makes a search so many times as fine, or as much of that as it can.

    1. A picture that is shrunk by a number is shrunk less.
    2. Else it is enlarged, or enlarged more.
    3. Where it is as large as it may be, there is none: the empty string.
    """
    if settings.downscale != "auto" and settings.downscale > 1:
        return f"--set detection.downscale={max(settings.downscale / factor, 1):.2g}"
    if settings.upsample < MAX_UPSAMPLE:
        return f"--set detection.upsample={min(settings.upsample * factor, MAX_UPSAMPLE):.2g}"
    return ""
