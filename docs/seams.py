"""Says how often the tracks of a video that was run in spans differ from those of an uncut run.

face-stream run VIDEO --log uncut.jsonl --no-show
face-stream batch VIDEO --out DIR --log jsonl --span-s 30
python docs/seams.py VIDEO 30 uncut.jsonl DIR/VIDEO.jsonl
"""

import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from models.faces import iou
from stream.batch.spans.keyframes import cuts_s
from stream.settings.schema import SourceSection
from stream.sinks.data.log_lines import LoggedFace
from stream.sinks.data.log_reader import LogReader

_AROUND_S = 0.2
"""How far from a seam a face is looked for, on either side, s; more counts what differs beside it,
as where faces cross in a crowd."""

_MIN_IOU = 0.5
"""Overlap from which two faces of one frame are the same."""


def _read(path: Path) -> dict[float, list[LoggedFace]]:
    """The faces that were found, by the time of their frame."""
    entries = (entry for entry in LogReader(path).entries() if "frame" in entry)
    return {
        entry["time_s"]: [face for face in entry["faces"] if not face.get("missed")]
        for entry in entries
    }


def _pairs(uncut: list[LoggedFace], joined: list[LoggedFace]) -> dict[int, int]:
    """By track of the uncut run, the track of the joined one at the same place of a frame."""
    boxes = [np.array([face["box"] for face in faces], np.float32) for faces in (uncut, joined)]
    if not (len(boxes[0]) and len(boxes[1])):
        return {}
    overlaps = iou(*boxes)
    best = overlaps.argmax(axis=1)
    return {
        face["track"]: joined[column]["track"]
        for row, (face, column) in enumerate(zip(uncut, best.tolist(), strict=True))
        if overlaps[row, column] >= _MIN_IOU
    }


def _across(
    uncut: Mapping[float, list[LoggedFace]], joined: Mapping[float, list[LoggedFace]], seam_s: float
) -> tuple[int, int]:
    """How many tracks either run has across a seam, and how many of them the other has not."""
    before: dict[int, int] = {}
    after: dict[int, int] = {}
    for time_s, faces in uncut.items():
        if abs(time_s - seam_s) <= _AROUND_S:
            pairs = _pairs(faces, joined.get(time_s, []))
            if time_s < seam_s:
                before.update(pairs)
            else:
                after = {**pairs, **after}
    links = [{(one, one) for one in before if one in after}]
    links.append(
        {(one, other) for one, old in before.items() for other, new in after.items() if old == new}
    )
    return len(links[0] | links[1]), len(links[0] ^ links[1])


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main(video: str, span_s: str, uncut_log: str, joined_log: str) -> None:
    """Prints a line for each seam that differs, and the sums."""
    uncut, joined = _read(Path(uncut_log)), _read(Path(joined_log))
    seams_s = cuts_s(Path(video), SourceSection(), float(span_s))
    tracks = differing = seams = 0
    for seam_s in seams_s:
        across, other = _across(uncut, joined, seam_s)
        tracks, differing, seams = tracks + across, differing + other, seams + bool(other)
        if other:
            _say(f"{seam_s:.2f} s: {other} of {across} tracks go on otherwise")
    _say(f"seams {len(seams_s)}, that differ {seams}; tracks across {tracks}, other {differing}")
    for name, log in (("uncut", uncut), ("joined", joined)):
        frames: dict[int, int] = defaultdict(int)
        for faces in log.values():
            for face in faces:
                frames[face["track"]] += 1
        _say(f"{name}: {len(log)} frames, {len(frames)} people, {sum(frames.values())} faces")


if __name__ == "__main__":
    main(*sys.argv[1:])
