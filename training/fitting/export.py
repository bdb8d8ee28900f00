"""Exports heads as ONNX files, which are checked against scikit-learn."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from models.classification.graph_check import check_graph
from models.networks.runtime import Session
from training.errors import TrainingError
from training.fitting.head import Head

_OPSET = {"": 17, "ai.onnx.ml": 3, "com.microsoft": 1}
"""Versions of the operators, by domain."""

_CHECKED_ROWS = 2_000
"""Rows, at most, that the exported head is checked on."""

_MAX_DIFFERENCE = 1e-4
"""Difference of a probability, at most, from scikit-learn's."""

_MAX_DIFFERING_SHARE = 1e-3
"""Share of the rows that may differ by more: where a neighbour or a branch is a tie, float32 and
float64 may decide differently."""


def convert(pipeline: Any, rows: NDArray[np.float32]) -> ModelProto:
    """A fitted pipeline as an ONNX model, whose last output is the probabilities.

    Args:
        pipeline: a fitted one of scikit-learn.
        rows: embeddings `(n, d)`, of which only the shape counts.
    """
    from skl2onnx import to_onnx
    from sklearn.neighbors import KNeighborsClassifier

    options: dict[Any, dict[str, Any]] = {id(pipeline): {"zipmap": False}}
    for _, step in pipeline.steps:
        for each in getattr(step, "estimators_", [step]):  # one for each flag
            if isinstance(each, KNeighborsClassifier):
                options[id(each)] = {"optim": "cdist"}  # its generic form is a loop over all rows
    with warnings.catch_warnings():
        # It asks an SVC for attributes that scikit-learn is about to drop; they are not used.
        warnings.filterwarnings("ignore", "Attribute `prob[AB]_` was deprecated", FutureWarning)
        return to_onnx(pipeline, rows[:1], options=options, target_opset=_OPSET)


def export(head: Head, converted: ModelProto, rows: NDArray[np.float32]) -> bytes:
    """The head as a serialized ONNX model, `embeddings (n, d)` → `probabilities (n, k)` float32.

    Args:
        head: fitted.
        converted: its pipeline.
        rows: embeddings for which ONNX and scikit-learn must agree.

    Raises:
        TrainingError: the two do not agree.
        ModelError: the graph is none that a model folder may hold.
    """
    model = ModelProto()
    model.CopyFrom(converted)
    model.graph.name = head.attribute  # skl2onnx draws a random one
    _append_calibration(model, head)
    data: bytes = model.SerializeToString()
    check_graph(data)
    _check(data, head, rows[:_CHECKED_ROWS])
    return data


def _append_calibration(model: ModelProto, head: Head) -> None:
    """Replaces the outputs with softmax(inverse temperature · log p) of the head's classes."""
    graph = model.graph
    last = graph.output[-1].name
    nodes = []
    if head.flags:
        columns = numpy_helper.from_array(np.array(head.flags, dtype=np.int64), "flag_columns")
        graph.initializer.append(columns)
        nodes.append(helper.make_node("Gather", [last, "flag_columns"], ["flags"], axis=1))
        last = "flags"
    if len(head.flags) == 1:
        graph.initializer.append(numpy_helper.from_array(np.ones(1, dtype=np.float32), "one"))
        nodes.append(helper.make_node("Sub", ["one", last], ["not_flag"]))
        nodes.append(helper.make_node("Concat", ["not_flag", last], ["both"], axis=1))
        last = "both"
    graph.initializer.append(
        numpy_helper.from_array(np.full(1, head.min_probability, dtype=np.float32), "floor")
    )
    graph.initializer.append(
        numpy_helper.from_array(np.full(1, head.inverse_temperature, dtype=np.float32), "beta")
    )
    nodes += [
        helper.make_node("Max", [last, "floor"], ["clipped"]),
        helper.make_node("Log", ["clipped"], ["logarithms"]),
        helper.make_node("Mul", ["logarithms", "beta"], ["scaled"]),
        helper.make_node("Softmax", ["scaled"], ["calibrated"], axis=1),
    ]
    graph.node.extend(nodes)
    del graph.output[:]
    shape: list[str | int | None] = ["n", len(head.classes)]
    graph.output.append(helper.make_tensor_value_info("calibrated", TensorProto.FLOAT, shape))


def _check(data: bytes, head: Head, rows: NDArray[np.float32]) -> None:
    exported = Session(data, threads=1, device="cpu").run(rows)
    difference = np.abs(exported - head.probabilities(rows)).max(axis=1)
    differing = int((difference > _MAX_DIFFERENCE).sum())
    if differing > _MAX_DIFFERING_SHARE * len(rows):
        raise TrainingError(
            f"the exported head of {head.attribute} differs from scikit-learn's by up to "
            f"{difference.max():.2g} on {differing} of {len(rows)} faces: nothing was written"
        )
