"""The names of the detectors, as settings, options, feature tables and model folders hold them."""

from typing import Literal, TypeAlias

DetectorName: TypeAlias = Literal["cnn", "hog"]
"""The detectors; `DetectionSettings` says what each finds."""

DEFAULT_DETECTOR: DetectorName = "cnn"
"""The detector that finds faces unless another is asked for, in the stream and in training."""

NO_DETECTOR = "none"
"""What tables and model folders name where pictures were aligned chips: no detector was used."""


def found_by(detector: str | None) -> str:
    """What found faces, in words, from what a table or a model folder names; None: not recorded."""
    if detector is None:
        return "found by a detector that is not recorded"
    if detector == NO_DETECTOR:
        return "found by no detector, for they were aligned chips"
    return f"found by {detector}"
