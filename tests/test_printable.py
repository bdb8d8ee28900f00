"""What people are shown of names, on terminals, in tables and in pictures."""

import json

import numpy as np
import pytest

from models.program.printable import printable, printable_json, shortened
from stream.drawing.text import draw_text, text_width

_CASES = [
    ("é 日本.mp4", "é 日本.mp4"),
    ("100 %\\[red].mp4", "100 %\\[red].mp4"),
    ("\x1b[31mred", "\\x1b[31mred"),
    ("a\x07b\r\nc\td", "a\\x07b\\r\\nc\\td"),
    ("\x9b31m\x7f", "\\x9b31m\\x7f"),
    ("a\u2028b\u202egpj.exe", "a\\u2028b\\u202egpj.exe"),
    ("caf\udce9", "caf\\udce9"),
]


@pytest.mark.parametrize(("text", "shown"), _CASES)
def test_what_a_terminal_would_obey_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("text", [text for text, _ in _CASES])
def test_json_keeps_the_text_and_shows_none_of_it(text: str) -> None:
    line = printable_json(json.dumps(text, ensure_ascii=False))
    assert json.loads(line) == text
    assert printable(line) == line


def test_of_a_long_name_the_beginning_is_shown() -> None:
    assert shortened("x" * 60) == "x" * 60
    assert shortened("x" * 61) == "x" * 60 + "…"
    assert shortened("name", 3) == "nam…"


def test_half_a_character_can_be_drawn() -> None:
    picture = np.zeros((40, 300, 3), np.uint8)
    draw_text(picture, "a\ud800b", (5, 30), 20)
    assert picture.any()
    assert text_width("a\ud800b", 20) > text_width("ab", 20)
