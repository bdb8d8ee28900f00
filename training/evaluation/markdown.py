"""Names from datasets in Markdown: they stand there as they are, and make no table, tag or link."""

import re
from collections.abc import Mapping
from typing import Any

from models.program.printable import printable

_MARKUP = re.compile(r"[\\`*_\[\]<>|~&$]")
"""Characters that Markdown, or HTML in it, obeys within a line."""

_KEPT = frozenset({"command", "commands", "settings", "detector"})
"""Keys of a report whose values are no text of the card: commands stand in it as code."""


def inline(name: str) -> str:
    """A name in one line of Markdown, each character that it would obey with a backslash."""
    return _MARKUP.sub(r"\\\g<0>", printable(name))


def with_inline_names(content: Any) -> Any:
    """A report or a part of it whose names, as keys and as values, are `inline`.

    Keys that are words with underscores are the report's own and stay.
    """
    if isinstance(content, str):
        return inline(content)
    if isinstance(content, Mapping):
        return {
            _key(key): _in_one_line(each) if key in _KEPT else with_inline_names(each)
            for key, each in content.items()
        }
    if isinstance(content, (list, tuple)):
        return [with_inline_names(each) for each in content]
    return content


def _key(key: Any) -> Any:
    own = isinstance(key, str) and re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", key)
    return key if own or not isinstance(key, str) else inline(key)


def _in_one_line(content: Any) -> Any:
    """Code, such as a command or several: whatever a line break would begin is none."""
    if isinstance(content, str):
        return printable(content)
    return [printable(each) for each in content] if isinstance(content, (list, tuple)) else content
