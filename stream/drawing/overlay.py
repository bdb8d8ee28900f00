"""Tracks → marks on their picture: outlines, panels with labels, the legend."""

import colorsys
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from stream.drawing.canvas import Canvas
from stream.drawing.marks import Box, Colour, Mark
from stream.drawing.placement import Placement
from stream.drawing.text import Style, caption, caption_size_wh, outline, panel, panel_size_wh
from stream.settings.schema import OverlaySection
from stream.stopwatch import stage
from stream.tracks import Label, Track

_MAX_SHOWN_CONFIDENCE = 0.99
"""Highest confidence on a picture: a model is never quite sure. The log has the exact figure."""

_CROWD_TRACKS = 8
"""Tracks with labels above which text becomes smaller."""

_CROWD_END_TRACKS = 5
"""Tracks with labels down to which text then stays smaller, so that its size does not flicker."""

_CROWD_TEXT_SCALE = 0.7
"""Height of text in a crowd, in heights of other text."""

_GOLDEN_ANGLE = 0.381966
"""Distance of the hues of two tracks in turn, as a share of the colour wheel: hues of neighbours
in time differ most."""


class Overlay:
    """Draws the frames of one source. It remembers the places and the size of labels.

    Args:
        settings: what is drawn, and how large.
    """

    def __init__(self, settings: OverlaySection | None = None) -> None:
        self._settings = settings or OverlaySection()
        self._placement = Placement()
        self._is_crowded = False

    def __repr__(self) -> str:
        return f"Overlay({self._settings!r})"

    def draw(self, image: Image, tracks: Sequence[Track]) -> Image:
        """The next picture with a box around each face and what it is perceived as.

        It is a copy, or where nothing is drawn the picture itself. Colours tell tracks apart and
        mean nothing else.
        """
        height, width = image.shape[:2]
        return Canvas(lambda: image, self.marks((width, height), tracks)).picture

    @stage("draw")
    def marks(self, size_wh: tuple[int, int], tracks: Sequence[Track]) -> list[Mark]:
        """The marks that `draw` puts on the next picture.

        Args:
            size_wh: of the next picture, px.
            tracks: the tracks in it.
        """
        if not self._settings.labels:
            return []
        labelled = [track for track in tracks if track.labels]
        style = Style.of(size_wh, self._scale([track.track_id for track in labelled]))
        # As wide as the surest label would be, so that a panel's width does not follow its figures.
        panels_wh = {
            track.track_id: panel_size_wh(self._lines(track, surest=True), style)
            for track in labelled
        }
        legend = self._legend(labelled)
        boxes = {track.track_id: _pixel_box(track.box_xyxy) for track in tracks}
        arrangement = self._placement.arrange(
            boxes,
            panels_wh,
            caption_size_wh(legend, style) if legend else None,
            size_wh,
            gap=style.line + 1,
        )
        marks: list[Mark] = []
        for track_id, box in boxes.items():
            marks += outline(box, colour_of(track_id), style)
        for track in labelled:
            box, colour = arrangement.panels[track.track_id], colour_of(track.track_id)
            marks += panel(box, self._lines(track), colour, style)
        if arrangement.legend is not None:
            marks.append(caption(arrangement.legend, legend, style))
        return marks

    def _scale(self, track_ids: Sequence[int]) -> float:
        """The scale of text, given the tracks that have labels."""
        was_crowded = self._is_crowded and not self._placement.are_all_new(track_ids)
        self._is_crowded = len(track_ids) > (_CROWD_END_TRACKS if was_crowded else _CROWD_TRACKS)
        return self._settings.scale * (_CROWD_TEXT_SCALE if self._is_crowded else 1)

    def _lines(self, track: Track, *, surest: bool = False) -> tuple[str, ...]:
        """The lines of a track's panel; `surest` gives each its highest confidence."""
        return tuple(
            label_text(
                name,
                label,
                _MAX_SHOWN_CONFIDENCE if surest else label.confidence,
                self._settings.confidence,
            )
            for name, label in track.labels.items()
        )

    def _legend(self, labelled: Sequence[Track]) -> str:
        """The attributes that labels are of; empty where there are none."""
        attributes = dict.fromkeys(name for track in labelled for name in track.labels)
        if not (self._settings.legend and attributes):
            return ""
        *others, last = attributes
        return f"perceived {' and '.join([', '.join(others), last] if others else [last])}"


def label_text(attribute: str, label: Label, confidence: float, shown: bool = True) -> str:
    """A label in words, with its confidence if that is shown."""
    if label.text is None:
        return f"{attribute} unsure"
    text = display_name(label.text)
    return f"{text} {min(confidence, _MAX_SHOWN_CONFIDENCE):.0%}" if shown else text


def display_name(name: str) -> str:
    """The name of a class or a group of classes as pictures show it."""
    return name.replace("_", " ")


@cache
def colour_of(track_id: int) -> Colour:
    """The colour of a track, unlike those of the tracks that began just before and after it."""
    red, green, blue = colorsys.hsv_to_rgb(track_id * _GOLDEN_ANGLE % 1, 0.55, 1.0)
    return round(blue * 255), round(green * 255), round(red * 255)


def _pixel_box(box_xyxy: NDArray[np.float32]) -> Box:
    """A box rounded to whole pixels, at least one wide and high."""
    left, top, right, bottom = map(round, box_xyxy.tolist())
    return Box(left, top, max(right, left + 1), max(bottom, top + 1))
