"""Colour schemes: a colour for each person, for each class of an attribute, or one for all."""

import colorsys
import re
from collections.abc import Iterable, Mapping
from functools import cache

from stream.drawing.marks import Colour
from stream.drawing.wording import display_name
from stream.settings.schema import BY_PERSON
from stream.tracks import Label

_GOLDEN_ANGLE = 0.381966
"""Distance of the hues of two numbers in turn, as a share of the colour wheel: hues of neighbours
differ most."""

UNSURE_GREY = (190, 190, 190)
"""The colour of what is unsure, and of faces without a label where colours stand for classes. A
darker one is hard to read on a tile over a white picture."""


class ColourScheme:
    """The colours of the faces of one source.

    Args:
        colours: `overlay.colours`: `person`, the name of an attribute, or `#rrggbb`.
        groups: names of groups that stand for classes; others get a colour when they are met.
    """

    def __init__(self, colours: str = BY_PERSON, groups: Iterable[str] = ()) -> None:
        self._colours = colours
        self._single = _parsed(colours)
        self._groups = {name: number for number, name in enumerate(groups)}
        self._met: dict[int, str] = {}

    def __repr__(self) -> str:
        return f"ColourScheme({self._colours})"

    def of(self, person_id: int, labels: Mapping[str, Label]) -> Colour:
        """The colour of a face.

        Args:
            person_id: the number of the person.
            labels: what it is perceived as, by attribute.
        """
        if self._single is not None:
            return self._single
        if self._colours == BY_PERSON:
            return _hue(person_id)
        label = labels.get(self._colours)
        if label is None or label.text is None:
            return UNSURE_GREY
        number = self._number(label.text, list(label.probabilities))
        self._met[number] = label.text
        return _hue(number)

    @property
    def key(self) -> list[tuple[str, Colour]]:
        """The classes that were met so far and their colours; empty where colours are of no
        attribute."""
        return [(display_name(name), _hue(number)) for number, name in sorted(self._met.items())]

    def forget(self) -> None:
        """The next picture is unrelated to the last: no class was met."""
        self._met.clear()

    def _number(self, name: str, classes: list[str]) -> int:
        """The number of a class among all of its attribute; groups follow as they are met."""
        if name in classes:
            return classes.index(name)
        return len(classes) + self._groups.setdefault(name, len(self._groups))


@cache
def _hue(number: int) -> Colour:
    """The colour of a number, unlike those of the numbers just before and after it."""
    red, green, blue = colorsys.hsv_to_rgb(number * _GOLDEN_ANGLE % 1, 0.55, 1.0)
    return round(blue * 255), round(green * 255), round(red * 255)


def _parsed(colours: str) -> Colour | None:
    """The colour that `#rrggbb` stands for; None for what is none."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colours):
        return None
    red, green, blue = bytes.fromhex(colours[1:])
    return blue, green, red
