"""The reports of the benchmark of tracks and labels as tables for people."""

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table

from stream.benchmarks.tracking.benchmark import ALL_SCENES, SceneReport

_TRACK_HEADINGS = ("tracks", "minutes", "IDF1", "switches", "fragments")
"""Columns of the table of tracks, after the scene."""

_LABEL_HEADINGS = (
    "faces / frames",
    "settled right",
    "single frames right",
    "gain (95 %)",
    "right of shown",
    "changes (a minute)",
)
"""Columns of the table of labels, after the attribute."""


def render(reports: Mapping[str, SceneReport]) -> RenderableType:
    """The tables of tracks by scene, and of labels by attribute."""
    tracks = _table("tracks, against scenes of known truth", "scene", _TRACK_HEADINGS)
    for name, report in reports.items():
        metrics = report.tracking
        tracks.add_row(
            name,
            str(metrics.tracks),
            f"{metrics.track_minutes:.1f}",
            f"{metrics.idf1:.3f}",
            str(metrics.switches),
            str(metrics.fragments),
        )
    labels = _table("labels, over all scenes", "attribute", _LABEL_HEADINGS)
    for attribute, each in reports[ALL_SCENES].labels.items():
        counts = each.as_dict()
        labels.add_row(
            attribute,
            f"{counts['faces']} / {counts['views']}",
            f"{each.settled_accuracy:.1%}",
            f"{each.single_accuracy:.1%}",
            f"{each.gain * 100:+.1f} ± {each.gain_margin * 100:.1f}",
            f"{counts['shown_right']} / {counts['shown']}",
            f"{each.changes} ({each.changes_per_minute:.2f})",
        )
    return Group(tracks, labels)


def _table(title: str, first: str, headings: Sequence[str]) -> Table:
    table = Table(title=title)
    table.add_column(first)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table
