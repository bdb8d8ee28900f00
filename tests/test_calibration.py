"""How sure a head may be of a view: the formula, the file, and the classifier that applies it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.classification.bundle import (
    CARD_FILE,
    Bundle,
    EmbedderSpec,
    HeadSpec,
    Manifest,
    load_bundle,
    save_bundle,
)
from models.classification.calibration import (
    CALIBRATION_FILE,
    INVERSE_TEMPERATURE_BOUNDS,
    AttributeCalibration,
    Calibration,
    quality_terms,
)
from models.classification.classifier import Classifier
from models.classification.view_quality import ViewQuality
from models.digests import content_digest
from models.errors import ModelError

_CLASSES = {"gender": ("Female", "Male"), "age": ("child", "adult")}
_GENDER = np.array([[0.8, 0.2]] * 3, dtype=np.float32)
_AGE = np.array([[1, 0], [0, 1], [0.5, 0.5]], dtype=np.float32)


def _views(width_px: float = 100, sharpness: float = 0.65, count: int = 3) -> ViewQuality:
    return ViewQuality(*np.full((2, count), ((width_px,), (sharpness,)), dtype=np.float32))


def _calibrated(
    own: AttributeCalibration, quality: ViewQuality | None = None
) -> NDArray[np.float32]:
    calibration = Calibration(attributes={"gender": own})
    probabilities = {"gender": _GENDER, "age": _AGE}
    return calibration.calibrate("gender", probabilities, _CLASSES, quality or _views())


def _expected(inverse: float) -> float:
    """softmax(inverse · log p) of 0.8 and 0.2."""
    return float(0.8**inverse / (0.8**inverse + 0.2**inverse))


def test_a_view_as_good_as_can_be_is_left_as_the_head_gives_it() -> None:
    own = AttributeCalibration(width=0.5, sharpness=0.5)
    for quality in (_views(), _views(width_px=300), ViewQuality.unknown(3)):
        np.testing.assert_allclose(_calibrated(own, quality), _GENDER, atol=1e-6)


@pytest.mark.parametrize(
    ("quality", "octaves"),
    [(_views(50), 1), (_views(25), 2), (_views(1), 4), (_views(0), 4), (_views(50, 0.325), 1.5)],
)
def test_a_narrow_or_blurred_face_is_less_sure(quality: ViewQuality, octaves: float) -> None:
    own = AttributeCalibration(width=0.3, sharpness=0.15)
    np.testing.assert_allclose(
        _calibrated(own, quality)[:, 0], _expected(2 ** (-0.3 * octaves / np.log(2))), atol=1e-5
    )


def test_what_else_a_face_looks_like_counts_by_its_probability() -> None:
    own = AttributeCalibration(constant=0.1, apparent={"age": {"child": -0.5}})
    found = _calibrated(own)[:, 0]
    expected = [_expected(np.exp(exponent)) for exponent in (-0.4, 0.1, -0.15)]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_no_view_makes_certain_or_says_nothing_and_the_likeliest_stays() -> None:
    for constant, bound in zip((-9, 9), INVERSE_TEMPERATURE_BOUNDS, strict=True):
        found = _calibrated(AttributeCalibration(constant=constant))
        np.testing.assert_allclose(found[:, 0], _expected(bound), atol=1e-6)
        assert (found[:, 0] > found[:, 1]).all()
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)


def test_no_views_have_no_terms() -> None:
    assert quality_terms(ViewQuality.unknown(0)).shape == (0, 3)


def test_what_was_written_is_read_again() -> None:
    own = AttributeCalibration(constant=0.25, apparent={"age": {"child": -0.5, "adult": 0.0}})
    made = Calibration(attributes={"gender": own}, record={"faces": 3000})
    assert Calibration.from_bytes(made.to_bytes(), _CLASSES) == made


def _edited(**changes: Any) -> bytes:
    """A whole file with other content, and the digest of that."""
    made = Calibration(attributes={"gender": AttributeCalibration(width=0.1)})
    content = json.loads(made.to_bytes()) | changes
    content["digest"] = content_digest(content)
    return json.dumps(content).encode()


def _of_gender(**coefficients: Any) -> bytes:
    return _edited(attributes={"gender": coefficients})


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"\x80\x04\x95pickled", "is not read"),
        (b"[" * 100_000, "nested too deep"),
        (b"[1]", "it is no object"),
        (b"1" * 300_000, "larger than 256 kB"),
        (_edited(format_version=2), "its format version is 2, this program reads 1"),
        (_edited().replace(b"0.1", b"0.2"), "it was changed since it was made"),
        (_edited(colour="red"), "colour: Extra inputs are not permitted"),
        (_edited(attributes={"race": {}}), "it names 'race', which is no attribute of the model"),
        (_of_gender(width="wide"), "attributes.gender.width: Input should be a valid number"),
        (_of_gender(width=1e9), "attributes.gender.width: Input should be less than or equal"),
        (_of_gender(apparent={"hat": {}}), "it names 'hat', which is no attribute"),
        (_of_gender(apparent={"age": {"old": 1.0}}), "it names 'old', which is no class of 'age'"),
        (_of_gender(apparent={"age": {"child": 1e9}}), "a coefficient of 'age' is out of bounds"),
        (_edited().replace(b"0.1", b"NaN"), "is not read"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_one_line(data: bytes, complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint) as caught:
        Calibration.from_bytes(data, _CLASSES)
    assert CALIBRATION_FILE in str(caught.value) and "\n" not in str(caught.value)


def _head(column: int) -> bytes:
    """Probabilities that are the softmax of a number of the embedding and its opposite."""
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2])
        for name in ("embeddings", "probabilities")
    ]
    weights = np.zeros((2, 2), dtype=np.float32)
    weights[column] = 1, -1
    nodes = [
        helper.make_node("MatMul", ["embeddings", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    constant = numpy_helper.from_array(weights, "weights")
    graph = helper.make_graph(nodes, "head", ends[:1], ends[1:], [constant])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


def _saved(folder: Path, calibration: bytes | None) -> Bundle:
    manifest = Manifest(
        embedder=EmbedderSpec(name="test", dimensions=2, chip_size=150),
        attributes=tuple(
            HeadSpec(attribute=name, classes=classes, file=f"{name}.onnx")
            for name, classes in _CLASSES.items()
        ),
        calibration=None if calibration is None else CALIBRATION_FILE,
    )
    files = {CARD_FILE: b"card", "gender.onnx": _head(0), "age.onnx": _head(1)}
    save_bundle(folder, manifest, files | ({CALIBRATION_FILE: calibration} if calibration else {}))
    return load_bundle(folder)


def test_the_classifier_of_a_folder_with_a_calibration_applies_it(tmp_path: Path) -> None:
    """Also where the attribute that it depends on is not asked for."""
    own = AttributeCalibration(width=0.4, apparent={"age": {"child": -0.3}})
    calibrated = Classifier(
        _saved(tmp_path / "m", Calibration(attributes={"gender": own}).to_bytes())
    )
    plain = Classifier(_saved(tmp_path / "plain", None))
    embeddings = np.array([[0.7, 2.0], [-0.4, -2.0]], dtype=np.float32)
    before = {each.attribute: each.probabilities for each in plain.predict(embeddings)}
    (found,) = calibrated.predict(embeddings, ["gender"], _views(25, count=2))
    inverse = np.exp(-0.8 - 0.3 * before["age"][:, 0])[:, None]
    powers = before["gender"] ** inverse
    expected = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-5)
    (age,) = calibrated.predict(embeddings, ["age"], _views(25, count=2))
    np.testing.assert_array_equal(age.probabilities, before["age"])
    assert calibrated.predict(embeddings[:0])[0].probabilities.shape == (0, 2)


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-9], lambda data: data.replace(b"0.4", b"4")]
)
def test_a_damaged_calibration_is_refused_with_its_folder(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    made = Calibration(attributes={"gender": AttributeCalibration(width=0.4)}).to_bytes()
    with pytest.raises(ModelError, match=r"damaged: calibration.json is not read"):
        Classifier(_saved(tmp_path / "damaged", damage(made)))
