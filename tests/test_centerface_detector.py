"""What only CenterFace does: faces of any roll and size, tiles, and maps decoded by hand."""

import math
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
import sklearn.datasets
from numpy.typing import NDArray
from peak_memory import run_measured

from models.classification.bundle import load_bundle
from models.classification.classifier import Classifier
from models.detection.centerface_detector import CenterFaceDetector, decoded
from models.embedder import bundled_embedder
from models.engine import DetectionSettings, load_engine
from models.faces import Image, centres_xy, iou, sizes_wh
from stream.sources.pictures import read_picture

_BUNDLE = Path(__file__).parents[1] / "models" / "default"
_FACE_XY = (226.0, 118.0)  # the middle of the astronaut's face, px
_FACE_PX = 88.0  # its width

_SKIMAGE_FACELESS = (
    "brick.png",
    "cell.png",
    "chelsea.png",  # a cat
    "clock_motion.png",
    "coffee.png",
    "coins.png",
    "color.png",
    "grass.png",
    "gravel.png",
    "horse.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "moon.png",
    "motorcycle_left.png",
    "page.png",
    "retina.jpg",
    "rocket.jpg",
    "text.png",
)
"""Of the pictures that scikit-image installs, those without a face."""

_SKLEARN_FACELESS = ("china.jpg", "flower.jpg")


@pytest.fixture(scope="module")
def head(astronaut: Image) -> Image:
    """200×200 px around the face, which is in its middle."""
    x, y = (round(each) for each in _FACE_XY)
    return np.ascontiguousarray(astronaut[y - 100 : y + 100, x - 100 : x + 100])


def test_no_face_is_seen_in_plain_places_at_the_lowest_threshold(
    centerface_detector: CenterFaceDetector, astronaut: Image
) -> None:
    """What lies under it by the margin of the near search would be every cell of a crop."""
    lowest = centerface_detector.traits.thresholds[0]
    places = np.array([[400, 100, 490, 190], [20, 20, 60, 60]], dtype=np.float32)
    assert len(centerface_detector.detect_near(astronaut, places, lowest)) == 0


# --- rolls and sizes ---


def _rolled(astronaut: Image, roll_deg: float) -> Image:
    """The portrait turned clockwise about its middle; nothing of it is cut off."""
    matrix = cv2.getRotationMatrix2D((256, 256), -roll_deg, 1.0)
    matrix[:, 2] += 106
    return cv2.warpAffine(astronaut, matrix, (724, 724)).astype(np.uint8)


def test_a_portrait_is_found_and_described_alike_at_every_roll(astronaut: Image) -> None:
    bundle = load_bundle(_BUNDLE)
    engine = load_engine(
        DetectionSettings(), embedder=bundled_embedder(bundle), full_scale=True, device="cpu"
    )
    classifier, appearances = Classifier(bundle), []
    for roll_deg in range(0, 360, 15):
        image = _rolled(astronaut, roll_deg)
        found = engine.find(image)
        assert len(found) == 1, roll_deg
        turn = math.radians(roll_deg)
        x, y = (np.array(_FACE_XY) - 256).tolist()
        middle = (
            362 + x * math.cos(turn) - y * math.sin(turn),
            362 + x * math.sin(turn) + (y * math.cos(turn)),
        )
        assert np.abs(centres_xy(found.boxes_xyxy) - middle).max() < _FACE_PX / 2
        described = engine.describe(image, found)
        appearances.append(described.appearances[0])
        (gender,) = classifier.predict(described.embeddings, ["gender"])
        assert gender.classes[gender.probabilities[0].argmax()] == "Female", roll_deg
    distances = np.linalg.norm(np.array(appearances) - appearances[0], axis=1)
    assert distances.max() < 0.4, distances.round(2)


@pytest.mark.parametrize("roll_deg", [0, 45, 90, 180, 270, 315])
def test_the_roll_is_said_roughly(
    centerface_detector: CenterFaceDetector, astronaut: Image, roll_deg: int
) -> None:
    found = centerface_detector.detect(_rolled(astronaut, roll_deg))
    off_deg = (found.rolls_deg - roll_deg + 180) % 360 - 180
    assert np.abs(off_deg).max() < 70


@pytest.mark.parametrize("width_px", [11, 12, 16, 20, 30, 50, 80, 120, 180, 260, 400, 650])
def test_a_face_of_any_width_is_found_once(
    centerface_detector: CenterFaceDetector, astronaut: Image, head: Image, width_px: int
) -> None:
    factor, is_small = width_px / _FACE_PX, width_px < _FACE_PX
    whole, flags = (astronaut, cv2.INTER_AREA) if is_small else (head, cv2.INTER_LINEAR)
    image = cv2.resize(whole, None, fx=factor, fy=factor, interpolation=flags).astype(np.uint8)
    found = centerface_detector.detect(image)
    assert len(found) == 1
    middle_xy = _FACE_XY if is_small else (100.0, 100.0)
    expected = np.array([[-44, -58, 44, 58]], dtype=np.float32) + np.tile(middle_xy, 2)  # by eye
    assert iou(found.boxes_xyxy / np.float32(factor), expected.astype(np.float32)).item() > 0.6


@pytest.mark.parametrize("side_px", [1000, 1500, 1900, 4000])
def test_a_face_that_fills_a_large_picture_is_found_once(
    centerface_detector: CenterFaceDetector, shared_data: Path, side_px: int
) -> None:
    portrait = read_picture(shared_data / "people" / "002_1.webp")
    assert portrait is not None
    image = cv2.resize(portrait, (side_px, side_px), interpolation=cv2.INTER_CUBIC)
    found = centerface_detector.detect(image.astype(np.uint8))
    assert len(found) == 1
    assert sizes_wh(found.boxes_xyxy)[0, 0] > 0.6 * side_px


# --- tiles ---


@pytest.mark.parametrize(("columns", "rows", "pitch"), [(20, 11, 128), (9, 8, 290), (5, 3, 560)])
def test_each_of_many_faces_over_several_tiles_is_found_once(
    centerface_detector: CenterFaceDetector, head: Image, columns: int, rows: int, pitch: int
) -> None:
    """Tiles end at 1280 px and begin anew at 1024 px, in the middle of some of the faces."""
    flags = cv2.INTER_AREA if pitch < 200 else cv2.INTER_LINEAR
    one = cv2.resize(head, (pitch, pitch), interpolation=flags).astype(np.uint8)
    found = centerface_detector.detect(np.ascontiguousarray(np.tile(one, (rows, columns, 1))))
    centres = centres_xy(found.boxes_xyxy) / pitch
    places = np.floor(centres).astype(int).tolist()
    assert sorted(map(tuple, places)) == [(x, y) for x in range(columns) for y in range(rows)]
    assert np.abs(centres % 1 - 0.5).max() < 0.15
    widths = sizes_wh(found.boxes_xyxy)[:, 0] / pitch
    assert widths.max() < 1.35 * widths.min(), "no face is cut by the edge of a tile"


def test_what_an_edge_of_a_tile_leaves_of_a_face_is_no_second_face(
    centerface_detector: CenterFaceDetector, shared_data: Path
) -> None:
    """A tile begins at 1024 px, in the middle of the face; its lower half looks like a face too."""
    portrait = read_picture(shared_data / "people" / "004_1.webp")
    assert portrait is not None
    one = cv2.resize(portrait, (400, 400), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    image = np.full((2000, 500, 3), 110, dtype=np.uint8)
    image[:1600, 50:450] = np.tile(one, (4, 1, 1))
    assert len(centerface_detector.detect(image)) == 4


_HUGE = """
import numpy as np
from models.detection.centerface_detector import CenterFaceDetector
picture = np.full((5000, 10000, 3), 90, dtype=np.uint8)
print(len(CenterFaceDetector(device="cpu").detect(picture, 0.5)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of ru_maxrss is Linux's")
def test_50_megapixels_are_searched_in_less_than_a_gigabyte() -> None:
    """At half the scale, which has tiles as large as the whole scale, and takes a quarter."""
    child = run_measured(["-c", _HUGE], Path(__file__).parents[1])
    assert (child.returncode, child.stdout) == (0, "0\n")
    assert child.peak_mb < 1000


# --- pictures without faces ---


def _textures() -> list[Image]:
    """Made ones: noise, waves, rings, a chessboard, gradients."""
    random, (y, x) = np.random.default_rng(0), np.mgrid[:400, :400]
    noise = random.normal(128, 50, (400, 400, 3))
    blotches = cv2.resize(random.uniform(0, 255, (25, 25, 3)), (400, 400))
    rings = 128 + 100 * np.sin(np.hypot(x - 200, y - 200) / 6)
    waves = 128 + 60 * np.sin(x / 9) + 60 * np.cos(y / 13)
    board = 255.0 * ((x // 25 + y // 25) % 2)
    made = [noise, blotches, *(np.repeat(each[..., None], 3, axis=2) for each in (rings, waves))]
    made.append(np.repeat(board[..., None], 3, axis=2))
    return [each.clip(0, 255).astype(np.uint8) for each in made]


def test_in_25_pictures_without_a_face_at_most_one_is_found(
    centerface_detector: CenterFaceDetector,
) -> None:
    folders = {
        Path(skimage.__file__).parent / "data": _SKIMAGE_FACELESS,
        Path(sklearn.datasets.__file__).parent / "images": _SKLEARN_FACELESS,
    }
    read = [read_picture(folder / name) for folder, names in folders.items() for name in names]
    pictures = [each for each in read if each is not None] + _textures()
    assert len(pictures) == 25
    assert sum(len(centerface_detector.detect(each)) for each in pictures) <= 1


# --- maps made by hand ---


def _maps(faces: Sequence[Sequence[float]], size_hw: tuple[int, int] = (16, 24)) -> NDArray:  # type: ignore[type-arg]
    """Maps of faces: row, column, score, height and width in px, offset down and right."""
    maps = np.zeros((15, *size_hw), dtype=np.float32)
    for row, column, score, height, width, down, right in faces:
        upright = [-0.2, -0.2, -0.2, 0.2, 0.0, 0.0, 0.3, -0.2, 0.3, 0.2]  # y and x of five points
        maps[:, int(row), int(column)] = (
            score,
            math.log(height / 4),
            math.log(width / 4),
            down,
            right,
            *upright,
        )
    return maps


def test_a_cell_says_where_a_face_is_and_how_large() -> None:
    found = decoded(_maps([(5, 10, 0.9, 40, 24, 0.25, -0.5)]), 0.45)
    y, x = (5 + 0.25 + 0.5) * 4, (10 - 0.5 + 0.5) * 4
    np.testing.assert_allclose(found.boxes_xyxy, [[x - 12, y - 20, x + 12, y + 20]], rtol=1e-5)
    assert found.scores.tolist() == [pytest.approx(0.9)]
    assert found.rolls_deg.tolist() == [pytest.approx(0, abs=1e-4)]


@pytest.mark.parametrize(("score", "count"), [(0.44, 0), (0.45, 0), (0.46, 1)])
def test_a_cell_must_score_more_than_the_threshold(score: float, count: int) -> None:
    assert len(decoded(_maps([(5, 10, score, 40, 24, 0, 0)]), np.float32(0.45))) == count


def test_of_cells_that_say_the_same_face_the_surest_counts() -> None:
    same = [(5, 10, 0.7, 40, 24, 0, 0), (5, 11, 0.9, 40, 24, 0, 0), (14, 20, 0.6, 12, 12, 0, 0)]
    found = decoded(_maps(same), 0.45)
    assert found.scores.tolist() == pytest.approx([0.9, 0.6])
    np.testing.assert_allclose(centres_xy(found.boxes_xyxy), [[46, 22], [82, 58]])


@pytest.mark.parametrize("roll_deg", [0.0, 30.0, 90.0, 179.0, -90.0, -135.0])
@pytest.mark.parametrize("aspect", [1.0, 1.4])
def test_the_roll_is_that_of_the_five_points(roll_deg: float, aspect: float) -> None:
    """Points are shares of height and width, so a narrow box must not bend it."""
    maps = _maps([(8, 12, 0.9, 28 * aspect, 28, 0, 0)])
    turn = math.radians(roll_deg)
    for point, (right, down) in enumerate([(-6, -6), (6, -6), (0, 0), (-6, 8), (6, 8)]):
        y = right * math.sin(turn) + down * math.cos(turn)
        x = right * math.cos(turn) - down * math.sin(turn)
        maps[5 + 2 * point : 7 + 2 * point, 8, 12] = y / (28 * aspect), x / 28
    assert decoded(maps, 0.45).rolls_deg.tolist() == [pytest.approx(roll_deg, abs=1e-3)]


def test_empty_maps_give_no_faces() -> None:
    found = decoded(_maps([]), 0.45)
    assert found.boxes_xyxy.shape == (0, 4)
    assert found.rolls_deg.shape == (0,)


def test_maps_of_another_network_are_refused() -> None:
    with pytest.raises(ValueError, match="maps should have 15 planes, have 14"):
        decoded(np.zeros((14, 8, 8), dtype=np.float32), 0.45)
