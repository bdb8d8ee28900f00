"""Figures of the sources in the text format of Prometheus; none names an address."""

from collections.abc import Iterable

from stream.page.faces_in_view import UNSURE
from stream.page.page import Page
from stream.page.served_source import ServedSource

_STATES = ("live", "waiting", "paused", "ended", "failed")
"""The states of a source."""


def metrics(page: Page) -> str:
    """The figures of all sources."""
    sources = page.hub.sources
    states = [(each, each.as_dict()) for each in sources]
    lines = [
        *_of("frames_total", "counter", "Frames that were annotated.", _each(states, "frames")),
        *_of("dropped_total", "counter", "Frames that were not.", _each(states, "dropped")),
        *_of("people_total", "counter", "People whose tracks have ended.", _each(states, "people")),
        *_of("faces", "gauge", "Faces in view.", _each(states, "faces")),
        *_of("shown_fps", "gauge", "Frames a second.", _each(states, "shown_fps")),
        *_of("source_fps", "gauge", "Frames a second of the source.", _each(states, "source_fps")),
        *_of("watching", "gauge", "Who watches the picture.", _each(states, "watching")),
        *_of(
            "latency_seconds",
            "gauge",
            "Time from capture until a frame is annotated.",
            (
                (f'{_name(served)},quantile="{share}"', round(late_ms / 1000, 4))
                for served, state in states
                for share, late_ms in zip(
                    ("0.5", "0.95"), state["latency_ms"].values(), strict=True
                )
                if late_ms is not None
            ),
        ),
        *_of(
            "state",
            "gauge",
            "1 for the state of a source.",
            (
                (f'{_name(served)},state="{name}"', int(state["state"] == name))
                for served, state in states
                for name in _STATES
            ),
        ),
        *_of(
            "perceived",
            "gauge",
            "Faces in view by what they are perceived as.",
            (
                (f"{_name(served)},{_perceived(attribute, label)}", count)
                for served in sources
                for attribute, counts in served.sink.faces.counts().items()
                for label, count in counts.items()
            ),
        ),
        *_of(
            "reconnects_total",
            "counter",
            "How often a source came back.",
            ((_name(each), each.member.summary.history.reconnects) for each in sources),
        ),
        *_of(
            "encoded_bytes_total",
            "counter",
            "Bytes of pictures that were encoded for those who watch.",
            (
                (f'{_name(each)},form="{form}"', count)
                for each in sources
                for form, count in each.broadcast.encoded_bytes.items()
            ),
        ),
    ]
    return "\n".join(lines) + "\n"


def _each(
    states: Iterable[tuple[ServedSource, dict[str, float | None]]], key: str
) -> Iterable[tuple[str, float]]:
    for served, state in states:
        if (value := state[key]) is not None:
            yield _name(served), value


def _of(name: str, kind: str, text: str, values: Iterable[tuple[str, float]]) -> Iterable[str]:
    full = f"face_stream_{name}"
    yield f"# HELP {full} {text}"
    yield f"# TYPE {full} {kind}"
    for labels, value in values:
        yield (
            f"{full}{{{labels}}} {value:g}"
            if isinstance(value, float)
            else f"{full}{{{labels}}} {value}"
        )


def _perceived(attribute: str, label: str) -> str:
    """What a face is perceived as; a class may be called "unsure" too."""
    sure = "no" if label == UNSURE else "yes"
    return f'attribute="{_escaped(attribute)}",label="{_escaped(label or "unsure")}",sure="{sure}"'


def _name(served: ServedSource) -> str:
    return f'source="{served.number}"'


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
