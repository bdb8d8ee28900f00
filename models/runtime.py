"""ONNX Runtime sessions."""

import os
from typing import Literal, TypeAlias

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from models.errors import ModelError

Device: TypeAlias = Literal["auto", "cpu", "cuda"]

_FATAL = 4  # severity of what ONNX Runtime may print itself: errors reach us as exceptions


class Session:
    """One model with one input and one output.

    Args:
        model: a serialized ONNX model.
        threads: how many threads one call may use; 0 for one a core.
        device: `cuda` insists on a GPU, `auto` uses one where ONNX Runtime offers it.

    Raises:
        ModelError: the model cannot be loaded, or the device is not there.
    """

    def __init__(self, model: bytes, *, threads: int = 0, device: Device = "auto") -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or available_cores()
        options.log_severity_level = _FATAL
        # A plan of the memory for each shape of input would cost 300 MB at full HD and no time.
        options.enable_mem_pattern = False
        try:
            self._session = ort.InferenceSession(model, options, providers=_providers(device))
        except Exception as error:
            raise ModelError(f"ONNX Runtime cannot load the model: {error}") from error
        (self._input,) = (each.name for each in self._session.get_inputs())
        self._output = self._session.get_outputs()[-1].name

    @property
    def device(self) -> str:
        """What is truly in use: `cuda` or `cpu`."""
        return "cuda" if "CUDAExecutionProvider" in self._session.get_providers() else "cpu"

    def run(self, batch: NDArray[np.generic]) -> NDArray[np.float32]:
        """The model's last output for its input.

        Raises:
            ModelError: the input does not fit the model, or memory ran out.
        """
        try:
            result: NDArray[np.float32] = self._session.run([self._output], {self._input: batch})[0]
        except Exception as error:
            raise ModelError(f"ONNX Runtime cannot run the model: {error}") from error
        return result


def available_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _providers(device: Device) -> list[str]:
    offered = ort.get_available_providers()
    if device == "cuda" and "CUDAExecutionProvider" not in offered:
        raise ModelError(
            "device is cuda, but this ONNX Runtime has no CUDA: install onnxruntime-gpu, "
            'or set device to "cpu"'
        )
    wanted = ["CPUExecutionProvider"]
    if device != "cpu" and "CUDAExecutionProvider" in offered:
        wanted.insert(0, "CUDAExecutionProvider")
    return wanted
