"""Where settings come from: defaults, `config.toml`, `--config`, `--set`, later over earlier."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from models.program.printable import printable, shortened
from models.safe_files import MAX_SETTINGS_BYTES, UnfitFileError, parse_toml, read_regular
from stream.addresses import masked_words
from stream.errors import ConfigError
from stream.settings.nearest import nearest_setting
from stream.settings.schema import Config
from stream.settings.toml import as_list, toml_comment, toml_value

_DEFAULT_FILE = "config.toml"
"""The file that is read from the current folder if it is there."""

DEFAULT_ORIGIN = "default"
"""The origin of a setting that no layer has."""

_OVERRIDE_ORIGIN = "--set"
"""The origin of a setting from the command line."""

_GIVEN_ORIGIN = "given"
"""The origin of a setting that a caller of the library gives, and how errors call it."""

_SECRET = re.compile("secret|passw", re.IGNORECASE)
"""What of the name of a setting, misspelt or not, says that its value may be a secret."""

_HIDDEN = "…"
"""What stands in the place of a secret."""

_SETTING = re.compile(r"[a-z_]+(?:\.[a-z_]+)+")
"""The name of a setting, with its section."""

_SHOWN_LETTERS = 200
"""Letters of a name or value of a file that a message shows."""

_SHOWN_REASONS = 8
"""What a setting should be at most, of the types that are allowed."""

_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a table, as in { name = value }",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "missing": "a list of two, as in [1280, 720]",
    "model_type": "a section or table",
    "string_type": "a text in quotes",
    "too_long": "a list of two, as in [1280, 720]",
    "tuple_type": "a list, as in [1280, 720]",
}
"""By pydantic's type of an error, what a setting should be, in terms of TOML; any other error has
pydantic's message."""


Given: TypeAlias = str | os.PathLike[str] | Mapping[str, Mapping[str, Any]]
"""A file of settings, or settings themselves: section → name → value."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force, and the layer that each is from.

    Attributes:
        config: the settings.
        origins: by section and name: `default`, `config.toml`, the `--config` file, `given` by a
            caller, `--set`.
    """

    config: Config
    origins: Mapping[tuple[str, str], str]

    def as_dict(self) -> dict[str, dict[str, dict[str, Any]]]:
        """The settings for JSON: section → name → `value` and `origin`."""
        return {
            section: {
                name: {"value": value, "origin": self.origins[section, name]}
                for name, value in values.items()
            }
            for section, values in self.config.model_dump(mode="json").items()
        }

    def as_toml(self) -> str:
        """A TOML file of these settings, each with its origin beside it."""
        sections = []
        for section, settings in self.as_dict().items():
            lines = [f"{name} = {toml_value(each['value'])}" for name, each in settings.items()]
            width = max(map(len, lines))
            origins = [toml_comment(each["origin"]) for each in settings.values()]
            commented = [
                f"{line:{width}}  # {origin}" for line, origin in zip(lines, origins, strict=True)
            ]
            sections.append("\n".join([f"[{section}]", *commented]))
        return "\n\n".join(sections)


def load_config(
    settings: Given | None = None, overrides: Iterable[str] = (), *, folder: Path | None = None
) -> Config:
    """The settings in force; the arguments and errors are those of `load_settings`."""
    return load_settings(settings, overrides, folder=folder).config


def load_settings(
    settings: Given | None = None, overrides: Iterable[str] = (), *, folder: Path | None = None
) -> Settings:
    """The settings in force, and where each is from.

    1. The defaults.
    2. `config.toml` in the folder, if it is there.
    3. The `--config` file, or what a caller gives.
    4. The overrides in turn.

    A later layer lies over an earlier one.

    Args:
        settings: the `--config` file, which must exist, or settings as
            `{"labels": {"min_confidence": 0.8}}`; None for none.
        overrides: `section.key=value`, the value as TOML or a bare word.
        folder: the folder of `config.toml`; None for the current one.

    Raises:
        ConfigError: a file cannot be read, or a setting is unknown or out of range; the nearest
            name is named.
    """
    merged = Config().model_dump()
    origins = {(section, name): DEFAULT_ORIGIN for section in merged for name in merged[section]}
    default = (folder or Path.cwd()) / _DEFAULT_FILE
    for layer, origin, name in _layers(settings, overrides, default):
        for section, values in _checked(layer, name).items():
            merged[section].update(values)
            origins.update({(section, key): origin for key in values})
    return Settings(Config.model_validate(merged), origins)


def changed_config(config: Config, changes: Mapping[str, Any]) -> Config:
    """Settings of which some are changed, checked as those of a file are.

    Args:
        config: the settings so far.
        changes: by section and name, as in `{"labels.min_confidence": 0.8}`.

    Raises:
        ConfigError: one is unknown or out of range; the nearest name is named.
    """
    merged = config.model_dump()
    for name, value in changes.items():
        section, _, key = name.partition(".")
        if section not in merged or key not in merged[section]:
            raise ConfigError(f"unknown setting {_short(name)}: {nearest_setting(name.split('.'))}")
        merged[section].update(_checked({section: {key: value}}, "settings")[section])
    return Config.model_validate(merged)


def _layers(
    settings: Given | None, overrides: Iterable[str], default: Path
) -> Iterable[tuple[dict[str, Any], str, str]]:
    """The layers over the defaults, lowest first: each with its origin, and its name in errors."""
    if default.exists():
        yield _read(default), default.name, default.name
    if isinstance(settings, Mapping):
        yield _plain(settings), _GIVEN_ORIGIN, "settings"
    elif isinstance(settings, str | os.PathLike):
        yield _read(Path(settings)), os.fspath(settings), os.fspath(settings)
    elif settings is not None:
        raise ConfigError(f"settings are a file or a dict, not of type {type(settings).__name__}")
    for text in overrides:
        yield _parse_override(text), _OVERRIDE_ORIGIN, f"{_OVERRIDE_ORIGIN} {_shown(text)}"


def _plain(settings: Mapping[Any, Any]) -> dict[str, Any]:
    """Settings of a caller as TOML would hold them: names are text, and so are paths."""
    return {
        str(name): _plain(value)
        if isinstance(value, Mapping)
        else os.fspath(value)
        if isinstance(value, os.PathLike)
        else value
        for name, value in settings.items()
    }


def _checked(layer: Mapping[str, Any], name: str) -> dict[str, dict[str, Any]]:
    """The values of a layer, validated on its own, so that an error names the right one."""
    try:
        return Config.model_validate(layer).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise ConfigError(f"{name}: {_explain(error, layer)}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        data = read_regular(path, MAX_SETTINGS_BYTES)
    except UnfitFileError as error:
        raise ConfigError(f"{path} {error}") from error
    try:
        return parse_toml(data)
    except UnfitFileError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error


def _parse_override(text: str) -> dict[str, Any]:
    name, equals, value = text.partition("=")
    section, dot, key = name.strip().partition(".")
    if not (equals and dot and section and key):
        hint = nearest_setting([section]) if equals and not dot and section else ""
        hint = f"; {hint}" if hint.startswith("did") else ""
        raise ConfigError(
            f"--set {_shown(text)}: write it as section.key=value, as in "
            f"labels.min_confidence=0.8{hint}"
        )
    try:
        parsed = parse_toml(f"value = {value}".encode())["value"]
    except (UnfitFileError, UnicodeEncodeError):
        parsed = value.strip()  # a bare word, as in `detection.detector=hog`
    return {section: {key: parsed}}


def _explain(error: ValidationError, layer: Mapping[str, Any]) -> str:
    """The first problem in one line, with the nearest known name for an unknown one."""
    problems = error.errors(include_url=False, include_input=False)
    path = [str(part) for part in problems[0]["loc"]]
    if problems[0]["type"] != "extra_forbidden":
        given: Any = layer
        for part in path[:2]:  # further parts are members of a union, or inside the value
            given = given[part]
        value = _HIDDEN if _SECRET.search(path[-1]) else _short(toml_value(given))
        shown = f"{'.'.join(path[:2])} = {value}"
        return f"{shown}: {_meant_list(layer, problems) or _reason(problems)}"
    return f"unknown setting {_short('.'.join(path))}: {nearest_setting(path)}"


def _meant_list(layer: Mapping[str, Any], problems: Sequence[ErrorDetails]) -> str:
    """How the first wrong setting, a text, is written as the list that it should be."""
    given: Any = layer
    place: list[Any] = []
    for part in problems[0]["loc"]:
        if isinstance(given, Mapping) and part in given:
            given = given[part]
            place.append(part)
    if not isinstance(given, str):
        return ""
    meant = as_list(given)
    try:
        Config.model_validate(_replaced(layer, place, meant))
    except ValidationError:
        return ""
    return f"write it as {_short(toml_value(meant))}"


def _replaced(layer: Any, place: Sequence[Any], value: Any) -> Any:
    """A layer with another value in a place of it."""
    if not place:
        return value
    return {**layer, place[0]: _replaced(layer[place[0]], place[1:], value)}


def _shown(override: str) -> str:
    """An override as a message shows it; its value may be an address or a secret."""
    name, equals, value = override.partition("=")
    if (secret := _SECRET.search(override)) is not None:
        return f"{_short(override[: secret.end()])}{_HIDDEN}"
    is_setting = _SETTING.fullmatch(name.strip()) is not None
    return f"{_short(name)}{equals}{_short(value)}" if is_setting else _short(override)


def _short(text: str) -> str:
    """A text as a message shows it: in one line, not all of a long one, and no secrets."""
    return shortened(printable(masked_words(text)), _SHOWN_LETTERS)


def _reason(problems: Sequence[ErrorDetails]) -> str:
    """What the first wrong setting should be; all of them where several types are allowed."""
    first = problems[0]["loc"][:2]
    reasons = [
        f"it should be {_EXPECTED[each['type']]}"
        if each["type"] in _EXPECTED
        else each["msg"].replace("Input should", "it should").removeprefix("Value error, ")
        for each in problems
        if each["loc"][:2] == first
    ]
    return "; or ".join(list(dict.fromkeys(reasons))[:_SHOWN_REASONS])
