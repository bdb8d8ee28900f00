"""Where results go."""

from stream.sinks.contract import Annotated, Sink
from stream.sinks.fan_out import Sinks
from stream.sinks.opening import open_sinks
from stream.sinks.outputs import Outputs

__all__ = ["Annotated", "Outputs", "Sink", "Sinks", "open_sinks"]
