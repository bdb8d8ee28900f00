"""Sinks: where frames and their tracks are written, shown or counted."""

from stream.sinks.claims import claim_outputs
from stream.sinks.contract import AnnotatedFrame, Sink
from stream.sinks.fan_out import Sinks
from stream.sinks.opening import open_sinks
from stream.sinks.outputs import Outputs
from stream.sinks.window.opening import opening_window

__all__ = [
    "AnnotatedFrame",
    "Outputs",
    "Sink",
    "Sinks",
    "claim_outputs",
    "open_sinks",
    "opening_window",
]
