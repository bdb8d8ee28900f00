"""Pictures coded as H.264: each is the picture it was, only coarser."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.pictures.h264 import coded_as_h264
from stream.benchmarks.tracking.scenes import FACES_IN_ALL, scenes

_CHIPS = [(np.full((64, 64, 3), 128, np.uint8), {"gender": "Female"})] * FACES_IN_ALL

_SIZE_WH = (128, 96)


def _pictures(count: int) -> list[NDArray[np.uint8]]:
    """A square that moves over soft noise, 128×96 px; brighter in each frame."""
    noise = np.random.default_rng(0).integers(0, 30, (96, 128, 3), dtype=np.uint8)
    pictures = []
    for number in range(count):
        picture = noise + np.uint8(10 * number)
        picture[20:60, 5 * number : 5 * number + 40] = 230
        pictures.append(picture)
    return pictures


def test_each_picture_comes_again_in_its_place() -> None:
    drawn = _pictures(12)
    coded = list(coded_as_h264(drawn, 18, _SIZE_WH, 25.0))
    assert len(coded) == len(drawn)
    for number, picture in enumerate(coded):
        assert picture.shape == (96, 128, 3)
        assert picture.dtype == np.uint8
        errors = [np.abs(picture.astype(float) - each).mean() for each in drawn]
        assert np.argmin(errors) == number


def test_a_higher_rate_factor_loses_more() -> None:
    drawn = _pictures(6)
    lost = []
    for crf in (10, 28, 44):
        coded = np.stack(list(coded_as_h264(drawn, crf, _SIZE_WH, 25.0)))
        lost.append(np.abs(coded.astype(float) - np.stack(drawn)).mean())
    assert lost[0] < lost[1] < lost[2]


def test_a_picture_is_there_before_the_next_is_drawn() -> None:
    drawn = iter(_pictures(3))
    coded = coded_as_h264(drawn, 28, _SIZE_WH, 25.0)
    next(coded)
    assert len(list(drawn)) == 2


def test_no_pictures_give_none() -> None:
    assert list(coded_as_h264([], 28, _SIZE_WH, 25.0)) == []


def test_a_scene_is_coded_and_its_truth_stays() -> None:
    scene = scenes(_CHIPS)[3]
    coded = scene.coded(36)
    frames = coded.frames()
    for index in range(3):
        frame = next(frames)
        assert (frame.index, frame.time_s) == (index, pytest.approx(index / 25))
        drawn = scene.draw(index)
        assert 0 < np.abs(frame.image.astype(float) - drawn).mean() < 12
    assert coded.info == scene.info
    assert [each.box_xyxy.tolist() for each in coded.truth(2)] == [
        each.box_xyxy.tolist() for each in scene.truth(2)
    ]
    plain = next(scene.coded(None).frames())
    np.testing.assert_array_equal(plain.image, scene.draw(0))
