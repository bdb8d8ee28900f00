"""What a reader must know before the figures of a report are believed."""

from collections.abc import Mapping

import numpy as np

from models.classification.bundle import Bundle
from training.evaluation.intervals import Figures
from training.features.table import FeatureTable
from training.fitting.held_out import few_faces_notes, first_names


def cautions(attributes: Mapping[str, Figures]) -> list[str]:
    """A line for each: too few faces, and classes that no face is labelled with.

    Args:
        attributes: the figures of each attribute.
    """
    found = list(few_faces_notes({name: each["rows"] for name, each in attributes.items()}))
    for name, figures in attributes.items():
        absent = [each for each, recall in figures["recall"].items() if not recall["rows"]]
        if absent:
            what = "that class" if len(absent) == 1 else "these classes"
            classes = first_names([repr(each) for each in absent])
            found.append(f"{name}: no face is labelled {classes}: nothing is known of {what}")
    return found


def view_cautions(bundle: Bundle, table: FeatureTable) -> list[str]:
    """A line where a model is calibrated by the view, and the table does not know the views."""
    if bundle.manifest.calibration is None or not np.isnan(table.sharpness).any():
        return []
    return [
        "the table does not say how sharp its faces are, so they count as sharp ones: make it "
        "again with face-train features"
    ]
