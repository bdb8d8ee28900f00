"""Readers of labelled pictures, in the layouts in which datasets are published."""

from training.datasets.layouts import LAYOUTS, read_dataset
from training.datasets.samples import Samples

__all__ = ["LAYOUTS", "Samples", "read_dataset"]
