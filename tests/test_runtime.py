"""Sessions of ONNX Runtime, and their errors in our words."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from models.errors import ModelError
from models.networks.runtime import Session, available_cores


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


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores are not chosen here")
def test_cores_are_those_that_may_be_used_and_not_those_of_the_machine() -> None:
    def on_the_first_alone() -> int:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # of this thread, which ends
        return available_cores()

    with ThreadPoolExecutor(1) as worker:
        assert worker.submit(on_the_first_alone).result() == 1
    assert available_cores() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("count", [1, 8, 9, 19])
def test_parts_give_what_the_whole_does(count: int) -> None:
    batch = np.arange(2 * count, dtype=np.float32).reshape(count, 2)
    session = Session(_doubling(), threads=1, device="cpu")
    assert session.run_in_batches(batch).tolist() == (2 * batch).tolist()


def test_of_several_outputs_the_last_counts() -> None:
    """A classifier gives classes and then probabilities."""
    shape = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in "xyz"]
    nodes = [helper.make_node("Add", ["x", "x"], ["y"]), helper.make_node("Add", "xy", "z")]
    graph = helper.make_graph(nodes, "several", shape[:1], shape[1:])
    opsets = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()
    session = Session(model, threads=1, device="cpu")
    assert session.run(np.array([[1, 2]], dtype=np.float32)).tolist() == [[3, 6]]
    assert session.output_shape == ["n", 2]


_USE = """
from models.classification.classifier import Classifier
from models.classification.bundle import DEFAULT_FOLDER, load_bundle
Classifier(load_bundle(DEFAULT_FOLDER))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="where its number is kept is known of Linux")
def test_onnx_runtime_reports_nothing_and_keeps_nothing(tmp_path: Path) -> None:
    """Of itself it keeps a number for its reports in the user's home, and where they are queued."""
    done = subprocess.run(
        [sys.executable, "-c", _USE],
        cwd=Path(__file__).parents[1],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(tmp_path.iterdir())
