"""Where frames come from."""

from stream.sources.opening import Source, open_source

__all__ = ["Source", "open_source"]
