"""Labelled pictures in the layouts they are published in."""

from training.datasets.layouts import LAYOUTS, read_dataset
from training.datasets.samples import Composition, Samples, Skipped

__all__ = ["LAYOUTS", "Composition", "Samples", "Skipped", "read_dataset"]
