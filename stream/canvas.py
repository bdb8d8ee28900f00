"""A picture that is drawn on, of which it is known where."""

from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np

from models.faces import Image
from stream.drawing import Box


class Canvas:
    """Some places of a picture, to be drawn on. The rest of it stays as it is.

    Args:
        image: the picture; it is not written to.
        places: where something is drawn, px; they may overlap, and lie outside.
        changed: where the picture differs already from what was captured.

    Attributes:
        pixels: to draw on; as large as the picture, but what is not in `places` means nothing.
    """

    def __init__(
        self, image: Image, places: Iterable[Box] = (), changed: Iterable[Box] = ()
    ) -> None:
        self.pixels = np.empty_like(image)
        self._image = image
        self._places, self._changed = self._inside(places), self._inside(changed)
        _copy(self._places, image, self.pixels)

    def __repr__(self) -> str:
        return f"Canvas({len(self._places)} places)"

    @cached_property
    def picture(self) -> Image:
        """The whole of it; where nothing is drawn the picture itself. Not to be written to."""
        if not self._places:
            return self._image
        picture = self._image.copy()
        _copy(self._places, self.pixels, picture)
        return picture

    def changes(self) -> Iterator[tuple[Image, Box]]:
        """Where it differs from what was captured, and a picture that has what is there now.

        The edges are even, but for those of a picture of odd size. What comes later counts.
        """
        for pixels, places in ((self._image, self._changed), (self.pixels, self._places)):
            for place in places:
                yield pixels, place

    def _inside(self, places: Iterable[Box]) -> list[Box]:
        height, width = self._image.shape[:2]
        return [even for place in places if (even := place.widened_to_even(width, height)).area]


def _copy(places: Iterable[Box], source: Image, target: Image) -> None:
    for left, top, right, bottom in (place.edges for place in places):
        target[top:bottom, left:right] = source[top:bottom, left:right]
