"""The report of the benchmark of speed as tables for people."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stream.benchmarks.speed.report import Ratio, SpeedReport, counted
from stream.benchmarks.speed.timed_run import (
    LOOP,
    THREADS,
    WAIT_FOR_ENCODER,
    WAIT_FOR_FRAME,
    TimedRun,
)

_MAX_WAITS = 0.1
"""Share of the loop's time spent on waits, up to which the loop's own work limits the run."""


def render(report: SpeedReport) -> RenderableType:
    """The tables, the most general first."""
    return Group(
        _ratios(report),
        _stages(report.name, report.subject),
        Text(bottleneck(report.subject), style="italic"),
        _rates(report),
        _pictures(report),
        _camera(report),
        *_memory(report),
    )


def bottleneck(run: TimedRun) -> str:
    """What limits the speed of a run, in a sentence."""
    frames = run.stage_ms(LOOP, WAIT_FOR_FRAME) / run.frame_ms
    encoder = run.stage_ms(LOOP, WAIT_FOR_ENCODER) / run.frame_ms
    held_up = "its own work holds the run up"
    if frames + encoder > _MAX_WAITS:
        held_up = "reading holds the run up" if frames > encoder else "encoding holds the run up"
    waits = f"{frames:.0%} of the time for frames, {encoder:.0%} for the encoder"
    return f"The loop waits {waits}: {held_up}.\n"


def _ratios(report: SpeedReport) -> Table:
    turns = f", medians of {report.repeats} turns" if report.repeats > 1 else ""
    title = f"Side by side, on {counted(report.cores, 'core')}{turns}"
    table = _table(title, "face-stream", "beside", "here", "there", "ratio")
    table.columns[1].justify = "left"
    for each in report.ratios:
        table.add_row(each.what, each.beside, *_cells(each))
        if each.note:
            table.add_row(Text(f"  {each.note}", style="dim"))
    return table


def _cells(each: Ratio) -> tuple[str, str, str]:
    unit = "fps" if each.kind == "rate" else "ms"
    ratio = f"{each.ratio:.1%}" if each.kind == "share" else f"{_three_digits(each.ratio)}×"
    return f"{_three_digits(each.ours)} {unit}", f"{_three_digits(each.theirs)} {unit}", ratio


def _stages(name: str, run: TimedRun) -> Table:
    width, height = run.size_wh
    title = f"Where the time goes: {name}, {width}×{height}, {counted(run.mean_faces, 'face')}"
    table = _table(title, "thread", "stage", "ms a frame", "share", "CPU, ms")
    table.columns[1].justify = "left"
    for thread in THREADS:
        rest = "the rest" if thread == LOOP else "waits, and the rest"
        for row, stage in enumerate(run.stages(thread)):
            spent_ms = run.stage_ms(thread, stage)
            table.add_row(
                thread if row == 0 else "",
                stage,
                f"{spent_ms:.2f}",
                f"{spent_ms / run.frame_ms:.1%}",
                f"{run.cpu_ms(thread, stage):.2f}",
                style="dim" if stage in (WAIT_FOR_FRAME, WAIT_FOR_ENCODER) else "",
            )
        rest_ms = run.rest_ms(thread)
        table.add_row("", rest, f"{rest_ms:.2f}", f"{rest_ms / run.frame_ms:.1%}", "", style="dim")
        table.add_section()
    all_ms = f"{run.frame_ms:.2f}", "100.0%", f"{run.steady_cpu_ms:.2f}"
    table.add_row("all", "CPU: with all helpers", *all_ms)
    return table


def _rates(report: SpeedReport) -> Table:
    table = _table("Annotated recordings", "frames", "faces", "fps", "ms a frame", "ms, steady")
    for each in report.sizes:
        _add_rate(table, each, 1)
    table.add_section()
    for faces, each in report.crowds.items():
        if each not in report.sizes:
            _add_rate(table, each, faces)
    return table


def _add_rate(table: Table, run: TimedRun, faces: int) -> None:
    width, height = run.size_wh
    times = f"{run.frame_ms:.1f}", f"{run.steady_ms:.1f}"
    table.add_row(f"{width}×{height}", str(faces), _three_digits(run.fps), *times)


def _pictures(report: SpeedReport) -> Table:
    search, folder = report.search, report.pictures
    table = _table("Pictures on their own", "", "faces", "a second", "ms", "CPU, ms")
    width, height = search.size_wh
    what = f"search of all of {width}×{height} for faces from {search.smallest_px:.0f} px on"
    times = f"{search.ms:.1f}", f"{search.cpu_ms:.1f}"
    table.add_row(what, str(search.faces), _three_digits(1000 / search.ms), *times)
    what = f"{counted(folder.pictures, 'picture')} annotated, {folder.name}"
    rate, time_ms = _three_digits(folder.per_s), f"{1000 / folder.per_s:.1f}"
    table.add_row(what, _three_digits(folder.faces), rate, time_ms, "")
    return table


def _camera(report: SpeedReport) -> Table:
    first = report.live[0]
    width, height = first.size_wh
    faces = counted(round(first.faces), "face")
    title = f"A camera, {width}×{height}, {first.fps:g} fps, {faces}"
    table = _table(title, "recorded", "frames", "shown", "share", "latency p50", "p95")
    for each in report.live:
        table.add_row(
            "yes" if each.recording else "no",
            str(each.offered),
            str(each.shown),
            f"{each.shown_share:.1%}",
            f"{each.p50_ms:.0f} ms",
            f"{each.p95_ms:.0f} ms",
        )
    return table


def _memory(report: SpeedReport) -> Iterator[str]:
    memory, soak = report.memory, report.soak
    if memory is None:
        yield "Memory can be measured on Linux only."
    else:
        yield f"Memory: {memory.warm_mb:.0f} MB when warm, {memory.peak_mb:.0f} MB at the peak."
    if soak is not None:
        yield (
            f"In {soak.minutes:g} minutes of a camera: {soak.settled_mb:.0f} MB after "
            f"{soak.settled_minutes:g}, from then on at most {soak.deviation_mb:+.1f} MB "
            f"({soak.deviation_mb / soak.settled_mb:+.1%})."
        )


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for column, heading in enumerate(headings):
        table.add_column(heading, justify="right" if column else "left")
    return table


def _three_digits(value: float) -> str:
    """A number with about three digits."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f}"
