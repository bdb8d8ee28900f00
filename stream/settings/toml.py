"""Writes values as TOML, which the standard library only reads."""

import json
import re
from collections.abc import Mapping
from typing import Any

from models.program.printable import printable_json

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
"""A key that needs no quotes."""

_SIZE = re.compile(r"(\d{1,9})\s*[x\u00d7*,;:]\s*(\d{1,9})")
"""Width and height as people write them."""


def toml_value(value: Any) -> str:
    """A value in one line: text, a number, true or false, a list or an inline table."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _quoted(value)
        case list() | tuple():
            return f"[{', '.join(map(toml_value, value))}]"
        case Mapping():
            pairs = [f"{_key(name)} = {toml_value(each)}" for name, each in value.items()]
            return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
        case _:
            return str(value)  # numbers and dates


def as_list(text: str) -> list[int] | list[str]:
    """The list that a text is probably meant for: the numbers of `1280x720`, the parts of `a,b`."""
    if size := _SIZE.fullmatch(text.strip()):
        return [int(side) for side in size.groups()]
    return [part.strip() for part in text.split(",") if part.strip()]


def toml_comment(text: str) -> str:
    """A text that a comment may hold: one line, without control characters."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    # JSON's escapes are TOML's, but JSON leaves some characters that TOML or a terminal obeys.
    return printable_json(json.dumps(text, ensure_ascii=False))
