"""The comparison of times with face_recognition: on the same pictures, with the same faces."""

from pathlib import Path

from training_helpers import make_folders

from training.datasets import read_dataset
from training.evaluation.bench import PictureTiming, SpeedComparison, compare
from training.features.extractor import ExtractionSettings, Extractor


def test_each_way_finds_the_faces_and_is_timed(tmp_path: Path) -> None:
    samples = read_dataset(make_folders(tmp_path, 4))
    extractor = Extractor(ExtractionSettings(faces="largest", mirror=False))
    found = compare(samples, extractor, 3)
    assert found.pictures == 3
    assert found.ours.faces == 3
    assert [each.faces for each in found.theirs] == [3, 3]
    assert all(each.seconds_a_picture > 0 for each in (found.ours, *found.theirs))


def test_lines_give_the_ratio() -> None:
    theirs = (PictureTiming("theirs", 0.5, 7),)
    lines = list(SpeedComparison(9, PictureTiming("ours", 0.02, 8), theirs).lines())
    assert lines[1] == "ours: 20.0 ms a picture, 8 faces, 1.0 times ours"
    assert lines[2] == "theirs: 500.0 ms a picture, 7 faces, 25.0 times ours"
