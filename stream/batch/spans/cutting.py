"""A long video → the tasks that its spans are."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from stream.batch.contract import Input, Task
from stream.batch.spans.keyframes import cuts_s
from stream.batch.spans.part_files import part_outputs, remove_parts
from stream.errors import SourceError
from stream.settings import Config
from stream.sinks.paths import is_taken
from stream.sources import Span

LEAD_IN_S = 5.0
"""How much of a video is followed before a span of it begins, s: both spans know the faces there,
and labels are settled where the second one begins. Longer costs more."""

_LEAST_BYTES_PER_S = 2_000
"""The least data that a second of video is taken to have, bytes: a file that is smaller than a span
would then be is not even opened, which would take 20 ms. More leaves long videos of little motion
uncut."""


def whole_task(given: Input, key: int, config: Config, longest_s: float) -> Task:
    """The task of an input that no one has looked into yet. What earlier spans of it left is
    removed.

    1. A video file that may be longer than a span is cut, if its worker finds that it is: the
       reading of a damaged file may take long, or crash.
    2. Anything else is never cut: what is short, live or of unknown length, pictures, a recording
       that is divided into segments or holds only what is near faces. So is a video of which an
       output stands already and may not be replaced, so that this is said at once.

    Args:
        given: the input.
        key: its row of the ledger.
        config: the settings.
        longest_s: the longest that a span should be, s; 0 for no spans.

    Raises:
        SinkError: what earlier spans left cannot be removed.
        OSError: the file has gone meanwhile.
    """
    remove_parts(given.outputs)
    whole = Task(key=key, source=given.source, outputs=given.outputs)
    if longest_s <= 0 or not _may_be_cut(given, config):
        return whole
    is_long = Path(given.source.uri).stat().st_size >= longest_s * _LEAST_BYTES_PER_S
    return replace(whole, longest_s=longest_s) if is_long else whole


def places_s(task: Task, config: Config) -> tuple[float, ...]:
    """The media times at which the video of a task is cut at keyframes into spans of nearly one
    length; none where it is not longer than a span.

    Args:
        task: the task.
        config: the settings.
    """
    if not task.longest_s:
        return ()
    try:
        return tuple(cuts_s(Path(task.source.uri), config.source, task.longest_s))
    except SourceError:  # the run of the whole video will say so
        return ()


def span_tasks(given: Input, key: int, starts_s: Sequence[float]) -> tuple[Task, ...]:
    """The tasks of a video that is cut, of which no two hold the same frame.

    Args:
        given: the input.
        key: its row of the ledger.
        starts_s: the media times at which it is cut, s, one or more.
    """
    edges = zip((0.0, *starts_s), (*starts_s, None), strict=True)
    return tuple(
        Task(
            key=key,
            source=given.source,
            outputs=part_outputs(given.outputs, number),
            span=Span(start_s, end_s),
            lead_in_s=LEAD_IN_S if start_s else 0.0,
            gives_seam=True,
        )
        for number, (start_s, end_s) in enumerate(edges)
    )


def _may_be_cut(given: Input, config: Config) -> bool:
    """Whether spans of an input can be read apart, and what is written of them can be joined."""
    is_file = given.source.form == "file" and Path(given.source.uri).is_file()
    paths, is_streamed = given.outputs.paths, given.outputs.is_log_streamed
    is_joinable = bool(paths) and not is_streamed and not config.recorder.is_divided
    is_free = given.outputs.overwrite or not any(map(is_taken, paths))
    return is_file and is_joinable and is_free
