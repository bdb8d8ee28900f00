"""Finds the faces in video and says what gender and race they are perceived as.

`for frame, tracks in stream.annotate("clip.mp4"): ...`
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stream.config import Config
    from stream.run import annotate
    from stream.settings import load_config
    from stream.sources import Span

__all__ = ["Config", "Span", "annotate", "load_config"]

_HOMES = {
    "Config": "stream.config",
    "Span": "stream.sources",
    "annotate": "stream.run",
    "load_config": "stream.settings",
}


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used, so that `face-stream --help` stays quick."""
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
