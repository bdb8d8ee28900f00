"""The file `config.toml` that ships, which lists every setting with its comment and default."""

from importlib.resources import files

_NAME = "config.toml"
"""Name of the file."""


def shipped_settings() -> str:
    """The text of the `config.toml` that ships with this program.

    1. An installed package has it beside this module: the wheel is built so.
    2. A checkout has it in its root, as the only copy.
    """
    package = files("stream.settings")
    installed = package / _NAME
    file = installed if installed.is_file() else package / ".." / ".." / _NAME
    return file.read_text(encoding="utf-8")
