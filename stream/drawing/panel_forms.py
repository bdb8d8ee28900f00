"""What panels say and how large: short in crowds, small on small faces, steady over frames."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from stream.drawing.text import MIN_TEXT_PX, Style, panel_size_wh
from stream.drawing.wording import Line, ShortNames, full_lines, short_lines
from stream.settings.schema import OverlaySection
from stream.tracks import Label

FULL = 0
"""The form of a panel that has a line for each label."""

SHORT = 1
"""The form of a panel that has one line of short names."""

SMALL = 2
"""The same in the smallest text."""

_TEXT_OF_FACE = 0.17
"""Height of the largest text of a face, in widths of the face."""

_STEP = 0.85
"""Ratio of one size of text to the next larger one; more makes faces of about one size differ."""

_SLACK = 0.8
"""Steps by which a face must differ from the size that it has before its text takes another; more
changes sizes less often."""

_CROWD_TRACKS = 12
"""Tracks with labels above which labels are short."""

_CROWD_END_TRACKS = 9
"""Tracks with labels down to which they then stay short, so that their form does not flicker."""


@dataclass(frozen=True, slots=True)
class PanelForm:
    """One of the forms that a panel may have.

    Attributes:
        lines: what it says.
        style: in which sizes.
        size_wh: width and height of the panel, px; as wide as the surest labels would be, so that
            it does not follow their figures.
    """

    lines: tuple[Line, ...]
    style: Style
    size_wh: tuple[int, int]


_Key: TypeAlias = tuple[tuple[tuple[str, Label], ...], int, bool]
"""What the forms of a track follow from: its labels, the height of its text, whether it is in a
crowd."""

_Made: TypeAlias = tuple[_Key, dict[int, PanelForm]]
"""The forms of a track, and what they followed from."""


class PanelForms:
    """Chooses the forms that the panels of one source may have.

    Args:
        settings: how large text is, and what it says.
        short_names: what classes are called where there is little room.
    """

    def __init__(self, settings: OverlaySection, short_names: ShortNames) -> None:
        self._settings = settings
        self._short_names = short_names
        self._is_crowded = False
        self._steps: dict[int, int] = {}
        self._made: dict[int, _Made] = {}

    def __repr__(self) -> str:
        return f"PanelForms({len(self._steps)} tracks)"

    def update(
        self,
        labels: Mapping[int, Mapping[str, Label]],
        widths_px: Mapping[int, int],
        largest: Style,
        *,
        is_unrelated: bool,
    ) -> dict[int, dict[int, PanelForm]]:
        """The forms of the panels in the next picture, the best first, by track and number.

        Args:
            labels: by attribute, of each track that has any.
            widths_px: widths of the faces, by track.
            largest: the sizes that suit the picture.
            is_unrelated: the picture has nothing to do with the last one.
        """
        was_crowded = self._is_crowded and not is_unrelated
        self._is_crowded = len(labels) > (_CROWD_END_TRACKS if was_crowded else _CROWD_TRACKS)
        self._steps = {
            track_id: self._step(track_id, widths_px[track_id], largest) for track_id in labels
        }
        self._made = {
            track_id: self._kept_or_made(
                track_id, each, round(largest.text * _STEP ** self._steps[track_id])
            )
            for track_id, each in labels.items()
        }
        return {track_id: forms for track_id, (_, forms) in self._made.items()}

    def _step(self, track_id: int, width_px: int, largest: Style) -> int:
        """How many steps under the largest the text of a face is."""
        share = width_px * _TEXT_OF_FACE * self._settings.scale / largest.text
        exact = min(max(math.log(share, _STEP), 0.0), math.log(MIN_TEXT_PX / largest.text, _STEP))
        before = self._steps.get(track_id)
        return before if before is not None and abs(before - exact) < _SLACK else round(exact)

    def _kept_or_made(self, track_id: int, labels: Mapping[str, Label], text_px: int) -> _Made:
        """The forms of a track; those of the last picture where nothing has changed."""
        key = tuple(labels.items()), text_px, self._is_crowded
        made = self._made.get(track_id)
        return made if made is not None and made[0] == key else (key, self._forms(labels, text_px))

    def _forms(self, labels: Mapping[str, Label], text_px: int) -> dict[int, PanelForm]:
        style, smallest = Style.of_text(text_px), Style.of_text(0)
        short = short_lines(labels, self._short_names)
        forms = {SHORT: PanelForm(short, style, panel_size_wh(short, style))}
        if style != smallest:
            forms[SMALL] = PanelForm(short, smallest, panel_size_wh(short, smallest))
        if self._is_crowded:
            return forms
        full, surest = (
            full_lines(labels, self._settings.confidence, surest=surest) for surest in (False, True)
        )
        return {FULL: PanelForm(full, style, panel_size_wh(surest, style)), **forms}
