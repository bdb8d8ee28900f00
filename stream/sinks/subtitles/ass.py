"""Advanced SubStation Alpha: boxes that follow the faces, labels beside them, the legend."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from models.program.printable import printable
from stream.drawing.colours import UNSURE_GREY
from stream.drawing.marks import Box, Colour
from stream.drawing.overlay import Layout, Overlay
from stream.drawing.wording import Line
from stream.sinks.subtitles.form import broken, clock_text
from stream.sinks.subtitles.timeline import Event, Timeline
from stream.tracks import Track

_BOX_TOLERANCE = 0.05
"""By how much an edge of a face may move before its box is drawn anew, in widths of the face; more
makes files smaller and boxes follow less closely. At .05 an edited talk has six in ten of the
events that it has at 0, and their steps are hardly seen."""

_PANEL_TOLERANCE = 0.1
"""Likewise of its labels, which are easier to read where they stand still."""

_FONT_HEIGHT = 1.25
"""Size of the font in heights of the text: players count ascent and descent of the font to it."""

_OUTLINE_OF_TEXT = 0.12
"""Thickness of the dark line around letters, in heights of the text."""

_HEADER = """\
[Script Info]
; Gender, race and age are as a program perceives them from looks; it may be wrong.
Title: Perceived labels of faces
ScriptType: v4.00+
PlayResX: {width}
PlayResY: {height}
WrapStyle: 2
ScaledBorderAndShadow: yes
YCbCr Matrix: None

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, \
Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, \
Alignment, MarginL, MarginR, MarginV, Encoding
Style: Box,Arial,20,&H00FFFFFF,&H00FFFFFF,&H60000000,&H00000000,\
0,0,0,0,100,100,0,0,1,1,0,7,0,0,0,1
Style: Label,Arial,20,&H00FFFFFF,&H00FFFFFF,&H20000000,&H00000000,\
0,0,0,0,100,100,0,0,1,2,0,7,0,0,0,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
"""What a file begins with: the resolution that all places count in, and the two styles."""

_LAYERS = {"Box": 0, "Label": 1}
"""What lies over what: labels over boxes."""

_Key: TypeAlias = tuple[str, int]
"""What is drawn, and the track that it is drawn of."""


class _Drawn(NamedTuple):
    """What one event draws.

    Attributes:
        box: the face, or the place of the text, px of the video.
        tags: override tags, the place apart.
        text: what follows the tags; None for the figure of the box itself.
        line: thickness of the line of that figure, px.
        tolerance_px: by how much an edge of the box may move before it is another event.
    """

    box: Box
    tags: str
    text: str | None
    line: int
    tolerance_px: float

    @property
    def style(self) -> str:
        """The name of its style."""
        return "Box" if self.text is None else "Label"


class AssForm:
    """Draws what the overlay would draw, as events.

    Args:
        overlay: which has drawn nothing yet.
        size_wh: of the video, px, which places count in.
    """

    def __init__(self, overlay: Overlay, size_wh: tuple[int, int]) -> None:
        self._overlay = overlay
        self._size_wh = size_wh
        self._timeline: Timeline[_Key, _Drawn] = Timeline(_is_alike)

    def __repr__(self) -> str:
        return f"AssForm({self._timeline})"

    @property
    def header(self) -> str:
        """The size of the video and the styles."""
        width, height = self._size_wh
        return _HEADER.format(width=width, height=height)

    def text(self, time_s: float, tracks: Sequence[Track]) -> str:
        """The events that end with a frame, a line each."""
        layout = self._overlay.layout(self._size_wh, tracks) if tracks else Layout()
        return "".join(map(_line, self._timeline.update(time_s, dict(_drawn(layout)))))


def _drawn(layout: Layout) -> Iterator[tuple[_Key, _Drawn]]:
    """What is drawn of a layout."""
    for face in layout.faces:
        colour = f"\\1c{_colour(face.colour)}"
        box_px, panel_px = (face.box.width * share for share in (_BOX_TOLERANCE, _PANEL_TOLERANCE))
        yield ("box", face.track_id), _Drawn(face.box, colour, None, face.line, box_px)
        if face.panel is not None and face.form is not None:
            style = face.form.style
            left, top, right, bottom = face.panel
            box = Box(left + style.gap, top, right, bottom)
            text = r"\N".join(_line_text(line, face.colour) for line in face.form.lines)
            tags = _size(style.text) + colour
            yield ("panel", face.track_id), _Drawn(box, tags, text, 0, panel_px)
    if layout.legend is not None and layout.legend_box is not None:
        legend, (left, top, right, bottom) = layout.legend, layout.legend_box
        box = Box(left + legend.gap, top, right, bottom)
        key = "".join(f"  {{\\1c{_colour(colour)}}}{_text(name)}" for name, colour in legend.key)
        tags = _size(legend.size_px)
        yield ("legend", 0), _Drawn(box, tags, _text(legend.text) + key, 0, 0)


def _line_text(line: Line, colour: Colour) -> str:
    """A line of a panel; what is unsure is grey and slanted, as the overlay draws it."""
    words = []
    for text, is_sure in line:
        shown = _text(text)
        unsure = f"{{\\i1\\1c{_colour(UNSURE_GREY)}}}{shown}{{\\i0\\1c{_colour(colour)}}}"
        words.append(shown if is_sure else unsure)
    return "".join(words)


def _is_alike(before: _Drawn, now: _Drawn) -> bool:
    if (before.tags, before.text) != (now.tags, now.text):
        return False
    moved_px = max(abs(one - other) for one, other in zip(before.box, now.box, strict=True))
    return moved_px <= max(before.tolerance_px, 1)


def _line(event: Event[_Drawn]) -> str:
    """An event as a line; none where it is shorter than times can say."""
    start, end = (clock_text(each, 2, ".", 1) for each in (event.start_s, event.end_s))
    drawn = event.shown
    if start == end:
        return ""
    left, top, *_ = drawn.box
    tags = f"{{\\pos({left},{top}){drawn.tags}"
    shown = f"{tags}\\p1}}{_figure(drawn.box, drawn.line)}"
    if drawn.text is not None:
        shown = f"{tags}}}{drawn.text}"
    return f"Dialogue: {_LAYERS[drawn.style]},{start},{end},{drawn.style},,0,0,0,,{shown}\n"


def _figure(box: Box, line: int) -> str:
    """A frame as a figure, whose inner edge runs the other way round so that it is a hole."""
    width, height = box.right - box.left, box.bottom - box.top
    inner = min(line, (width - 1) // 2, (height - 1) // 2)
    right, bottom = width - inner, height - inner
    return (
        f"m 0 0 l {width} 0 {width} {height} 0 {height} "
        f"m {inner} {inner} l {inner} {bottom} {right} {bottom} {right} {inner}"
    )


def _size(text_px: int) -> str:
    """The tags of text of that height."""
    return f"\\fs{round(text_px * _FONT_HEIGHT)}\\bord{text_px * _OUTLINE_OF_TEXT:.1f}"


def _colour(colour: Colour) -> str:
    blue, green, red = colour
    return f"&H{blue:02X}{green:02X}{red:02X}&"


def _text(text: str) -> str:
    """Text in which no player finds a tag or an escape: a brace would begin one, and `\\N` another
    line."""
    return broken(printable(text), r"\\").replace("{", r"\{")
