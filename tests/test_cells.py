"""Cells of CSV files that a spreadsheet would calculate: shown as text, and read as they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.program.cells import read_cell, text_cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''+1"])
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert text_cell(text) == f"'{text}"
    assert read_cell(f"'{text}") == text


@pytest.mark.parametrize("text", ["", "a.jpg", "1-2", "'tis", "'", "a=b", "日本"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert text_cell(text) == text
    assert read_cell(text) == text


@given(st.text() | st.text(alphabet="'=+-@\t\ra"))
def test_what_was_written_is_read_as_it_was(text: str) -> None:
    assert read_cell(text_cell(text)) == text
    assert not text_cell(text).startswith(("=", "+", "-", "@", "\t", "\r"))
