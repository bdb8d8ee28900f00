"""Opens the dataset that several commands begin with."""

from pathlib import Path
from typing import TYPE_CHECKING

from models.detector_names import DetectorName

if TYPE_CHECKING:
    from training.datasets import Samples
    from training.features.extractor import ExtractionSettings, FacesPolicy


def parse_names(text: str | None) -> tuple[str, ...] | None:
    """`a, b` → the names, without duplicates."""
    return tuple(dict.fromkeys(each.strip() for each in text.split(","))) if text else None


def open_dataset(
    dataset: Path,
    layout: str | None,
    labels: str | None,
    aligned: bool | None,
    faces: "FacesPolicy",
    detector: DetectorName,
) -> tuple["Samples", "ExtractionSettings"]:
    """The dataset, and the settings of its faces, which are not mirrored."""
    from training.datasets import read_dataset
    from training.features.extractor import ExtractionSettings, detection_settings

    samples = read_dataset(dataset, layout, parse_names(labels))
    settings = ExtractionSettings(
        aligned=samples.aligned if aligned is None else aligned,
        faces="marked" if samples.marked and faces == "one" else faces,
        mirror=False,
        detection=detection_settings(detector),
    )
    return samples, settings
