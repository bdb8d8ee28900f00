"""The reports of the benchmark of tracks and labels as tables for people."""

import math
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table

from stream.benchmarks.tracking.benchmark import ALL_SCENES, TrackingReport
from stream.benchmarks.tracking.person_benchmark import PersonReport

_TRACK_HEADINGS = ("tracks", "minutes", "IDF1", "switches", "fragments", "centre ±", "size ±")
"""Columns of the table of tracks, after the scene."""

_NEWCOMER_HEADINGS = ("p50", "p95", "max")
"""Columns of the table of newcomers, after their number."""

_LABEL_HEADINGS = (
    "faces / frames",
    "settled right",
    "single frames right",
    "gain (95 %)",
    "right of shown",
    "changes (a minute)",
)
"""Columns of the table of labels, after the attribute."""


_PERSON_HEADINGS = ("shots", "people / true", "pair precision", "pair recall")
"""Columns of the table of persons, after when they are known."""

_SHOT_LABEL_HEADINGS = ("shots", "right by track", "right by person")
"""Columns of the table of their labels, after the attribute."""


def render(report: TrackingReport) -> RenderableType:
    """The tables of tracks by scene, of newcomers, and of labels by attribute."""
    return Group(_tracks(report), _newcomers(report), _labels(report))


def render_people(report: PersonReport) -> RenderableType:
    """The tables of persons, and of their labels by attribute."""
    films = ", ".join(map(str, report.films))
    title = f"persons across shots, film {films}{_coding(report.crf)}"
    persons = _table(title, "known", _PERSON_HEADINGS)
    labels = _table("labels of shots", "attribute", _SHOT_LABEL_HEADINGS)
    for name, metrics in (("in each shot", report.online), ("at the end", report.settled)):
        persons.add_row(
            name,
            str(metrics.shots),
            f"{metrics.people} / {metrics.true_people}",
            f"{metrics.precision:.4f}",
            f"{metrics.recall:.4f}",
        )
    for attribute, (count, by_track, by_person) in report.settled.labels.items():
        labels.add_row(attribute, str(count), f"{by_track / count:.1%}", f"{by_person / count:.1%}")
    return Group(persons, labels) if report.settled.labels else persons


def _tracks(report: TrackingReport) -> Table:
    casts = ", ".join(map(str, report.casts))
    title = f"tracks, against scenes of known truth with cast {casts}{_coding(report.crf)}"
    table = _table(title, "scene", _TRACK_HEADINGS)
    table.caption = "±: jitter of the boxes, in % of a face's width"
    for name, scene in report.scenes.items():
        metrics, jitter = scene.tracking, scene.steadiness
        table.add_row(
            name,
            str(metrics.tracks),
            f"{metrics.track_minutes:.1f}",
            f"{metrics.idf1:.3f}",
            str(metrics.switches),
            str(metrics.fragments),
            f"{jitter.centre:.2%}",
            f"{jitter.size:.2%}",
        )
    return table


def _coding(crf: int | None) -> str:
    """How the scenes are coded, for a title."""
    return "" if crf is None else f", as H.264 of CRF {crf}"


def _newcomers(report: TrackingReport) -> Table:
    table = _table("newcomers: seen within", "faces", _NEWCOMER_HEADINGS)
    delays_s = [report.newcomers.percentile_s(percent) for percent in (50, 95, 100)]
    cells = ["never" if math.isinf(each) else f"{each:.2f} s" for each in delays_s]
    table.add_row(str(len(report.newcomers.delays_s)), *cells)
    return table


def _labels(report: TrackingReport) -> Table:
    table = _table("labels, over all scenes", "attribute", _LABEL_HEADINGS)
    for attribute, each in report.scenes[ALL_SCENES].labels.items():
        counts = each.as_dict()
        table.add_row(
            attribute,
            f"{counts['faces']} / {counts['views']}",
            f"{each.settled_accuracy:.1%}",
            f"{each.single_accuracy:.1%}",
            f"{each.gain * 100:+.1f} ± {each.gain_margin * 100:.1f}",
            f"{counts['shown_right']} / {counts['shown']}",
            f"{each.changes} ({each.changes_per_minute:.2f})",
        )
    return table


def _table(title: str, first: str, headings: Sequence[str]) -> Table:
    table = Table(title=title)
    table.add_column(first)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table
