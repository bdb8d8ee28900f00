"""Opens the dataset that several commands begin with."""

from pathlib import Path
from typing import TYPE_CHECKING

from models.detection.names import DetectorName
from training.errors import DatasetError

if TYPE_CHECKING:
    from training.datasets import Samples
    from training.features.extractor import ExtractionSettings, FacesPolicy


def parse_names(text: str | None) -> tuple[str, ...] | None:
    """`a, b,` → the names, without duplicates.

    Raises:
        DatasetError: there are none but commas.
    """
    if text is None:
        return None
    names = tuple(dict.fromkeys(each.strip() for each in text.split(",") if each.strip()))
    if not names:
        raise DatasetError(f"{text!r} names no label: write label columns, with commas between")
    return names


def open_dataset(
    dataset: Path,
    layout: str | None,
    labels: str | None,
    aligned: bool | None,
    faces: "FacesPolicy",
    detector: DetectorName,
) -> tuple["Samples", "ExtractionSettings"]:
    """The dataset, and the settings of its faces, which are neither mirrored nor filmed."""
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
