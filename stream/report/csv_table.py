"""The figures of a report as one table, `report.csv`: a row for each group."""

import io
from collections.abc import Iterator, Mapping
from typing import Any

from stream.report.figures import Figures
from stream.sinks.data.table_file import CsvTable

COLUMNS = (
    *("scope", "log", "kind", "attribute", "label", "crossed_attribute", "crossed_label"),
    *("is_class", "persons", "persons_share", "likeliest_share"),
    *("corrected_share", "corrected_low", "corrected_high", "adjusted_counts"),
    *("in_sight_s", "face_s", "face_share"),
    *("corrected_face_share", "corrected_face_low", "corrected_face_high"),
    *("largest_s", "largest_share", "area_share", "is_small"),
)
"""The columns, in their order; `docs/report.md` says what each is."""

_CORRECTED = {
    "corrected_share": ("persons_share", "value"),
    "corrected_low": ("persons_share", "low"),
    "corrected_high": ("persons_share", "high"),
    "corrected_face_share": ("face_share", "value"),
    "corrected_face_low": ("face_share", "low"),
    "corrected_face_high": ("face_share", "high"),
}
"""Columns of corrected shares, and where a group has them."""


def report_csv(report: Figures) -> str:
    """The table."""
    text = io.StringIO()
    CsvTable(text, COLUMNS).write(list(_rows(report)))
    return text.getvalue()


def _rows(report: Figures) -> Iterator[dict[str, Any]]:
    for kind, figures in report["overall"].items():
        yield from _of_scope({"scope": "overall", "kind": kind}, figures)
    for figures in report["files"]:
        scope = {"scope": "file", "log": figures["log"], "kind": figures["kind"]}
        yield from _of_scope(scope, figures)


def _of_scope(scope: Mapping[str, Any], figures: Figures) -> Iterator[dict[str, Any]]:
    for name, attribute in figures["attributes"].items():
        for group in attribute["groups"]:
            yield {**scope, "attribute": name, **_cells(group)}
    for crossing in figures["crossings"]:
        first, second = crossing["attributes"]
        for group in crossing["groups"]:
            label, crossed_label = group["labels"]
            names = {"attribute": first, "crossed_attribute": second, "label": label}
            yield {**scope, **names, "crossed_label": crossed_label, **_cells(group)}


def _cells(group: Figures) -> dict[str, Any]:
    cells = {name: value for name, value in group.items() if name in COLUMNS}
    if corrected := group.get("corrected"):
        cells |= {name: corrected[part][end] for name, (part, end) in _CORRECTED.items()}
        cells["adjusted_counts"] = corrected["adjusted_counts"]
    return cells
