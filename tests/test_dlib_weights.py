"""dlib's files: one written here byte by byte, damaged ones, and those that are installed."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.errors import ModelError
from models.networks.dlib_weights import (
    DETECTOR_FILE,
    EMBEDDER_FILE,
    LANDMARKS_FILE,
    Affine,
    Convolution,
    Dense,
    InputMean,
    installed_file,
    read_layers,
)


def _integer(value: int) -> bytes:
    data = abs(value).to_bytes((abs(value).bit_length() + 7) // 8, "little")
    return bytes([len(data) | (0x80 if value < 0 else 0)]) + data


def _integers(*values: int) -> bytes:
    return b"".join(map(_integer, values))


def _string(text: str) -> bytes:
    return _integer(len(text)) + text.encode()


def _float(mantissa: int, exponent: int) -> bytes:
    return _integers(mantissa, exponent)


def _tensor(values: NDArray[np.float32], version: int = 2) -> bytes:
    n, k, rows, columns = (*values.shape, *(1,) * (4 - values.ndim))
    return _integers(version, n, k, rows, columns) + values.astype("<f4").tobytes()


def _alias(*shape: int) -> bytes:
    return _integers(1, *shape)


_LEARNING = _float(1, 0) * 4
_FILTERS = np.arange(2 * 3 * 3 * 2, dtype=np.float32).reshape(2, 3, 3, 2) - 7
_BIASES = np.array([0.5, -300], dtype=np.float32)
_GAMMA = np.array([2, 3], dtype=np.float32)
_BETA = np.array([1, -1], dtype=np.float32)
_MEANS = np.array([10, 20], dtype=np.float32)
_VARIANCES = np.array([4 - 2**-10, 16 - 2**-10], dtype=np.float32)
_WEIGHTS = np.arange(8, dtype=np.float32).reshape(2, 4)

_INPUT = _string("input_rgb_image_sized") + _float(5, 2) + _float(-7, -1) + _float(0, 0)
_CONVOLUTION = b"".join(
    [
        _string("con_4"),
        _tensor(np.concatenate([_FILTERS.ravel(), _BIASES])),
        _integers(2, 3, 2, 2, 1, 0, 300),
        _alias(2, 3, 3, 2),
        _alias(1, 2, 1, 1),
        _LEARNING,
    ]
)
_PARAMETERS = _tensor(np.concatenate([_GAMMA, _BETA]))
_AFFINE = _string("affine_") + _PARAMETERS + _alias(1, 2, 1, 1) * 2 + _integer(0)
_NORMALISATION = b"".join(
    [
        _string("bn_con2"),
        _PARAMETERS,
        _alias(1, 2, 1, 1) * 2,
        _tensor(_MEANS + 1),
        _tensor(_VARIANCES + 1),
        _tensor(_MEANS),
        _tensor(_VARIANCES),
        _integers(100, 100),
        _LEARNING,
        _float(1, -10),
    ]
)
_DENSE = b"".join(
    [_string("fc_2"), _integers(4, 2), _tensor(_WEIGHTS), _alias(2, 4, 1, 1), _integers(0, 1)]
)
_NETWORK = b"".join(
    [_integers(1, 6), _INPUT, _string("relu_"), _CONVOLUTION, _AFFINE, _NORMALISATION, _DENSE]
)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "network.dat"
    path.write_bytes(_NETWORK)
    return path


def test_every_kind_of_layer(network: Path) -> None:
    mean, convolution, affine, normalisation, dense = read_layers(network)
    assert isinstance(mean, InputMean)
    assert mean.rgb.tolist() == [20, -3.5, 0]
    assert isinstance(convolution, Convolution)
    np.testing.assert_array_equal(convolution.filters, _FILTERS)
    np.testing.assert_array_equal(convolution.biases, _BIASES)
    assert (convolution.stride, convolution.padding) == ((2, 1), (0, 300))
    assert isinstance(affine, Affine)
    np.testing.assert_array_equal([affine.gamma, affine.beta], [_GAMMA, _BETA])
    assert isinstance(normalisation, Affine)
    # gamma / sqrt(variance + eps) is 2 / 2 and 3 / 4.
    np.testing.assert_allclose(normalisation.gamma, [1, 0.75], rtol=1e-6)
    np.testing.assert_allclose(normalisation.beta, [1 - 10, -1 - 15], rtol=1e-6)
    assert isinstance(dense, Dense)
    np.testing.assert_array_equal(dense.weights, _WEIGHTS)


@pytest.mark.parametrize(
    "part",
    [_CONVOLUTION, _AFFINE, _NORMALISATION, _DENSE],
    ids=["convolution", "affine", "normalisation", "dense"],
)
@pytest.mark.parametrize("share", [0.3, 0.6])
def test_a_file_that_ends_in_a_layer(tmp_path: Path, part: bytes, share: float) -> None:
    path = tmp_path / "cut.dat"
    path.write_bytes(_INPUT + part[: int(len(part) * share)])
    with pytest.raises(ModelError, match=r"cut\.dat is not a complete dlib network: \d+ bytes"):
        read_layers(path)


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        (_PARAMETERS, _tensor(np.zeros(4, np.float32), 3), "expected tensor version 2, found 3"),
        (_alias(1, 2, 1, 1), _integers(9, 1, 2, 1, 1), "expected alias tensor version 1, found 9"),
    ],
)
def test_another_version_is_refused(
    network: Path, right: bytes, wrong: bytes, complaint: str
) -> None:
    network.write_bytes(_NETWORK.replace(right, wrong, 1))
    with pytest.raises(ModelError, match=complaint):
        read_layers(network)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (_integers(2, 2, 1, 1, 1), _integers(2, 2, -200, 1, 1)),
        (_float(1, -10), _float(1, 10_000)),
    ],
    ids=["negative size", "huge number"],
)
def test_numbers_that_cannot_be(tmp_path: Path, right: bytes, wrong: bytes) -> None:
    path = tmp_path / "changed.dat"
    changed = _NORMALISATION.replace(right, wrong, 1)
    assert changed != _NORMALISATION
    path.write_bytes(_INPUT + changed)
    with pytest.raises(ModelError, match="is not a complete dlib network"):
        read_layers(path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot read .*missing\.dat: No such file"):
        read_layers(tmp_path / "missing.dat")


def test_a_file_that_is_not_installed() -> None:
    with pytest.raises(ModelError, match=r"other\.dat is missing: install face_recognition_models"):
        installed_file("other.dat")
    assert installed_file(LANDMARKS_FILE).is_file()


def test_the_installed_embedder() -> None:
    mean, *hidden, dense = read_layers(installed_file(EMBEDDER_FILE))
    assert isinstance(mean, InputMean) and isinstance(dense, Dense)
    np.testing.assert_allclose(mean.rgb, [122.782, 117.001, 104.298], rtol=1e-5)
    assert dense.weights.shape == (256, 128)
    convolutions = [each for each in hidden if isinstance(each, Convolution)]
    assert len(convolutions) == len(hidden) / 2 == 29  # each has an affine layer behind it
    assert convolutions[0].filters.shape == (32, 3, 7, 7)
    assert {each.filters.shape[2:] for each in convolutions[1:]} == {(3, 3)}
    assert convolutions[-1].filters.shape[0] == 256
    assert {(each.stride, each.padding) for each in convolutions} == {
        ((1, 1), (1, 1)),
        ((2, 2), (0, 0)),
    }


def test_the_installed_detector() -> None:
    mean, *hidden = read_layers(installed_file(DETECTOR_FILE))
    assert isinstance(mean, InputMean)
    convolutions = [each for each in hidden if isinstance(each, Convolution)]
    assert [each.filters.shape[0] for each in convolutions] == [16, 32, 32, 45, 45, 45, 1]
    assert [each.stride[0] for each in convolutions] == [2, 2, 2, 1, 1, 1, 1]
    assert len(hidden) == 2 * len(convolutions) - 1  # the last one has no normalisation
