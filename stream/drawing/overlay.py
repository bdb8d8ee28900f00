"""Tracks → marks on their picture."""

import colorsys
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from stream.drawing.canvas import Canvas
from stream.drawing.marks import Box, Colour, Mark
from stream.drawing.placement import Placement
from stream.drawing.text import Style, note, note_size_wh, outline, panel, panel_size_wh
from stream.settings.schema import OverlaySection
from stream.stopwatch import stage
from stream.tracks import Label, Track

_MOST = 0.99  # a model is never quite sure, so no picture says 100 %; the log has the figure
_CROWD, _NO_CROWD = 8, 5  # people with labels: in a crowd the text is smaller, and stays so a while
_CROWD_TEXT = 0.7
_GOLDEN_ANGLE = 0.381966  # of the colour wheel: neighbours in time differ most


class Overlay:
    """Draws the frames of one source. It remembers where labels stand and how large.

    Args:
        settings: what is drawn, and how large.
    """

    def __init__(self, settings: OverlaySection | None = None) -> None:
        self._settings = settings or OverlaySection()
        self._placement = Placement()
        self._crowded = False

    def __repr__(self) -> str:
        return f"Overlay({self._settings!r})"

    def draw(self, image: Image, tracks: Sequence[Track]) -> Image:
        """The next picture with a box around each face and what it is perceived as.

        It is a copy, or where nothing is drawn the picture itself. Colours tell people apart and
        mean nothing else.
        """
        height, width = image.shape[:2]
        return Canvas(lambda: image, self.marks((width, height), tracks)).picture

    @stage("draw")
    def marks(self, size_wh: tuple[int, int], tracks: Sequence[Track]) -> list[Mark]:
        """The same, before it is put on a picture.

        Args:
            size_wh: of the next picture, px.
            tracks: who is in it.
        """
        if not self._settings.labels:
            return []
        speaking = [track for track in tracks if track.labels]
        style = Style.of(size_wh, self._scale([track.track_id for track in speaking]))
        # As wide as the surest label would be, so that a panel does not breathe with its figures.
        widest = {
            track.track_id: panel_size_wh(self._lines(track, surest=True), style)
            for track in speaking
        }
        legend = self._legend(speaking)
        boxes = {track.track_id: _whole(track.box_xyxy) for track in tracks}
        arrangement = self._placement.arrange(
            boxes,
            widest,
            note_size_wh(legend, style) if legend else None,
            size_wh,
            gap=style.line + 1,
        )
        marks: list[Mark] = []
        for track_id, box in boxes.items():
            marks += outline(box, colour_of(track_id), style)
        for track in speaking:
            ground, colour = arrangement.panels[track.track_id], colour_of(track.track_id)
            marks += panel(ground, self._lines(track), colour, style)
        if arrangement.legend is not None:
            marks.append(note(arrangement.legend, legend, style))
        return marks

    def _scale(self, people: Sequence[int]) -> float:
        """How large text is, given who has labels."""
        was_crowded = self._crowded and not self._placement.is_new(people)
        self._crowded = len(people) > (_NO_CROWD if was_crowded else _CROWD)
        return self._settings.scale * (_CROWD_TEXT if self._crowded else 1)

    def _lines(self, track: Track, *, surest: bool = False) -> tuple[str, ...]:
        return tuple(
            label_text(
                name, label, _MOST if surest else label.confidence, self._settings.confidence
            )
            for name, label in track.labels.items()
        )

    def _legend(self, speaking: Sequence[Track]) -> str:
        """What labels are of; empty where there are none."""
        attributes = dict.fromkeys(name for track in speaking for name in track.labels)
        if not (self._settings.legend and attributes):
            return ""
        *others, last = attributes
        return f"perceived {' and '.join([', '.join(others), last] if others else [last])}"


def label_text(attribute: str, label: Label, confidence: float, shown: bool = True) -> str:
    """A label in words, and how sure it is if that is to be shown."""
    if label.text is None:
        return f"{attribute} unsure"
    text = spoken(label.text)
    return f"{text} {min(confidence, _MOST):.0%}" if shown else text


def spoken(name: str) -> str:
    """A class as it is written on pictures."""
    return name.replace("_", " ")


@cache
def colour_of(track_id: int) -> Colour:
    """What tells a person apart from those beside them."""
    red, green, blue = colorsys.hsv_to_rgb(track_id * _GOLDEN_ANGLE % 1, 0.55, 1.0)
    return round(blue * 255), round(green * 255), round(red * 255)


def _whole(box_xyxy: NDArray[np.float32]) -> Box:
    left, top, right, bottom = map(round, box_xyxy.tolist())
    return Box(left, top, max(right, left + 1), max(bottom, top + 1))
