"""The settings in force, each below what the `config.toml` that ships says of it."""

from stream.settings.layers import DEFAULT_ORIGIN, Settings
from stream.settings.shipped import shipped_settings
from stream.settings.toml import toml_comment, toml_value


def explained(settings: Settings) -> str:
    """A TOML file of the settings with their comments; beside each that is set stands by what."""
    values = settings.as_dict()
    section, lines = "", []
    for line in shipped_settings().splitlines():
        name, equals, _ = line.partition(" = ")
        if line.startswith("["):
            section = line.strip("[]")
        elif equals and not line.startswith("#"):
            setting = values[section][name]
            line = f"{name} = {toml_value(setting['value'])}"
            if setting["origin"] != DEFAULT_ORIGIN:
                line += f"  # {toml_comment(setting['origin'])}"
        lines.append(line)
    return "\n".join(lines)
