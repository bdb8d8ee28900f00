"""dlib's CNN detector quantized to 8-bit integers: a third of the time, slightly inexact scores.

Pixels are 8-bit integers already, so the network begins with them as they are. What each layer
gives is stored in 255 steps up to the largest value it is expected to give.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto

from models.dlib_weights import Convolution, Layer
from models.graphs import Graph, folded_convolutions, serialized

_LARGEST = (5.5, 9.5, 4.4, 4.3, 7.8, 13.1)
"""The largest value after each layer but the last, in 40 frames of five clips (walkers, a film, a
head that turns). Scores of photos, which had no part in it, differ by 0.03 (standard deviation)."""

GROUP_PX = 4
"""Pixels side by side that the first layer takes at once; the width of a canvas is a multiple."""

_STEPS = 255
"""Steps from 0 to the largest value of a layer."""

_WEIGHT_MAX = 63
"""Largest weight: 7 bits with the sign; with 8, processors without VNNI would add two products
beyond 16 bits."""

_STRIDE = 2
"""Stride of the first two layers."""

_PIXEL_BYTES = 4
"""Bytes of a pixel: blue, green, red, and one that counts nothing, because copies go in fours."""

_LANES = 16
"""Channels of the later layers go in multiples of this: 45 would cost twice what 48 do."""

_ZERO = np.array(0, dtype=np.uint8)
"""The zero point of every layer."""


def quantized_detector_graph(weights: Path) -> bytes:
    """`canvas (n, height, width / 4, 16)` uint8 → `scores (n, rows, columns)` float32.

    The canvas is `(n, height, width, 4)` BGRA, whatever A is, reshaped: its pixels are taken by
    fours. The score in row y and column x is of the 80×80 window centred on pixel
    (8x + 14, 8y + 14).

    Raises:
        ModelError: the file does not hold dlib's CNN face detector.
    """
    return serialized(weights, _build)


def _build(layers: Sequence[Layer]) -> onnx.ModelProto:
    """The network; all layers but the last calculate in integers."""
    first, *hidden, last = folded_convolutions(layers)
    if len(hidden) + 1 != len(_LARGEST) or first.stride != (_STRIDE, _STRIDE):
        raise ValueError("its layers are not those of the face detector")
    graph = Graph("canvas", TensorProto.UINT8, ["n", "height", "groups", GROUP_PX * _PIXEL_BYTES])
    features = graph.node("Transpose", "canvas", perm=[0, 3, 1, 2])  # ONNX Runtime leaves it out
    step = np.float32(1)
    second, *others, last = _widened([*hidden, last])
    # Wide products of matrices are quick: so the first layer gives two columns at once, as
    # channels, which the second takes as they are.
    columns = GROUP_PX // _STRIDE
    first = _grouped(first, GROUP_PX, _PIXEL_BYTES, columns)
    second = _grouped(second, columns, len(second.filters[0]), 1)
    for convolution, largest in zip([first, second, *others], _LARGEST, strict=True):
        step_out = np.float32(largest / _STEPS)
        features = _convolve(graph, features, convolution, step, step_out)
        step = step_out
    features = graph.node("DequantizeLinear", features, np.array(step), _ZERO)
    return graph.finish_scores(features, last)


def _convolve(
    graph: Graph, features: str, layer: Convolution, step: np.float32, step_out: np.float32
) -> str:
    """A layer and its relu: what is under 0 is cut off, because 0 is the lowest step."""
    largest = np.abs(layer.filters).max(axis=(1, 2, 3))
    steps = (np.where(largest > 0, largest, 1) / _WEIGHT_MAX).astype(np.float32)
    filters = np.rint(layer.filters / steps[:, None, None, None]).astype(np.int8)
    biases = np.rint(layer.biases / (steps * step)).astype(np.int32)
    pad_y, pad_x = layer.padding
    return graph.node(
        "QLinearConv",
        features,
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


def _grouped(layer: Convolution, columns_in: int, channels: int, columns_out: int) -> Convolution:
    """A layer of stride 2 on columns that lie side by side as so many channels: the same sums.

    Args:
        layer: without padding.
        columns_in: how many columns lie side by side in what it takes.
        channels: of each of them; those that the layer does not know count nothing.
        columns_out: how many it gives side by side, half as many.
    """
    count, known, rows, columns = layer.filters.shape
    groups = -(-(_STRIDE * (columns_out - 1) + columns) // columns_in)
    filters = np.zeros((columns_out, count, channels, rows, groups * columns_in), np.float32)
    for column, each in enumerate(filters):
        start = _STRIDE * column
        each[:, :known, :, start : start + columns] = layer.filters
    apart = filters.reshape(columns_out * count, channels, rows, groups, columns_in)
    rearranged = apart.transpose(0, 4, 1, 2, 3).reshape(-1, columns_in * channels, rows, groups)
    return Convolution(rearranged, np.tile(layer.biases, columns_out), (_STRIDE, 1), layer.padding)


def _widened(layers: list[Convolution]) -> list[Convolution]:
    """The same layers, each but the last with channels of zeros up to a multiple of `_LANES`."""
    widened: list[Convolution] = []
    more_in = 0
    for number, layer in enumerate(layers):
        more = 0 if number == len(layers) - 1 else -len(layer.filters) % _LANES
        filters = np.pad(layer.filters, ((0, more), (0, more_in), (0, 0), (0, 0)))
        biases = np.pad(layer.biases, (0, more))
        widened.append(Convolution(filters, biases, layer.stride, layer.padding))
        more_in = more
    return widened
