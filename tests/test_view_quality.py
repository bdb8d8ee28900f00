"""What a view weighs, on landmarks and chips made up by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.classification.view_quality import ViewQuality, sharpness
from models.faces import Faces, Image, sizes_wh
from stream.labelling.view_quality import frontality, view_weights


def _landmarks(nose_x: float = 0.0, width: float = 80.0) -> NDArray[np.float32]:
    """Eyes on a line and 0.5 of the width apart, the nose so far from their middle, of that."""
    eye, nose = width / 4, nose_x * width / 2
    points = [(-eye - 2, 0), (-eye + 2, 0), (eye + 2, 0), (eye - 2, 0), (nose, 20)]
    return np.array([points], dtype=np.float32)


def _faces(width: float = 60.0, score: float = 1.0, nose_x: float = 0.0) -> Faces:
    box = np.array([[100, 100, 100 + width, 100 + width]], dtype=np.float32)
    return Faces(box, _landmarks(nose_x), np.array([score], dtype=np.float32))


def _waves(period: float = 8.0, contrast: float = 100.0) -> Image:
    """A chip of upright waves that long, in px: the shorter, the sharper."""
    level = 128 + contrast / 2 * np.sin(2 * np.pi / period * np.arange(150))
    return np.broadcast_to(level.round().astype(np.uint8)[None, :, None], (150, 150, 3)).copy()


def _weight(faces: Faces, chip: Image | None = None, clear_score: float = 1.0) -> float:
    chips = np.stack([_waves() if chip is None else chip])
    (weight,) = view_weights(faces, _quality(faces, chips), clear_score)
    return float(weight)


def _quality(faces: Faces, chips: NDArray[np.uint8]) -> ViewQuality:
    return ViewQuality.of(chips, sizes_wh(faces.boxes_xyxy)[:, 0])


def test_a_view_as_good_as_can_be_weighs_1() -> None:
    assert _weight(_faces()) == 1


@pytest.mark.parametrize(("width", "weight"), [(30, 0.5), (45, 0.75), (60, 1), (300, 1), (1, 0.05)])
def test_a_narrow_face_weighs_less(width: float, weight: float) -> None:
    assert _weight(_faces(width)) == pytest.approx(weight)


@pytest.mark.parametrize(("score", "weight"), [(0.5, 0.5), (1.4, 1), (-0.3, 0.05)])
def test_a_face_the_detector_doubts_weighs_less(score: float, weight: float) -> None:
    assert _weight(_faces(score=score)) == pytest.approx(weight)


@pytest.mark.parametrize(("score", "weight"), [(0.8, 1), (0.4, 0.5), (0.95, 1), (0.02, 0.05)])
def test_how_much_doubt_there_is_depends_on_the_score_of_clear_faces(
    score: float, weight: float
) -> None:
    assert _weight(_faces(score=score), clear_score=0.8) == pytest.approx(weight)


@pytest.mark.parametrize(("nose_x", "weight"), [(0.25, 0.5), (-0.25, 0.5), (0.5, 0.05), (-2, 0.05)])
def test_a_face_that_is_turned_weighs_less(nose_x: float, weight: float) -> None:
    assert _weight(_faces(nose_x=nose_x)) == pytest.approx(weight)


@pytest.mark.parametrize("period", [28, 40])
def test_a_blurred_face_weighs_less(period: float) -> None:
    share = sharpness(_waves(period)) / 0.4
    assert 0.05 < share < 1
    assert _weight(_faces(), _waves(period)) == pytest.approx(share)


def test_a_face_without_any_detail_is_still_a_view() -> None:
    plain = np.full((150, 150, 3), 90, dtype=np.uint8)
    assert sharpness(plain) == 0
    assert _weight(_faces(), plain) == pytest.approx(0.05)


def test_a_weight_is_a_product() -> None:
    assert _weight(_faces(30, 0.5, 0.25)) == pytest.approx(0.125)


def test_each_face_has_a_weight_of_its_own() -> None:
    one, other = _faces(30), _faces(45)
    both = Faces(
        np.concatenate([one.boxes_xyxy, other.boxes_xyxy]),
        np.concatenate([one.landmarks_xy, other.landmarks_xy]),
        np.concatenate([one.scores, other.scores]),
    )
    weights = view_weights(both, _quality(both, np.stack([_waves()] * 2)), 1.0)
    assert weights.dtype == np.float32
    assert weights.tolist() == [0.5, 0.75]


def test_no_faces_have_no_weights() -> None:
    nobody = Faces(*(np.zeros(shape, np.float32) for shape in ((0, 4), (0, 5, 2), (0,))))
    none = _quality(nobody, np.zeros((0, 150, 150, 3), np.uint8))
    assert view_weights(nobody, none, 1.0).shape == (0,)


@pytest.mark.parametrize("contrast", [60, 120, 240])
@pytest.mark.parametrize("period", [5, 6, 7])
def test_sharpness_is_detail_and_not_contrast(period: float, contrast: float) -> None:
    """What a Laplacian leaves of a wave, of its size."""
    expected = 8 * (1 - np.cos(2 * np.pi / period))
    assert sharpness(_waves(period, contrast)) == pytest.approx(expected, rel=0.06)


@pytest.mark.parametrize("width", [20.0, 200.0])
@pytest.mark.parametrize(
    ("nose_x", "share"), [(0, 1), (0.1, 0.8), (-0.4, 0.2), (0.5, 0), (-0.7, 0)]
)
def test_how_frontal_a_face_is_does_not_depend_on_its_size(
    width: float, nose_x: float, share: float
) -> None:
    found = frontality(_landmarks(nose_x, width))
    assert found.dtype == np.float32
    assert found.tolist() == [pytest.approx(share, abs=1e-5)]


def test_a_head_tilted_is_as_frontal() -> None:
    turn = np.array([[0.8, -0.6], [0.6, 0.8]], dtype=np.float32)
    np.testing.assert_allclose(frontality(_landmarks(0.2) @ turn), [0.6], atol=1e-5)
