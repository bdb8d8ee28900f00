"""Readers of labelled pictures, in the layouts in which datasets are published."""

from training.datasets.layouts import LAYOUTS, read_dataset
from training.datasets.samples import FlagAttribute, Samples, SkippedPicture

__all__ = ["LAYOUTS", "FlagAttribute", "Samples", "SkippedPicture", "read_dataset"]
