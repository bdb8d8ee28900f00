"""The file `config.toml` that ships, which lists every setting with its comment and default."""

from importlib.resources import files

_NAME = "config.toml"
"""Name of the file."""


def described_settings() -> dict[tuple[str, str], str]:
    """What the `config.toml` that ships says of each setting, by section and name, in one line."""
    section, comment, described = "", list[str](), {}
    for line in shipped_settings().splitlines():
        if line.startswith("["):
            section, comment = line.strip("[]"), []
        elif line.startswith("#"):
            comment.append(line.removeprefix("#").strip())
        elif line:
            described[section, line.partition(" = ")[0]] = " ".join(comment)
            comment = []
    return described


def shipped_settings() -> str:
    """The text of the `config.toml` that ships with this program.

    1. An installed package has it beside this module: the wheel is built so.
    2. A checkout has it in its root, as the only copy.
    """
    package = files("stream.settings")
    installed = package / _NAME
    file = installed if installed.is_file() else package / ".." / ".." / _NAME
    return file.read_text(encoding="utf-8")
