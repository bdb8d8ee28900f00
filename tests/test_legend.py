"""The legend: what labels are of and what colours stand for, where there is room."""

import numpy as np
import pytest

from stream.drawing.legend import Legend, fitting_legend
from stream.drawing.marks import Box
from stream.drawing.text import Style

_KEY = [("Female", (0, 0, 255)), ("Male", (0, 255, 0))]


def _legend(
    size_wh: tuple[int, int], attributes: tuple[str, ...] = ("gender", "race"), key: list = _KEY
) -> Legend | None:
    return fitting_legend(attributes, key, size_wh, Style.of(size_wh))


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        (("age",), "perceived age"),
        (("gender", "race"), "perceived gender and race"),
        (("gender", "race", "age"), "perceived gender, race and age"),
    ],
)
def test_it_names_the_attributes(attributes: tuple[str, ...], text: str) -> None:
    legend = _legend((1280, 720), attributes)
    assert legend is not None
    assert legend.text == text


@pytest.mark.parametrize("size_wh", [(299, 600), (480, 270), (160, 120), (1, 1)])
def test_tiny_pictures_have_none(size_wh: tuple[int, int]) -> None:
    assert _legend(size_wh) is None


def test_a_key_that_does_not_fit_is_left_out_and_then_the_legend() -> None:
    many = [(f"a class of number {number}", (0, 0, 255)) for number in range(9)]
    with_key, without = _legend((1280, 720), key=many[:3]), _legend((640, 360), key=many)
    assert with_key is not None
    assert without is not None
    assert (len(with_key.key), len(without.key)) == (3, 0)
    assert _legend((300, 300), tuple("abcdefghijklmnopqrstuvwxyz" * 2)) is None


@pytest.mark.parametrize("key", [[], _KEY])
def test_it_is_as_large_as_it_says_and_has_the_colours(key: list) -> None:
    picture = np.full((400, 700, 3), 255, np.uint8)
    legend = _legend((700, 400), key=key)
    assert legend is not None
    width, height = legend.size_wh
    for mark in legend.marks(Box(50, 60, 50 + width, 60 + height)):
        mark.draw(picture)
    rows, columns = np.nonzero((picture != 255).any(axis=2))
    assert (columns.min(), columns.max() + 1) == (50, 50 + width)
    assert (rows.min(), rows.max() + 1) == (60, 60 + height)
    for _, colour in _KEY:
        assert (picture == colour).all(axis=2).any() == bool(key)
