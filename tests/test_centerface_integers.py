"""CenterFace in 8-bit integers: what it is made of, and how near it comes to floats."""

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from models.detection.centerface_detector import CenterFaceDetector
from models.errors import ModelError
from models.faces import Detections, Image, iou
from models.networks.centerface import PLANES, centerface_graph, installed_centerface
from models.networks.centerface_integers import integer_graph, measured_ranges
from models.networks.runtime import Session
from stream.sources.pictures import read_picture

_SCORE_BOUND = 0.1
"""How far the score of a face may be off that in floats."""

_BOX_BOUND = 0.85
"""Overlap of a box with that in floats, at least."""


@pytest.fixture(scope="module")
def graph() -> bytes:
    return centerface_graph(installed_centerface())


@pytest.fixture(scope="module")
def sessions(graph: bytes) -> tuple[Session, Session]:
    """In integers, in floats."""
    models = (integer_graph(graph), graph)
    integers, floats = (Session(each, threads=1, device="cpu") for each in models)
    return integers, floats


@pytest.fixture(scope="module")
def detectors() -> tuple[CenterFaceDetector, CenterFaceDetector]:
    """In integers, in floats."""
    integers, floats = (
        CenterFaceDetector(precision=each, device="cpu") for each in ("int8", "float")
    )
    return integers, floats


def _assert_alike(found: Detections, expected: Detections) -> None:
    """The same faces, with about the same scores and boxes."""
    assert len(found) == len(expected)
    overlaps = iou(found.boxes_xyxy, expected.boxes_xyxy)
    assert overlaps.max(axis=1).min() > _BOX_BOUND
    nearest = overlaps.argmax(axis=1)
    assert sorted(nearest.tolist()) == list(range(len(expected)))
    assert np.abs(found.scores - expected.scores[nearest]).max() < _SCORE_BOUND


@pytest.mark.parametrize("size_hw", [(32, 32), (64, 32), (32, 160), (224, 96)])
@pytest.mark.parametrize("count", [1, 3])
def test_pictures_of_any_size_and_number_give_maps_of_the_same_shape(
    sessions: tuple[Session, Session], size_hw: tuple[int, int], count: int
) -> None:
    height, width = size_hw
    random = np.random.default_rng(0)
    batch = random.integers(0, 256, (count, height, width, 3), dtype=np.uint8)
    integers, floats = (session.run(batch) for session in sessions)
    assert integers.shape == floats.shape == (count, PLANES, height // 4, width // 4)
    assert integers.dtype == floats.dtype == np.float32
    assert np.abs(integers[:, 0] - floats[:, 0]).max() < _SCORE_BOUND
    assert np.abs(integers - floats).max() > 0, "they are integers"


def test_flat_pictures_hold_no_face(sessions: tuple[Session, Session]) -> None:
    for level in (0, 128, 255):
        maps = sessions[0].run(np.full((1, 64, 96, 3), level, dtype=np.uint8))
        assert maps[:, 0].max() < 0.1


@pytest.mark.parametrize("size_wh", [(512, 512), (301, 299), (128, 128)])
def test_a_portrait_is_found_as_in_floats(
    detectors: tuple[CenterFaceDetector, CenterFaceDetector],
    astronaut: Image,
    size_wh: tuple[int, int],
) -> None:
    image = cv2.resize(astronaut, size_wh, interpolation=cv2.INTER_AREA).astype(np.uint8)
    integers, floats = (detector.detect(image) for detector in detectors)
    assert len(floats) == 1
    _assert_alike(integers, floats)


@pytest.mark.parametrize("gain", [0.3, 1.0, 1.8])
def test_dark_and_glaring_crops_are_found_as_in_floats(
    detectors: tuple[CenterFaceDetector, CenterFaceDetector], astronaut: Image, gain: float
) -> None:
    image = cv2.convertScaleAbs(astronaut, alpha=gain).astype(np.uint8)
    near: NDArray[np.float32] = np.array([[180, 70, 270, 170]], dtype=np.float32)
    integers, floats = (detector.detect_near(image, near) for detector in detectors)
    assert len(floats) == 1
    _assert_alike(integers, floats)


def test_clear_faces_of_photos_score_as_in_floats(
    detectors: tuple[CenterFaceDetector, CenterFaceDetector], photos: Path
) -> None:
    """Those that floats are sure of, which no threshold near the default would lose."""
    differences = []
    for path in sorted(photos.glob("*.jpg")):
        image = read_picture(path)
        assert image is not None
        integers, floats = (detector.detect(image, 0.5, 0.2) for detector in detectors)
        clear = floats[floats.scores > 0.6]
        overlaps = iou(clear.boxes_xyxy, integers.boxes_xyxy)
        assert overlaps.max(axis=1).min() > 0.6, path
        differences.append(integers.scores[overlaps.argmax(axis=1)] - clear.scores)
    all_differences = np.concatenate(differences)
    assert len(all_differences) > 100
    assert np.abs(all_differences).max() < _SCORE_BOUND
    assert all_differences.std() < 0.04
    assert abs(all_differences.mean()) < 0.02


def test_the_weights_are_a_quarter_of_the_size(graph: bytes) -> None:
    """But for what stays in floats: two convolutions, the transposed ones and the heads."""
    network = onnx.load_from_string(integer_graph(graph))
    onnx.checker.check_model(network)
    types = [each.data_type for each in network.graph.initializer if len(each.dims) == 4]
    assert types.count(onnx.TensorProto.INT8) == 60 - 2 - 4
    assert types.count(onnx.TensorProto.FLOAT) == 2 + 4 + 3
    assert len(integer_graph(graph)) < len(graph) / 2


def test_weights_have_seven_bits(graph: bytes) -> None:
    """With eight, a processor without VNNI would add two products beyond 16 bits."""
    network = onnx.load_from_string(integer_graph(graph))
    filters = [
        onnx.numpy_helper.to_array(each)
        for each in network.graph.initializer
        if each.data_type == onnx.TensorProto.INT8
    ]
    largest = [np.abs(each.astype(int)).max() for each in filters]
    assert set(largest) == {63}
    assert 2 * 255 * 63 < 2**15


def test_the_graph_in_floats_is_left_as_it_was(graph: bytes) -> None:
    before = bytes(graph)
    integer_graph(graph)
    assert graph == before


@pytest.mark.parametrize("spoil", ["missing", "unknown", "renamed"])
def test_ranges_of_another_network_are_refused(graph: bytes, spoil: str) -> None:
    ranges = measured_ranges()
    name = next(iter(ranges))
    if spoil in ("missing", "renamed"):
        del ranges[name]
    if spoil in ("unknown", "renamed"):
        ranges["nowhere"] = (0.0, 1.0)
    with pytest.raises(ModelError, match="do not fit its network") as caught:
        integer_graph(graph, ranges)
    assert "\n" not in str(caught.value)
    assert ("nowhere" in str(caught.value)) is (spoil != "missing")
    assert (f" {name}" in str(caught.value)) is (spoil != "unknown")


def test_every_range_holds_zero_and_is_not_empty() -> None:
    """Convolutions pad with 0, which must be one of the integers."""
    for name, (low, high) in measured_ranges().items():
        assert low <= 0 < high, name
