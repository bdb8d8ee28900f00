"""A reader of dlib's serialized networks.

`face_recognition_models` carries them as `.dat` files (public domain, CC0). dlib writes a network
from its input to its output, each layer introduced by its name; between the layers stand only
bookkeeping numbers. So the file is scanned for the names of the layers that hold weights, and each
is parsed from there. The formats are those of dlib's `dnn/layers.h`, `dnn/input.h` and
`serialize.h`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError

EMBEDDER_FILE = "dlib_face_recognition_resnet_model_v1.dat"
"""Name of the file of dlib's face recognition network."""

DETECTOR_FILE = "mmod_human_face_detector.dat"
"""Name of the file of dlib's CNN face detector."""

LANDMARKS_FILE = "shape_predictor_5_face_landmarks.dat"
"""Name of the file of dlib's five-point shape predictor."""


@dataclass(frozen=True, slots=True, eq=False)
class InputMean:
    """The mean subtracted from an RGB pixel before it is divided by 256: `rgb (3,)`."""

    rgb: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """`filters (out, in, rows, columns)`, `biases (out,)`; stride and padding are (y, x)."""

    filters: NDArray[np.float32]
    biases: NDArray[np.float32]
    stride: tuple[int, int]
    padding: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """Per channel `gamma * x + beta`, each `(channels,)`; batch normalisation is folded into it."""

    gamma: NDArray[np.float32]
    beta: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """A product without bias: `weights (inputs, outputs)`."""

    weights: NDArray[np.float32]


Layer = InputMean | Convolution | Affine | Dense
"""A layer that holds weights, as a file is read."""


def installed_file(name: str) -> Path:
    """The path of a model that the package `face_recognition_models` installed.

    The package itself is not imported: it asks for `pkg_resources`, which new installations lack.
    """
    spec = find_spec("face_recognition_models")
    if spec is None or spec.origin is None:
        raise ModelError(
            "the package face_recognition_models is not installed: install it with pip"
        )
    path = Path(spec.origin).parent / "models" / name
    if not path.is_file():
        raise ModelError(f"{path} is missing: install face_recognition_models again")
    return path


def read_layers(path: Path) -> tuple[Layer, ...]:
    """The layers of a network that hold weights, from input to output.

    Raises:
        ModelError: the file cannot be read, or ends in the middle of a layer.
    """
    try:
        reader = _Reader(path.read_bytes())
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from error
    layers: list[Layer] = []
    try:
        while (name := reader.seek_layer()) is not None:
            layers.append(_PARSERS[name](reader))
    except (ValueError, OverflowError) as error:
        raise ModelError(f"{path} is not a complete dlib network: {error}") from error
    return tuple(layers)


class _Reader:
    """A cursor over dlib's serialization."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def seek_layer(self) -> bytes | None:
        """Moves behind the next name of a layer with weights and returns that name."""
        found = _LAYER_NAMES.search(self._data, self._at)
        if found is None:
            return None
        self._at = found.end()
        return found[0][2:]

    def integer(self) -> int:
        """A head byte (how many bytes follow; 0x80 is the sign), then little-endian bytes."""
        head = self._take(1)[0]
        value = int.from_bytes(self._take(head & 0x0F), "little")
        return -value if head & 0x80 else value

    def integers(self, count: int) -> tuple[int, ...]:
        """So many integers."""
        return tuple(self.integer() for _ in range(count))

    def float(self) -> float:
        """A mantissa and a binary exponent, both integers."""
        mantissa, exponent = self.integers(2)
        return mantissa * 2.0**exponent

    def skip_floats(self, count: int) -> None:
        """Moves behind so many floats."""
        for _ in range(count):
            self.float()

    def tensor(self) -> NDArray[np.float32]:
        """A version, four sizes, and the values as little-endian floats."""
        version, n, k, rows, columns = self.integers(5)
        if version != 2:
            raise ValueError(f"expected tensor version 2, found {version}")
        data = np.frombuffer(self._take(4 * n * k * rows * columns), dtype="<f4")
        return data.astype(np.float32, copy=False).reshape(n, k, rows, columns)

    def skip_alias_tensors(self, count: int) -> None:
        """Aliases say how a tensor of parameters is divided, which the layer's kind says too."""
        for _ in range(count):
            version, *_ = self.integers(5)
            if version != 1:
                raise ValueError(f"expected alias tensor version 1, found {version}")

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) != count:
            raise ValueError(f"{count} bytes expected at {self._at}, found {len(taken)}")
        self._at += count
        return taken


def _input(reader: _Reader) -> InputMean:
    return InputMean(np.array([reader.float() for _ in range(3)], dtype=np.float32))


def _convolution(reader: _Reader) -> Convolution:
    parameters = reader.tensor().ravel()
    count, rows, columns, stride_y, stride_x, padding_y, padding_x = reader.integers(7)
    reader.skip_alias_tensors(2)
    reader.skip_floats(4)  # learning rate and weight decay multipliers
    return Convolution(
        filters=parameters[:-count].reshape(count, -1, rows, columns),
        biases=parameters[-count:],
        stride=(stride_y, stride_x),
        padding=(padding_y, padding_x),
    )


def _affine(reader: _Reader) -> Affine:
    gamma, beta = np.split(reader.tensor().ravel(), 2)
    reader.skip_alias_tensors(2)
    reader.integer()  # mode: per channel or per value
    return Affine(gamma, beta)


def _batch_normalisation(reader: _Reader) -> Affine:
    gamma, beta = np.split(reader.tensor().ravel(), 2)
    reader.skip_alias_tensors(2)
    reader.tensor()  # means of the last batch
    reader.tensor()  # inverse deviations of the last batch
    means = reader.tensor().ravel()
    variances = reader.tensor().ravel()
    reader.integers(2)  # number of updates, window
    reader.skip_floats(4)  # learning rate and weight decay multipliers
    scale = gamma / np.sqrt(variances + np.float32(reader.float()))
    return Affine(scale, beta - scale * means)


def _dense(reader: _Reader) -> Dense:
    reader.integers(2)  # number of outputs and inputs: the tensor's own shape says it
    parameters = reader.tensor()
    return Dense(parameters.reshape(parameters.shape[0], -1))


_PARSERS: dict[bytes, Callable[[_Reader], Layer]] = {
    b"input_rgb_image_sized": _input,
    b"input_rgb_image_pyramid": _input,
    b"con_4": _convolution,
    b"affine_": _affine,
    b"bn_con2": _batch_normalisation,
    b"fc_2": _dense,
}
"""By the name of a layer with weights, what parses it."""

_LAYER_NAMES = re.compile(b"|".join(bytes((1, len(name))) + re.escape(name) for name in _PARSERS))
"""Pattern of the name of a layer with weights as dlib's `serialize.h` writes it: its length as an
integer (here of one byte), then its bytes."""
