"""One contract for every embedder, and equality with dlib's."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from models.aligner import Aligner
from models.embedder import (
    DLIB_DIMENSIONS,
    DLIB_NAME,
    Embedder,
    EmbedderModel,
    OnnxEmbedder,
    dlib_embedder,
)
from models.errors import ModelError
from models.faces import Detections, Image
from models.reference import ReferenceEmbedder

_MAKERS: dict[str, Callable[[], Embedder]] = {"onnx": dlib_embedder, "reference": ReferenceEmbedder}
_MANY = 40  # more than one call of the engine takes


@pytest.fixture(scope="module", params=list(_MAKERS))
def embedder(request: pytest.FixtureRequest) -> Embedder:
    return _MAKERS[request.param]()


@pytest.fixture(scope="module")
def chips(astronaut: Image) -> NDArray[np.uint8]:
    """The portrait's face cut out by 40 different boxes."""
    rng = np.random.default_rng(5)
    boxes = np.array([170, 75, 266, 170]) + rng.integers(-8, 9, (_MANY, 4))
    aligner = Aligner()
    detections = Detections.of(boxes, np.ones(_MANY))
    return aligner.chips(
        astronaut, aligner.locate(astronaut, detections, detections.boxes_xyxy[:, None])
    )


@pytest.mark.parametrize("count", [0, 1, _MANY])
def test_a_vector_for_each_chip(embedder: Embedder, chips: NDArray[np.uint8], count: int) -> None:
    vectors = embedder.embed(chips[:count])
    assert vectors.shape == (count, embedder.dimensions)
    assert vectors.dtype == np.float32


def test_a_vector_does_not_depend_on_its_company(
    embedder: Embedder, chips: NDArray[np.uint8]
) -> None:
    together = embedder.embed(chips[-2:])
    alone = np.concatenate([embedder.embed(chip[None]) for chip in chips[-2:]])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_one_person_is_nearer_to_herself_than_to_no_one(
    embedder: Embedder, chips: NDArray[np.uint8]
) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (1, 150, 150, 3), dtype=np.uint8)
    first, second, other = embedder.embed(np.concatenate([chips[:2], noise]))
    assert np.linalg.norm(first - second) < 0.6 < np.linalg.norm(first - other)


def test_it_says_which_embedding_it_gives(embedder: Embedder) -> None:
    assert (embedder.name, embedder.dimensions) == (DLIB_NAME, DLIB_DIMENSIONS)
    assert DLIB_NAME in repr(embedder)


def test_the_engine_gives_dlibs_vectors(chips: NDArray[np.uint8]) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (4, 150, 150, 3), dtype=np.uint8)
    extremes = np.stack([np.full((150, 150, 3), value, dtype=np.uint8) for value in (0, 255)])
    every = np.concatenate([chips[:6], noise, extremes])
    ours, theirs = dlib_embedder().embed(every), ReferenceEmbedder().embed(every)
    np.testing.assert_allclose(ours, theirs, atol=1e-4, rtol=0)


def test_a_model_that_is_none() -> None:
    with pytest.raises(ModelError, match="ONNX Runtime cannot load the model"):
        OnnxEmbedder(EmbedderModel(b"not a model", "x", 3, 3))
