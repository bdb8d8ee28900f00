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

from models.dlib_weights import Affine, Convolution, Dense, InputMean, Layer, read_layers
from models.errors import ModelError

CHIP_SIZE = 150
"""Height and width of the aligned chip the embedder looks at, in pixels."""

_OPSET = 17
_IR_VERSION = 9  # what ONNX Runtime 1.16 and later read
_CONVOLUTIONS = 1 + 2 * 14  # the first, then two in each residual block


def embedder_graph(weights: Path) -> bytes:
    """`chips (n, 150, 150, 3)` uint8 BGR → `embeddings (n, 128)` float32, as a serialized model.

    Raises:
        ModelError: the file does not hold dlib's face recognition network.
    """
    return _build(weights, _embedder)


def detector_graph(weights: Path) -> bytes:
    """`canvas (n, 3, height, width)` float32 BGR → `scores (n, rows, columns)` float32.

    The score in row y and column x is of the 80×80 window centred on pixel (8x + 14, 8y + 14).

    Raises:
        ModelError: the file does not hold dlib's CNN face detector.
    """
    return _build(weights, _detector)


def _build(path: Path, build: Callable[[Sequence[Layer]], onnx.ModelProto]) -> bytes:
    try:
        return build(read_layers(path)).SerializeToString()
    except (ValueError, IndexError, StopIteration) as error:
        raise ModelError(f"{path} does not hold the network its name promises: {error}") from error


def _embedder(layers: Sequence[Layer]) -> onnx.ModelProto:
    *convolutional, dense = layers
    if not isinstance(dense, Dense):
        raise ValueError("its last layer is not a dense one")
    convolutions = tuple(folded(convolutional))
    if len(convolutions) != _CONVOLUTIONS:
        raise ValueError(f"expected {_CONVOLUTIONS} convolutions, found {len(convolutions)}")
    graph = Graph("chips", TensorProto.UINT8, ["n", CHIP_SIZE, CHIP_SIZE, 3])
    last = convolved_chips(graph, convolutions)[-1]
    graph.node("MatMul", graph.mean(last), dense.weights)
    return graph.finish("embeddings", ["n", dense.weights.shape[1]])


def convolved_chips(graph: "Graph", convolutions: Sequence[Convolution]) -> list["Planes"]:
    """What the network sees in `chips`: the planes before each halving, and those at the end."""
    first, *blocks = convolutions
    pixels = graph.node("Cast", "chips", to=TensorProto.FLOAT)
    planes = Planes(graph.node("Transpose", pixels, perm=[0, 3, 1, 2]), 3, CHIP_SIZE)
    planes = graph.relu(graph.convolve(planes, first))
    planes = graph.pool("MaxPool", planes, 3)
    stages = []
    for pair in zip(blocks[::2], blocks[1::2], strict=True):
        if pair[0].stride != (1, 1):
            stages.append(planes)
        planes = _residual_block(graph, planes, *pair)
    return [*stages, planes]


def _residual_block(
    graph: "Graph", planes: "Planes", first: Convolution, second: Convolution
) -> "Planes":
    """relu(input + two convolutions of it); where the summands' shapes differ, zeros fill up."""
    main = graph.convolve(graph.relu(graph.convolve(planes, first)), second)
    shortcut = planes if first.stride == (1, 1) else graph.pool("AveragePool", planes, 2)
    channels, size = max(main.channels, shortcut.channels), max(main.size, shortcut.size)
    return graph.relu(
        graph.total(graph.pad(main, channels, size), graph.pad(shortcut, channels, size))
    )


def _detector(layers: Sequence[Layer]) -> onnx.ModelProto:
    *hidden, last = folded(layers)
    graph = Graph("canvas", TensorProto.FLOAT, ["n", 3, "height", "width"])
    planes = Planes("canvas", 3, CHIP_SIZE)
    for convolution in hidden:
        planes = graph.relu(graph.convolve(planes, convolution))
    return graph.finish_scores(planes.name, last)


def folded(layers: Sequence[Layer]) -> Iterator[Convolution]:
    """The convolutions; the mean before the first and the affine layers are folded in."""
    first = layers[0]
    if not isinstance(first, InputMean):
        raise ValueError("it does not begin with an input layer")
    mean: InputMean | None = first
    pending: Convolution | None = None
    for layer in layers[1:]:
        if isinstance(layer, Convolution):
            if pending is not None:
                yield pending
            pending = layer if mean is None else _take_pixels(layer, mean)
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


def _take_pixels(first: Convolution, mean: InputMean) -> Convolution:
    """The convolution of (RGB - mean) / 256 as one of BGR."""
    if first.padding != (0, 0):
        raise ValueError("its first convolution has padding")
    filters = first.filters / np.float32(256)
    biases = first.biases - np.einsum("oiyx,i->o", filters, mean.rgb)
    return Convolution(filters[:, ::-1], biases, first.stride, first.padding)


class Planes(NamedTuple):
    """A result `(n, channels, size, size)`; the size is what an input of CHIP_SIZE leads to."""

    name: str
    channels: int
    size: int


class Graph:
    """A model as it is built: nodes in the order of their adding, and the constants they take.

    Args:
        name: of the input.
        element_type: of the input.
        shape: of the input.
        halved: constants of 32 bits are stored with 16, and widened where they are used.
    """

    def __init__(
        self, name: str, element_type: int, shape: Sequence[int | str], *, halved: bool = False
    ) -> None:
        self._halved = halved
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

    def convolve(self, planes: Planes, convolution: Convolution) -> Planes:
        (pad_y, pad_x), (rows, _) = convolution.padding, convolution.filters.shape[2:]
        name = self.node(
            "Conv",
            planes.name,
            convolution.filters,
            convolution.biases,
            strides=convolution.stride,
            pads=[pad_y, pad_x, pad_y, pad_x],
        )
        size = (planes.size + 2 * pad_y - rows) // convolution.stride[0] + 1
        return Planes(name, len(convolution.filters), size)

    def relu(self, planes: Planes) -> Planes:
        return planes._replace(name=self.node("Relu", planes.name))

    def mean(self, planes: Planes) -> str:
        """The mean of each plane, `(n, channels)`."""
        return self.node("Flatten", self.node("GlobalAveragePool", planes.name))

    def pool(self, operator: str, planes: Planes, window: int) -> Planes:
        """Every second window of that size."""
        name = self.node(operator, planes.name, kernel_shape=[window, window], strides=[2, 2])
        return planes._replace(name=name, size=(planes.size - window) // 2 + 1)

    def total(self, first: Planes, second: Planes) -> Planes:
        return first._replace(name=self.node("Add", first.name, second.name))

    def pad(self, planes: Planes, channels: int, size: int) -> Planes:
        """That many channels and pixels; the new ones, the last, lowest and rightmost, are 0."""
        more, pixels = channels - planes.channels, size - planes.size
        if not (more or pixels):
            return planes
        pads = np.array([0, 0, 0, 0, 0, more, pixels, pixels], dtype=np.int64)
        return Planes(self.node("Pad", planes.name, pads), channels, size)

    def finish_scores(self, planes: str, last: Convolution) -> onnx.ModelProto:
        """The detector, whose last layer gives a single plane.

        As a transposed convolution, with its filter turned around, it gives the same sums in a
        tenth of the time: ONNX Runtime makes it one product of matrices.
        """
        turned = last.filters[:, :, ::-1, ::-1].swapaxes(0, 1)
        rows, columns = turned.shape[2:]
        (pad_y, pad_x) = rows - 1 - last.padding[0], columns - 1 - last.padding[1]
        pads = [pad_y, pad_x, pad_y, pad_x]
        scores = self.node("ConvTranspose", planes, turned, last.biases, pads=pads)
        self.node("Squeeze", scores, np.array([1], dtype=np.int64))
        return self.finish("scores", ["n", "rows", "columns"])

    def finish(self, name: str, shape: Sequence[int | str]) -> onnx.ModelProto:
        """The model whose output is the result of the last node."""
        self._graph.node[-1].output[0] = name
        self._graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return self._model

    def _constant(self, array: NDArray[np.generic]) -> str:
        halved = self._halved and array.dtype == np.float32
        array = array.astype(np.float16) if halved else array
        tensor = self._graph.initializer.add()
        tensor.name = f"constant_{len(self._graph.initializer)}"
        tensor.data_type = helper.np_dtype_to_tensor_dtype(array.dtype)
        tensor.dims.extend(array.shape)
        tensor.raw_data = array.tobytes()
        return self.node("Cast", tensor.name, to=TensorProto.FLOAT) if halved else tensor.name
