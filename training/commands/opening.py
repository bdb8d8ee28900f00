"""What several commands begin with."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from training.datasets import Samples
    from training.features.extractor import ExtractionSettings


def names_of(text: str | None) -> tuple[str, ...] | None:
    """`a, b` → the names, each once."""
    return tuple(dict.fromkeys(each.strip() for each in text.split(","))) if text else None


def opened(
    dataset: Path,
    layout: str | None,
    labels: str | None,
    aligned: bool | None,
    faces: Literal["one", "largest", "centre", "all"],
    detector: Literal["cnn", "hog"],
) -> tuple["Samples", "ExtractionSettings"]:
    """The dataset, and which of its faces are taken, each once."""
    from training.datasets import read_dataset
    from training.features.extractor import ExtractionSettings, detection

    samples = read_dataset(dataset, layout, names_of(labels))
    settings = ExtractionSettings(
        aligned=samples.aligned if aligned is None else aligned,
        faces=faces,
        mirror=False,
        detection=detection(detector),
    )
    return samples, settings
