"""Where a panel may be: the places beside its face, and which of them hide nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import chain, product
from typing import NamedTuple

from stream.drawing.marks import Box, enclosing, overlap_px, touches

_TOLERATED = 0.05
"""Share of a panel that may lie on faces or other panels before the panel moves; more lets it cover
more, and moves it less."""

_MAX_OF_OWN_FACE = 0.1
"""Share of its own face in the picture that a panel may cover where there is no other place: a
face that fills the picture has a label too."""

_MAX_FACE_WIDTHS = 3.0
"""Width of a panel, in widths of its face, above which a shorter form is taken; more lets text
dominate small faces."""

_FARTHER_PX = 2
"""By how much farther a panel is from other faces than from its own, and how far from other panels,
px; more makes clearer whose it is and finds fewer places."""

_SHARED = 0.4
"""Share of the shorter of a panel's and its face's edge along which the two lie side by side where
the panel reaches beyond; more keeps it closer to its face and finds fewer places."""

_WIDER_WHERE_SHOWN = 1.2
"""By what a form that is shown already may be wider, so that forms do not come and go."""


class _Beside(Enum):
    """Where a panel begins along an axis, against the span of its face."""

    BEFORE = auto()
    AFTER = auto()
    FIRST_EDGE = auto()
    LAST_EDGE = auto()
    MIDDLE = auto()
    OVER_FIRST_EDGE = auto()
    OVER_LAST_EDGE = auto()


_ALONG = (
    (_Beside.FIRST_EDGE, _Beside.LAST_EDGE),
    (_Beside.MIDDLE,),
    (_Beside.OVER_FIRST_EDGE, _Beside.OVER_LAST_EDGE),
)
"""Where a panel lies along an edge of its face, the best first: flush with either end, in the
middle, reaching beyond either end."""

_PLACES = tuple(
    place
    for along in _ALONG
    for place in chain(
        product(along, (_Beside.BEFORE,)),
        product(along, (_Beside.AFTER,)),
        product((_Beside.AFTER,), along),
        product((_Beside.BEFORE,), along),
    )
)
"""Columns and rows of the places of a panel: above, below, right and left of its face."""


class Candidate(NamedTuple):
    """A form of a panel at one of the places beside its face.

    Attributes:
        form: the number of the form.
        place: which of the places.
        on_face: it covers a little of its own face, for there is no room beside it.
    """

    form: int
    place: int
    on_face: bool


@dataclass(frozen=True, slots=True)
class PanelScene:
    """One panel, its face, and what it must not hide.

    Attributes:
        face: its own.
        forms: width and height of its forms, px, the best first.
        frame_wh: width and height of the picture.
        faces: the other faces.
        texts: what is written already.
        gap: px between the panel and its face.
    """

    face: Box
    forms: Mapping[int, tuple[int, int]]
    frame_wh: tuple[int, int]
    faces: Sequence[Box]
    texts: Sequence[Box]
    gap: int

    def box(self, candidate: Candidate) -> Box:
        """Where the panel is in a candidate."""
        return self._place(candidate.form, candidate.place)

    def level(self, candidate: Candidate) -> int:
        """How much is against a candidate: 0 for the best form beside the face."""
        order = list(self.forms).index(candidate.form)
        return order + len(self.forms) if candidate.on_face else order

    def is_tolerable(self, candidate: Candidate) -> bool:
        """Whether the panel may stay in a candidate: it hides next to nothing."""
        if not self._fits(candidate.form, _MAX_FACE_WIDTHS * _WIDER_WHERE_SHOWN):
            return False
        box = self.box(candidate)
        tolerated = _TOLERATED * box.area
        own = self._own_limit if candidate.on_face else tolerated
        hidden = overlap_px(box, self.faces) + overlap_px(box, self.texts)
        return hidden <= tolerated and overlap_px(box, [self.face]) <= own

    def best(self, before: Candidate | None) -> Candidate | None:
        """The best candidate that is free, at the same place as before if that is one; None where
        none is."""
        first = -1 if before is None else before.place
        order = sorted(range(len(_PLACES)), key=lambda place: place != first)
        boxes = {
            (form, place): self._place(form, place)
            for form in self.forms
            if self._fits(form, _MAX_FACE_WIDTHS)
            for place in order
        }
        reach = enclosing(boxes.values()).grown(self.gap + _FARTHER_PX)
        # The face that a panel is nearest to is its own.
        obstacles = [
            *(face.grown(self.gap + _FARTHER_PX) for face in self.faces if touches(face, [reach])),
            *(text.grown(_FARTHER_PX) for text in self.texts if touches(text, [reach])),
        ]
        on_face = []
        for (form, place), box in boxes.items():
            if own := overlap_px(box, [self.face]):
                on_face += [(form, place)] if own <= self._own_limit else []
            elif not touches(box, obstacles):
                return Candidate(form, place, on_face=False)
        for form, place in on_face:
            if not touches(boxes[form, place], obstacles):
                return Candidate(form, place, on_face=True)
        return None

    @property
    def _own_limit(self) -> float:
        """How much of its own face the panel may cover, px."""
        return _MAX_OF_OWN_FACE * overlap_px(self.face, [Box(0, 0, *self.frame_wh)])

    def _fits(self, form: int, max_face_widths: float) -> bool:
        """Whether the picture has room for a form, and it is not too wide for the face, or the last
        one that there is."""
        if form not in self.forms:  # one of another picture
            return False
        width, height = self.forms[form]
        *_, last = self.forms
        fits = width <= self.frame_wh[0] and height <= self.frame_wh[1]
        return fits and (form == last or width <= max_face_widths * self.face.width)

    def _place(self, form: int, place: int) -> Box:
        """One of the places, moved into the picture as little as is needed."""
        (left, top, right, bottom), (width, height) = self.face, self.forms[form]
        column, row = _PLACES[place]
        x = _begin(column, left, right, width, self.gap)
        y = _begin(row, top, bottom, height, self.gap)
        x = max(min(x, self.frame_wh[0] - width), 0)
        y = max(min(y, self.frame_wh[1] - height), 0)
        return Box(x, y, x + width, y + height)


def _begin(beside: _Beside, begin: int, end: int, length: int, gap: int) -> int:
    """Where a panel of a length begins beside the span of its face, px."""
    match beside:
        case _Beside.BEFORE:
            return begin - gap - length
        case _Beside.AFTER:
            return end + gap
        case _Beside.FIRST_EDGE:
            return begin
        case _Beside.LAST_EDGE:
            return end - length
        case _Beside.MIDDLE:
            return (begin + end - length) // 2
    shared = round(_SHARED * min(length, end - begin))
    return begin - length + shared if beside is _Beside.OVER_FIRST_EDGE else end - shared
