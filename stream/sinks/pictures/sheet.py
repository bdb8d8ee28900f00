"""All people of a run on one picture: the best view of each, how perceived, and when seen."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from models.faces import Image
from stream.drawing.marks import WHITE, Colour
from stream.drawing.overlay import colour_of, label_text
from stream.drawing.text import draw_text, text_width
from stream.frames import SourceInfo
from stream.people import Person
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.paths import partial_path
from stream.sinks.people_ledger import PeopleLedger, unrecognisable
from stream.sinks.pictures.picture_file import write_picture

_MIN_FRAMES = 3  # of a video: what is seen for less is a glimpse, or no face
_MOST = 100  # people on one sheet
_ROWS = 25  # below one another, before another column begins
_ALONE = 12  # people who stand in one column even so; a few more stand in two

# Sizes in px.
_FACE, _PAD, _WIDTH, _HEAD, _FOOT = 116, 12, 680, 92, 52
_TITLE, _TEXT, _SMALL, _LINE = 30, 22, 16, 30
_SAID_X = 2 * _PAD + 6 + _FACE + 8
_SEEN_X = 444

_PAPER, _BAND, _GREY = (34, 31, 30), (44, 41, 39), (178, 172, 168)


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """What is told of one person, ready to be drawn."""

    track_id: int
    face: Image
    blurred: bool
    said: Sequence[tuple[str, bool]]
    """Each label, and whether the model is sure of it."""
    seen: Sequence[str]

    def hidden(self) -> "_Row":
        """The same, unrecognisable."""
        if self.blurred:
            return self
        return replace(self, face=unrecognisable(self.face), blurred=True)


class Sheet:
    """Collects who was seen well enough, and draws them when all is over.

    On it comes whose face was large enough for labels, in a video also in three frames at least;
    of more people than it can hold, those who were seen longest. Faces are blurred where the
    picture is.

    Args:
        path: ends in `.png`, `.jpg` or `.jpeg`.
        info: the source.
    """

    quit_requested = False

    def __init__(self, path: Path, info: SourceInfo) -> None:
        self.name = f"sheet ({path.name})"
        self.output = path
        self._info = info
        self._people = PeopleLedger(info)
        self._min_frames = 1 if info.kind == "pictures" else _MIN_FRAMES
        self._kept: list[tuple[int, int, _Row]] = []  # a heap: who goes first stands first
        self._too_many = 0
        self._glimpsed = 0
        self._begun = False

    def __repr__(self) -> str:
        return f"Sheet({self.output}, {len(self._kept)} people)"

    def write(self, annotated: AnnotatedFrame) -> None:
        """Takes in those whose track has ended."""
        self._begun = True
        if annotated.blur:
            self._kept = [(frames, order, row.hidden()) for frames, order, row in self._kept]
        gone = self._people.add(
            annotated.frame, annotated.tracks, lambda: annotated.shown, blur=annotated.blur
        )
        self._collect(gone)

    def close(self, *, complete: bool) -> None:
        """Draws the sheet; one that is not complete gets a partial name, if it has a frame.

        Raises:
            SinkError: it cannot be written.
        """
        self._collect(self._people.leave())
        if self._begun or complete:
            rows = [row for *_, row in sorted(self._kept, key=lambda kept: kept[2].track_id)]
            path = self.output if complete else partial_path(self.output)
            write_picture(path, draw_sheet(f"People in {self._info.name}", rows, self._left_out()))

    def _collect(self, people: Sequence[Person]) -> None:
        for person in people:
            if person.frames < self._min_frames or not person.labels:
                self._glimpsed += 1
                continue
            heapq.heappush(self._kept, (person.frames, -person.track_id, _row(person)))
            if len(self._kept) > _MOST:
                heapq.heappop(self._kept)
                self._too_many += 1

    def _left_out(self) -> str:
        """Whom the sheet does not show."""
        words = []
        if self._too_many:
            words.append(f"{self._too_many} more who were seen for less long")
        if self._glimpsed:
            rule = "too small to say"
            if self._min_frames > 1:
                rule = f"seen in fewer than {self._min_frames} frames, or {rule}"
            words.append(f"{self._glimpsed} {rule}")
        return f"Left out: {'; '.join(words)}." if words else ""


def _row(person: Person) -> _Row:
    best = person.best
    if best.path is not None:
        seen = [best.path.name, f"{_width(person)} px wide"]
    else:
        lasted = person.last_s - person.first_s
        seen = [
            f"{_clock(person.first_s)} – {_clock(person.last_s)}",
            f"{lasted:.1f} s, {person.frames} frames",
            f"here at {_clock(best.time_s)}",
        ]
    said = [
        (label_text(name, label, label.confidence), label.text is not None)
        for name, label in person.labels.items()
    ]
    face = np.zeros((1, 1, 3), np.uint8) if best.cut_out is None else best.cut_out
    return _Row(person.track_id, _square(face), best.blurred, said, seen)


def draw_sheet(title: str, rows: Sequence[_Row], left_out: str) -> Image:
    """The picture: a row a person, in columns."""
    columns = max(-(-len(rows) // _ROWS), 2 if len(rows) > _ALONE else 1)
    high = max(-(-len(rows) // columns), 1)
    lines = max((max(len(row.said), len(row.seen)) for row in rows), default=1)
    height = max(_FACE, lines * _LINE) + _PAD
    foot = left_out if rows else f"Nobody was seen well enough. {left_out}".strip()
    below = _FOOT if foot else _PAD
    size = (_HEAD + high * height + below, columns * _WIDTH + _PAD, 3)
    picture: Image = np.full(size, _PAPER, dtype=np.uint8)
    wide = picture.shape[1] - 2 * _PAD
    draw_text(picture, _fitted(title, _TITLE, wide), (_PAD, _PAD + _TITLE), _TITLE)
    note = "Labels are of perceived appearance, with the model's confidence."
    draw_text(picture, _fitted(note, _SMALL, wide), (_PAD, _HEAD - 18), _SMALL, _GREY)
    for place, row in enumerate(rows):
        column, down = divmod(place, high)
        left, top = column * _WIDTH + _PAD, _HEAD + down * height
        _draw_row(picture[top : top + height - _PAD // 2, left : left + _WIDTH - _PAD], row)
    draw_text(picture, _fitted(foot, _SMALL, wide), (_PAD, picture.shape[0] - 20), _SMALL, _GREY)
    return picture


def _draw_row(strip: Image, row: _Row) -> None:
    """One person; the colour is that of the boxes in the video."""
    strip[:] = _BAND
    strip[:, :6] = colour_of(row.track_id)
    top = (strip.shape[0] - _FACE) // 2
    left = 6 + _PAD
    strip[max(top, 0) : max(top, 0) + _FACE, left : left + _FACE] = row.face[: strip.shape[0]]
    said = [(text, WHITE if sure else _GREY, _TEXT) for text, sure in row.said]
    _write_lines(strip, said, _SAID_X, _SEEN_X - 10)
    seen = [(f"#{row.track_id}", WHITE, _SMALL), *((text, _GREY, _SMALL) for text in row.seen)]
    _write_lines(strip, seen, _SEEN_X, strip.shape[1] - _PAD)


def _write_lines(
    strip: Image, lines: Sequence[tuple[str, Colour, int]], left: int, right: int
) -> None:
    """Lines of text in the middle of the strip's height."""
    steps = [round(size * 1.4) for _, _, size in lines]
    baseline = (strip.shape[0] - sum(steps)) // 2
    for (text, colour, size), step in zip(lines, steps, strict=True):
        baseline += step
        shown = _fitted(text, size, right - left)
        draw_text(strip, shown, (left, baseline - round(size * 0.3)), size, colour)


def _square(face: Image) -> Image:
    """The middle of a cut-out at the size of the sheet's faces."""
    height, width = face.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = face[top : top + side, left : left + side]
    way = cv2.INTER_AREA if side > _FACE else cv2.INTER_CUBIC
    return cv2.resize(middle, (_FACE, _FACE), interpolation=way).astype(np.uint8, copy=False)


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
