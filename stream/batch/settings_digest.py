"""A digest of what results depend on beside their inputs: the settings, the model, the outputs."""

from typing import Any

from models.classification.bundle import read_manifest
from models.digests import content_digest
from stream.settings import Config

_NO_MATTER = {
    "source": {"address", "reconnect_s", "timeout_s", "rtsp_transport"},
    "engine": {"device", "model", "threads"},
    "camera": None,
    "publish": None,
    "run": None,
}
"""Settings, by section, of which results do not depend: how fast they come, what is live. None for
all of a section. Of the model not its folder counts, but what is in it."""


def settings_digest(config: Config, options: dict[str, Any]) -> str:
    """What changes when an input that is done would come out otherwise now.

    Args:
        config: the settings.
        options: what is written, as far as the settings do not say so.

    Raises:
        ModelError: the model cannot be read.
    """
    settings: dict[str, Any] = config.model_dump(mode="json")
    for section, names in _NO_MATTER.items():
        if names is None:
            settings.pop(section)
        else:
            settings[section] = {
                name: value for name, value in settings[section].items() if name not in names
            }
    model = read_manifest(config.engine.model_folder).model_dump(mode="json")
    return content_digest({"settings": settings, "options": options, "model": model})
