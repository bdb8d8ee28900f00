"""The settings: what there are (`schema`), and where each value comes from (`layers`)."""

from stream.settings.layers import Settings, load_config, load_settings
from stream.settings.schema import Config

__all__ = ["Config", "Settings", "load_config", "load_settings"]
