"""A face found by its template, on a portrait that is moved about."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.faces import Image, centres_xy
from stream.following.template_matching import (
    FaceTemplate,
    TemplateMatcher,
    cut_template,
    match_template,
)
from stream.frames import Frame

_FACE = np.array([176, 56, 272, 152], dtype=np.float32)  # in the portrait


def _frame(picture: Image) -> Frame:
    return Frame(picture, 0, 0.0, 0.0)


def _known(picture: Image, box_xyxy: NDArray[np.float32] = _FACE) -> FaceTemplate:
    known = cut_template(_frame(picture), box_xyxy)
    assert known is not None
    return known


def _shifted(picture: Image, x: float, y: float) -> Image:
    matrix = np.array([[1, 0, x], [0, 1, y]], dtype=np.float32)
    size = picture.shape[1::-1]
    return cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (5, -3), (-9, 7), (2.5, 0.5)])
def test_it_is_found_where_it_went(astronaut: Image, x: float, y: float) -> None:
    found = match_template(_frame(_shifted(astronaut, x, y)), _known(astronaut), _FACE)
    assert found is not None
    np.testing.assert_allclose(found, _FACE + np.float32([x, y, x, y]), atol=0.7)


@pytest.mark.parametrize(("x", "found"), [(11, True), (17, False), (-11, True), (-17, False)])
def test_it_is_found_within_a_sixth_of_its_width(astronaut: Image, x: float, found: bool) -> None:
    """Of 96 px; at the very edge of what is looked at its place is not certain."""
    now = match_template(_frame(_shifted(astronaut, x, 0)), _known(astronaut), _FACE)
    assert (now is not None) is found


def test_it_may_have_gone_far_if_that_is_expected(astronaut: Image) -> None:
    moved = _shifted(astronaut, 120, 60)
    assert match_template(_frame(moved), _known(astronaut), _FACE) is None
    found = match_template(_frame(moved), _known(astronaut), _FACE + np.float32([117, 64, 117, 64]))
    assert found is not None
    np.testing.assert_allclose(found, _FACE + np.float32([120, 60, 120, 60]), atol=1.0)


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_faces_of_any_size(astronaut: Image, scale: float) -> None:
    picture = cv2.resize(astronaut, None, fx=scale, fy=scale).astype(np.uint8)
    box = _FACE * np.float32(scale)
    found = match_template(_frame(_shifted(picture, 4 * scale, 0)), _known(picture, box), box)
    assert found is not None
    gaps = centres_xy(found[None]) - centres_xy(box[None])
    np.testing.assert_allclose(gaps, [[4 * scale, 0]], atol=scale)


def test_noise_and_light_do_not_hide_it(astronaut: Image) -> None:
    noise = np.random.default_rng(0).normal(0, 12, astronaut.shape)
    now = np.clip(astronaut * 0.8 + 20 + noise, 0, 255).astype(np.uint8)
    assert match_template(_frame(now), _known(astronaut), _FACE) is not None


def test_what_hides_it_half_does(astronaut: Image) -> None:
    hidden = astronaut.copy()
    hidden[:, 224:] = 70
    assert match_template(_frame(hidden), _known(astronaut), _FACE) is None


def test_another_face_does_not_match(astronaut: Image) -> None:
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    width = astronaut.shape[1]
    other = np.array([width - 272, 56, width - 176, 152], dtype=np.float32)
    assert match_template(_frame(mirrored), _known(astronaut), other) is None


def test_what_is_flat_or_beyond_the_picture_has_no_template(astronaut: Image) -> None:
    assert (
        cut_template(
            _frame(np.full((200, 200, 3), 90, dtype=np.uint8)), np.float32([60, 60, 120, 120])
        )
        is None
    )
    assert cut_template(_frame(astronaut), _FACE - np.float32([176, 0, 176, 0])) is None
    known = _known(astronaut)
    assert match_template(_frame(astronaut), known, _FACE + np.float32([400, 0, 400, 0])) is None


def _matcher(astronaut: Image) -> TemplateMatcher:
    matcher = TemplateMatcher()
    matcher.update(_frame(astronaut), {1: _FACE, 2: _FACE})
    return matcher


def test_faces_that_have_a_template_are_matched(astronaut: Image) -> None:
    now = _frame(_shifted(astronaut, 4, 0))
    found = _matcher(astronaut).match(now, {1: _FACE, 3: _FACE})
    assert found.keys() == {1}
    np.testing.assert_allclose(found[1], _FACE + np.float32([4, 0, 4, 0]), atol=0.7)


def test_an_older_template_does_not_count_once_the_face_cannot_be_seen(astronaut: Image) -> None:
    matcher = _matcher(astronaut)
    dark = np.full_like(astronaut, 90)
    matcher.update(_frame(dark), {1: _FACE})
    assert matcher.match(_frame(astronaut), {1: _FACE, 2: _FACE}).keys() == {2}


def test_templates_of_tracks_that_ended_are_dropped(astronaut: Image) -> None:
    matcher = _matcher(astronaut)
    matcher.keep([2])
    assert repr(matcher) == "TemplateMatcher(1 templates)"
    assert matcher.match(_frame(astronaut), {1: _FACE, 2: _FACE}).keys() == {2}
