"""An embedder in 8-bit integers: what it is made of, and how near it comes to floats."""

import json
from dataclasses import replace

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from training_helpers import small_efficientnet

from models.aligner import Aligner
from models.classification.bundle import DEFAULT_FOLDER, Bundle, load_bundle
from models.classification.classifier import Classifier
from models.embedder import (
    DLIB_DIMENSIONS,
    DLIB_NAME,
    EmbedderModel,
    OnnxEmbedder,
    bundled_embedder,
    embedder_model,
)
from models.errors import ModelError
from models.faces import Detections, Image
from models.networks.dlib_weights import EMBEDDER_FILE, installed_file
from models.networks.embedder_integers import integer_embedder, with_ranges
from models.networks.graphs import embedder_graph
from models.networks.trunk import dlib_trunk, trunk_graph

_DISTANCE = 0.15
"""How far the appearance of a face may be from that in floats; another person's is 0.6 away."""

_PROBABILITY = 0.1
"""How far a probability may be from that in floats."""


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle(DEFAULT_FOLDER)


@pytest.fixture(scope="module")
def shipped(bundle: Bundle) -> EmbedderModel:
    model = bundled_embedder(bundle)
    assert model is not None
    return model


@pytest.fixture(scope="module")
def embedders(shipped: EmbedderModel) -> tuple[OnnxEmbedder, OnnxEmbedder]:
    """In integers, in floats."""
    integers, floats = (OnnxEmbedder(shipped, quantized=q, device="cpu") for q in (True, False))
    return integers, floats


@pytest.fixture(scope="module")
def chips(astronaut: Image) -> NDArray[np.uint8]:
    """The portrait's face by eleven boxes, and dark, glaring, blurred, grey and mirrored."""
    rng = np.random.default_rng(5)
    boxes = np.array([170, 75, 266, 170]) + rng.integers(-8, 9, (11, 4))
    aligner, detections = Aligner(), Detections.of(boxes, np.ones(11))
    located = aligner.locate(astronaut, detections, detections.boxes_xyxy[:, None])
    upright = aligner.chips(astronaut, located)
    first = upright[0]
    others = [
        cv2.convertScaleAbs(first, alpha=0.3),
        cv2.convertScaleAbs(first, alpha=1.8),
        cv2.GaussianBlur(first, (0, 0), 3),
        np.repeat(cv2.cvtColor(first, cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2),
        first[:, ::-1],
    ]
    return np.concatenate([upright, np.stack(others)]).astype(np.uint8)


@pytest.fixture(scope="module")
def own(chips: NDArray[np.uint8]) -> EmbedderModel:
    """dlib's network, whose ranges were measured on those chips, as any other embedder's are."""
    graph = with_ranges(embedder_graph(installed_file(EMBEDDER_FILE)), chips)
    return EmbedderModel(graph, DLIB_NAME, DLIB_DIMENSIONS, DLIB_DIMENSIONS)


def test_faces_look_as_in_floats(
    embedders: tuple[OnnxEmbedder, OnnxEmbedder], bundle: Bundle, chips: NDArray[np.uint8]
) -> None:
    integers, floats = (each.embed(chips) for each in embedders)
    assert integers.shape == floats.shape
    assert integers.dtype == np.float32
    distances = np.linalg.norm((integers - floats)[:, : embedders[0].appearance_dimensions], axis=1)
    assert 0 < distances.max() < _DISTANCE
    classifier = Classifier(bundle)
    for found, expected in zip(
        classifier.predict(integers), classifier.predict(floats), strict=True
    ):
        assert np.abs(found.probabilities - expected.probabilities).max() < _PROBABILITY


def test_a_face_does_not_depend_on_its_company(
    embedders: tuple[OnnxEmbedder, OnnxEmbedder], chips: NDArray[np.uint8]
) -> None:
    together = embedders[0].embed(chips)
    alone = np.concatenate([embedders[0].embed(chip[None]) for chip in chips])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert embedders[0].embed(chips[:0]).shape == (0, embedders[0].dimensions)


def test_it_says_in_what_it_calculates(embedders: tuple[OnnxEmbedder, OnnxEmbedder]) -> None:
    integers, floats = embedders
    assert (integers.quantized, floats.quantized) == (True, False)
    assert ", int8, device=cpu" in repr(integers)
    assert ", float, device=cpu" in repr(floats)


def test_an_embedder_without_ranges_stays_in_floats(chips: NDArray[np.uint8]) -> None:
    graph = embedder_graph(installed_file(EMBEDDER_FILE))
    model = EmbedderModel(graph, DLIB_NAME, DLIB_DIMENSIONS, DLIB_DIMENSIONS)
    asked, floats = (OnnxEmbedder(model, quantized=q, device="cpu") for q in (True, False))
    assert not asked.quantized
    np.testing.assert_array_equal(asked.embed(chips[:2]), floats.embed(chips[:2]))


def test_any_embedder_gets_ranges(own: EmbedderModel, chips: NDArray[np.uint8]) -> None:
    integers, floats = (OnnxEmbedder(own, quantized=q, device="cpu") for q in (True, False))
    assert integers.quantized
    distances = np.linalg.norm(integers.embed(chips) - floats.embed(chips), axis=1)
    assert 0 < distances.max() < _DISTANCE


def test_ranges_change_nothing_in_floats(
    shipped: EmbedderModel, embedders: tuple[OnnxEmbedder, OnnxEmbedder], chips: NDArray[np.uint8]
) -> None:
    again = embedder_model(with_ranges(shipped.model, chips))
    assert (again.name, again.dimensions) == (shipped.name, shipped.dimensions)
    assert again.appearance_dimensions == shipped.appearance_dimensions
    found = OnnxEmbedder(again, device="cpu").embed(chips[:2])
    np.testing.assert_array_equal(found, embedders[1].embed(chips[:2]))


def test_measured_ranges_are_those_of_the_feature_maps(own: EmbedderModel) -> None:
    """One each of dlib's 29 convolutions and 14 sums; the chips have theirs anyway."""
    ranges = _ranges(own.model)
    assert len(ranges) == 29 + 14
    for name, (low, high) in ranges.items():
        assert low <= 0 < high, name
        assert low == 0 or not name.startswith("relu"), name


def test_all_filters_are_integers_whose_errors_cancel(shipped: EmbedderModel) -> None:
    """With seven bits: with eight, a processor without VNNI would overflow."""
    model = integer_embedder(shipped.model)
    assert model is not None
    network = onnx.load_from_string(model)
    onnx.checker.check_model(network)
    stored = {each.name: onnx.numpy_helper.to_array(each) for each in network.graph.initializer}
    original = onnx.load_from_string(shipped.model).graph
    floats = {each.name: onnx.numpy_helper.to_array(each) for each in original.initializer}
    casts = {each.output[0]: each.input[0] for each in original.node if each.op_type == "Cast"}
    convolutions = [each for each in original.node if each.op_type == "Conv"][:33]
    for node in convolutions:  # of dlib's network, two blocks longer; a partner comes after it
        name = node.input[1]
        integers, steps = stored[f"{name}.integers"], stored[f"{name}.steps"]
        assert integers.dtype == np.int8
        assert np.abs(integers.astype(int)).max() <= 63
        wanted = floats[casts[name]].astype(np.float32) / steps[:, None, None, None]
        errors = (integers - wanted).sum(axis=(2, 3))
        assert np.abs(errors).max() < 1.6  # half a step, and one where a weight was at its bound
        assert np.quantile(np.abs(errors), 0.999) < 0.51
    assert not any(
        each.op_type == "Cast" and each.input[0] == "chips" for each in network.graph.node
    )


def test_a_partner_stays_in_floats(chips: NDArray[np.uint8]) -> None:
    """One of its channels is always 0, which in integers would have no step."""
    partner = list(small_efficientnet(seed=1))
    silent = np.ones(len(partner[1].filters), dtype=np.float32)
    silent[0] = 1e-12
    partner[1] = replace(partner[1], filters=partner[1].filters * silent[:, None, None, None])
    trunk = replace(dlib_trunk(), partner=tuple(partner))
    evidence = np.zeros((trunk.features + trunk.partner_features, 3), dtype=np.float32)
    evidence[trunk.features :] = np.random.default_rng(2).normal(0, 1, (trunk.partner_features, 3))
    trunk = replace(trunk, evidence=evidence, evidence_biases=np.zeros(3, dtype=np.float32))
    model = with_ranges(trunk_graph(trunk), chips)
    assert len(_ranges(model)) == 29 + 14, "those of dlib's network alone"
    embedder = EmbedderModel(model, "both", trunk.dimensions, DLIB_DIMENSIONS)
    integers, floats = (
        OnnxEmbedder(embedder, quantized=q, device="cpu").embed(chips) for q in (True, False)
    )
    own = slice(DLIB_DIMENSIONS, None)
    assert floats[:, own].std() > 0.01
    np.testing.assert_allclose(integers[:, own], floats[:, own], atol=1e-5)
    distances = np.linalg.norm((integers - floats)[:, :DLIB_DIMENSIONS], axis=1)
    assert 0 < distances.max() < _DISTANCE


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{", "ranges are damaged"),
        ("[1, 2]", "ranges are damaged: they are no table"),
        ('{"relu_5": 3}', "ranges are damaged"),
        ('{"relu_5": [0, 1, 2]}', "ranges are damaged"),
        ('{"relu_5": ["low", 1]}', "ranges are damaged"),
        ('{"relu_5": [0, Infinity]}', "range of relu_5 is 0 to inf"),
        ('{"relu_5": [0, NaN]}', "range of relu_5 is 0 to nan"),
        ('{"relu_5": [1, 2]}', "range of relu_5 is 1 to 2, around no 0"),
        ('{"a\\u001b[2J": [1, 2]}', r"range of a\\x1b\[2J is 1 to 2"),
        ('{"a\\nb": [0, 2]}', r"do not fit its network: .*a\\nb"),
        ("{}", "do not fit its network"),
    ],
)
def test_damaged_ranges_are_refused(shipped: EmbedderModel, written: str, said: str) -> None:
    damaged = replace(shipped, model=_with_written(shipped.model, written))
    with pytest.raises(ModelError, match=said) as caught:
        OnnxEmbedder(damaged, quantized=True, device="cpu")
    message = str(caught.value)
    assert message.startswith(f"the embedder {shipped.name!r} is not calculated in integers: ")
    assert "set engine.precision to float" in message
    assert len(message) < 400
    assert message.isprintable()


def test_ranges_of_another_network_are_refused(shipped: EmbedderModel) -> None:
    ranges = _ranges(shipped.model)
    ranges["nowhere"] = ranges.pop("relu_5")
    with pytest.raises(ModelError, match="the embedder in integers do not fit its network: nowh"):
        integer_embedder(_with_written(shipped.model, json.dumps(ranges)))


def _ranges(model: bytes) -> dict[str, list[float]]:
    """The ranges that an embedder's file holds."""
    properties = onnx.load_from_string(model).metadata_props
    (written,) = (each.value for each in properties if each.key == "ranges")
    ranges: dict[str, list[float]] = json.loads(written)
    return ranges


def _with_written(model: bytes, ranges: str) -> bytes:
    """The same embedder with other ranges in its file."""
    network = onnx.load_from_string(model)
    onnx.helper.set_model_props(network, {"ranges": ranges})
    serialized: bytes = network.SerializeToString()
    return serialized
