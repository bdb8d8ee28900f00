"""dlib's CNN detector in 8-bit integers: a third of the time, scores a little less exact.

Pixels are 8-bit integers already, so the network begins with them as they are. What each layer
gives is stored in 255 steps up to the largest value it is expected to give.
"""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from models.dlib_weights import Convolution, read_layers
from models.errors import ModelError
from models.graphs import Graph, folded

_LARGEST = (5.5, 9.5, 4.4, 4.3, 7.8, 13.1)
"""The largest value after each layer but the last, in 40 frames of five clips (walkers, a film, a
head that turns). Scores of photos, which had no part in it, differ by 0.03 (standard deviation)."""

_STEPS = 255
_WEIGHT_MAX = 63  # 7 bits: with 8, processors without VNNI would add two products beyond 16 bits
_BLOCK = 2  # px: the first layer takes every second pixel, here one block at a time
_ZERO = np.array(0, dtype=np.uint8)


def quantized_detector_graph(weights: Path) -> bytes:
    """`canvas (n, height, width, 3)` uint8 BGR, even sides → `scores (n, rows, columns)` float32.

    The score in row y and column x is of the 80×80 window centred on pixel (8x + 14, 8y + 14).

    Raises:
        ModelError: the file does not hold dlib's CNN face detector.
    """
    try:
        first, *hidden, last = folded(read_layers(weights))
        if len(hidden) + 1 != len(_LARGEST) or first.stride != (_BLOCK, _BLOCK):
            raise ValueError("its layers are not those of the face detector")
        return _build(first, hidden, last).SerializeToString()
    except (ValueError, IndexError, StopIteration) as error:
        raise ModelError(
            f"{weights} does not hold the network its name promises: {error}"
        ) from error


def _build(first: Convolution, hidden: list[Convolution], last: Convolution) -> onnx.ModelProto:
    graph = Graph("canvas", TensorProto.UINT8, ["n", "height", "width", 3])
    planes = graph.node("Transpose", "canvas", perm=[0, 3, 1, 2])
    planes = graph.node("SpaceToDepth", planes, blocksize=_BLOCK)
    step = np.float32(1)
    for convolution, largest in zip([_in_blocks(first), *hidden], _LARGEST, strict=True):
        step_out = np.float32(largest / _STEPS)
        planes = _convolve(graph, planes, convolution, step, step_out)
        step = step_out
    planes = graph.node("DequantizeLinear", planes, np.array(step), _ZERO)
    return graph.finish_scores(planes, last)


def _convolve(
    graph: Graph, planes: str, layer: Convolution, step: np.float32, step_out: np.float32
) -> str:
    """A layer and its relu: what is under 0 is cut off, because 0 is the lowest step."""
    steps = (np.abs(layer.filters).max(axis=(1, 2, 3)) / _WEIGHT_MAX).astype(np.float32)
    filters = np.rint(layer.filters / steps[:, None, None, None]).astype(np.int8)
    biases = np.rint(layer.biases / (steps * step)).astype(np.int32)
    pad_y, pad_x = layer.padding
    return graph.node(
        "QLinearConv",
        planes,
        np.array(step),
        _ZERO,
        filters,
        steps,
        np.zeros(len(filters), dtype=np.int8),
        np.array(step_out),
        _ZERO,
        biases,
        strides=layer.stride,
        pads=[pad_y, pad_x, pad_y, pad_x],
    )


def _in_blocks(first: Convolution) -> Convolution:
    """The first layer on blocks of 2×2 pixels as 12 channels: the same sums in half the time."""
    filters: NDArray[np.float32] = np.pad(first.filters, ((0, 0), (0, 0), (0, 1), (0, 1)))
    count, channels, rows, columns = filters.shape
    blocks = filters.reshape(count, channels, rows // _BLOCK, _BLOCK, columns // _BLOCK, _BLOCK)
    stacked = blocks.transpose(0, 3, 5, 1, 2, 4)  # SpaceToDepth puts the place in the block first
    shape = count, channels * _BLOCK**2, rows // _BLOCK, columns // _BLOCK
    return Convolution(stacked.reshape(shape), first.biases, (1, 1), first.padding)
