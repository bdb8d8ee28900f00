"""The report of the benchmark of speed as a plot: time of a frame by faces, and by pixels."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stream.benchmarks.speed.report import SpeedReport
from stream.benchmarks.speed.timed_run import LOOP, WAIT_FOR_ENCODER, WAIT_FOR_FRAME, TimedRun
from stream.errors import ConfigError, SinkError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PARTS: Mapping[str, Sequence[str]] = {
    "convert to pixels": ("convert",),
    "search for newcomers": ("search",),
    "follow faces": ("track",),
    "look at faces": ("describe", "classify"),
    "draw": ("draw",),
    "wait for frames": (WAIT_FOR_FRAME,),
    "wait for the encoder": (WAIT_FOR_ENCODER,),
}
"""The parts of a bar from the bottom up, with the stages of the loop that each adds up; the rest
of the loop's time is the part at the top."""

_COLOURS = ("#7f9f6e", "#1f4e79", "#2e75b6", "#9dc3e6", "#c4572e", "#aab4be", "#cdd4da", "#e6eaed")
"""Colours of the parts, the rest included."""

_AXIS_COLOUR = "#30363d"
"""Colour of the axes."""

_STYLE: Any = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": _AXIS_COLOUR,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
}
"""What differs from matplotlib's own style."""


def check_plot(path: Path) -> None:
    """Checks that a plot can be made, before minutes are spent on measuring.

    Raises:
        ConfigError: matplotlib is missing, or the path is not one of a PNG in a folder that exists.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ConfigError(
            "--plot needs matplotlib: install it, or start with `uv run --extra train`"
        ) from None
    if path.suffix.lower() != ".png":
        raise ConfigError(f"--plot {path}: its name should end in .png")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"{path}: there is no folder {path.parent}; make it first")


def plot(report: SpeedReport, path: Path) -> None:
    """Draws a report into a file, which is replaced if it exists.

    Raises:
        SinkError: the file cannot be written.
    """
    import matplotlib
    from matplotlib.figure import Figure

    sizes, crowds = report.sizes, report.crowds
    pixels = [run.size_wh[0] * run.size_wh[1] / 1e6 for run in sizes]
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(10, 4.4), dpi=150, layout="constrained")
        left, right = figure.subplots(1, 2)
        _stack(left, crowds.values(), [str(faces) for faces in crowds])
        left.set(title=f"by faces, at {_height(crowds.values())}p", xlabel="faces in the picture")
        names = [f"{at:.1f}\n{run.size_wh[1]}p" for run, at in zip(sizes, pixels, strict=True)]
        _stack(right, sizes, names)
        right.set(title="by pixels, with one face", xlabel="megapixels")
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles[::-1], labels[::-1], loc="outside right center", frameon=False)
        title = f"Time of a frame in an annotated recording, on {report.cores} cores"
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
        try:
            figure.savefig(path, format="png")
        except OSError as error:
            raise SinkError(f"{path} cannot be written: {error.strerror}") from error


def _stack(axes: "Axes", runs: Collection[TimedRun], names: Sequence[str]) -> None:
    """Draws a bar for each run: its parts, and above it the time and the rate."""
    parts = {
        name: [sum(run.stage_ms(LOOP, each) for each in stages) for run in runs]
        for name, stages in _PARTS.items()
    }
    parts["the rest"] = [max(run.rest_ms(LOOP), 0) for run in runs]
    below = [0.0] * len(runs)
    for (name, heights), colour in zip(parts.items(), _COLOURS, strict=True):
        axes.bar(names, heights, 0.62, below, color=colour, label=name)
        below = [low + height for low, height in zip(below, heights, strict=True)]
    for at, (top, run) in enumerate(zip(below, runs, strict=True)):
        text = f"{run.frame_ms:.0f} ms\n{run.fps:.1f} fps"
        axes.annotate(text, (at, top), (0, 3), textcoords="offset points", ha="center", fontsize=9)
    axes.set(ylabel="ms a frame", ylim=(0, max(below) * 1.18))
    axes.tick_params(axis="x", length=0)


def _height(runs: Iterable[TimedRun]) -> int:
    return next(iter(runs)).size_wh[1]
