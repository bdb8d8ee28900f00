"""The figures of `report` on long logs, which are made, with the model that ships.

    python tests/report_figures.py FOLDER parquet --hours 24
    python tests/report_figures.py FOLDER jsonl --hours 24
    python tests/report_figures.py FOLDER many --hours 24

Each log has 25 frames a second, two faces a frame, other people every ten seconds. `many` is of
1,000 logs in JSON Lines that are so long together. Needs as much free space as the logs are long:
12 GB for 24 hours of JSON Lines.
"""

import argparse
import json
import resource
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from batch_programs import timed

from models.classification.bundle import DEFAULT_FOLDER, read_manifest
from stream.sinks.data.json_log import SCHEMA
from stream.sinks.data.tables import face_columns, track_columns, tracks_path

_FPS = 25
_SHOT_S = 10
_FACES = 2
_SHOTS_PER_GROUP = 40  # so a group has 20,000 rows, as those of a run have
_LOGS = 1_000
_CLASSES = {head.attribute: head.classes for head in read_manifest(DEFAULT_FOLDER).attributes}
_BOXES = ([100.0, 80.0, 220.0, 230.0], [400.0, 90.0, 480.0, 190.0])


def parquet(folder: Path, hours: float) -> list[Path]:
    """A log as a table of faces and a table of tracks."""
    path = folder / "log.parquet"
    faces, tracks = (_schema(each(_CLASSES)) for each in (face_columns, track_columns))
    with (
        pq.ParquetWriter(path, faces) as face_table,
        pq.ParquetWriter(tracks_path(path), tracks) as track_table,
    ):
        for first in range(0, _shots(hours), _SHOTS_PER_GROUP):
            shots = range(first, min(first + _SHOTS_PER_GROUP, _shots(hours)))
            people = {shot: _people(shot) for shot in shots}
            cells = {
                track: _cells(labels)
                for of_shot in people.values()
                for track, labels in of_shot.items()
            }
            rows = [
                {**row, **cells[row["track"]]}
                for shot in shots
                for frame in _frames(shot)
                for row in _rows(frame, list(people[shot]))
            ]
            face_table.write_table(pa.Table.from_pylist(rows, faces))
            ended = [{"track": track, "quality": 0.8, **each} for track, each in cells.items()]
            track_table.write_table(pa.Table.from_pylist(ended, tracks))
    return [path]


def jsonl(folder: Path, hours: float) -> list[Path]:
    """A log in JSON Lines."""
    path = folder / "log.jsonl"
    _write_lines(path, range(_shots(hours)))
    return [path]


def many(folder: Path, hours: float) -> list[Path]:
    """A folder of logs in JSON Lines."""
    shots = max(_shots(hours) // _LOGS, 1)
    for number in range(_LOGS):
        _write_lines(folder / f"{number:04}.jsonl", range(number * shots, (number + 1) * shots))
    return [folder]


def _shots(hours: float) -> int:
    return max(round(hours * 3600 / _SHOT_S), 1)


def _frames(shot: int) -> range:
    return range(shot * _SHOT_S * _FPS, (shot + 1) * _SHOT_S * _FPS)


def _people(shot: int) -> dict[int, dict[str, Any]]:
    """By track what the persons of a shot are perceived as."""
    rng = np.random.default_rng(shot)
    return {
        shot * _FACES + face: {name: _label(each, rng) for name, each in _CLASSES.items()}
        for face in range(_FACES)
    }


def _label(classes: Sequence[str], rng: np.random.Generator) -> dict[str, Any]:
    chances = rng.dirichlet(np.full(len(classes), 0.3)).round(4).tolist()
    best = max(chances)
    return {
        "label": classes[chances.index(best)] if best > 0.6 else None,
        "confidence": best,
        "probabilities": dict(zip(classes, chances, strict=True)),
    }


def _cells(labels: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for name, label in labels.items():
        cells |= {name: label["label"], f"{name}_confidence": label["confidence"]}
        cells |= {f"{name}_{each}": chance for each, chance in label["probabilities"].items()}
    return cells


def _rows(frame: int, tracks: Sequence[int]) -> Iterator[dict[str, Any]]:
    for track, box in zip(tracks, _BOXES, strict=True):
        sides = dict(zip(("left", "top", "right", "bottom"), box, strict=True))
        yield {"frame": frame, "time_s": frame / _FPS, "track": track, "missed": 0, **sides} | {
            "quality": 0.8,
            "frame_width": 640,
            "frame_height": 360,
        }


def _schema(columns: Mapping[str, str]) -> pa.Schema:
    return pa.schema([(name, getattr(pa, kind)()) for name, kind in columns.items()])


def _write_lines(path: Path, shots: range) -> None:
    header = {"schema": SCHEMA, "source": path.name, "size": [640, 360], "fps": float(_FPS)}
    attributes = {name: list(each) for name, each in _CLASSES.items()}
    with path.open("w") as file:
        file.write(json.dumps({**header, "model": "default", "attributes": attributes}) + "\n")
        for shot in shots:
            people = _people(shot)
            faces = [
                {"track": track, "box": box, "score": 0.9, "missed": 0, "quality": 0.8}
                | {"labels": labels}
                for (track, labels), box in zip(people.items(), _BOXES, strict=True)
            ]
            shown = json.dumps(faces)
            for frame in _frames(shot):
                file.write(f'{{"frame": {frame}, "time_s": {frame / _FPS}, "faces": {shown}}}\n')
            for track, labels in people.items():
                file.write(json.dumps({"track": track, "labels": labels}) + "\n")


_MEASURES: Mapping[str, Callable[[Path, float], list[Path]]] = {
    "parquet": parquet,
    "jsonl": jsonl,
    "many": many,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Makes the logs of a measure, reports on them, and prints what that took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("measure", choices=_MEASURES)
    parser.add_argument("--hours", type=float, default=24.0, help="length of all logs together")
    wanted = parser.parse_args(arguments)
    folder: Path = wanted.folder.resolve() / wanted.measure
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    logs = _MEASURES[wanted.measure](folder, wanted.hours)
    size_mb = sum(each.stat().st_size for each in folder.rglob("*.*")) / 1e6
    done = timed(folder.parent, "report", *logs, "--out", folder / "report", "--quiet")
    most_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    sys.stdout.write(
        f"logs, MB: {size_mb:,.0f}\nCPU, s: {done.cpu_s:,.1f}\nwall time, s: {done.wall_s:,.1f}\n"
        f"largest memory, MB: {most_mb:,.0f}\n"
    )


if __name__ == "__main__":
    main()
