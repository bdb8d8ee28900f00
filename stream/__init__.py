"""Finds the faces in video and says what gender and race they are perceived as.

`for frame, tracks in stream.annotate("clip.mp4"): ...`
"""

from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.errors import ModelError
    from stream.arrays import TrackArrays, to_arrays
    from stream.drawing.overlay import Overlay
    from stream.errors import ConfigError, SourceError
    from stream.frames import Frame, SourceInfo
    from stream.run import annotate
    from stream.settings import Config, load_config
    from stream.sources import Source, Span, open_source
    from stream.tracks import Label, Track

__all__ = [
    "Config",
    "ConfigError",
    "Frame",
    "Label",
    "ModelError",
    "Overlay",
    "Source",
    "SourceError",
    "SourceInfo",
    "Span",
    "Track",
    "TrackArrays",
    "annotate",
    "load_config",
    "open_source",
    "to_arrays",
]

_models = Path(__file__).parents[1] / "models"
_shadowing = ModuleType("shadowing")
SourceFileLoader("shadowing", str(_models / "shadowing.py")).exec_module(_shadowing)
_shadowing.refuse_other_models(_models)

_MODULES = {
    "Config": "stream.settings.schema",
    "ConfigError": "stream.errors",
    "Frame": "stream.frames",
    "Label": "stream.tracks",
    "ModelError": "models.errors",
    "Overlay": "stream.drawing.overlay",
    "Source": "stream.sources",
    "SourceError": "stream.errors",
    "SourceInfo": "stream.frames",
    "Span": "stream.sources",
    "Track": "stream.tracks",
    "TrackArrays": "stream.arrays",
    "annotate": "stream.run",
    "load_config": "stream.settings.layers",
    "open_source": "stream.sources",
    "to_arrays": "stream.arrays",
}
"""The module of each public name."""


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used, so that `face-stream --help` stays quick."""
    from importlib import import_module

    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
