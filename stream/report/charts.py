"""Charts of a report as SVG that stands in the page: bars with intervals, and a timeline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from models.program.printable import printable, shortened

_WIDTH, _LABELS, _FIGURES = 640, 180, 150
"""Width of a chart, of the names beside its bars and of the figures behind them, units."""

_ROW = 26
"""Height of a bar with the space around it, units."""

_NAME_LETTERS = 22
"""Letters of a name at most; the rest is left out."""

_TIMELINE_HEIGHT = 120
"""Height of a timeline, units."""

COLOURS = 8
"""Colours that the style of the page has, as classes `c0`, `c1` and so on; then they repeat; what
is no class is `grey`."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart.

    Attributes:
        name: what it is of.
        value: its length, 0 to 1.
        low, high: the ends of its interval; None where there is none.
        raw: where a tick shows the share that is not corrected; None for no tick.
        figure: what is written behind it.
        colour: number of its colour; None for the grey of what is no class.
        is_pale: whether it is of too few persons.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    raw: float | None = None
    figure: str = ""
    colour: int | None = 0
    is_pale: bool = False


def bars(chart: Sequence[Bar], title: str) -> str:
    """Horizontal bars on one scale from 0 to the largest end."""
    scale = max([max(bar.value, bar.high or 0, bar.raw or 0) for bar in chart], default=0) or 1
    room = _WIDTH - _LABELS - _FIGURES
    parts = []
    for number, bar in enumerate(chart):
        top = number * _ROW

        def x(share: float) -> float:
            return round(_LABELS + room * share / scale, 1)

        middle = top + _ROW / 2
        parts.append(
            f'<text x="{_LABELS - 8}" y="{middle}" class="name">{_text(bar.name)}</text>'
            f'<rect x="{_LABELS}" y="{top + 5}" width="{x(bar.value) - _LABELS:.1f}" '
            f'height="{_ROW - 10}" class="{colour_class(bar.colour)}{" pale" * bar.is_pale}"/>'
        )
        if bar.low is not None and bar.high is not None:
            low, high = x(bar.low), x(bar.high)
            parts.append(
                f'<path d="M{low} {middle}H{high}M{low} {middle - 5}v10M{high} {middle - 5}v10" '
                'class="interval"/>'
            )
        if bar.raw is not None:
            parts.append(f'<path d="M{x(bar.raw)} {top + 3}v{_ROW - 6}" class="raw"/>')
        parts.append(f'<text x="{_WIDTH}" y="{middle}" class="figure">{escape(bar.figure)}</text>')
    return _svg("".join(parts), max(len(chart), 1) * _ROW, title)


def colour_class(colour: int | None) -> str:
    """The class of a colour in the style of the page."""
    return "grey" if colour is None else f"c{colour % COLOURS}"


def timeline(
    series: Mapping[str, Sequence[float]], colours: Mapping[str, int | None], title: str
) -> str:
    """Stacked columns, a column a bin.

    Args:
        series: by name the value of each bin.
        colours: by name the number of its colour.
        title: what it shows.
    """
    bins = max((len(values) for values in series.values()), default=0)
    totals = [sum(values[place] for values in series.values()) for place in range(bins)]
    scale, width = max(totals, default=0) or 1, _WIDTH / max(bins, 1)
    bottoms = [float(_TIMELINE_HEIGHT)] * bins
    parts = []
    for name, values in series.items():
        path = []
        for place, value in enumerate(values):
            height = _TIMELINE_HEIGHT * value / scale
            if height > 0:
                bottoms[place] -= height
                left = place * width
                path.append(
                    f"M{left:.1f} {bottoms[place]:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}z"
                )
        parts.append(f'<path d="{"".join(path)}" class="{colour_class(colours[name])}"/>')
    return _svg("".join(parts), _TIMELINE_HEIGHT, title)


def _svg(content: str, height: float, title: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:g}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{content}</svg>"
    )


def _text(name: str) -> str:
    return escape(shortened(printable(name), _NAME_LETTERS))
