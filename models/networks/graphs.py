"""dlib's face networks as ONNX graphs, built in memory from their weights.

Both take pixels as the program keeps them, 0 to 255 and BGR. The change to RGB, the subtraction of
the mean and the division by 256 are folded into the first convolution (it has no padding, so this
is exact), the affine layers into the convolutions before them. The architectures are those of
dlib's `dnn_face_recognition_ex.cpp` and `dnn_mmod_face_detection_ex.cpp`.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from models.errors import ModelError
from models.networks.dlib_weights import Affine, Convolution, Dense, InputMean, Layer, read_layers

CHIP_SIZE = 150
"""Height and width of the aligned chip the embedder looks at, in pixels."""

_OPSET = 17
"""Version of ONNX's operators."""

_IR_VERSION = 9
"""Version of ONNX's file format; ONNX Runtime 1.16 and later read it."""

_CONVOLUTIONS = 1 + 2 * 14
"""Convolutions of the embedder: the first, then two in each residual block."""


def embedder_graph(weights: Path) -> bytes:
    """`chips (n, 150, 150, 3)` uint8 BGR → `embeddings (n, 128)` float32, as a serialized model.

    Raises:
        ModelError: the file does not hold dlib's face recognition network.
    """
    return serialized(weights, _embedder)


def detector_graph(weights: Path) -> bytes:
    """`canvas (n, 3, height, width)` float32 BGR → `scores (n, rows, columns)` float32.

    The score in row y and column x is of the 80×80 window centred on pixel (8x + 14, 8y + 14).

    Raises:
        ModelError: the file does not hold dlib's CNN face detector.
    """
    return serialized(weights, _detector)


def serialized(path: Path, build: Callable[[Sequence[Layer]], onnx.ModelProto]) -> bytes:
    """The model that is built from the layers in a file of dlib.

    Raises:
        ModelError: the layers are not those that are built from.
    """
    try:
        return build(read_layers(path)).SerializeToString()
    except (ValueError, IndexError, StopIteration) as error:
        raise ModelError(f"{path} does not hold the network its name promises: {error}") from error


def _embedder(layers: Sequence[Layer]) -> onnx.ModelProto:
    *convolutional, dense = layers
    if not isinstance(dense, Dense):
        raise ValueError("its last layer is not a dense one")
    convolutions = tuple(folded_convolutions(convolutional))
    if len(convolutions) != _CONVOLUTIONS:
        raise ValueError(f"expected {_CONVOLUTIONS} convolutions, found {len(convolutions)}")
    graph = Graph("chips", TensorProto.UINT8, ["n", CHIP_SIZE, CHIP_SIZE, 3])
    last = residual_stages(graph, chip_pixels(graph), convolutions)[-1]
    graph.node("MatMul", graph.mean(last), dense.weights)
    return graph.finish("embeddings", ["n", dense.weights.shape[1]])


def chip_pixels(graph: "Graph") -> "FeatureMap":
    """The input `chips` as a feature map: BGR, 0 to 255."""
    pixels = graph.node("Cast", "chips", to=TensorProto.FLOAT)
    return FeatureMap(graph.node("Transpose", pixels, perm=[0, 3, 1, 2]), 3, CHIP_SIZE)


def residual_stages(
    graph: "Graph", pixels: "FeatureMap", convolutions: Sequence[Convolution]
) -> list["FeatureMap"]:
    """The feature maps of the pixels before each downsampling, and those at the end."""
    first, *blocks = convolutions
    features = graph.relu(graph.convolve(pixels, first))
    features = graph.pool("MaxPool", features, 3)
    stages = []
    for pair in zip(blocks[::2], blocks[1::2], strict=True):
        if pair[0].stride != (1, 1):
            stages.append(features)
        features = _residual_block(graph, features, *pair)
    return [*stages, features]


def _residual_block(
    graph: "Graph", features: "FeatureMap", first: Convolution, second: Convolution
) -> "FeatureMap":
    """relu(input + two convolutions of it); where the summands' shapes differ, zeros fill up."""
    main = graph.convolve(graph.relu(graph.convolve(features, first)), second)
    shortcut = features if first.stride == (1, 1) else graph.pool("AveragePool", features, 2)
    channels, size = max(main.channels, shortcut.channels), max(main.size, shortcut.size)
    return graph.relu(
        graph.add(graph.pad(main, channels, size), graph.pad(shortcut, channels, size))
    )


def _detector(layers: Sequence[Layer]) -> onnx.ModelProto:
    *hidden, last = folded_convolutions(layers)
    graph = Graph("canvas", TensorProto.FLOAT, ["n", 3, "height", "width"])
    features = FeatureMap("canvas", 3, CHIP_SIZE)
    for convolution in hidden:
        features = graph.relu(graph.convolve(features, convolution))
    return graph.finish_scores(features.name, last)


def folded_convolutions(layers: Sequence[Layer]) -> Iterator[Convolution]:
    """The convolutions, with the mean before the first and the affine layers folded into them."""
    first = layers[0]
    if not isinstance(first, InputMean):
        raise ValueError("it does not begin with an input layer")
    mean: InputMean | None = first
    pending: Convolution | None = None
    for layer in layers[1:]:
        if isinstance(layer, Convolution):
            if pending is not None:
                yield pending
            pending = layer if mean is None else _of_pixels(layer, mean)
            mean = None
        elif isinstance(layer, Affine) and pending is not None:
            filters = pending.filters * layer.gamma[:, None, None, None]
            biases = pending.biases * layer.gamma + layer.beta
            yield Convolution(filters, biases, pending.stride, pending.padding)
            pending = None
        else:
            raise ValueError(f"unexpected {type(layer).__name__} layer")
    if pending is not None:
        yield pending


def _of_pixels(first: Convolution, mean: InputMean) -> Convolution:
    """The convolution of (RGB - mean) / 256 as one of BGR."""
    if first.padding != (0, 0):
        raise ValueError("its first convolution has padding")
    filters = first.filters / np.float32(256)
    biases = first.biases - np.einsum("oiyx,i->o", filters, mean.rgb)
    return Convolution(filters[:, ::-1], biases, first.stride, first.padding)


class FeatureMap(NamedTuple):
    """A result `(n, channels, size, size)`; the size is what an input of `CHIP_SIZE` leads to."""

    name: str
    channels: int
    size: int


class Graph:
    """A model as it is built: nodes in the order of their adding, and the constants they take.

    Args:
        name: of the input.
        element_type: of the input.
        shape: of the input.
        half_precision: constants of 32 bits are stored with 16, and widened where they are used.
    """

    def __init__(
        self,
        name: str,
        element_type: int,
        shape: Sequence[int | str],
        *,
        half_precision: bool = False,
    ) -> None:
        self._half_precision = half_precision
        # Built in place: put together from parts, the weights would be copied twice more.
        opset = helper.make_opsetid("", _OPSET)
        self._model = onnx.ModelProto(ir_version=_IR_VERSION, opset_import=[opset])
        self._graph = self._model.graph
        self._graph.name = "dlib"
        self._graph.input.append(helper.make_tensor_value_info(name, element_type, shape))

    def node(
        self, operator: str, *inputs: str | NDArray[np.generic], **attributes: int | Sequence[int]
    ) -> str:
        """A node fed with results, by their names, and constants; the name of its own result."""
        names = [each if isinstance(each, str) else self._constant(each) for each in inputs]
        output = f"{operator.lower()}_{len(self._graph.node)}"
        node = helper.make_node(operator, names, [output])
        node.attribute.extend(helper.make_attribute(*each) for each in attributes.items())
        self._graph.node.append(node)
        return output

    def convolve(self, features: FeatureMap, convolution: Convolution) -> FeatureMap:
        """The convolution of a feature map; filters of fewer channels than it has each see theirs
        alone."""
        (pad_y, pad_x), (inputs, rows, _) = convolution.padding, convolution.filters.shape[1:]
        groups = {} if inputs == features.channels else {"group": features.channels // inputs}
        name = self.node(
            "Conv",
            features.name,
            convolution.filters,
            convolution.biases,
            strides=convolution.stride,
            pads=[pad_y, pad_x, pad_y, pad_x],
            **groups,
        )
        size = (features.size + 2 * pad_y - rows) // convolution.stride[0] + 1
        return FeatureMap(name, len(convolution.filters), size)

    def relu(self, features: FeatureMap) -> FeatureMap:
        """The same feature map with everything under 0 set to 0."""
        return features._replace(name=self.node("Relu", features.name))

    def mean(self, features: FeatureMap) -> str:
        """The mean of each channel, `(n, channels)`."""
        return self.node("Flatten", self.node("GlobalAveragePool", features.name))

    def pool(self, operator: str, features: FeatureMap, window: int) -> FeatureMap:
        """Every second window of that size."""
        name = self.node(operator, features.name, kernel_shape=[window, window], strides=[2, 2])
        return features._replace(name=name, size=(features.size - window) // 2 + 1)

    def add(self, first: FeatureMap, second: FeatureMap) -> FeatureMap:
        """The sum of two feature maps of one shape."""
        return first._replace(name=self.node("Add", first.name, second.name))

    def pad(self, features: FeatureMap, channels: int, size: int) -> FeatureMap:
        """That many channels and pixels; the new ones, the last, lowest and rightmost, are 0."""
        more, pixels = channels - features.channels, size - features.size
        if not (more or pixels):
            return features
        pads = np.array([0, 0, 0, 0, 0, more, pixels, pixels], dtype=np.int64)
        return FeatureMap(self.node("Pad", features.name, pads), channels, size)

    def finish_scores(self, features: str, last: Convolution) -> onnx.ModelProto:
        """The detector, whose last layer gives a single channel.

        As a transposed convolution, with its filter flipped, it gives the same sums in a
        tenth of the time: ONNX Runtime makes it one product of matrices.
        """
        flipped = last.filters[:, :, ::-1, ::-1].swapaxes(0, 1)
        rows, columns = flipped.shape[2:]
        (pad_y, pad_x) = rows - 1 - last.padding[0], columns - 1 - last.padding[1]
        pads = [pad_y, pad_x, pad_y, pad_x]
        scores = self.node("ConvTranspose", features, flipped, last.biases, pads=pads)
        self.node("Squeeze", scores, np.array([1], dtype=np.int64))
        return self.finish("scores", ["n", "rows", "columns"])

    def finish(self, name: str, shape: Sequence[int | str]) -> onnx.ModelProto:
        """The model whose output is the result of the last node."""
        self._graph.node[-1].output[0] = name
        self._graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return self._model

    def _constant(self, array: NDArray[np.generic]) -> str:
        """The name of a constant; one of half precision is widened first."""
        is_halved = self._half_precision and array.dtype == np.float32
        array = array.astype(np.float16) if is_halved else array
        tensor = self._graph.initializer.add()
        tensor.name = f"constant_{len(self._graph.initializer)}"
        tensor.data_type = helper.np_dtype_to_tensor_dtype(array.dtype)
        tensor.dims.extend(array.shape)
        tensor.raw_data = array.tobytes()
        return self.node("Cast", tensor.name, to=TensorProto.FLOAT) if is_halved else tensor.name
