"""What is here, what is missing, and how to mend it."""

from stream.doctor.examination import examine
from stream.doctor.findings import Finding

__all__ = ["Finding", "examine"]
