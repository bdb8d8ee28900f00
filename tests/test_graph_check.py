"""ONNX graphs of model folders: what training writes passes, anything else is refused unrun."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper, numpy_helper

from models.classification.bundle import (
    DEFAULT_FOLDER,
    DLIB_FOLDER,
    Bundle,
    EmbedderSpec,
    HeadSpec,
    Manifest,
)
from models.classification.classifier import Classifier
from models.classification.graph_check import check_graph
from models.embedder import bundled_embedder, read_embedder
from models.errors import ModelError

_INPUT = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])
_OUTPUT = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])
_BODY = helper.make_graph(
    [helper.make_node("Relu", ["x"], ["z"])],
    "body",
    [],
    [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)],
)


def _model(
    *nodes: tuple[str, Sequence[str], dict[str, object]],
    constants: Sequence[TensorProto] = (),
    domain: str = "",
) -> ModelProto:
    made = [
        helper.make_node(kind, inputs, ["y"], domain=domain, **attributes)
        for kind, inputs, attributes in nodes
    ]
    graph = helper.make_graph(made, "graph", [_INPUT], [_OUTPUT], constants)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(domain or "ai.onnx.ml", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def _constant(name: str, *shape: int) -> TensorProto:
    return numpy_helper.from_array(np.ones(shape, dtype=np.float32), name)


def _external() -> ModelProto:
    tensor = _constant("a", 4)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    place = tensor.external_data.add()
    place.key, place.value = "location", "/etc/passwd"
    return _model(("Add", ["x", "a"], {}), constants=[tensor])


def _with_function() -> ModelProto:
    model = _model(("Relu", ["x"], {}))
    model.functions.add().name = "Relu"
    return model


def _two_inputs() -> ModelProto:
    model = _model(("Add", ["x", "w"], {}))
    model.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, ["n", 4]))
    return model


_REFUSED: dict[str, tuple[Callable[[], ModelProto], str]] = {
    "branch": (
        lambda: _model(("If", ["x"], {"then_branch": _BODY, "else_branch": _BODY})),
        "a loop or a branch",
    ),
    "loop": (lambda: _model(("Loop", ["x"], {"body": _BODY})), "a loop or a branch"),
    "scan": (
        lambda: _model(("Scan", ["x"], {"body": _BODY, "num_scan_inputs": 1})),
        "a loop or a branch",
    ),
    "hidden body": (lambda: _model(("Relu", ["x"], {"body": _BODY})), "a loop or a branch"),
    "operator": (lambda: _model(("NonZero", ["x"], {})), "'NonZero' is none that training writes"),
    "domain": (
        lambda: _model(("Relu", ["x"], {}), domain="evil"),
        "'evil.Relu' is none that training writes",
    ),
    "other file": (_external, "in other files"),
    "function": (_with_function, "defines functions"),
    "two inputs": (_two_inputs, "2 inputs and 1 outputs"),
    "too large": (
        lambda: _model(
            ("MatMul", ["a", "b"], {}),
            constants=[_constant("a", 100_000, 1), _constant("b", 1, 100_000)],
        ),
        "a tensor of it has more than",
    ),
    "too many": (lambda: _model(*[("Relu", ["x"], {})] * 3000), "3000 nodes"),
}


@pytest.mark.parametrize("name", _REFUSED)
def test_what_training_never_writes_is_refused(name: str) -> None:
    make, said = _REFUSED[name]
    with pytest.raises(ModelError, match=said) as caught:
        check_graph(make().SerializeToString())
    assert "\n" not in str(caught.value)


def test_a_graph_is_refused_before_it_is_loaded(tmp_path: Path) -> None:
    loop = _model(("Loop", ["x"], {"body": _BODY})).SerializeToString()
    manifest = Manifest(
        embedder=EmbedderSpec(name="mine", dimensions=4, chip_size=150, file="embedder.onnx"),
        attributes=(HeadSpec(attribute="colour", classes=("red", "blue"), file="colour.onnx"),),
    )
    bundle = Bundle(Path("model"), manifest, {"colour.onnx": loop, "embedder.onnx": loop})
    with pytest.raises(ModelError, match=r"model: colour.onnx is not run: it has a loop"):
        Classifier(bundle)
    with pytest.raises(ModelError, match=r"model: embedder.onnx is not run: it has a loop"):
        bundled_embedder(bundle)
    (tmp_path / "embedder.onnx").write_bytes(loop)
    with pytest.raises(ModelError, match="is not an embedder: it has a loop"):
        read_embedder(tmp_path / "embedder.onnx")


@pytest.mark.parametrize(
    "path", [*DEFAULT_FOLDER.glob("*.onnx"), *DLIB_FOLDER.glob("*.onnx")], ids=lambda p: p.name
)
def test_the_graphs_that_ship_pass(path: Path) -> None:
    check_graph(path.read_bytes())


@given(st.binary(max_size=200))
def test_bytes_are_never_a_traceback(content: bytes) -> None:
    with pytest.raises(ModelError):
        check_graph(content)


_HEAD = (DEFAULT_FOLDER / "race.onnx").read_bytes()


@given(st.integers(0, len(_HEAD) - 1), st.integers(1, 255))
def test_a_changed_byte_is_never_a_traceback(at: int, change: int) -> None:
    changed = bytearray(_HEAD)
    changed[at] ^= change
    try:
        check_graph(bytes(changed))
    except ModelError as error:
        assert "\n" not in str(error)
