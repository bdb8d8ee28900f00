"""The settings of the search, and the engine that answers to them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bundle import Bundle, EmbedderSpec, Manifest
from models.cnn_detector import CnnDetector
from models.detector import resized
from models.dlib_weights import EMBEDDER_FILE, installed_file
from models.embedder import DLIB_DIMENSIONS, OnnxEmbedder, bundled_embedder
from models.engine import DetectionSettings, Engine, Runtime, load_engine
from models.errors import ModelError
from models.faces import Detections, Image, iou
from models.graphs import embedder_graph
from models.hog_detector import HogDetector
from models.reference import ReferenceCnnDetector, ReferenceEmbedder

_FACE_XYXY = np.array([[170, 75, 266, 170]], dtype=np.float32)  # the astronaut's, by eye
_FULL_HD = (1920, 1080)


@pytest.mark.parametrize(
    ("settings", "size_wh", "scale"),
    [
        (DetectionSettings(downscale=1), _FULL_HD, 1),
        (DetectionSettings(downscale=4), _FULL_HD, 0.25),
        (DetectionSettings(downscale=2, upsample=3), _FULL_HD, 1.5),
        (DetectionSettings(min_face_px=40), (640, 360), 2),
        (DetectionSettings(min_face_px=80), (640, 360), 1),
        (DetectionSettings(min_face_px=500), (640, 360), 1),
        (DetectionSettings(min_face_px=40), _FULL_HD, 1),
        (DetectionSettings(min_face_px=40), (3840, 2160), 0.5),
        (DetectionSettings(min_face_px=40, upsample=2), (3840, 2160), 1),
        (DetectionSettings(min_face_px=10), (960, 540), 2),
    ],
)
def test_scale(settings: DetectionSettings, size_wh: tuple[int, int], scale: float) -> None:
    assert settings.scale(size_wh) == pytest.approx(scale)


@given(st.integers(1, 8000), st.integers(1, 8000), st.floats(0, 500))
def test_auto_never_searches_more_than_full_hd(width: int, height: int, min_face_px: float) -> None:
    scale = DetectionSettings(min_face_px=min_face_px).scale((width, height))
    assert scale > 0
    assert width * height * scale**2 <= 1920 * 1080 * 1.001


@pytest.mark.parametrize(
    "settings",
    [
        DetectionSettings(downscale=1),
        DetectionSettings(downscale=1, upsample=2),
        DetectionSettings(downscale=1.15),
        DetectionSettings(downscale="auto"),
    ],
    ids=str,
)
def test_the_face_in_coordinates_of_the_picture_given(
    engine: Engine, astronaut: Image, settings: DetectionSettings
) -> None:
    faces = engine.with_settings(settings).find(astronaut)
    assert len(faces) == 1
    assert iou(faces.boxes_xyxy, _FACE_XYXY).item() > 0.7
    nose = engine.align(astronaut, faces).faces.landmarks_xy[0, 4]
    np.testing.assert_allclose(nose, (223, 135), atol=5)


def test_half_the_picture_is_enough_for_a_face_twice_the_size(
    engine: Engine, astronaut: Image
) -> None:
    half = engine.with_settings(DetectionSettings(downscale=2))
    assert len(half.find(astronaut)) == 0  # its face has 96 px, so 48 are left
    large = np.ascontiguousarray(astronaut[:256, 90:346].repeat(2, axis=0).repeat(2, axis=1))
    faces = half.find(large)
    assert len(faces) == 1
    expected = (_FACE_XYXY - np.array([90, 0, 90, 0], dtype=np.float32)) * 2
    assert iou(faces.boxes_xyxy, expected).item() > 0.6


def test_a_face_is_found_again_near_where_it_was(engine: Engine, astronaut: Image) -> None:
    twice = np.concatenate([_FACE_XYXY + 9, _FACE_XYXY - 7])
    faces = engine.find_near(astronaut, twice)
    assert len(faces) == 1  # two places, one face
    assert iou(faces.boxes_xyxy, _FACE_XYXY).item() > 0.7
    assert len(engine.find_near(astronaut, twice[:0])) == 0


def test_embeddings_of_all_faces_of_a_picture(engine: Engine, astronaut: Image) -> None:
    pair = np.ascontiguousarray(np.hstack([astronaut[:256], astronaut[:256, ::-1]]))
    faces = engine.find(pair)
    described = engine.describe(pair, faces)
    vectors = described.embeddings
    assert vectors.shape == (2, DLIB_DIMENSIONS)
    assert np.linalg.norm(vectors[0] - vectors[1]) < 0.6  # dlib's bound for one person
    assert engine.describe(pair, faces[:0]).embeddings.shape == (0, DLIB_DIMENSIONS)


@pytest.mark.parametrize("size_wh", [(1, 1), (5, 400), (400, 5), (60, 60)])
def test_pictures_too_small_for_a_face(engine: Engine, size_wh: tuple[int, int]) -> None:
    auto = engine.with_settings(DetectionSettings())
    faces = auto.find(np.zeros((size_wh[1], size_wh[0], 3), dtype=np.uint8))
    assert isinstance(faces, Detections)
    assert len(faces) == 0


class _WholePicture:
    """A detector that sees one face, as large as the picture that is searched."""

    def __init__(self) -> None:
        self.seen_wh: list[tuple[int, int]] = []

    def detect(self, image: Image, scale: float = 1.0) -> Detections:
        searched, back_xy = resized(image, scale)
        height, width = searched.shape[:2]
        self.seen_wh.append((width, height))
        return Detections.of([0, 0, width, height], 1.0).mapped(back_xy)

    def detect_near(self, image: Image, boxes_xyxy: np.ndarray) -> Detections:  # type: ignore[type-arg]
        raise NotImplementedError


@given(st.integers(1, 90), st.integers(1, 90), st.floats(0.1, 3))
def test_a_box_fits_the_picture_whatever_the_scale(
    engine: Engine, width: int, height: int, scale: float
) -> None:
    detector = _WholePicture()
    settings = DetectionSettings(downscale=1, upsample=scale)
    all_of_it = Engine(detector, engine.aligner, engine.embedder, settings)
    faces = all_of_it.find(np.zeros((height, width, 3), dtype=np.uint8))
    ((seen_width, seen_height),) = detector.seen_wh
    assert seen_width == max(1, round(width * scale))
    assert seen_height == max(1, round(height * scale))
    np.testing.assert_allclose(faces.boxes_xyxy, [[0, 0, width, height]], rtol=1e-3)


class _DivisibleDetector(_WholePicture):
    """Notes what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[object, ...]] = []

    def detect_part(
        self,
        image: Image,
        scale: float,
        part: int,
        parts: int,
        regions_xyxy: np.ndarray | None = None,  # type: ignore[type-arg]
    ) -> Detections:
        self.asked.append((scale, part, parts, regions_xyxy))
        return Detections.of([], [])


def test_a_coarser_search_of_a_part_is_what_the_detector_is_asked_for(engine: Engine) -> None:
    whole, divisible = _WholePicture(), _DivisibleDetector()
    settings, image = DetectionSettings(downscale=2), np.zeros((120, 160, 3), dtype=np.uint8)
    searches = [
        Engine(each, engine.aligner, engine.embedder, settings) for each in (whole, divisible)
    ]
    assert [each.divisible for each in searches] == [False, True]
    regions = np.array([[1, 2, 30, 40]], dtype=np.float32)
    for each in searches:
        each.find_part(image, 2, 5, 0.5, regions)
    assert whole.seen_wh == [(40, 30)]
    assert divisible.asked == [(0.25, 2, 5, regions)]
    searches[1].find_part(image)
    assert divisible.asked[1:] == [(0.5, 0, 1, None)]


@pytest.mark.parametrize(
    ("settings", "coarseness", "width_px"),
    [
        (DetectionSettings(downscale=1), 1.0, 80),
        (DetectionSettings(downscale=2), 1.0, 160),
        (DetectionSettings(downscale=1, upsample=2), 0.5, 80),
        (DetectionSettings(min_face_px=40), 0.5, 80),
    ],
)
def test_the_smallest_face_that_a_search_finds(
    engine: Engine, settings: DetectionSettings, coarseness: float, width_px: float
) -> None:
    assert engine.with_settings(settings).smallest_px((640, 360), coarseness) == width_px


@pytest.mark.parametrize(
    ("settings", "runtime", "detector", "embedder"),
    [
        (DetectionSettings(), "onnx", CnnDetector, OnnxEmbedder),
        (DetectionSettings(detector="hog"), "onnx", HogDetector, OnnxEmbedder),
        (DetectionSettings(), "dlib", ReferenceCnnDetector, ReferenceEmbedder),
        (DetectionSettings(detector="hog"), "dlib", HogDetector, ReferenceEmbedder),
    ],
)
def test_loading_what_the_settings_ask_for(
    settings: DetectionSettings, runtime: Runtime, detector: type, embedder: type
) -> None:
    loaded = load_engine(settings, runtime=runtime)
    assert isinstance(loaded.detector, detector)
    assert isinstance(loaded.embedder, embedder)
    assert detector.__name__ in repr(loaded)


def test_a_bundle_may_bring_its_embedder() -> None:
    spec = EmbedderSpec(name="mine", dimensions=DLIB_DIMENSIONS, chip_size=150, file="mine.onnx")
    model = embedder_graph(installed_file(EMBEDDER_FILE))
    bundle = Bundle(Path("mine"), Manifest(embedder=spec, attributes=()), {"mine.onnx": model})
    loaded = load_engine(DetectionSettings(threshold=0.5), embedder=bundled_embedder(bundle))
    assert loaded.embedder.name == "mine"
    assert loaded.embedder.embed(np.zeros((1, 150, 150, 3), dtype=np.uint8)).shape == (1, 128)
    assert loaded.embedder.appearance_dimensions == 128, "all of it, where the bundle does not say"
    assert "threshold=0.5" in repr(loaded)


def test_an_embedder_that_is_not_there() -> None:
    spec = EmbedderSpec(name="unheard-of", dimensions=DLIB_DIMENSIONS, chip_size=150)
    bundle = Bundle(Path("mine"), Manifest(embedder=spec, attributes=()), {})
    with pytest.raises(ModelError, match="'unheard-of', which it does not bring"):
        bundled_embedder(bundle)


def test_a_search_in_floats_may_be_made_in_parts_too() -> None:
    """As a GPU does it; without that, all scales lie on one canvas as in dlib."""
    for divisible in (False, True):
        loaded = load_engine(DetectionSettings(), precision="float", divisible=divisible)
        assert loaded.divisible is divisible
