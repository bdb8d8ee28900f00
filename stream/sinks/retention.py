"""Deletes the oldest segments of a recording, by age and by the room that all of them take."""

import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from stream.controls import RunReport
from stream.people import Person
from stream.settings.schema import RecorderSection
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.paths import partial_path
from stream.sinks.segments import SegmentNames, begun_at

_CHECK_S = 5.0
"""Time between two looks into the folder, s; more lets the segments grow further over the limit."""

_BYTES_PER_GB = 1_000_000_000
"""Bytes in a gigabyte, as disks are sold."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Stored:
    """The files of a segment that are complete, and their size, bytes."""

    begun: datetime
    files: list[Path] = field(default_factory=list)
    size: int = 0


class Retention:
    """A sink that keeps the segments of a recording within `keep_days` and `keep_gb`.

    It deletes the oldest complete segments first, each with its logs: regular files of exactly the
    names of segments, in their folder, and nothing else. The segment that is written, and what a
    killed run left, count by their size, and are never deleted.

    Args:
        names: of the outputs.
        settings: as above.
        report: takes how many were deleted.
    """

    name = "retention"
    output = None
    quit_requested = False

    def __init__(
        self, names: Sequence[SegmentNames], settings: RecorderSection, report: RunReport
    ) -> None:
        self._names = names
        self._settings = settings
        self._report = report
        self._checked_s = 0.0

    def __repr__(self) -> str:
        return f"Retention({self._settings.keep_days:g} days, {self._settings.keep_gb:g} GB)"

    def write(self, annotated: AnnotatedFrame) -> None:
        """Looks into the folder now and then."""
        now_s = time.monotonic()
        if now_s - self._checked_s >= _CHECK_S or not self._checked_s:
            self._checked_s = now_s
            segment = annotated.place.segment
            self.prune("" if segment is None else segment.stamp)

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Looks into the folder a last time: all segments are complete."""
        self.prune("")

    def prune(self, written: str) -> None:
        """Deletes what is too old or too much.

        Args:
            written: stamp of the segment that is being written.
        """
        limit = self._settings.keep_gb * _BYTES_PER_GB
        days = self._settings.keep_days
        stored, size = self._stored(written)
        oldest = datetime.now(UTC) - timedelta(days=days)
        for segment in sorted(stored, key=lambda each: each.begun):
            is_old = days > 0 and segment.begun < oldest
            if not is_old and not 0 < limit < size:
                break
            size -= segment.size
            self._delete(segment)

    def _stored(self, written: str) -> tuple[list[_Stored], int]:
        """The complete segments but the one that is written, and the size of all files, bytes."""
        found: dict[str, _Stored] = {}
        total = 0
        for names in self._names:
            for entry, stamp, is_whole in _files(names):
                with suppress(OSError, ValueError):  # it has gone, or it is no date
                    size = entry.stat(follow_symlinks=False).st_size
                    begun = begun_at(stamp)
                    total += size
                    if is_whole and stamp != written:
                        segment = found.setdefault(stamp, _Stored(begun))
                        segment.files.append(Path(entry.path))
                        segment.size += size
        return list(found.values()), total

    def _delete(self, segment: _Stored) -> None:
        """Removes the files of a segment; what cannot be removed is said once."""
        try:
            for file in segment.files:
                file.unlink(missing_ok=True)
        except OSError as error:
            failure = f"{error.filename} cannot be deleted: {error.strerror}"
            if self._report.note_failure(failure):
                _log.error("%s", failure)
            return
        self._report.segments.deleted += 1
        self._report.segments.deleted_bytes += segment.size


def _files(names: SegmentNames) -> Iterator[tuple[os.DirEntry[str], str, bool]]:
    """The regular files of an output's segments: entry, stamp, and whether it is complete."""
    partial = partial_path(Path(f"x{names.ending}")).name.removeprefix("x")
    with suppress(OSError), os.scandir(names.folder) as entries:
        for entry in entries:
            is_whole = not entry.name.endswith(partial)
            name = entry.name if is_whole else entry.name.removesuffix(partial) + names.ending
            stamp = names.stamp_of(name)
            if stamp and entry.is_file(follow_symlinks=False):
                yield entry, stamp, is_whole
