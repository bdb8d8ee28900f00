"""ONNX Runtime: sessions that run one model on the device that is asked for."""

import io
import os
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from functools import cache
from typing import Literal, TypeAlias

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from models.errors import ModelError

Device: TypeAlias = Literal["auto", "cpu", "cuda"]
"""Where a model runs: `cuda` insists on a GPU, `auto` takes one where ONNX Runtime offers it."""

_ARENA = {
    "arena_extend_strategy": 1,
    "max_mem": 0,
    "initial_chunk_size_bytes": -1,
    "max_dead_bytes_per_chunk": -1,
}
"""Options of the memory arena: ONNX Runtime's defaults, except for the strategy, by which it grows
by what is requested (1), not to the next power of two (0)."""

_CUDA = {"cudnn_conv_algo_search": "HEURISTIC"}
"""Options of the GPU: by default all ways of a convolution would be tried for each new size of its
input."""

_FATAL = 4
"""Severity of what ONNX Runtime may print itself; errors reach the caller as exceptions."""

_MAX_BATCH = 8
"""Items a call: more are no faster, and memory for each number of them would stay taken."""


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
        # Threads that spin while they wait for work take the core from the encoder.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # A plan of the memory for each shape of input would cost 300 MB at full HD and no time.
        options.enable_mem_pattern = False
        options.add_session_config_entry("session.use_env_allocators", "1")
        _register_arena()
        providers = _providers(device)
        if uses_gpu(device):
            _load_cuda()
        try:
            self._session = ort.InferenceSession(model, options, providers=providers)
        except Exception as error:
            raise ModelError(f"ONNX Runtime cannot load the model: {error}") from error
        if device == "cuda" and self.device != "cuda":  # ONNX Runtime falls back in silence
            raise ModelError(
                'device is cuda, but CUDA did not start: look at its driver, or set device to "cpu"'
            )
        (self._input,) = (each.name for each in self._session.get_inputs())
        self._output = self._session.get_outputs()[-1].name

    @property
    def device(self) -> str:
        """The device that is really in use: `cuda` or `cpu`."""
        return "cuda" if "CUDAExecutionProvider" in self._session.get_providers() else "cpu"

    @property
    def metadata(self) -> Mapping[str, str]:
        """The metadata that the model's maker wrote into it."""
        written: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map
        return written

    @property
    def output_shape(self) -> Sequence[int | str]:
        """The shape of the last output; a name where a side depends on the input."""
        shape: Sequence[int | str] = self._session.get_outputs()[-1].shape
        return shape

    def run(self, batch: NDArray[np.generic]) -> NDArray[np.float32]:
        """The model's last output for its input.

        Raises:
            ModelError: the input does not fit the model, or memory ran out.
        """
        try:
            result: object = self._session.run([self._output], {self._input: batch})[0]
        except Exception as error:
            raise ModelError(f"ONNX Runtime cannot run the model: {error}") from error
        if not isinstance(result, np.ndarray) or result.dtype != np.float32:
            raise ModelError("the model gives something else than 32-bit numbers")
        return result

    def run_in_batches(self, batch: NDArray[np.generic]) -> NDArray[np.float32]:
        """As `run`, a few items at a time, for one item or more."""
        starts = range(0, len(batch), _MAX_BATCH)
        return np.concatenate([self.run(batch[start : start + _MAX_BATCH]) for start in starts])


def available_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def uses_gpu(device: Device) -> bool:
    """Whether a session for that device would be tried on a GPU."""
    return device != "cpu" and "CUDAExecutionProvider" in ort.get_available_providers()


@cache
def _register_arena() -> None:
    """One arena for all sessions, which grows by what is asked for.

    By default each session has its own and doubles it: 100 MB more at full HD.
    """
    where = ort.OrtMemoryInfo(
        "Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT
    )
    ort.create_and_register_allocator(where, ort.OrtArenaCfg(_ARENA))


@cache
def _load_cuda() -> None:
    """Finds the libraries that pip installed beside ONNX Runtime; the system finds its own."""
    with redirect_stdout(io.StringIO()):  # what it misses shows when a session does not start
        ort.preload_dlls()


def _providers(device: Device) -> list[str | tuple[str, dict[str, str]]]:
    """The execution providers that a session is offered, the preferred one first."""
    offered = ort.get_available_providers()
    if device == "cuda" and "CUDAExecutionProvider" not in offered:
        raise ModelError(
            "device is cuda, but this ONNX Runtime has no CUDA: install onnxruntime-gpu, "
            'or set device to "cpu"'
        )
    wanted: list[str | tuple[str, dict[str, str]]] = ["CPUExecutionProvider"]
    if uses_gpu(device):
        wanted.insert(0, ("CUDAExecutionProvider", _CUDA))
    return wanted
