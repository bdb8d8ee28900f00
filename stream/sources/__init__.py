"""Where frames come from: cameras, videos, streams, pictures, pipes."""

from stream.sources.contract import Source
from stream.sources.opening import open_source
from stream.sources.span import WHOLE, Span

__all__ = ["WHOLE", "Source", "Span", "open_source"]
