"""`report.html`: a page that stands alone, for people."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from models.prevalence.trial import trial_lines
from models.program.printable import printable
from stream.errors import ConfigError
from stream.report.charts import Bar, bars, colour_class, timeline
from stream.report.figures import NO_LABEL_NAME, Figures
from stream.report.wording import cautions, headline

_TEMPLATE = Path(__file__).with_name("report.html.jinja")
"""The Jinja template of the page."""

_MOST_FILES = 200
"""Logs that the page lists at most, those with most persons; `report.csv` has all."""

_MOST_CLASSES = 3
"""Classes at most whose shares are listed by log; `report.csv` has all."""

_MOST_TIMELINES = 20
"""Timelines at most, of the logs that are listed first; `report.json` has all."""


def check_page() -> None:
    """Raises ConfigError where Jinja, an extra, is missing, before anything is read."""
    try:
        import jinja2  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            "the page wants Jinja, which comes with the extra `report`: "
            "pip install 'face-stream[report]'"
        ) from error


def render_page(report: Figures, pictures: Mapping[tuple[str, int], str]) -> str:
    """The page, in HTML.

    Args:
        report: as `make_report` gives it.
        pictures: of persons, by log and number, each as base64 of a JPEG.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["percent"] = _percent
    environment.filters["interval"] = _interval
    environment.filters["span"] = _span
    environment.filters["shown"] = lambda text: printable(str(text))
    files = sorted(report["files"], key=lambda each: -each["persons"])
    headings, shares = _shares_by_log(files[:_MOST_FILES])
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        report=report,
        headline=headline(report),
        cautions=list(cautions(report)),
        charts={kind: dict(_charts(kind, each)) for kind, each in report["overall"].items()},
        files=list(zip(files[:_MOST_FILES], shares, strict=True)),
        headings=headings,
        timelines=list(_timelines(files[:_MOST_TIMELINES])),
        persons=[
            {
                **each,
                "words": _words(each["labels"]),
                "picture": pictures.get((each["log"], each["person"])),
            }
            for each in report["persons"]
        ],
        tests={
            name: list(trial_lines(test)) for name, test in report["correction"]["tests"].items()
        },
        total_persons=sum(each["persons"] for each in report["overall"].values()),
    )


def _charts(kind: str, overall: Figures) -> Iterator[tuple[str, str]]:
    """By attribute the chart of persons, or of faces in pictures."""
    things = "persons" if kind == "video" else "faces"
    for name, figures in overall["attributes"].items():
        chart = [_bar(group, number) for number, group in enumerate(figures["groups"])]
        yield name, bars(chart, f"Share of {things} by {printable(name)}")


def _bar(group: Figures, number: int) -> Bar:
    raw, corrected = group["persons_share"] or 0.0, group.get("corrected")
    if corrected is None:
        return Bar(
            *(group["label"], raw),
            figure=_percent(raw),
            colour=number if group["is_class"] else None,
            is_pale=group["is_small"],
        )
    share = corrected["persons_share"]
    return Bar(
        *(group["label"], share["value"], share["low"], share["high"], group["likeliest_share"]),
        figure=_interval(share),
        colour=number,
        is_pale=group["is_small"],
    )


def _shares_by_log(files: Sequence[Figures]) -> tuple[list[str], list[list[float | None]]]:
    """By log the shares of the first classes of one attribute, the first of the first log, under
    their headings; None where a log has no such attribute.
    """
    name, figures = next(iter(files[0]["attributes"].items()), ("", {"groups": []}))
    labels = [group["label"] for group in figures["groups"] if group["is_class"]][:_MOST_CLASSES]
    rows = []
    for each in files:
        groups = each["attributes"].get(name, {"groups": []})["groups"]
        found = {group["label"]: group["persons_share"] for group in groups if group["is_class"]}
        rows.append([found.get(label) for label in labels])
    return [f"{name}: {label}" for label in labels], rows


def _words(labels: Mapping[str, str]) -> str:
    """The labels of a person, each with its attribute: several may have classes such as "yes"."""
    if set(labels.values()) == {NO_LABEL_NAME}:
        return NO_LABEL_NAME
    return ", ".join(f"{name}: {label}" for name, label in labels.items())


def _timelines(files: list[Figures]) -> Iterator[dict[str, Any]]:
    """A timeline of the first attribute of each log that has times."""
    for figures in files:
        name = next(iter(figures["timelines"]), "")
        if figures["kind"] == "pictures" or name not in figures["attributes"]:
            continue
        found = figures["timelines"][name]
        groups = figures["attributes"][name]["groups"]
        order = [group["label"] for group in groups]
        colours = {
            group["label"]: number if group["is_class"] else None
            for number, group in enumerate(groups)
        }
        series = {label: found["face_s"][label] for label in order if label in found["face_s"]}
        if series:
            bins = max(map(len, series.values()))
            yield {
                "log": figures["log"],
                "begin_s": found["begin_s"],
                "end_s": found["begin_s"] + bins * found["bin_s"],
                "bin_s": found["bin_s"],
                "legend": [(label, colour_class(colours[label])) for label in series],
                "chart": timeline(series, colours, f"Faces in sight over time, by {name}"),
            }


def _percent(share: float | None) -> str:
    return "–" if share is None or math.isnan(share) else f"{100 * share:.0f} %"


def _interval(share: Mapping[str, float]) -> str:
    """A corrected share with the ends of its interval."""
    return f"{_percent(share['value'])} ({100 * share['low']:.0f}–{100 * share['high']:.0f})"


def _span(time_s: float | None) -> str:
    """A time as a clock shows it: `1:02:03`, or of less than a minute `9.2 s`."""
    if time_s is None:
        return "–"
    if abs(time_s) < 60:
        return f"{time_s:.1f} s"
    minutes, seconds = divmod(round(time_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
