"""The settings of the search, and the engine that answers to them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.classification.bundle import Bundle, EmbedderSpec, Manifest
from models.detection.centerface_detector import CenterFaceDetector
from models.detection.cnn_detector import CnnDetector
from models.detection.detector import DetectorTraits, resized
from models.detection.hog_detector import HogDetector
from models.embedder import DLIB_DIMENSIONS, OnnxEmbedder, bundled_embedder
from models.engine import DetectionSettings, Engine, Runtime, load_engine
from models.errors import ModelError
from models.faces import Detections, Image, iou
from models.networks.dlib_weights import EMBEDDER_FILE, installed_file
from models.networks.graphs import embedder_graph
from models.reference import ReferenceCnnDetector, ReferenceEmbedder

_FACE_XYXY = np.array([[170, 75, 266, 170]], dtype=np.float32)  # the astronaut's, by eye
_FULL_HD = (1920, 1080)


@pytest.fixture(scope="module")
def engines(
    engine: Engine, centerface_detector: CenterFaceDetector, cnn_detector: CnnDetector
) -> dict[str, Engine]:
    """One of each detector."""
    detectors = {"centerface": centerface_detector, "cnn": cnn_detector, "hog": HogDetector()}
    return {
        name: Engine(detector, engine.aligner, engine.embedder)
        for name, detector in detectors.items()
    }


_CNN_AUTO = DetectionSettings(detector="cnn", min_face_px=40)


@pytest.mark.parametrize(
    ("settings", "size_wh", "scale"),
    [
        (DetectionSettings(downscale=1), _FULL_HD, 1),
        (DetectionSettings(downscale=4), _FULL_HD, 0.25),
        (DetectionSettings(downscale=2, upsample=3), _FULL_HD, 1.5),
        (DetectionSettings(detector="cnn", downscale=1), (3840, 2160), 1),
        (DetectionSettings(min_face_px=40), (640, 360), 0.5),
        (DetectionSettings(min_face_px=40), (7680, 4320), 0.5),
        (DetectionSettings(min_face_px=80), _FULL_HD, 0.25),
        (DetectionSettings(min_face_px=20), _FULL_HD, 1),
        (DetectionSettings(min_face_px=5), _FULL_HD, 1),
        (DetectionSettings(min_face_px=5, upsample=2), _FULL_HD, 2),
        (_CNN_AUTO, (640, 360), 2),
        (_CNN_AUTO, _FULL_HD, 1),
        (_CNN_AUTO, (3840, 2160), 0.5),
        (replace(_CNN_AUTO, upsample=2), (3840, 2160), 1),
        (replace(_CNN_AUTO, min_face_px=500), (640, 360), 80 / 500),
        (replace(_CNN_AUTO, detector="hog"), (640, 360), 2),
    ],
)
def test_the_scale_follows_downscale_upsample_and_the_smallest_face(
    engines: dict[str, Engine],
    settings: DetectionSettings,
    size_wh: tuple[int, int],
    scale: float,
) -> None:
    engine = engines[settings.detector].with_settings(settings)
    assert engine.scale(size_wh) == pytest.approx(scale)


@pytest.mark.parametrize(
    ("settings", "scale"),
    [
        (DetectionSettings(), 1),
        (DetectionSettings(min_face_px=300), 1),
        (DetectionSettings(upsample=2), 2),
        (DetectionSettings(downscale=4), 0.25),
    ],
)
def test_pictures_are_searched_at_full_scale_unless_the_user_says_otherwise(
    engine: Engine, settings: DetectionSettings, scale: float
) -> None:
    parts = engine.detector, engine.aligner, engine.embedder
    full = Engine(*parts, full_scale=True).with_settings(settings)
    for size_wh in ((100, 80), _FULL_HD, (12000, 9000)):
        assert full.scale(size_wh) == pytest.approx(scale)


@given(st.integers(1, 8000), st.integers(1, 8000), st.floats(1, 500))
def test_dlibs_detectors_never_search_more_than_full_hd_of_their_own_accord(
    engines: dict[str, Engine], width: int, height: int, min_face_px: float
) -> None:
    for name in ("cnn", "hog"):
        settings = DetectionSettings(detector=name, min_face_px=min_face_px)  # type: ignore[arg-type]
        scale = engines[name].with_settings(settings).scale((width, height))
        assert scale > 0
        assert width * height * scale**2 <= 1920 * 1080 * 1.001


@pytest.mark.parametrize(
    ("threshold", "by_detector"),
    [("auto", {"centerface": 0.45, "cnn": 0, "hog": 0}), (0.6, {"centerface": 0.6, "cnn": 0.6})],
)
def test_the_threshold_is_the_detectors_own_or_what_the_user_says(
    engines: dict[str, Engine], threshold: float, by_detector: dict[str, float]
) -> None:
    settings = DetectionSettings(threshold=threshold)
    found = {name: engines[name].with_settings(settings).threshold for name in by_detector}
    assert found == by_detector


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
    assert iou(engine.detector.squares(faces.boxes_xyxy).mean(axis=1), _FACE_XYXY).item() > 0.7
    nose = engine.align(astronaut, faces).faces.landmarks_xy[0, 4]
    np.testing.assert_allclose(nose, (223, 135), atol=5)


def test_half_the_picture_is_enough_for_a_face_twice_the_size(
    engine: Engine, astronaut: Image
) -> None:
    sixteenth = engine.with_settings(DetectionSettings(downscale=16))
    assert len(sixteenth.find(astronaut)) == 0  # its face has 90 px, so 6 are left
    large = np.ascontiguousarray(astronaut[:256, 90:346].repeat(2, axis=0).repeat(2, axis=1))
    faces = engine.with_settings(DetectionSettings(downscale=2)).find(large)
    assert len(faces) == 1
    expected = (_FACE_XYXY - np.array([90, 0, 90, 0], dtype=np.float32)) * 2
    assert iou(engine.detector.squares(faces.boxes_xyxy).mean(axis=1), expected).item() > 0.6


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


def test_a_part_of_a_larger_picture_is_described_as_its_copy(
    engine: Engine, astronaut: Image
) -> None:
    part = astronaut[20:220, 118:318]
    whole = part.copy()
    described = engine.describe(part, engine.find(part))
    expected = engine.describe(whole, engine.find(whole))
    assert not part.flags.c_contiguous
    assert len(described.chips) == 1
    np.testing.assert_array_equal(described.chips, expected.chips)
    np.testing.assert_array_equal(described.embeddings, expected.embeddings)


@pytest.mark.parametrize("size_wh", [(1, 1), (5, 400), (400, 5), (60, 60)])
def test_pictures_too_small_for_a_face(engine: Engine, size_wh: tuple[int, int]) -> None:
    auto = engine.with_settings(DetectionSettings())
    faces = auto.find(np.zeros((size_wh[1], size_wh[0], 3), dtype=np.uint8))
    assert isinstance(faces, Detections)
    assert len(faces) == 0


class _WholePicture:
    """A detector that sees one face, as large as the picture that is searched."""

    traits = DetectorTraits(
        smallest_px=20.0,
        threshold=0.5,
        thresholds=(0.0, 1.0),
        clear_score=1.0,
        candidate_margin=0.125,
    )

    def __init__(self) -> None:
        self.seen_wh: list[tuple[int, int]] = []
        self.thresholds: list[float | None] = []

    def detect(
        self, image: Image, scale: float = 1.0, threshold: float | None = None
    ) -> Detections:
        self.thresholds.append(threshold)
        searched, back_xy = resized(image, scale)
        height, width = searched.shape[:2]
        self.seen_wh.append((width, height))
        return Detections.of([0, 0, width, height], 1.0).mapped(back_xy)

    def detect_near(
        self, image: Image, boxes_xyxy: NDArray[np.float32], threshold: float | None = None
    ) -> Detections:
        raise NotImplementedError

    def squares(self, boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        return boxes_xyxy[:, None]


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


def _candidates(
    engine: Engine, regions: Sequence[Sequence[float]], scale_factor: float = 1.0
) -> tuple[_WholePicture, list[list[float]]]:
    """What is found in regions of a picture of 160×120 px that is searched at half its size."""
    detector, image = _WholePicture(), np.zeros((120, 160, 3), dtype=np.uint8)
    half = Engine(detector, engine.aligner, engine.embedder, DetectionSettings(downscale=2))
    places = np.array(regions, dtype=np.float32).reshape(-1, 4)
    return detector, half.find_candidates(image, places, scale_factor).boxes_xyxy.tolist()


def test_candidates_of_regions_are_px_of_the_picture(engine: Engine) -> None:
    detector, found = _candidates(engine, [(10, 20, 50, 40), (100, 60, 160, 120)])
    assert sorted(found) == [[10, 20, 50, 40], [100, 60, 160, 120]]
    assert detector.seen_wh == [(20, 10), (30, 30)]
    assert detector.thresholds == [0.375, 0.375], "lower than for a face: they are looked at again"


def test_no_candidate_scores_less_than_the_lowest_threshold_that_makes_sense(
    engine: Engine,
) -> None:
    detector, image = _WholePicture(), np.zeros((120, 160, 3), dtype=np.uint8)
    settings = DetectionSettings(downscale=1, threshold=0.05)
    low = Engine(detector, engine.aligner, engine.embedder, settings)
    low.find_candidates(image, np.array([[0, 0, 160, 120]], dtype=np.float32))
    assert detector.thresholds == [0.0]


def test_a_coarser_search_of_a_region(engine: Engine) -> None:
    detector, found = _candidates(engine, [(10, 20, 50, 40)], 0.5)
    assert found == [[10, 20, 50, 40]]
    assert detector.seen_wh == [(10, 5)]


def test_a_face_in_two_regions_is_one_candidate(engine: Engine) -> None:
    assert _candidates(engine, [(10, 20, 50, 40), (11, 20, 50, 41)])[1] == [[10, 20, 50, 40]]


def test_of_a_region_what_lies_in_the_picture_is_searched(engine: Engine) -> None:
    _, found = _candidates(engine, [(-30, 100, 20, 300), (200, 0, 300, 50), (40, 40, 40, 60)])
    assert found == [[0, 100, 20, 120]]
    assert _candidates(engine, [])[1] == []


@pytest.mark.parametrize(
    ("settings", "width_px"),
    [
        (DetectionSettings(downscale=1), 20),
        (DetectionSettings(downscale=2), 40),
        (DetectionSettings(downscale=1, upsample=2), 10),
        (DetectionSettings(min_face_px=40), 40),
        (DetectionSettings(min_face_px=5), 20),
        (DetectionSettings(detector="cnn", downscale=1), 80),
        (DetectionSettings(detector="cnn", min_face_px=40), 40),
        (DetectionSettings(detector="cnn", min_face_px=10), 80 / 3),
    ],
)
def test_the_smallest_face_that_a_search_finds(
    engines: dict[str, Engine], settings: DetectionSettings, width_px: float
) -> None:
    engine = engines[settings.detector].with_settings(settings)
    assert engine.smallest_px((640, 360)) == pytest.approx(width_px)


@pytest.mark.parametrize(
    ("settings", "runtime", "detector", "embedder"),
    [
        (DetectionSettings(), "onnx", CenterFaceDetector, OnnxEmbedder),
        (DetectionSettings(detector="cnn"), "onnx", CnnDetector, OnnxEmbedder),
        (DetectionSettings(detector="hog"), "onnx", HogDetector, OnnxEmbedder),
        (DetectionSettings(detector="cnn"), "dlib", ReferenceCnnDetector, ReferenceEmbedder),
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
    assert "OnnxEmbedder(mine" in repr(loaded)


def test_an_embedder_that_is_not_there() -> None:
    spec = EmbedderSpec(name="unheard-of", dimensions=DLIB_DIMENSIONS, chip_size=150)
    bundle = Bundle(Path("mine"), Manifest(embedder=spec, attributes=()), {})
    with pytest.raises(ModelError, match="'unheard-of', which it does not bring"):
        bundled_embedder(bundle)


@pytest.mark.parametrize(
    "view",
    [
        lambda whole: np.pad(whole, ((9, 7), (30, 5), (0, 0)))[9:-7, 30:-5],
        lambda picture: np.ascontiguousarray(picture[:, ::-1])[:, ::-1],
        lambda picture: np.asfortranarray(picture),
    ],
    ids=["a part", "mirrored twice", "columns first"],
)
def test_pixels_need_not_follow_one_another(
    view: Callable[[Image], Image], engine: Engine, astronaut: Image
) -> None:
    picture = view(astronaut)
    assert not picture.flags.c_contiguous
    found = engine.find(astronaut)
    np.testing.assert_array_equal(engine.find(picture).boxes_xyxy, found.boxes_xyxy)
    near = engine.find_near(astronaut, found.boxes_xyxy)
    np.testing.assert_array_equal(
        engine.find_near(picture, found.boxes_xyxy).boxes_xyxy, near.boxes_xyxy
    )
    described, expected = engine.describe(picture, found), engine.describe(astronaut, found)
    np.testing.assert_array_equal(described.embeddings, expected.embeddings)
