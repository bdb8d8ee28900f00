"""Networks in 8-bit integers, made of networks in floats when they are loaded.

Static quantization (Jacob et al., 2018): a value is a number of 8 bits times a step, one step for a
feature map and one for each output channel of a convolution's filters. A network is written with
pairs of QuantizeLinear and DequantizeLinear, which ONNX Runtime replaces by operators on integers.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from models.errors import ModelError
from models.program.printable import printable, shortened

Ranges: TypeAlias = Mapping[str, tuple[float, float]]
"""By the name of each feature map that is quantized, its lowest and its highest value; what lies
outside is clipped."""

_LARGEST_WEIGHT = 63
"""Largest magnitude of a weight, which has 7 bits: with 8 a processor without VNNI overflows the 16
bits in which it adds two products."""

_LARGEST_VALUE = 255
"""Largest value of a feature map, which has 8 bits and no sign."""

_SHOWN_NAMES = 3
"""Feature maps at most that a message names."""

_SMALLEST_SPAN = 1e-6
"""Least distance between the bounds of a feature map, against a division by zero."""


def feature_maps(graph: onnx.GraphProto, nodes: Iterable[onnx.NodeProto]) -> list[str]:
    """The names of what those nodes take and give; a ReLU that follows is part of its node."""
    constants = {each.name for each in graph.initializer} | widened_constants(graph).keys()
    after_relu = {node.input[0]: node.output[0] for node in graph.node if node.op_type == "Relu"}
    names: dict[str, None] = {}
    for node in nodes:
        names.update((name, None) for name in node.input if name not in constants)
        names[after_relu.get(node.output[0], node.output[0])] = None
    return list(names)


def widened_constants(graph: onnx.GraphProto) -> dict[str, str]:
    """Of constants that are stored in half precision: the widened one's name, and the stored's."""
    stored = {each.name for each in graph.initializer}
    return {
        node.output[0]: node.input[0]
        for node in graph.node
        if node.op_type == "Cast" and node.input[0] in stored
    }


def check_ranges(network: str, ranges: Collection[str], maps: Collection[str]) -> None:
    """Raises ModelError where the ranges are not those of a network's feature maps.

    Args:
        network: what it is called in the message.
        ranges: the names of the feature maps that have a range.
        maps: the names of those that should.
    """
    if wrong := sorted(set(ranges) ^ set(maps)):
        shown = ", ".join(printable(shortened(name)) for name in wrong[:_SHOWN_NAMES])
        raise ModelError(
            f"the ranges of {network} in integers do not fit its network: {shown} "
            "is in only one of them"
        )


class IntegerRewriter:
    """Writes a network anew, node by node.

    Args:
        graph: the network in floats; the inputs of its nodes are renamed.
        ranges: of all feature maps that are quantized.
        diffuse_errors: the rounding errors of a filter's weights cancel, instead of each being as
            small as it can be.
    """

    def __init__(
        self, graph: onnx.GraphProto, ranges: Ranges, *, diffuse_errors: bool = False
    ) -> None:
        self._graph = graph
        self._diffuse_errors = diffuse_errors
        self._steps = {
            name: np.float32(max(high - low, _SMALLEST_SPAN) / _LARGEST_VALUE)
            for name, (low, high) in ranges.items()
        }
        self._zeros = {
            name: np.uint8(np.clip(np.rint(-low / self._steps[name]), 0, _LARGEST_VALUE))
            for name, (low, _) in ranges.items()
        }
        self._nodes: list[onnx.NodeProto] = []
        self._constants = {each.name: each for each in graph.initializer}
        self._widened = widened_constants(graph)

    def add(self, node: onnx.NodeProto, *, in_integers: bool) -> None:
        """Adds a node, which takes and gives quantized feature maps where they have a range.

        Args:
            node: its inputs are renamed.
            in_integers: it is a convolution whose filters are quantized, too.
        """
        if in_integers:
            self._quantize_filters(node)
        for place, name in enumerate(node.input):
            if name in self._steps:
                node.input[place] = f"{name}.restored"
        self._nodes.append(node)
        for name in node.output:
            if name in self._steps:
                self._quantize(name)

    def add_bytes(self, name: str, output: str) -> None:
        """Adds what makes floats of bytes: integers already, whose step is 1."""
        scaling = [self._constant(f"{name}.step", np.float32(1))]
        scaling.append(self._constant(f"{name}.zero", np.uint8(0)))
        self._nodes.append(helper.make_node("DequantizeLinear", [name, *scaling], [output]))

    def finish(self, network: onnx.ModelProto, opset: int) -> bytes:
        """The new network, serialized, with the constants it takes.

        Args:
            network: the one in floats.
            opset: version of ONNX's operators that is written, 13 or later.
        """
        used = {name for node in self._nodes for name in node.input}
        constants = [each for name, each in self._constants.items() if name in used]
        graph = self._graph
        rewritten = helper.make_graph(self._nodes, graph.name, graph.input, graph.output, constants)
        model = helper.make_model(
            rewritten,
            opset_imports=[helper.make_opsetid("", opset)],
            ir_version=network.ir_version,
        )
        serialized: bytes = model.SerializeToString()
        return serialized

    def _quantize(self, name: str) -> None:
        """Adds the pair of nodes behind a feature map."""
        step, zero = self._steps[name], self._zeros[name]
        scaling = [self._constant(f"{name}.step", step), self._constant(f"{name}.zero", zero)]
        integers, restored = f"{name}.integers", f"{name}.restored"
        self._nodes.append(helper.make_node("QuantizeLinear", [name, *scaling], [integers]))
        self._nodes.append(helper.make_node("DequantizeLinear", [integers, *scaling], [restored]))

    def _quantize_filters(self, node: onnx.NodeProto) -> None:
        """Makes a convolution take filters of 8 bits and biases of 32, a step a channel each."""
        taken, filters_name, biases_name = node.input
        filters, biases = self._value(filters_name), self._value(biases_name)
        largest = np.abs(filters).max(axis=(1, 2, 3))
        steps = (np.where(largest > 0, largest, 1) / _LARGEST_WEIGHT).astype(np.float32)
        in_steps = filters / steps[:, None, None, None]
        rounded = _diffused(in_steps) if self._diffuse_errors else np.rint(in_steps)
        bound = np.float32(_LARGEST_WEIGHT)
        weights = rounded.clip(-bound, bound).astype(np.int8)
        node.input[1] = self._restored(filters_name, weights, steps)
        steps *= self._steps[taken]
        node.input[2] = self._restored(biases_name, np.rint(biases / steps).astype(np.int32), steps)

    def _restored(
        self, name: str, integers: NDArray[np.signedinteger], steps: NDArray[np.float32]
    ) -> str:
        """The name of constants that are stored as integers and multiplied by a step a channel."""
        inputs = [
            self._constant(f"{name}.integers", integers),
            self._constant(f"{name}.steps", steps),
        ]
        restored = f"{name}.restored"
        self._nodes.append(helper.make_node("DequantizeLinear", inputs, [restored], axis=0))
        return restored

    def _value(self, name: str) -> NDArray[np.float32]:
        """A constant, widened where it is stored in half precision."""
        stored = self._constants[self._widened.get(name, name)]
        return numpy_helper.to_array(stored).astype(np.float32, copy=False)

    def _constant(self, name: str, value: NDArray[np.generic] | np.generic) -> str:
        self._constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name


def _diffused(filters: NDArray[np.float32]) -> NDArray[np.float32]:
    """Filters `(out, in, rows, columns)`, in steps, rounded by error diffusion.

    The error of each weight is passed on to the next one of its rows and columns, so that their sum
    is right to half a step: neighbouring pixels are much alike, and errors that all have one sign
    would add up. With it embeddings are as near to those in floats as with a bit more.
    """
    sums = filters.reshape(*filters.shape[:2], -1).cumsum(axis=2)
    np.rint(sums, out=sums)
    sums[:, :, 1:] -= sums[:, :, :-1].copy()
    return sums.reshape(filters.shape)
