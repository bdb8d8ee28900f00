"""SubRip and WebVTT: the labels of the faces in sight, a line for each, from left to right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from models.program.printable import counted, printable
from stream.drawing.wording import label_text, perceived_words
from stream.settings.schema import OverlaySection
from stream.sinks.subtitles.form import broken, clock_text
from stream.sinks.subtitles.timeline import Event, Timeline
from stream.tracks import Track

_MAX_FACES = 4
"""Faces with a line of their own, the largest; more hide more of the picture."""


@dataclass(frozen=True, slots=True)
class CueSyntax:
    """In what two formats of cues differ.

    Attributes:
        header: what a file begins with.
        point: what stands before the milliseconds of a time.
        escaped: text in which no player finds markup or the end of a cue.
        is_numbered: each cue begins with its number.
    """

    header: str
    point: str
    escaped: Callable[[str], str]
    is_numbered: bool


def _vtt_text(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return broken(escaped, r"\{")  # which programs obey that make ASS of it


def _srt_text(text: str) -> str:
    """SubRip has no escapes: what players take for markup or a time is taken apart."""
    return broken(text, r"[<{&]|--")


VTT = CueSyntax(
    "WEBVTT\n\nNOTE\nGender, race and age are as a program perceives them from looks; it may be "
    "wrong.\n\n",
    ".",
    _vtt_text,
    is_numbered=False,
)
"""WebVTT, which browsers play."""

SRT = CueSyntax("", ",", _srt_text, is_numbered=True)
"""SubRip, which nearly everything plays."""


class _Said(NamedTuple):
    """What a cue says: without confidence, by which cues are told apart, and as it is written."""

    words: tuple[str, ...]
    lines: tuple[str, ...]


class CueForm:
    """Writes a cue for as long as the same labels are in sight.

    Args:
        syntax: of the format.
        settings: whether labels have their confidence, and cues say that labels are perceived.
    """

    def __init__(self, syntax: CueSyntax, settings: OverlaySection) -> None:
        self._syntax = syntax
        self._settings = settings
        self._timeline: Timeline[None, _Said] = Timeline(
            lambda one, other: one.words == other.words
        )
        self._count = 0

    def __repr__(self) -> str:
        return f"CueForm({self._count} cues)"

    @property
    def header(self) -> str:
        """That of the format."""
        return self._syntax.header

    def text(self, time_s: float, tracks: Sequence[Track]) -> str:
        """The cue that ends with a frame; empty where none does."""
        labelled = [track for track in tracks if track.labels]
        shown = {None: self._said(labelled)} if labelled else {}
        return "".join(map(self._cue, self._timeline.update(time_s, shown)))

    def _said(self, labelled: Sequence[Track]) -> _Said:
        """What is said of the faces that have labels: first of what labels are."""
        largest = sorted(labelled, key=lambda track: -_width_px(track))[:_MAX_FACES]
        in_order = sorted(largest, key=_middle_px)
        before, after = [], []
        if self._settings.legend:
            attributes = dict.fromkeys(name for track in labelled for name in track.labels)
            before = [perceived_words(list(attributes))]
        if further := len(labelled) - len(largest):
            after = [f"and {counted(further, 'more face')}"]
        words, lines = (
            (*before, *(_line(track, with_confidence) for track in in_order), *after)
            for with_confidence in (False, self._settings.confidence)
        )
        return _Said(words, lines)

    def _cue(self, event: Event[_Said]) -> str:
        """An event as a cue; none where it is shorter than times can say."""
        syntax = self._syntax
        start, end = (clock_text(each, 3, syntax.point) for each in (event.start_s, event.end_s))
        if start == end:
            return ""
        self._count += 1
        number = f"{self._count}\n" if syntax.is_numbered else ""
        lines = "\n".join(syntax.escaped(printable(line)) for line in event.shown.lines)
        return f"{number}{start} --> {end}\n{lines}\n\n"


def _line(track: Track, with_confidence: bool) -> str:
    labels = track.labels.items()
    return ", ".join(label_text(name, label, with_confidence) for name, label in labels)


def _width_px(track: Track) -> float:
    return float(track.box_xyxy[2] - track.box_xyxy[0])


def _middle_px(track: Track) -> float:
    return float(track.box_xyxy[0] + track.box_xyxy[2])
