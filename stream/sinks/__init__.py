"""Where results go."""

from stream.sinks.contract import Annotated, Sink
from stream.sinks.fan_out import Sinks
from stream.sinks.opening import Outputs, open_sinks

__all__ = ["Annotated", "Outputs", "Sink", "Sinks", "open_sinks"]
