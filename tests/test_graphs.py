"""The graphs: their inputs and outputs, and files that hold something else."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from models.errors import ModelError
from models.networks.dlib_weights import (
    DETECTOR_FILE,
    EMBEDDER_FILE,
    LANDMARKS_FILE,
    installed_file,
)
from models.networks.graphs import detector_graph, embedder_graph
from models.networks.runtime import Session


def _ends(model: onnx.ModelProto) -> list[tuple[str, list[int | str]]]:
    return [
        (each.name, [size.dim_param or size.dim_value for size in each.type.tensor_type.shape.dim])
        for each in (*model.graph.input, *model.graph.output)
    ]


def test_the_embedder_takes_chips_and_gives_vectors() -> None:
    model = onnx.ModelProto.FromString(embedder_graph(installed_file(EMBEDDER_FILE)))
    onnx.checker.check_model(model, full_check=True)
    assert _ends(model) == [("chips", ["n", 150, 150, 3]), ("embeddings", ["n", 128])]


def test_the_detector_takes_canvases_and_gives_scores() -> None:
    model = onnx.ModelProto.FromString(detector_graph(installed_file(DETECTOR_FILE)))
    onnx.checker.check_model(model, full_check=True)
    canvas, scores = ["n", 3, "height", "width"], ["n", "rows", "columns"]
    assert _ends(model) == [("canvas", canvas), ("scores", scores)]


@pytest.mark.parametrize(("height", "width"), [(29, 29), (100, 163), (240, 37)])
def test_a_score_for_every_eighth_pixel(height: int, width: int) -> None:
    session = Session(detector_graph(installed_file(DETECTOR_FILE)), device="cpu")
    rng = np.random.default_rng(0)
    canvases = rng.uniform(0, 255, (2, 3, height, width)).astype(np.float32)
    scores = session.run(canvases)
    # Three convolutions of 5 px at stride 2, without padding: the first cell needs 29 px.
    assert scores.shape == (2, (height - 29) // 8 + 1, (width - 29) // 8 + 1)
    np.testing.assert_allclose(scores[1:], session.run(canvases[1:]), atol=1e-4)


@pytest.mark.parametrize(
    ("build", "other"),
    [
        (embedder_graph, DETECTOR_FILE),
        (detector_graph, EMBEDDER_FILE),
        (embedder_graph, LANDMARKS_FILE),
        (detector_graph, LANDMARKS_FILE),
    ],
)
def test_another_network_is_refused(build: object, other: str) -> None:
    assert callable(build)
    with pytest.raises(ModelError, match="does not hold the network its name promises"):
        build(installed_file(other))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.dat"
    path.touch()
    with pytest.raises(ModelError, match="does not hold the network its name promises"):
        detector_graph(path)
