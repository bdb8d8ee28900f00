"""Cells of CSV files: text that a spreadsheet would calculate is written so that it shows it."""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""How a cell begins that a spreadsheet takes for a formula, or that would be read as one that was
written by `text_cell`."""


def text_cell(text: str) -> str:
    """The text of a cell; an apostrophe before it says to a spreadsheet that it is no formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def read_cell(text: str) -> str:
    """The text that `text_cell` wrote as this cell, and any other cell as it is."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
