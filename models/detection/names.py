"""The names of the detectors, as settings, options, feature tables and model folders hold them."""

from typing import Literal, TypeAlias

DetectorName: TypeAlias = Literal["centerface", "cnn", "hog"]
"""The detectors: CenterFace, and dlib's two."""

DEFAULT_DETECTOR: DetectorName = "centerface"
"""The detector of videos, live sources, pictures and training alike."""

NO_DETECTOR = "none"
"""What tables and model folders name where pictures were aligned chips: no detector was used."""


def found_by(detector: str | None) -> str:
    """What found faces, in words, from what a table or a model folder names; None: not recorded."""
    if detector is None:
        return "found by a detector that is not recorded"
    if detector == NO_DETECTOR:
        return "found by no detector, for they were aligned chips"
    return f"found by {detector}"
