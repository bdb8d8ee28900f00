"""A picture and what is drawn on it, to be looked at or to be recorded."""

from collections.abc import Callable, Sequence
from functools import cached_property

from models.faces import Image
from stream.coded import Colours
from stream.drawing.marks import Box, Mark
from stream.drawing.planes import Planes
from stream.stopwatch import stage


class Canvas:
    """What is drawn on one picture.

    Args:
        image: gives the picture, which is not written to; asked only where its pixels are needed.
        marks: what is drawn, one over the other.
        changed: where the picture differs already from what was captured, px; these places may
            overlap, and lie outside.
    """

    def __init__(
        self, image: Callable[[], Image], marks: Sequence[Mark] = (), changed: Sequence[Box] = ()
    ) -> None:
        self._image = image
        self._marks = marks
        self._changed = changed

    def __repr__(self) -> str:
        return f"Canvas({len(self._marks)} marks)"

    @cached_property
    def picture(self) -> Image:
        """The whole of it; where nothing is drawn the picture itself. Not to be written to."""
        image = self._image()
        if not self._marks:
            return image
        with stage("draw"):
            picture = image.copy()
            for mark in self._marks:
                mark.draw(picture)
            return picture

    def paint(self, planes: Planes, colours: Colours) -> None:
        """Makes the same of what was captured.

        Args:
            planes: what was captured, as it was coded.
            colours: what the numbers there mean.
        """
        for place in self._changed:
            planes.paint(self._image(), place, colours)
        for mark in self._marks:
            planes.put(mark, colours)
