"""The settings: what there are (`schema`), and where each value comes from (`layers`).

Its names are imported when they are first used: `toml` must be at hand also where a package that
the schema needs is broken, for `face-stream doctor` says so.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stream.settings.layers import Settings, load_config, load_settings
    from stream.settings.schema import Config

__all__ = ["Config", "Settings", "load_config", "load_settings"]


def __getattr__(name: str) -> Any:
    """Imports a public name of the package when it is first used."""
    from importlib import import_module

    if name in __all__:
        home = "schema" if name == "Config" else "layers"
        return getattr(import_module(f"stream.settings.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
