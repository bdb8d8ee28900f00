"""What an ONNX graph of a model folder may hold, checked before ONNX Runtime sees it.

A graph is no program: it calculates, in as many steps as it has nodes. Loops, branches and other
files would make it one, and operators that training never writes are code that nobody tried here.
"""

import math
from collections.abc import Iterable

from onnx import AttributeProto, GraphProto, ModelProto, TensorProto, shape_inference

from models.classification.bundle import DEFAULT_FOLDER, DLIB_FOLDER, Bundle
from models.errors import ModelError

MAX_GRAPH_BYTES = 256 << 20
"""Size of a graph at most, bytes; a k-NN of 40,000 faces has 23 MB, the embedder that ships 14."""

_MAX_NODES = 2_000
"""Nodes of a graph at most; the embedder that ships has 173, and a head fewer than 200."""

_MAX_VALUES = 1 << 26
"""Numbers of a tensor at most, a face; the largest of the embedder that ships has 589,824. Two
small constants multiplied can make one that no memory holds."""

_OPERATORS = {
    "": frozenset(
        {
            # of embedders
            *("Add", "AveragePool", "Cast", "Concat", "Conv", "Flatten", "Gemm"),
            *("GlobalAveragePool", "MatMul", "MaxPool", "Pad", "Relu", "Transpose"),
            # of heads, as skl2onnx writes the classifiers of `face-train fit`
            *("Abs", "ArgMax", "Clip", "Div", "Equal", "Exp", "Gather", "Identity", "Less", "Log"),
            *("LpNormalization", "Max", "Mul", "Neg", "Not", "ReduceSum", "Reshape", "Sigmoid"),
            *("Sign", "Slice", "Softmax", "Sqrt", "Sub", "Sum", "TopK"),
        }
    ),
    "ai.onnx.ml": frozenset(
        {
            *("ArrayFeatureExtractor", "Binarizer", "LinearClassifier", "Normalizer", "Scaler"),
            *("SVMClassifier", "TreeEnsembleClassifier"),
        }
    ),
    "com.microsoft": frozenset({"CDist"}),
}
"""The operators that training writes, by domain."""

_GRAPH_ATTRIBUTES = (AttributeProto.GRAPH, AttributeProto.GRAPHS)
"""Types of the attributes that hold the body of a loop or a branch."""


def check_graph(model: bytes) -> None:
    """Checks a serialized ONNX model of a model folder.

    1. It is an ONNX model of a sensible size, with one input and at least one output.
    2. It has no functions, no loops and no branches.
    3. Its operators are those that training writes.
    4. Its numbers are in it, not in other files.
    5. No tensor whose shape follows from the graph is larger than memory should hold.

    Raises:
        ModelError: a check fails; the message says what is wrong, and names no file.
    """
    if len(model) > MAX_GRAPH_BYTES:
        raise ModelError(f"it has more than {MAX_GRAPH_BYTES >> 20} MB")
    proto = ModelProto()
    try:
        proto.ParseFromString(model)
    except Exception as error:  # protobuf's, which has no stubs
        raise ModelError("it is no ONNX model") from error
    graph = proto.graph
    constants = {each.name for each in graph.initializer}
    inputs = [each.name for each in graph.input if each.name not in constants]
    if len(inputs) != 1 or not graph.output:
        raise ModelError(f"it has {len(inputs)} inputs and {len(graph.output)} outputs, not one")
    if len(graph.node) > _MAX_NODES:
        raise ModelError(f"it has {len(graph.node)} nodes, more than {_MAX_NODES}")
    if len(proto.functions) or len(proto.training_info):
        raise ModelError("it defines functions, which no graph of this program does")
    _check_nodes(graph)
    if graph.sparse_initializer or not _has_all_numbers(_tensors(graph)):
        raise ModelError("its numbers are in other files, or sparse")
    if max(_sizes(proto), default=0) > _MAX_VALUES:
        raise ModelError(f"a tensor of it has more than {_MAX_VALUES} numbers")


def check_bundled_graph(bundle: Bundle, name: str) -> None:
    """Checks a graph of a model folder, see `check_graph`; those that ship are part of the program.

    Raises:
        ModelError: a check fails; the message names folder and file.
    """
    if bundle.folder in (DEFAULT_FOLDER, DLIB_FOLDER):
        return  # the check takes 0.07 s, and their digests were checked when they were read
    try:
        check_graph(bundle.files[name])
    except ModelError as error:
        raise ModelError(f"{bundle.folder}: {name} is not run: {error}") from error


def _check_nodes(graph: GraphProto) -> None:
    """Checks the operators of a graph, of which none may hold another graph."""
    for node in graph.node:
        domain = "" if node.domain == "ai.onnx" else node.domain
        if any(each.type in _GRAPH_ATTRIBUTES or each.HasField("g") for each in node.attribute):
            raise ModelError(f"it has a loop or a branch ({node.op_type[:40]!a})")
        if node.op_type not in _OPERATORS.get(domain, frozenset()):
            name = f"{domain}.{node.op_type}" if domain else node.op_type
            raise ModelError(f"the operator {name[:80]!a} is none that training writes")


def _tensors(graph: GraphProto) -> Iterable[TensorProto]:
    """The constant tensors of a graph."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)


def _has_all_numbers(tensors: Iterable[TensorProto]) -> bool:
    return not any(
        each.data_location == TensorProto.EXTERNAL or each.external_data for each in tensors
    )


def _sizes(proto: ModelProto) -> Iterable[int]:
    """How many numbers each tensor has whose shape is known, of one face.

    Shapes follow from the nodes: what the graph itself says of them is taken out.
    """
    yield from (math.prod(each.dims) for each in _tensors(proto.graph))
    del proto.graph.value_info[:]
    for output in proto.graph.output:
        output.type.tensor_type.ClearField("shape")
    try:
        inferred = shape_inference.infer_shapes(proto, data_prop=True).graph
    except (RuntimeError, ValueError, shape_inference.InferenceError) as error:
        raise ModelError(f"its shapes do not fit: {str(error)[:200]}") from error
    for value in (*inferred.input, *inferred.value_info, *inferred.output):
        dimensions = value.type.tensor_type.shape.dim
        yield math.prod(each.dim_value or 1 for each in dimensions)
