"""dlib's face networks as ONNX graphs, built in memory from their weights.

Both take `uint8` pixels in the order the program keeps them in, (n, height, width, BGR). The
change to RGB, the subtraction of the mean and the division by 256 are folded into the first
convolution (it has no padding, so this is exact), the affine layers into the convolutions before
them. The architectures are those of dlib's `dnn_face_recognition_ex.cpp` and
`dnn_mmod_face_detection_ex.cpp`.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.dlib_weights import Affine, Convolution, Dense, InputMean, Layer, read_layers
from models.errors import ModelError

CHIP_SIZE = 150
"""Height and width of the aligned chip the embedder looks at, in pixels."""

_OPSET = 17
_IR_VERSION = 9  # what ONNX Runtime 1.16 and later read
_RESIDUAL_BLOCKS = 14


def embedder_graph(weights: Path) -> bytes:
    """`chips (n, 150, 150, 3)` uint8 BGR → `embeddings (n, 128)` float32, as a serialized model.

    Raises:
        ModelError: the file does not hold dlib's face recognition network.
    """
    return _build(weights, _embedder)


def detector_graph(weights: Path) -> bytes:
    """`canvas (n, height, width, 3)` uint8 BGR → `scores (n, rows, columns)` float32.

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
    convolutions = _folded(convolutional)
    graph = _Graph("chips", ["n", CHIP_SIZE, CHIP_SIZE, 3])
    graph.convolve(next(convolutions))
    graph.add("Relu")
    graph.add("MaxPool", kernel_shape=[3, 3], strides=[2, 2])
    for _ in range(_RESIDUAL_BLOCKS):
        _residual_block(graph, next(convolutions), next(convolutions))
    graph.add("GlobalAveragePool")
    graph.add("Flatten")
    graph.add("MatMul", dense.weights)
    return graph.finish("embeddings", ["n", dense.weights.shape[1]])


def _residual_block(graph: "_Graph", first: Convolution, second: Convolution) -> None:
    """relu(input + two convolutions of it); where the summands' shapes differ, zeros fill up."""
    shortcut, channels, size = graph.output, graph.channels, graph.size
    graph.convolve(first)
    graph.add("Relu")
    graph.convolve(second)
    if first.stride != (1, 1):
        main = graph.output
        graph.output = shortcut
        graph.add("AveragePool", kernel_shape=[2, 2], strides=[2, 2])
        pooled = (size - 2) // 2 + 1
        target = max(pooled, graph.size)
        shortcut = graph.pad(graph.output, graph.channels - channels, target - pooled)
        graph.output = graph.pad(main, 0, target - graph.size)
        graph.size = target
    graph.add("Add", shortcut)
    graph.add("Relu")


def _detector(layers: Sequence[Layer]) -> onnx.ModelProto:
    *hidden, last = _folded(layers)
    graph = _Graph("canvas", ["n", "height", "width", 3])
    for convolution in hidden:
        graph.convolve(convolution)
        graph.add("Relu")
    graph.convolve(last)
    graph.add("Squeeze", np.array([1], dtype=np.int64))
    return graph.finish("scores", ["n", "rows", "columns"])


def _folded(layers: Sequence[Layer]) -> Iterator[Convolution]:
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


class _Graph:
    """A chain of nodes; `output` is the name of the last one's result."""

    def __init__(self, name: str, shape: Sequence[int | str]) -> None:
        self._input = helper.make_tensor_value_info(name, TensorProto.UINT8, shape)
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self.output = name
        self.channels = 3
        self.size = CHIP_SIZE  # of the embedder's planes; the detector's may have any
        self.add("Cast", to=TensorProto.FLOAT)
        self.add("Transpose", perm=[0, 3, 1, 2])

    def add(
        self, operator: str, *others: str | NDArray[np.generic], **attributes: int | Sequence[int]
    ) -> None:
        """A node fed with the last result and the others, which become constants if arrays."""
        names = [other if isinstance(other, str) else self._constant(other) for other in others]
        self._append(operator, [self.output, *names], attributes)
        if operator == "MaxPool":
            self.size = (self.size - 3) // 2 + 1

    def convolve(self, convolution: Convolution) -> None:
        (pad_y, pad_x), (rows, _) = convolution.padding, convolution.filters.shape[2:]
        self.add(
            "Conv",
            convolution.filters,
            convolution.biases,
            strides=convolution.stride,
            pads=[pad_y, pad_x, pad_y, pad_x],
        )
        self.channels = len(convolution.filters)
        self.size = (self.size + 2 * pad_y - rows) // convolution.stride[0] + 1

    def pad(self, name: str, channels: int, pixels: int) -> str:
        """The result `name` with zeros behind its last channel, below and to the right."""
        if not (channels or pixels):
            return name
        pads = np.array([0, 0, 0, 0, 0, channels, pixels, pixels], dtype=np.int64)
        return self._append("Pad", [name, self._constant(pads)], {})

    def finish(self, name: str, shape: Sequence[int | str]) -> onnx.ModelProto:
        self._nodes[-1].output[0] = name
        output = helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self._nodes, "dlib", [self._input], [output], self._constants)
        opset = helper.make_opsetid("", _OPSET)
        return helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)

    def _append(
        self, operator: str, inputs: Sequence[str], attributes: dict[str, int | Sequence[int]]
    ) -> str:
        self.output = f"{operator.lower()}_{len(self._nodes)}"
        node = helper.make_node(operator, inputs, [self.output])
        node.attribute.extend(helper.make_attribute(*each) for each in sorted(attributes.items()))
        self._nodes.append(node)
        return self.output

    def _constant(self, array: NDArray[np.generic]) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name
