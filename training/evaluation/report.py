"""A report on disk: `report.json` for programs, `report.html` for people, which stands alone."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from jinja2 import Environment, StrictUndefined

from models.detection.names import found_by
from training.evaluation import plots
from training.evaluation.card import other_views
from training.evaluation.figures import FACE_WIDTH
from training.evaluation.intervals import Figures
from training.evaluation.thumbnails import Thumbnails
from training.evaluation.width_by_coding import crossed
from training.outputs import write_whole

JSON_FILE = "report.json"
"""Name of the report for programs."""

HTML_FILE = "report.html"
"""Name of the report for people."""

_TEMPLATE = Path(__file__).with_name("report.html.jinja")
"""The Jinja template of the page."""

_MAX_EXTREMES = 20
"""Rows, at most, of the table of best and worst groups at the top of the page."""


_MAX_GROUP_PLOTS = 60
"""Plots of accuracies by group, at most, in a page; more make it slow to write and to show."""


@dataclass(frozen=True, slots=True)
class Plot:
    """An SVG picture and what it shows."""

    caption: str
    base64: str


def write_report(
    folder: Path, report: Figures, thumbnails: Thumbnails = MappingProxyType({})
) -> None:
    """Writes both files into a folder, which is made if need be.

    Args:
        folder: gets the files.
        report: as `evaluate` gives it.
        thumbnails: of faces that the page shows; without them it names their files.

    Raises:
        OutputError: the disk refuses.
    """
    write_whole(folder / HTML_FILE, render(report, thumbnails).encode())
    text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False)
    write_whole(folder / JSON_FILE, f"{text}\n".encode())


def render(report: Figures, thumbnails: Thumbnails = MappingProxyType({})) -> str:
    """The page, in HTML."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["share"] = _share
    environment.filters["interval"] = _interval
    environment.filters["percent"] = lambda value: f"{100 * value:.0f} %"
    environment.filters["found_by"] = found_by
    environment.filters["crossed"] = crossed
    environment.filters["other_views"] = other_views
    plotted = _plotted_groupings(report["attributes"])
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        report=report,
        provenance=report["model"]["provenance"],
        extremes=_extremes(report["attributes"]),
        thumbnails={key: _base64(data) for key, data in thumbnails.items()},
        plots={
            name: [
                Plot(caption, _base64(svg.encode()))
                for caption, svg in _plots(name, figures, plotted[name])
            ]
            for name, figures in report["attributes"].items()
        },
        groupings=sum(len(each["by_group"]) for each in report["attributes"].values()),
        plotted=sum(map(len, plotted.values())),
    )


def _extremes(attributes: Mapping[str, Figures]) -> list[Figures]:
    """The best and the worst group of each attribute and grouping; of many the widest gaps."""
    found = list(_all_extremes(attributes))
    if len(found) > _MAX_EXTREMES:
        found.sort(key=lambda each: -each["gap"]["value"])
    return found[:_MAX_EXTREMES]


def _all_extremes(attributes: Mapping[str, Figures]) -> Iterator[Figures]:
    for name, figures in attributes.items():
        for grouping in figures["by_group"]:
            if gap := grouping["gap"]:
                groups = grouping["groups"]
                yield {
                    "attribute": name,
                    "by": grouping["by"],
                    "worst": {"group": gap["worst"], **groups[gap["worst"]]},
                    "best": {"group": gap["best"], **groups[gap["best"]]},
                    "gap": gap,
                }


def _plotted_groupings(attributes: Mapping[str, Figures]) -> dict[str, list[Figures]]:
    """The groupings of each attribute that are drawn: all, or of many those of the widest gaps."""
    found = [(name, each) for name, figures in attributes.items() for each in figures["by_group"]]
    if len(found) > _MAX_GROUP_PLOTS:
        found.sort(key=lambda pair: -(pair[1]["gap"] or {"value": -1.0})["value"])
    plotted: dict[str, list[Figures]] = {name: [] for name in attributes}
    for name, grouping in found[:_MAX_GROUP_PLOTS]:
        plotted[name].append(grouping)
    return plotted


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _interval(each: Figures) -> str:
    if each["value"] is None:
        return "–"
    return f"{each['value']:.3f} ({each['low']:.3f} to {each['high']:.3f})"


def _plots(name: str, figures: Figures, groupings: Sequence[Figures]) -> Iterator[tuple[str, str]]:
    yield "Reliability: is it right as often as it is sure?", plots.reliability(figures)
    yield "What min_confidence buys", plots.coverage_curve(figures)
    if FACE_WIDTH in figures:
        caption = "Accuracy against the width of the face, pictures shrunk"
        yield caption, plots.face_width(figures[FACE_WIDTH])
    for grouping in groupings:
        caption = f"Accuracy of {name} by {grouping['by']} (faces in brackets, pale: few)"
        yield caption, plots.group_accuracies(grouping, figures["accuracy"]["value"])


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
