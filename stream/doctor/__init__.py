"""The checks of `face-stream doctor`: what is installed, what is missing, how to repair it."""

from stream.doctor.diagnosis import diagnose
from stream.doctor.findings import Finding

__all__ = ["Finding", "diagnose"]
