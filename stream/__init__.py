"""Finds the faces in video and says what gender and race they are perceived as.

`model = stream.load()` loads once. `model.analyze(image)` gives the faces of one picture,
`model.track(image)` the tracks in the next frame of one's own loop, `model.annotate(source)` all
frames of a source with their tracks, and `model.process(source, save=…, log=…)` does what the
command `face-stream run` does. `stream.annotate` and `stream.process` are their short forms.
"""

from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.errors import ModelError
    from stream.arrays import TrackArrays, to_arrays
    from stream.drawing.overlay import Overlay
    from stream.errors import ConfigError, SinkError, SourceError
    from stream.frames import Frame, SourceInfo
    from stream.results import Results
    from stream.session import Model
    from stream.settings import Config, load_config
    from stream.short_forms import annotate, load, process
    from stream.sources import Source, Span, open_source
    from stream.summary import Summary
    from stream.tracks import Face, Label, Track

    __version__: str

__all__ = [
    "Config",
    "ConfigError",
    "Face",
    "Frame",
    "Label",
    "Model",
    "ModelError",
    "Overlay",
    "Results",
    "SinkError",
    "Source",
    "SourceError",
    "SourceInfo",
    "Span",
    "Summary",
    "Track",
    "TrackArrays",
    "__version__",
    "annotate",
    "load",
    "load_config",
    "open_source",
    "process",
    "to_arrays",
]

_models = Path(__file__).parents[1] / "models"
_shadowing = ModuleType("shadowing")
SourceFileLoader("shadowing", str(_models / "shadowing.py")).exec_module(_shadowing)
_shadowing.refuse_other_models(_models)

_MODULES = {
    "Config": "stream.settings.schema",
    "ConfigError": "stream.errors",
    "Face": "stream.tracks",
    "Frame": "stream.frames",
    "Label": "stream.tracks",
    "Model": "stream.session",
    "ModelError": "models.errors",
    "Overlay": "stream.drawing.overlay",
    "Results": "stream.results",
    "SinkError": "stream.errors",
    "Source": "stream.sources",
    "SourceError": "stream.errors",
    "SourceInfo": "stream.frames",
    "Span": "stream.sources",
    "Summary": "stream.summary",
    "Track": "stream.tracks",
    "TrackArrays": "stream.arrays",
    "annotate": "stream.short_forms",
    "load": "stream.short_forms",
    "load_config": "stream.settings.layers",
    "open_source": "stream.sources",
    "process": "stream.short_forms",
    "to_arrays": "stream.arrays",
}
"""The module of each public name but the version."""

_DISTRIBUTION = "face-stream"
"""The name under which the program is installed."""


def __dir__() -> list[str]:
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used, so that `face-stream --help` stays quick."""
    from importlib import import_module

    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    if name == "__version__":
        from importlib.metadata import version

        return version(_DISTRIBUTION)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
