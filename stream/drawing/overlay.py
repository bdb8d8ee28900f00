"""Tracks → marks on their picture: outlines, panels with labels, the legend."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from stream.drawing.blur import blur_faces
from stream.drawing.canvas import Canvas
from stream.drawing.colours import ColourScheme
from stream.drawing.legend import Legend, fitting_legend
from stream.drawing.marks import Box, Mark
from stream.drawing.panel_forms import PanelForms
from stream.drawing.placement import Placement
from stream.drawing.text import Style, outline, panel
from stream.drawing.wording import NO_SHORT_NAMES, ShortNames
from stream.settings.schema import OverlaySection
from stream.stopwatch import stage
from stream.tracks import Track

_LINE_OF_FACE = 0.04
"""Thickness of the thickest line around a face, in widths of the face."""


class Overlay:
    """Draws the frames of one source. It remembers places, sizes and colours.

    Args:
        settings: what is drawn, in which colours, and how large.
        short_names: what classes are called where there is little room.
        groups: names of groups that stand for classes; their order is that of their colours.
    """

    def __init__(
        self,
        settings: OverlaySection | None = None,
        short_names: ShortNames = NO_SHORT_NAMES,
        groups: Iterable[str] = (),
    ) -> None:
        self._settings = settings or OverlaySection()
        self._short_names = short_names
        self._groups = tuple(groups)
        self._colours = ColourScheme(self._settings.colours, self._groups)
        self._forms = PanelForms(self._settings, short_names)
        self._placement = Placement()

    def __repr__(self) -> str:
        return f"Overlay({self._settings!r})"

    def fresh(self) -> "Overlay":
        """One of the same settings that remembers nothing: for other pictures of the source."""
        return Overlay(self._settings, self._short_names, self._groups)

    def draw(self, image: Image, tracks: Sequence[Track]) -> Image:
        """The next picture with a box around each face and what it is perceived as.

        It is a copy, or where nothing is drawn the picture itself. A panel has the colour of its
        box. Boxes without a label are thin. Faces are blurred where the settings say so.
        """
        height, width = image.shape[:2]
        if self._settings.blur and tracks:
            image = blur_faces(image, np.stack([track.box_xyxy for track in tracks]))
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
        boxes = {track.track_id: _pixel_box(track.box_xyxy) for track in tracks}
        if is_unrelated := self._placement.are_all_new(track.track_id for track in labelled):
            self._colours.forget()
        colours = {
            track.track_id: self._colours.of(track.person_id, track.labels) for track in tracks
        }
        style = Style.of(size_wh, self._settings.scale)
        forms = self._forms.update(
            {track.track_id: track.labels for track in labelled},
            {track_id: box.width for track_id, box in boxes.items()},
            style,
            is_unrelated=is_unrelated,
        )
        legend = self._legend(labelled, size_wh, style)
        arrangement = self._placement.arrange(
            boxes,
            {
                track_id: {number: form.size_wh for number, form in each.items()}
                for track_id, each in forms.items()
            },
            None if legend is None else legend.size_wh,
            size_wh,
            gap=style.line // 2 + 2,  # beyond the outline, which is dark along its edge
        )
        marks: list[Mark] = []
        for track in tracks:
            box = boxes[track.track_id]
            marks += outline(box, colours[track.track_id], _line(track, box, style))
        for track_id, placed in arrangement.panels.items():
            form = forms[track_id][placed.form]
            is_before = placed.box.right <= boxes[track_id].left
            marks += panel(
                placed.box, form.lines, colours[track_id], form.style, strip_at_right=is_before
            )
        if legend is not None and arrangement.legend is not None:
            marks += legend.marks(arrangement.legend)
        return marks

    def _legend(
        self, labelled: Sequence[Track], size_wh: tuple[int, int], style: Style
    ) -> Legend | None:
        """The legend of a picture, if it has labels and room for one."""
        attributes = list(dict.fromkeys(name for track in labelled for name in track.labels))
        if not (self._settings.legend and attributes):
            return None
        return fitting_legend(attributes, self._colours.key, size_wh, style)


def _line(track: Track, box: Box, style: Style) -> int:
    """Thickness of the line around a face; of one without a label it is thin, px."""
    of_face = round(box.width * _LINE_OF_FACE)
    if track.labels:
        return max(min(style.line, of_face), 2)
    return max(min(style.line // 2, of_face), 1)


def _pixel_box(box_xyxy: NDArray[np.float32]) -> Box:
    """A box rounded to whole pixels, at least one wide and high."""
    left, top, right, bottom = map(round, box_xyxy.tolist())
    return Box(left, top, max(right, left + 1), max(bottom, top + 1))
