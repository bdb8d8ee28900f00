"""The plots of a report, each as an SVG file's text."""

import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.program.printable import printable, shortened
from training.evaluation.intervals import Figures

_COLOUR = "#2a5d9c"
"""Colour of the model's figures."""

_MUTED = "#9aa5b1"
"""Colour of references and of small groups."""

_ACCENT = "#c4572e"
"""Colour of a second curve."""

_STYLE: Any = {
    "font.size": 10,
    "text.parse_math": False,  # a dollar in the name of a class begins no formula
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "face-train",  # the same figures give the same file
}
"""Settings of matplotlib."""

_NAME_LETTERS = 30
"""Letters of the name of a group, of which a plot leaves out the rest; more leave no room for the
accuracies."""

_NO_GLYPH = "Glyph .* missing from font"
"""How matplotlib's warning begins that its font lacks a letter, such as a Chinese one."""


def reliability(figures: Figures) -> str:
    """The reliability diagram: accuracy against confidence."""
    bins = figures["calibration"]["bins"]
    lowest = 1 / len(figures["classes"])

    def draw(axes: Axes) -> None:
        axes.plot([lowest, 1], [lowest, 1], "--", color=_MUTED, label="as sure as it is right")
        confidences = [each["confidence"] for each in bins]
        accuracies = [each["accuracy"] for each in bins]
        axes.plot(confidences, accuracies, "o-", color=_COLOUR, label="this model")
        axes.set(xlabel="confidence", ylabel="accuracy")
        axes.legend(frameon=False)

    return _svg(draw, (4.2, 3.6))


def coverage_curve(figures: Figures) -> str:
    """The share of labelled faces and their accuracy against `min_confidence`."""
    lines = [
        ("coverage", "accuracy", _COLOUR, "-", "accuracy of the labels shown"),
        ("coverage", "coverage", _ACCENT, "-", "faces that get a label"),
    ]
    if "coarser_coverage" in figures:
        lines += [
            ("coarser_coverage", "accuracy", _COLOUR, ":", "accuracy with coarser words"),
            ("coarser_coverage", "coverage", _ACCENT, ":", "faces that get a word with these"),
        ]

    def draw(axes: Axes) -> None:
        for steps, key, colour, style, text in lines:
            shown = [each for each in figures[steps] if each["accuracy"] is not None]
            thresholds = [each["min_confidence"] for each in shown]
            values = [each[key] for each in shown]
            axes.plot(thresholds, values, color=colour, linestyle=style, label=text)
        axes.legend(frameon=False, loc="lower left")
        axes.set(xlabel="min_confidence", ylabel="share", ylim=(0, 1.05))

    return _svg(draw, (4.2, 3.6))


def group_accuracies(grouping: Figures, overall: float) -> str:
    """The accuracy within each group, with its interval; small groups are pale."""
    groups: dict[str, Figures] = grouping["groups"]

    def draw(axes: Axes) -> None:
        axes.axvline(overall, color=_MUTED, linestyle="--", linewidth=1)
        for row, each in enumerate(groups.values()):
            colour = _MUTED if each["small"] else _COLOUR
            axes.plot([each["low"], each["high"]], [row, row], color=colour, linewidth=2)
            axes.plot(each["value"], row, "o", color=colour)
        names = [
            f"{shortened(printable(name), _NAME_LETTERS)}  ({each['rows']})"
            for name, each in groups.items()
        ]
        axes.set_yticks(range(len(groups)), names)
        axes.set_ylim(len(groups) - 0.5, -0.5)
        axes.set(xlabel="accuracy (dashed: all faces)")
        axes.grid(axis="x", color="#e5e8eb")
        axes.set_axisbelow(True)

    return _svg(draw, (5.0, 1.1 + 0.28 * len(groups)))


def face_width(steps: Sequence[Figures]) -> str:
    """The accuracy against the width of the face in the picture."""

    def draw(axes: Axes) -> None:
        widths = [each["face_px"] for each in steps]
        lows, highs = [each["low"] for each in steps], [each["high"] for each in steps]
        axes.fill_between(widths, lows, highs, color=_COLOUR, alpha=0.15, linewidth=0)
        axes.plot(widths, [each["value"] for each in steps], "o-", color=_COLOUR)
        axes.set(xlabel="width of the face, px", ylabel="accuracy")

    return _svg(draw, (4.2, 3.6))


def learning_curves(log: Sequence[Mapping[str, float]]) -> str:
    """The accuracy on the development rows after each epoch, for each attribute."""

    def draw(axes: Axes) -> None:
        epochs = [row["epoch"] for row in log]
        for name in log[0]:
            if name.endswith(" accuracy"):
                axes.plot(epochs, [row[name] for row in log], "o-", markersize=3, label=name)
        axes.set(xlabel="epoch", ylabel="accuracy on faces not learned from")
        axes.legend(frameon=False)

    return _svg(draw, (5.0, 3.6))


def _svg(draw: Callable[[Axes], None], size: tuple[float, float]) -> str:
    """The plot with its letters as lines, or as text for the browser's fonts where matplotlib's
    font lacks one."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", _NO_GLYPH, UserWarning)
        try:
            return _saved(draw, size, "path")
        except UserWarning:
            warnings.filterwarnings("ignore", _NO_GLYPH, UserWarning)
            return _saved(draw, size, "none")


def _saved(draw: Callable[[Axes], None], size: tuple[float, float], letters: str) -> str:
    with matplotlib.rc_context({**_STYLE, "svg.fonttype": letters}):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure.add_subplot())
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()
