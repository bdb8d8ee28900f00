"""Films with exact ground truth: shots in which the same people come again, each time in another
picture.
"""

import math
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.faces import Image
from models.pictures.files import is_picture
from stream.benchmarks.label_table import open_label_table
from stream.benchmarks.tracking.scenes import SceneFace, SceneSource
from stream.benchmarks.tracking.trajectories import SIZE_WH, Pose, Trajectory
from stream.errors import SourceError
from stream.sources.pictures import read_picture

PEOPLE_IN_FILM = 10
"""Number of people in a film."""

PERSON = "person"
"""Under which name the label of a face has the true person."""

LABELS_FILE = "labels.csv"
"""Name of the table of the true labels of people in their folder; there may be none."""

_PICTURE_NAME = re.compile(r"(\d+)_(\d+)")
"""The stem of a picture's name: the person and the picture."""

_SHOT_S = 1.4
"""Length of a shot, s: in it a face is viewed five times."""

_EARLY_S = 1e-6
"""By how much a time may fall short of the beginning of a shot that it is in, s: it is rounded."""

_MOST_SHOTS = 6
"""Shots that a person is in at most."""

_PLACES = (0.2, 0.5, 0.8)
"""Where the faces of a shot are, as shares of the width."""

_WIDTHS_PX = (90.0, 130.0, 180.0, 240.0)
"""Widths of the pictures in shots; a face makes up four fifths of it."""


@dataclass(frozen=True, slots=True)
class PersonPictures:
    """One person: its number as in the names of the pictures, the pictures, and the true labels."""

    number: str
    pictures: Sequence[Path]
    labels: Mapping[str, str] = field(default_factory=dict)


def is_folder_of_people(folder: Path) -> bool:
    """Whether a folder holds pictures of people, named `PERSON_PICTURE`."""
    return any(_pictures(folder))


def read_people(folder: Path) -> list[PersonPictures]:
    """The people in a folder, in the order of their numbers.

    Raises:
        SourceError: their labels cannot be read.
    """
    pictures: dict[str, list[Path]] = {}
    for number, path in _pictures(folder):
        pictures.setdefault(number, []).append(path)
    labels: dict[str, Mapping[str, str]] = {}
    if (table := folder / LABELS_FILE).is_file():
        with open_label_table(table, {PERSON}) as rows:
            labels = {
                row[PERSON]: {name: cell for name, cell in row.items() if cell and name != PERSON}
                for row in rows
            }
    return [
        PersonPictures(number, paths, labels.get(number, {}))
        for number, paths in sorted(pictures.items())
    ]


def film(people: Sequence[PersonPictures], number: int) -> SceneSource:
    """A film of people: shots of one to three faces, each of another person, with cuts between.

    Each picture is in one shot. The same number makes the same film.

    Args:
        people: those in it.
        number: of the film.

    Raises:
        SourceError: a picture cannot be read.
    """
    chance = random.Random(number)
    waiting = [(person, path) for person in people for path in person.pictures[:_MOST_SHOTS]]
    chance.shuffle(waiting)
    faces: list[SceneFace] = []
    shots = 0
    while waiting:
        for place in chance.sample(_PLACES, chance.randint(1, len(_PLACES))):
            there = {face.labels[PERSON] for face in faces if face.trajectory(shots * _SHOT_S)}
            chosen = next((each for each in waiting if each[0].number not in there), None)
            if chosen is None:
                break
            waiting.remove(chosen)
            person, path = chosen
            trajectory = _in_shot(shots, place, chance.choice(_WIDTHS_PX), chance.uniform(0, 6))
            faces.append(
                SceneFace(_read(path), {**person.labels, PERSON: person.number}, trajectory)
            )
        shots += 1
    return SceneSource(f"film {number}", faces, shots * _SHOT_S, shot_s=_SHOT_S)


def _in_shot(shot: int, x: float, width_px: float, phase: float) -> Trajectory:
    """Around a place `x`, a share of the width, in the shot of a number alone."""

    def pose(time_s: float) -> Pose | None:
        if not shot * _SHOT_S <= time_s + _EARLY_S < (shot + 1) * _SHOT_S:
            return None
        swing = math.sin(2 * math.pi * time_s / 4 + phase)
        place = (x + 0.03 * swing) * SIZE_WH[0], (0.5 + 0.06 * swing) * SIZE_WH[1]
        return Pose(*place, width_px, 6 * swing)

    return pose


def _pictures(folder: Path) -> Iterator[tuple[str, Path]]:
    """The pictures of people in a folder, in order, each with the number of the person."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if (match := _PICTURE_NAME.fullmatch(path.stem)) and is_picture(path):
            yield match[1], path


def _read(path: Path) -> Image:
    """The picture in a file.

    Raises:
        SourceError: it is none.
    """
    if (image := read_picture(path)) is None:
        raise SourceError(f"{path} cannot be read as a picture")
    return image
