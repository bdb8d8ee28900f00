"""The benchmark of persons: its films, its metrics, and what it refuses."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from stream.benchmarks.tracking.films import PERSON, film, is_folder_of_people, read_people
from stream.benchmarks.tracking.person_benchmark import measure_people
from stream.benchmarks.tracking.person_metrics import ShotOutcome, measure_persons
from stream.benchmarks.tracking.scenes import FPS
from stream.errors import SourceError
from stream.settings import Config


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Pictures of two people, three and two, and the label of one."""
    for name in ("01_1", "01_2", "01_3", "02_1", "02_2"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((50, 50, 3), 128, np.uint8))
    (tmp_path / "labels.csv").write_text("person,gender\n02,Female\n")
    return tmp_path


def test_pairs_of_shots_are_compared_with_the_truth() -> None:
    taken = [("a", 1), ("a", 1), ("a", 2), ("b", 2), ("b", 3)]
    metrics = measure_persons([ShotOutcome(*each) for each in taken], true_people=2)
    assert (metrics.same_pairs, metrics.joined_pairs, metrics.right_pairs) == (4, 2, 1)
    assert (metrics.precision, metrics.recall) == (0.5, 0.25)
    assert (metrics.people, metrics.true_people) == (3, 2)


def test_metrics_of_films_add_up() -> None:
    one = ShotOutcome("a", 1, {"gender": False}, {"gender": True})
    first, second = measure_persons([one, one], 1), measure_persons([one], 1)
    total = first + second
    assert (total.shots, total.same_pairs, total.joined_pairs) == (3, 1, 1)
    assert total.labels == {"gender": (3, 0, 3)}
    assert second.precision == second.recall == 1.0  # of no pairs


def test_each_picture_is_in_one_shot_and_no_person_twice_in_a_frame(people: Path) -> None:
    cast = read_people(people)
    assert [(each.number, len(each.pictures), dict(each.labels)) for each in cast] == [
        ("01", 3, {}),
        ("02", 2, {"gender": "Female"}),
    ]
    scene = film(cast, 4)
    seen: set[int] = set()
    for index in range(scene.info.frame_count or 0):
        there = [face.face_id for face in scene.truth(index)]
        assert there
        persons = [scene.faces[face_id].labels[PERSON] for face_id in there]
        assert len(set(persons)) == len(persons)
        seen |= set(there)
    assert seen == set(range(5))
    again = film(cast, 4)
    np.testing.assert_array_equal(again.draw(3), scene.draw(3))


def test_shots_have_cuts_between_them(people: Path) -> None:
    scene = film(read_people(people), 0)
    shot = round(1.4 * FPS)
    before, after = (scene.draw(shot + step).astype(int) for step in (-1, 0))
    assert np.abs(after - before).mean() > 20


def test_a_folder_of_too_few_people_is_one_line(people: Path, tmp_path: Path) -> None:
    assert is_folder_of_people(people)
    assert not is_folder_of_people(tmp_path / "nothing")
    with pytest.raises(SourceError, match="has too few people for film 0: it takes 10"):
        measure_people(people, Config(), range(1))
