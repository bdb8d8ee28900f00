"""The report of the benchmark of detection as tables for people."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table

from models.program.printable import printable
from stream.benchmarks.faces.benchmark import FacesReport
from stream.benchmarks.faces.judgement import WIDE_PX, Tally

_NAMED_MISSING = 5
"""The most missing pictures that are named; JSON names all."""


def render(report: FacesReport) -> RenderableType:
    """The tables of recall, and of what was found."""
    return Group(_recall(report), _found(report), *_missing(report))


def _recall(report: FacesReport) -> Table:
    judgement, detector = report.judgement, report.detection.detector
    title = f"{judgement.faces} labelled faces in {judgement.pictures} pictures, `{detector}`"
    table = Table(title=title)
    for heading in ("set", "faces", "labelled", "found", "recall"):
        table.add_column(heading, justify="left" if heading in ("set", "faces") else "right")
    for name, groups in judgement.recall.items():
        for row, (group, tally) in enumerate(groups.items()):
            words = f"{group} px" if group[0].isdigit() else group
            found, share = str(tally.count), _share(tally)
            table.add_row(printable(name) if not row else "", words, str(tally.total), found, share)
        table.add_section()
    return table


def _found(report: FacesReport) -> Table:
    judgement = report.judgement
    table = Table(title="what was found")
    table.add_column()
    table.add_column(justify="right")
    right, judged = judgement.precision.count, judgement.precision.total
    wide = f"faces of {WIDE_PX:g} px and more"
    table.add_row(f"right, {wide}", str(right))
    table.add_row(f"wrong, {wide}", str(judged - right))
    table.add_row("precision", _share(judgement.precision))
    table.add_row("fit: mean overlap with the labels", f"{judgement.fit:.3f}")
    table.add_section()
    table.add_row("pictures without a face", str(judgement.faceless))
    table.add_row("wrong faces in these", str(judgement.faceless_wrong))
    return table


def _missing(report: FacesReport) -> Iterator[str]:
    names = [printable(name) for name in report.missing]
    if names:
        others = len(names) - _NAMED_MISSING
        more = f" and {others} more" if others > 0 else ""
        shown = ", ".join(names[:_NAMED_MISSING])
        yield f"Not judged, for they are not there or cannot be read: {shown}{more}."


def _share(tally: Tally) -> str:
    return f"{tally.share:.3f}" if tally.total else "–"
