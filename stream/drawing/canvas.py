"""A picture and the marks on it, drawn in BGR for the eye or on coded planes for a recording."""

from collections.abc import Callable, Sequence
from functools import cached_property

from models.faces import Image
from stream.coded import Colours
from stream.drawing.marks import Box, Mark
from stream.drawing.planes import Planes
from stream.stopwatch import stage


class Canvas:
    """A picture and the marks that are drawn on it.

    Args:
        image: gives the picture, which is not written to; called only where pixels are needed.
        marks: what is drawn, one over the other.
        changed: where the picture already differs from what was captured, px; these boxes may
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
        """The picture with the marks on it; without marks the picture itself. Not to be written
        to."""
        image = self._image()
        if not self._marks:
            return image
        with stage("draw"):
            picture = image.copy()
            for mark in self._marks:
                mark.draw(picture)
            return picture

    def draw_on(self, planes: Planes, colours: Colours) -> None:
        """Draws the same on the planes of what was captured.

        Args:
            planes: the frame that was captured, as it was coded.
            colours: what the numbers of the planes mean.
        """
        for box in self._changed:
            planes.write_region(self._image(), box, colours)
        for mark in self._marks:
            planes.draw(mark, colours)
