"""An embedder's network in 8-bit integers.

All of dlib's network, from the chip's bytes to its last feature maps, is calculated in integers;
the means of these and the products behind them stay in floats. So does a partner
(`models.networks.trunk`): the values of its convolutions of single channels differ so much from
channel to channel that 8 bits spoil them, and are no faster. Which values its feature maps take is
measured once, on chips that it was trained on, when `face-train finetune` has made it, and stands
in its file as metadata. An embedder without them, as dlib's own, is calculated in floats.
"""

import json
import math

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from models.errors import ModelError
from models.networks.integer_graphs import (
    IntegerRewriter,
    check_ranges,
    feature_maps,
    widened_constants,
)
from models.networks.runtime import Session
from models.program.printable import printable, shortened
from models.safe_files import UnfitFileError, parse_json

CALIBRATION_CHIPS = 256
"""Chips that ranges are measured on; twice as many move no bound by more than a few per cent."""

_METADATA = "ranges"
"""Name of the metadata in the file: JSON, by the name of each feature map its two bounds."""

_PERCENTILE = 95.0
"""Of the highest values of a feature map, one a chip, the percentile that is its upper bound, and
100 less that of the lowest: a higher one clips less and makes all steps coarser. Of 80, 95 and 100
this one moves the embeddings of 3,000 chips least."""

_DIGITS = 4
"""Significant digits of a bound in the file."""

_BYTES = (0.0, 255.0)
"""Range of the chips themselves, whose step is then 1: they lose nothing."""

_CALCULATING = ("Conv", "Add")
"""Operators in integers whose results have a range of their own."""

_PASSING = ("MaxPool", "AveragePool", "Pad")
"""Operators in integers whose results keep the range of what they take."""

_OPSET = 17
"""Version of ONNX's operators that is written, as `models.networks.graphs` does."""


def with_ranges(model: bytes, chips: NDArray[np.uint8]) -> bytes:
    """The same embedder, with the ranges of its feature maps measured and written into its file.

    Args:
        model: serialized ONNX, as `models.networks.trunk.trunk_graph` gives it.
        chips: `(n, 150, 150, 3)` BGR, some that it was trained on.
    """
    network = onnx.load_from_string(model)
    measured = _measured_ranges(model, chips)
    rounded = {
        name: [float(f"{bound:.{_DIGITS}g}") for bound in bounds]
        for name, bounds in measured.items()
    }
    properties = {each.key: each.value for each in network.metadata_props}
    helper.set_model_props(network, properties | {_METADATA: json.dumps(rounded)})
    serialized: bytes = network.SerializeToString()
    return serialized


def integer_embedder(model: bytes) -> bytes | None:
    """The same embedder in integers; None where its file holds no ranges.

    Raises:
        ModelError: its ranges are damaged, or another network's.
    """
    network = onnx.load_from_string(model)
    written = {each.key: each.value for each in network.metadata_props}.get(_METADATA)
    if written is None:
        return None
    graph = network.graph
    chips, *maps = _quantized_maps(graph)
    ranges = {chips: _BYTES, **_read(written)}
    check_ranges("the embedder", ranges, [chips, *maps])
    for node in graph.node:
        if node.op_type in _PASSING:
            ranges[node.output[0]] = ranges[node.input[0]]
    rewriter = IntegerRewriter(graph, ranges, diffuse_errors=True)
    constants = widened_constants(graph)
    quantized = {node.output[0] for node in _quantized_nodes(graph) if node.op_type == "Conv"}
    in_floats = {
        name for node in graph.node if node.output[0] not in quantized for name in node.input
    }
    for node in graph.node:
        result = node.output[0]
        if node.op_type == "Cast" and result not in constants:
            rewriter.add_bytes(node.input[0], result)
        elif result in in_floats or result not in constants:
            rewriter.add(node, in_integers=result in quantized)
    return rewriter.finish(network, _OPSET)


def _measured_ranges(model: bytes, chips: NDArray[np.uint8]) -> dict[str, tuple[float, float]]:
    """By the name of each feature map but the first, the bounds of its values."""
    network = onnx.load_from_string(model)
    graph = network.graph
    _, *names = _quantized_maps(graph)
    extremes = []
    for name in names:
        graph.node.append(helper.make_node("Flatten", [name], [f"{name}.flat"]))
        for operator in ("ReduceMin", "ReduceMax"):
            extremes.append(f"{name}.{operator}")
            node = helper.make_node(operator, [f"{name}.flat"], extremes[-1:], axes=[1])
            graph.node.append(node)
    graph.node.append(helper.make_node("Concat", extremes, ["extremes"], axis=1))
    shape: list[int | str] = ["n", len(extremes)]
    graph.output.append(helper.make_tensor_value_info("extremes", TensorProto.FLOAT, shape))
    session = Session(network.SerializeToString(), device="cpu")
    lowest, highest = session.run_in_batches(chips).reshape(len(chips), len(names), 2).T
    # A convolution pads with 0, which must be one of the integers.
    low = np.percentile(lowest, 100 - _PERCENTILE, axis=1).clip(max=0)
    high = np.percentile(highest, _PERCENTILE, axis=1).clip(min=0)
    return dict(zip(names, zip(low.tolist(), high.tolist(), strict=True), strict=True))


def _quantized_maps(graph: onnx.GraphProto) -> list[str]:
    """The names of the feature maps that have a range of their own; the first is the chips."""
    calculating = _quantized_nodes(graph)
    passed = {node.output[0] for node in graph.node if node.op_type in _PASSING}
    return [name for name in feature_maps(graph, calculating) if name not in passed]


def _quantized_nodes(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes that calculate in integers: those of dlib's network, not those of its partner."""
    of_partner = _partner_results(graph)
    return [
        node
        for node in graph.node
        if node.op_type in _CALCULATING and node.output[0] not in of_partner
    ]


def _partner_results(graph: onnx.GraphProto) -> set[str]:
    """The names of all that a partner calculates, and what follows from it; none without one.

    It begins with the convolution before the first one of single channels, of which dlib's network
    has none.
    """
    makers = {node.output[0]: node for node in graph.node}
    grouped = (node for node in graph.node if any(each.name == "group" for each in node.attribute))
    if (node := next(grouped, None)) is None:
        return set()
    node = makers[node.input[0]]
    while node.op_type != "Conv":
        node = makers[node.input[0]]
    results = set(node.output)
    for each in graph.node:  # in the order of the calculation
        if not results.isdisjoint(each.input):
            results.update(each.output)
    return results


def _read(written: str) -> dict[str, tuple[float, float]]:
    """The ranges in a file's metadata."""
    try:
        ranges = {name: (float(low), float(high)) for name, (low, high) in _items(written)}
    except (UnfitFileError, TypeError, ValueError) as error:
        raise ModelError(f"its ranges are damaged: {printable(shortened(str(error)))}") from error
    for name, (low, high) in ranges.items():
        if not -math.inf < low <= 0 <= high < math.inf:
            shown = printable(shortened(name))
            raise ModelError(f"its range of {shown} is {low:g} to {high:g}, around no 0")
    return ranges


def _items(written: str) -> list[tuple[str, list[float]]]:
    found = parse_json(written.encode())
    if not isinstance(found, dict):
        raise TypeError("they are no table")
    return list(found.items())
