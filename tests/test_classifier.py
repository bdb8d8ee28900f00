"""Heads: a tiny one made here, ones that do not fit, and classes merged into groups."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.classification.bundle import Bundle, EmbedderSpec, HeadSpec, Manifest
from models.classification.classifier import Classifier, Prediction, grouped
from models.errors import ModelError

_DIMENSIONS = 3
_WEIGHTS = np.array([[4, 0, -4], [0, 1, 0], [0, 0, 2]], dtype=np.float32)
_EMBEDDINGS = np.array([[1, 0, 0], [0, 0, 3], [0, 0, 0]], dtype=np.float32)


def _head(weights: NDArray[np.float32], *, last: str = "Softmax") -> bytes:
    """Probabilities that are the softmax of a product."""
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size])
        for name, size in zip(("embeddings", "probabilities"), weights.shape, strict=True)
    ]
    nodes = [
        helper.make_node("MatMul", ["embeddings", "weights"], ["logits"]),
        helper.make_node(last, ["logits"], ["probabilities"]),
    ]
    constant = numpy_helper.from_array(weights, "weights")
    graph = helper.make_graph(nodes, "head", ends[:1], ends[1:], [constant])
    opsets = [helper.make_opsetid("", 17)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString())


def _bundle(head: bytes, classes: tuple[str, ...] = ("red", "green", "blue")) -> Bundle:
    manifest = Manifest(
        embedder=EmbedderSpec(name="test", dimensions=_DIMENSIONS, chip_size=150),
        attributes=(HeadSpec(attribute="colour", classes=classes, file="colour.onnx"),),
    )
    return Bundle(Path("bundle"), manifest, {"colour.onnx": head})


def test_probabilities_of_a_tiny_head() -> None:
    classifier = Classifier(_bundle(_head(_WEIGHTS)))
    (prediction,) = classifier.predict(_EMBEDDINGS)
    assert (prediction.attribute, prediction.classes) == ("colour", ("red", "green", "blue"))
    powers = np.exp(_EMBEDDINGS @ _WEIGHTS)
    expected = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(prediction.probabilities, expected, rtol=1e-5)
    assert list(classifier.classes) == ["colour"]


def test_no_faces() -> None:
    (prediction,) = Classifier(_bundle(_head(_WEIGHTS))).predict(_EMBEDDINGS[:0])
    assert prediction.probabilities.shape == (0, 3)


@pytest.mark.parametrize(
    ("bundle", "complaint"),
    [
        (_bundle(_head(_WEIGHTS), ("red", "blue")), r"should be \(n, 2\), are \(1, 3\)"),
        (_bundle(_head(np.vstack([_WEIGHTS, _WEIGHTS]))), "cannot run the model"),
        (_bundle(_head(_WEIGHTS, last="Relu")), "probabilities of colour do not sum to 1"),
    ],
    ids=["other classes", "other embedding", "no probabilities"],
)
def test_a_head_that_does_not_fit_its_manifest(bundle: Bundle, complaint: str) -> None:
    with pytest.raises(
        ModelError, match=f"bundle: a head does not fit its manifest: .*{complaint}"
    ):
        Classifier(bundle)


def test_a_head_that_is_no_model() -> None:
    with pytest.raises(ModelError, match=r"colour.onnx is not run: it is no ONNX model"):
        Classifier(_bundle(b"\x80\x04\x95pickled"))


_RACES = Prediction(
    "race",
    ("White", "East Asian", "Southeast Asian", "Indian"),
    np.array([[0.4, 0.25, 0.25, 0.1], [0.1, 0.2, 0.3, 0.4]], dtype=np.float32),
)


def test_classes_merged_into_groups() -> None:
    merged = grouped(_RACES, {"Asian": ["East Asian", "Southeast Asian"]})
    assert merged.classes == ("White", "Asian", "Indian")
    np.testing.assert_allclose(merged.probabilities, [[0.4, 0.5, 0.1], [0.1, 0.5, 0.4]], rtol=1e-6)


def test_a_group_may_take_the_name_of_a_class_in_it() -> None:
    merged = grouped(_RACES, {"Indian": ["Southeast Asian", "Indian"]})
    assert merged.classes == ("White", "East Asian", "Indian")
    np.testing.assert_allclose(merged.probabilities[1], [0.1, 0.2, 0.7], rtol=1e-6)


def test_no_groups_change_nothing() -> None:
    same = grouped(_RACES, {})
    assert same.classes == _RACES.classes
    np.testing.assert_array_equal(same.probabilities, _RACES.probabilities)


@pytest.mark.parametrize(
    ("groups", "complaint"),
    [
        ({"Asian": []}, "group 'Asian' of race has no classes"),
        ({"Asian": ["Asain"]}, "names 'Asain'; the model knows White, East Asian"),
        ({"A": ["White"], "B": ["White"]}, "'White' is in two groups: 'A' and 'B'"),
        ({"White": ["Indian"]}, "group 'White' of race has the name of a class outside it"),
    ],
)
def test_groups_that_do_not_fit(groups: dict[str, list[str]], complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint):
        grouped(_RACES, groups)


@pytest.mark.parametrize(
    ("probabilities", "complaint"),
    [
        (np.ones((2, 3)) / 3, r"should be \(n, 2\), are \(2, 3\)"),
        (np.ones(2) / 2, r"should be \(n, 2\), are \(2,\)"),
        (np.ones((2, 2)), "do not sum to 1"),
    ],
)
def test_predictions_are_checked(probabilities: NDArray[np.float64], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Prediction("gender", ("Female", "Male"), probabilities.astype(np.float32))
