"""Names and numbers as people are shown them: what a terminal would obey stands there escaped."""

import re
import sys
from io import TextIOWrapper

_SHOWN_LETTERS = 60
"""Letters of a name that is refused, of which a message leaves out the rest; more fill the line."""

_OBEYED = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters: ESC begins a command, a line break a line
    "\u2028\u2029"  # separators of lines and paragraphs
    "\u202a-\u202e\u2066-\u2069"  # turn the direction in which what follows is read
    "\ud800-\udfff]"  # halves of a character, and bytes of a name that are not text
)
"""Characters that a terminal, a table or a drawing of text obeys or cannot take."""


def printable(text: str) -> str:
    """The text in one line, with each character escaped that would not be shown: `\\x1b`."""
    return _OBEYED.sub(_escaped, text)


def printable_json(text: str) -> str:
    """A line of JSON with the same characters escaped as JSON has it; it is read as before."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def shortened(text: str, letters: int = _SHOWN_LETTERS) -> str:
    """A text as a message shows it: of a long one the beginning."""
    return text if len(text) <= letters else f"{text[:letters]}…"


def counted(number: int, one: str, many: str = "") -> str:
    """A number and what there are so many of: `1 frame`, `2 frames`; `many` where no s is added."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def escape_unencodable_output() -> None:
    """Lets the program print names that its terminal's encoding lacks: they stand there escaped."""
    for text in (sys.stdout, sys.stderr):
        if isinstance(text, TextIOWrapper):
            text.reconfigure(errors="backslashreplace")


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
