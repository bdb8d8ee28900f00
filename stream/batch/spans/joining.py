"""The spans of a video joined: one recording, one log, tracks that go on across the seams."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial

from stream.batch.contract import Input, Result, Task
from stream.batch.failures import one_line
from stream.batch.seen import Seen
from stream.batch.spans.joined_frames import JoinedFrames, PartCrops
from stream.batch.spans.joined_persons import JoinedPersons
from stream.batch.spans.part_files import remove_parts
from stream.batch.spans.part_logs import JoinedIds, PartLog
from stream.batch.spans.recordings import PartRecording, join_recordings
from stream.batch.spans.seam import Seam, same_tracks
from stream.controls import RunReport
from stream.errors import SourceError
from stream.frames import Frame, SourceInfo
from stream.labelling.track_faces import TrackFace
from stream.settings import Config
from stream.several.listing import open_named
from stream.sinks import Outputs, Sinks, claim_outputs
from stream.sinks.files import opened_files
from stream.sinks.paths import finish_partial, partial_path
from stream.summary import Summary
from stream.tracks import Track


@dataclass(frozen=True, slots=True)
class _Part:
    """A span that has frames.

    Attributes:
        frames: how many.
        log: its log.
        outputs: its files.
        same: by track, the track of the part before that is of the same face.
        faces: of its tracks; None where tracks are not joined into persons.
    """

    frames: int
    log: PartLog
    outputs: Outputs
    same: Mapping[int, int]
    faces: Sequence[TrackFace] | None


def join(given: Input, tasks: Sequence[Task], results: Sequence[Result], config: Config) -> Result:
    """Writes the outputs of a video of what its spans wrote, which is removed in any case.

    Nothing is decoded and nothing searched, so that it takes some seconds for an hour of video;
    other tasks need not wait for it: it may be called in a thread of its own.

    Args:
        given: the input.
        tasks: its spans, as `cut` gave them.
        results: what each came to, in the same order.
        config: the settings.

    Returns:
        What the video came to, as if it had been one task. Where a span has failed, why.

    Raises:
        ConfigError, SinkError: an output cannot be written.
        SourceError: the video, or what a span wrote, cannot be read any more.
    """
    with ExitStack() as stack:
        stack.callback(remove_parts, given.outputs)
        failed = next((each for each in results if each.error), None)
        if failed is not None:
            return failed
        report = RunReport()
        report.history.damaged_packets = sum(each.summary["damaged_packets"] for each in results)
        summary, seen = Summary(report), Seen()
        source = stack.enter_context(closing(open_named(given.source, config)))
        source.info.ended.set()  # all of it was read: a recording keeps its sound to the end
        parts = _parts(tasks, results)
        if not parts:
            raise SourceError(f"{given.source} holds not one frame that can be read")
        _write(given.outputs, parts, source.info, config, summary, seen)
    elapsed_s = sum(each.elapsed_s for each in results)
    counts = summary.as_dict() | {
        "elapsed_s": round(elapsed_s, 3),
        "fps": round(summary.frames / elapsed_s, 2) if elapsed_s else 0.0,
    }
    return Result(
        key=results[0].key,
        worker=", ".join(dict.fromkeys(each.worker for each in results)),
        summary=counts,
        error=one_line(summary.failures),
        media_s=seen.media_s,
        elapsed_s=elapsed_s,
        people=tuple(seen.people),
    )


def _parts(tasks: Sequence[Task], results: Sequence[Result]) -> list[_Part]:
    """The spans that have frames, and which tracks go on from each to the next.

    A span may have none, where pictures are damaged from its keyframe on.
    """
    parts = []
    before = Seam()
    for task, result in zip(tasks, results, strict=True):
        frames = result.summary["frames"]
        if not frames or task.outputs.log is None:
            continue
        seam = result.seam
        log = PartLog(task.outputs.log)
        same = same_tracks(before.tail, seam.head)
        parts.append(_Part(frames, log, task.outputs, same, result.faces))
        before = seam
    return parts


def _write(
    outputs: Outputs,
    parts: Sequence[_Part],
    info: SourceInfo,
    config: Config,
    summary: Summary,
    seen: Seen,
) -> None:
    """Writes all outputs; the recording has its name when the rest is complete."""
    attributes = parts[0].log.header.attributes
    count = sum(part.frames for part in parts)
    is_cropped = outputs.snapshots is not None or outputs.sheet is not None
    crops = PartCrops() if is_cropped else None
    others = replace(outputs, save=None)
    with claim_outputs(outputs, info, config.recorder):
        if outputs.save is not None:
            recordings = [
                PartRecording(part.outputs.save, part.log.first_s)
                for part in parts
                if part.outputs.save is not None
            ]
            join_recordings(recordings, partial_path(outputs.save), info, config.recorder)
        joins_shots = any(part.faces is not None for part in parts)
        persons = JoinedPersons([part.faces or () for part in parts], [part.same for part in parts])
        files = opened_files(
            config, info, others, attributes, summary.report, None, has_persons=joins_shots
        )
        frames = JoinedFrames(info, count, crops, persons.settled if joins_shots else None)
        with Sinks([*files], frames, summary.report, watchers=[seen], summary=summary) as sinks:
            summary.start()
            for frame, tracks in _joined(parts, crops, persons):
                sinks.write(frame, tracks)
        summary.finish()
        if outputs.save is not None:
            finish_partial(outputs.save, complete=True, keep=True)
            summary.report.outputs.insert(0, outputs.save)


def _joined(
    parts: Sequence[_Part], crops: PartCrops | None, persons: JoinedPersons
) -> Iterator[tuple[Frame, tuple[Track, ...]]]:
    """The frames of all parts in order, and their tracks under the ids of the joined run."""
    ids, index = JoinedIds(), 0
    for number, part in enumerate(parts):
        if number:
            ids.begin(part.same)
        if crops is not None and part.outputs.snapshots is not None:
            crops.begin(index, part.outputs.snapshots, ids.of_span)
        for frame, tracks in part.log.frames(index, ids.of, partial(persons.person_id, number)):
            index = frame.index + 1
            yield frame, tracks
