"""Sessions of ONNX Runtime, and their errors in our words."""

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from models.errors import ModelError
from models.runtime import Session, available_cores


def _doubling() -> bytes:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in ("x", "y")]
    node = helper.make_node("Add", ["x", "x"], ["y"])
    graph = helper.make_graph([node], "doubling", ends[:1], ends[1:])
    opsets = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    return bytes(model.SerializeToString())


def test_a_model_runs() -> None:
    session = Session(_doubling(), threads=1, device="cpu")
    assert session.run(np.array([[1, 2]], dtype=np.float32)).tolist() == [[2, 4]]
    assert session.device == "cpu"


@pytest.mark.parametrize("model", [b"", b"\x80\x04garbage", b"PK\x03\x04", _doubling()[:40]])
def test_bytes_that_are_no_model(model: bytes) -> None:
    with pytest.raises(ModelError, match="ONNX Runtime cannot load the model"):
        Session(model)


@pytest.mark.parametrize(
    "batch", [np.zeros((1, 3), dtype=np.float32), np.zeros((1, 2), dtype=np.uint8)]
)
def test_an_input_that_does_not_fit(batch: np.ndarray) -> None:  # type: ignore[type-arg]
    with pytest.raises(ModelError, match="ONNX Runtime cannot run the model"):
        Session(_doubling()).run(batch)


@pytest.mark.skipif(
    "CUDAExecutionProvider" in ort.get_available_providers(), reason="CUDA is offered here"
)
def test_cuda_is_refused_where_there_is_none() -> None:
    with pytest.raises(ModelError, match=r'has no CUDA: .*set device to "cpu"'):
        Session(_doubling(), device="cuda")
    assert Session(_doubling(), device="auto").device == "cpu"


def test_at_least_one_core() -> None:
    assert available_cores() >= 1
