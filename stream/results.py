"""What was found in one picture: its faces or tracks, with what they are labelled by."""

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, SupportsIndex, TypeVar, overload

import cv2

from models.faces import Image
from models.program.printable import printable
from stream.drawing.overlay import Overlay
from stream.settings.schema import OverlaySection
from stream.tracks import Label, SeenFace, Track

FaceT = TypeVar("FaceT", bound=SeenFace, covariant=True)
"""What there is of each face: of a picture, or of a frame among others."""

_PREVIEW_PX = 960
"""Longer side of the picture that a notebook shows, px at most; more makes notebooks large."""

_PREVIEW_QUALITY = 85
"""JPEG quality of that picture, 0 to 100; more makes notebooks large."""

_NAMED = 3
"""Faces that a line names at most; the others are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What all results of one source have in common.

    Attributes:
        source: what was opened, without credentials; empty for pixels that were handed over.
        attributes: the attributes that labels are of, and their classes.
        overlay: what is drawn, in which colours, and how large.
        short_names: what classes are called where there is little room.
        groups: names of groups that stand for classes.
    """

    source: str = ""
    attributes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    overlay: OverlaySection = field(default_factory=OverlaySection)
    short_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    groups: Sequence[str] = ()


class Results(tuple[FaceT, ...]):
    """The faces that were found in one picture: a tuple of them that knows where it comes from.

    A part of it (`results[:3]`, `results.visible`) knows the same; two are equal where their faces
    are. It holds no embedding.

    Args:
        faces: the faces, or tracks.
        context: what it shares with the other results of its source.
        image: the picture, BGR; None where it is not kept.
    """

    context: Context
    image: Image | None

    def __new__(
        cls, faces: Iterable[FaceT] = (), context: Context | None = None, image: Image | None = None
    ) -> Self:
        results = super().__new__(cls, faces)
        results.context = context or Context()
        results.image = image
        return results

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (tuple(self),)

    @overload
    def __getitem__(self, chosen: SupportsIndex) -> FaceT: ...

    @overload
    def __getitem__(self, chosen: slice) -> Self: ...

    def __getitem__(self, chosen: SupportsIndex | slice) -> FaceT | Self:
        if isinstance(chosen, slice):
            return self._of(super().__getitem__(chosen))
        return super().__getitem__(chosen)

    def __repr__(self) -> str:
        count = f"{len(self)} {'face' if len(self) == 1 else 'faces'}"
        place = f" in {printable(self.source)}" if self.source else ""
        more = ", …" if len(self) > _NAMED else ""
        named = ", ".join(map(repr, tuple(self)[:_NAMED]))
        return f"Results({count}{place}{': ' if named else ''}{named}{more})"

    @property
    def source(self) -> str:
        """What was opened, without credentials; empty for pixels that were handed over."""
        return self.context.source

    @property
    def attributes(self) -> Mapping[str, Sequence[str]]:
        """The attributes that labels are of, and their classes."""
        return self.context.attributes

    @property
    def visible(self) -> Self:
        """Those that were found in this very picture, and not only shortly before."""
        return self._of(each for each in self if not getattr(each, "missed_frames", 0))

    def draw(self) -> Image:
        """A copy of the picture with boxes and labels, or blurred, as the settings say.

        Raises:
            ValueError: the picture is not kept; `Model.overlay` draws on the frame.
        """
        if self.image is None:
            raise ValueError("this result keeps no picture: Model.overlay draws tracks on frames")
        context = self.context
        overlay = Overlay(context.overlay, context.short_names, context.groups)
        drawn = overlay.draw(self.image, self._tracks())
        return drawn.copy() if drawn is self.image else drawn

    def _repr_html_(self) -> str:
        """The picture and a table, as a notebook shows them."""
        picture = "" if self.image is None else f'<img src="{_data_address(self.draw())}"><br>'
        return f"{picture}{_table(self._tracks(), self.attributes)}"

    def _of(self, faces: Iterable[SeenFace]) -> Self:
        return type(self)(faces, self.context, self.image)  # type: ignore[arg-type]

    def _tracks(self) -> list[Track]:
        """The tracks, or faces as tracks of the numbers 1, 2, …."""
        return [
            each if isinstance(each, Track) else _as_track(number, each)
            for number, each in enumerate(self, 1)
        ]


def _as_track(number: int, face: SeenFace) -> Track:
    return Track(number, face.box_xyxy, face.score, face.labels, 1, 0, face.quality)


def _data_address(picture: Image) -> str:
    """A picture as an address that holds it, small enough for a notebook."""
    shrunk = min(_PREVIEW_PX / max(picture.shape[:2]), 1.0)
    small = cv2.resize(picture, None, fx=shrunk, fy=shrunk, interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _PREVIEW_QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg.tobytes()).decode()}"


def _table(tracks: Sequence[Track], attributes: Iterable[str]) -> str:
    """Tracks as a table of HTML, a row each."""
    names = list(attributes)
    rows = [["", *names, "box", "score"]]
    for track in tracks:
        entry = track.as_dict()
        labels = [_cell(track.labels.get(name)) for name in names]
        box = ", ".join(f"{edge:.0f}" for edge in entry["box"])
        rows.append([str(track.track_id), *labels, box, f"{track.score:.2f}"])
    head, *body = [[html.escape(cell) for cell in row] for row in rows]
    lines = [f"<tr><th>{'</th><th>'.join(head)}</th></tr>"]
    lines += [f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in body]
    return f"<table>{''.join(lines)}</table>"


def _cell(label: Label | None) -> str:
    return "" if label is None else str(label)
