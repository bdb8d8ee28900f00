"""The sheet of people drawn: a row for each person, in columns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import cv2
import numpy as np

from models.faces import Image
from models.program.printable import counted
from stream.drawing.colours import UNSURE_GREY, ColourScheme
from stream.drawing.marks import WHITE, Colour
from stream.drawing.text import draw_text, text_width
from stream.drawing.wording import Words, label_text
from stream.people import BestView, Person

_MAX_ROWS = 25
"""Rows below one another, before a further column begins."""

_ONE_COLUMN = 12
"""People who stand in one column; more stand in two at least."""

_FACE_PX = 116
"""Side of a face, px."""

_PAD_PX = 12
"""Space between parts, px."""

_ROW_PX = 680
"""Width of a row and the space beside it, px."""

_HEAD_PX = 92
"""Height of the title and the note under it, px."""

_FOOT_PX = 52
"""Height of the line at the foot, px."""

_STRIPE_PX = 6
"""Width of the coloured stripe at the left of a row, px."""

_TITLE_PX = 30
"""Size of the title's letters, px."""

_TEXT_PX = 22
"""Size of the labels' letters, px."""

_SMALL_PX = 16
"""Size of all other letters, px."""

_LINE_PX = 30
"""Height that a row has for each of its lines, px."""

_LABELS_X = 2 * _PAD_PX + _STRIPE_PX + _FACE_PX + 8
"""Where the labels begin in a row, px."""

_SIGHTINGS_X = 444
"""Left edge of the times of a person in a row, px."""

_GROUND = (34, 31, 30)
"""Colour of the sheet, BGR."""

_ROW_GROUND = (44, 41, 39)
"""Colour of a row, BGR."""

_GREY = (178, 172, 168)
"""Colour of notes, BGR."""


@dataclass(frozen=True, slots=True, eq=False)
class SheetRow:
    """One person, ready to be drawn.

    Attributes:
        track_id: as in the log.
        colour: of the stripe, as that of the box.
        face: `(116, 116, 3)`.
        labels: the text of each label; one that is unsure looks so.
        sightings: in lines, when the person was seen, or in which picture.
    """

    track_id: int
    colour: Colour
    face: Image
    labels: Sequence[Words]
    sightings: Sequence[str]

    @classmethod
    def of(cls, person: Person, colours: ColourScheme) -> Self:
        """The row of a person; black where there is no crop of the face."""
        best = person.best
        if best.path is not None:
            sightings = [best.path.name, f"{_width(person)} px wide"]
        else:
            sightings = [
                f"{_clock(person.first_s)} – {_clock(person.last_s)}",
                f"{person.seconds:.1f} s, {counted(person.frames, 'frame')}",
                f"here at {_clock(best.time_s)}",
            ]
        labels = [
            Words(label_text(name, label), label.text is not None)
            for name, label in person.labels.items()
        ]
        colour = colours.of(person.person_id, person.labels)
        return cls(person.track_id, colour, _square(best.crop), labels, sightings)


def small_view(view: BestView) -> BestView:
    """The same view, its crop at the size of the sheet's faces; black where there is none."""
    return replace(view, crop=_square(view.crop))


def draw_sheet(title: str, rows: Sequence[SheetRow], left_out: str) -> Image:
    """The picture.

    Args:
        title: stands at the top.
        rows: the people, in their order.
        left_out: says at the foot who is not shown; may be empty.
    """
    columns = max(-(-len(rows) // _MAX_ROWS), 2 if len(rows) > _ONE_COLUMN else 1)
    high = max(-(-len(rows) // columns), 1)
    lines = max((max(len(row.labels), len(row.sightings)) for row in rows), default=1)
    height = max(_FACE_PX, lines * _LINE_PX) + _PAD_PX
    foot = left_out if rows else f"Nobody was seen well enough. {left_out}".strip()
    below = _FOOT_PX if foot else _PAD_PX
    size = (_HEAD_PX + high * height + below, columns * _ROW_PX + _PAD_PX, 3)
    picture: Image = np.full(size, _GROUND, dtype=np.uint8)
    wide = picture.shape[1] - 2 * _PAD_PX
    draw_text(picture, _fitted(title, _TITLE_PX, wide), (_PAD_PX, _PAD_PX + _TITLE_PX), _TITLE_PX)
    note = "Labels are of perceived appearance, with the model's confidence."
    draw_text(picture, _fitted(note, _SMALL_PX, wide), (_PAD_PX, _HEAD_PX - 18), _SMALL_PX, _GREY)
    for place, row in enumerate(rows):
        column, down = divmod(place, high)
        left, top = column * _ROW_PX + _PAD_PX, _HEAD_PX + down * height
        _draw_row(picture[top : top + height - _PAD_PX // 2, left : left + _ROW_PX - _PAD_PX], row)
    foot_xy = _PAD_PX, picture.shape[0] - 20
    draw_text(picture, _fitted(foot, _SMALL_PX, wide), foot_xy, _SMALL_PX, _GREY)
    return picture


def _draw_row(strip: Image, row: SheetRow) -> None:
    """One person; the stripe has the colour of the boxes in the video."""
    strip[:] = _ROW_GROUND
    strip[:, :_STRIPE_PX] = row.colour
    top = max((strip.shape[0] - _FACE_PX) // 2, 0)
    left = _STRIPE_PX + _PAD_PX
    strip[top : top + _FACE_PX, left : left + _FACE_PX] = row.face[: strip.shape[0]]
    labels = [(each, WHITE if each.is_sure else UNSURE_GREY, _TEXT_PX) for each in row.labels]
    _write_lines(strip, labels, _LABELS_X, _SIGHTINGS_X - 10)
    sightings = [(Words(text), _GREY, _SMALL_PX) for text in row.sightings]
    lines = [(Words(f"#{row.track_id}"), WHITE, _SMALL_PX), *sightings]
    _write_lines(strip, lines, _SIGHTINGS_X, strip.shape[1] - _PAD_PX)


def _write_lines(
    strip: Image, lines: Sequence[tuple[Words, Colour, int]], left: int, right: int
) -> None:
    """Lines of text in the middle of the strip's height."""
    steps = [round(size * 1.4) for _, _, size in lines]
    baseline = (strip.shape[0] - sum(steps)) // 2
    for ((text, is_sure), colour, size), step in zip(lines, steps, strict=True):
        baseline += step
        shown = _fitted(text, size, right - left)
        baseline_xy = left, baseline - round(size * 0.3)
        draw_text(strip, shown, baseline_xy, size, colour, is_sure=is_sure)


def _square(crop: Image | None) -> Image:
    """The middle of a crop, at the size of the sheet's faces; black where there is none."""
    if crop is None:
        return np.zeros((_FACE_PX, _FACE_PX, 3), np.uint8)
    height, width = crop.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = crop[top : top + side, left : left + side]
    method = cv2.INTER_AREA if side > _FACE_PX else cv2.INTER_CUBIC
    size_wh = _FACE_PX, _FACE_PX
    return cv2.resize(middle, size_wh, interpolation=method).astype(np.uint8, copy=False)


def _fitted(text: str, size_px: int, width_px: int) -> str:
    """The text, or as much of it as fits."""
    shown = text
    while len(shown) > 1 and text_width(shown, size_px) > width_px:
        shown = shown[:-2].rstrip() + "…"
    return shown


def _clock(time_s: float) -> str:
    """Minutes and seconds, with hours where there are any."""
    minutes, seconds = divmod(round(time_s, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{seconds:04.1f}" if hours else f"{minutes}:{seconds:04.1f}"


def _width(person: Person) -> int:
    box = person.best.box_xyxy
    return round(float(box[2] - box[0]))
