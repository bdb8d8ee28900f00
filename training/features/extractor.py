"""One picture → the embeddings of its faces, through the same steps as in the stream."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from models.aligner import CHIP_FACE_SHARE
from models.classification.view_quality import ViewQuality
from models.detection.names import NO_DETECTOR, DetectorName, found_by
from models.embedder import read_embedder
from models.engine import DetectionSettings, Engine, load_engine
from models.faces import Detections, Image, centres_xy, sizes_wh
from models.networks.graphs import CHIP_SIZE
from models.pictures.files import decode_picture
from models.pictures.size import PictureTooLargeError
from models.safe_files import MAX_PICTURE_BYTES, UnfitFileError, read_regular
from training.datasets.regions import named_region
from training.errors import DatasetError
from training.features.cache import EmbeddedFaces
from training.features.marked_faces import cut_out
from training.features.picture_hash import UNKNOWN, perceptual_hash
from training.features.table import FeatureTable
from training.features.views import View, planned_views, show

FacesPolicy: TypeAlias = Literal["one", "largest", "centre", "marked", "all"]
"""Which faces of a picture are taken: `one` skips pictures with several, `marked` takes the one
around the middle of a picture that was cut out around it, and no other."""

NO_FACE = "no face"
"""Reason for which a picture is skipped: no search finds a face."""

SEVERAL_FACES = "several faces"
"""Reason for which a picture is skipped: one face is wanted, and there are more."""

UNREADABLE = "unreadable"
"""Reason for which a picture is skipped: the file holds no picture, or only a part of it."""

FIRST_SEARCH_PX = 140
"""Shorter side of the first picture that is searched for the largest face, px; faces of about half
of it are found. A larger one finds smaller faces at once and costs more."""

_CHIP_VERSION = 2
"""Raised when the same picture and settings give another chip, so that no kept result is of two
kinds: 2 takes landmarks in several squares, turns faces, and reads alpha and HDR."""

_FILM_VERSION = 1
"""Raised when the same face is filmed in another way, likewise."""

_FULL_SCALE = DetectionSettings(downscale=1.0)
"""Settings of a search of the picture at its own size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractionSettings:
    """The settings on which an embedding depends, besides the picture.

    Attributes:
        aligned: pictures are aligned chips (padding 0.25); no face is searched for.
        faces: which faces of a picture are taken.
        mirror: each face is embedded a second time, flipped left to right.
        filmed: how often each face is embedded as a video shows it, in another way each time.
        detection: how faces are searched for; see `Extractor.find` for the scales.
        embedder: the file of one that `face-train finetune` wrote; dlib's without it.
    """

    aligned: bool = False
    faces: FacesPolicy = "one"
    mirror: bool = True
    filmed: int = 0
    detection: DetectionSettings = _FULL_SCALE
    embedder: Path | None = None

    @property
    def views(self) -> tuple[View, ...]:
        """The views of each face that are embedded."""
        return planned_views(mirror=self.mirror, filmed=self.filmed)

    @property
    def detector(self) -> str:
        """The detector that finds the faces, `NO_DETECTOR` where none is searched for."""
        return NO_DETECTOR if self.aligned else self.detection.detector


@dataclass(frozen=True, slots=True, eq=False)
class FaceChips:
    """The aligned faces of a picture.

    Attributes:
        reason: why there are none; empty where there are some.
        chips: `(faces, 150, 150, 3)` uint8 BGR.
        face_px: `(faces,)` float32, width of each face in the picture.
        picture_hash: the perceptual hash of the picture.
    """

    reason: str
    chips: NDArray[np.uint8]
    face_px: NDArray[np.float32]
    picture_hash: int = UNKNOWN


class Extractor:
    """Embeds the faces of pictures; may be used from several threads at once.

    Args:
        settings: what is taken from a picture.
        engine: finds and embeds faces; each call keeps to one core.
    """

    def __init__(self, settings: ExtractionSettings, engine: Engine | None = None) -> None:
        self.settings = settings
        self.engine = engine or _load_engine(settings)
        described = f"{self.engine.embedder.name} {self.chip_key} {FIRST_SEARCH_PX}"
        if settings.filmed:
            described += f" filmed={settings.filmed} {_FILM_VERSION}"
        self._fingerprint = hashlib.sha256(described.encode()).digest()

    @property
    def described(self) -> str:
        """How faces are found, in a few words."""
        settings = self.settings
        if settings.aligned:
            return "aligned chips, runtime onnx"
        return (
            f"{settings.detector} detector, threshold {self.engine.threshold:g}, "
            f"faces {settings.faces}, runtime onnx"
        )

    @property
    def chip_key(self) -> str:
        """The settings on which a chip depends, in words that stay as they are: results that are
        kept on disk are found by them, so never those of another detector or threshold."""
        settings = self.settings
        detection = replace(settings.detection, threshold=self.engine.threshold)
        return (
            f"ExtractionSettings(aligned={settings.aligned}, faces={settings.faces!r}, "
            f"mirror={settings.mirror}, detection={None if settings.aligned else detection!r}, "
            f"runtime='onnx', version={_CHIP_VERSION})"
        )

    def key(self, content: bytes) -> bytes:
        """The key of a result in the cache: a hash of the picture's bytes and of all settings."""
        return hashlib.sha256(self._fingerprint + content).digest()

    def extract(self, content: bytes) -> EmbeddedFaces:
        """The embeddings of one picture file's faces, or why there are none."""
        found = self.chips(content)
        if found.reason:
            nothing = np.zeros((0, 1), dtype=np.float32)
            return EmbeddedFaces(found.reason, nothing, nothing.reshape(0, 1, 0), nothing)
        views = self.settings.views
        # Of the picture itself, so that it is filmed the same way in another order or dataset.
        seed = int.from_bytes(hashlib.sha256(content).digest(), "big")
        chips, widths_px = show(found.chips, found.face_px, views, np.random.default_rng(seed))
        quality = ViewQuality.of(chips, widths_px)
        vectors, widths, sharp = (
            np.ascontiguousarray(np.stack(np.split(each, len(views)), axis=1))
            for each in (self.engine.embed(chips), quality.widths_px, quality.sharpness)
        )
        return EmbeddedFaces("", widths, vectors, sharp, found.picture_hash)

    def chips(self, content: bytes) -> FaceChips:
        """The aligned faces of one picture file, or why there are none."""
        try:
            image = decode_picture(content)
        except PictureTooLargeError as error:
            return _no_faces(str(error).partition(" (")[0])
        if image is None:
            return _no_faces(UNREADABLE)
        if self.settings.aligned:
            face_px = np.array([min(image.shape[:2]) * CHIP_FACE_SHARE], dtype=np.float32)
            return FaceChips("", as_chip(image)[None], face_px, perceptual_hash(image))
        faces = self.find(image)
        if not len(faces):
            return _no_faces(NO_FACE)
        if len(faces) > 1 and self.settings.faces == "one":
            return _no_faces(SEVERAL_FACES)
        chosen = _choose(faces, image, self.settings.faces)
        if not len(chosen):
            return _no_faces(NO_FACE)
        widths = sizes_wh(chosen.boxes_xyxy)[:, 0]
        chips = self.engine.align(image, chosen).chips
        return FaceChips("", chips, widths, perceptual_hash(image))

    def find(self, image: Image) -> Detections:
        """The faces of a picture, by the first search that finds any of `min_face_px`.

        Smaller ones are left out, as the stream labels none: else hardly a picture would have one
        face where a detector sees those far behind it.

        1. Where only the largest face is wanted: shrunk, at a fraction of the cost.
        2. At the picture's own size.
        3. Enlarged, by a detector that finds no face of `min_face_px` otherwise.
        """
        height, width = image.shape[:2]
        shrink = min(height, width) / FIRST_SEARCH_PX
        searches = [self._engine(self.settings.detection.downscale)]
        if shrink > 1 and self.settings.faces == "largest":
            searches.insert(0, self._engine(shrink))
        enlarging = self._engine("auto")
        if enlarging.scale((width, height)) > 1:
            searches.append(enlarging)
        for engine in searches:
            found = engine.find(image)
            large = sizes_wh(found.boxes_xyxy)[:, 0] >= self.settings.detection.min_face_px
            if large.any():
                break
        return found[large]

    def _engine(self, downscale: float | Literal["auto"]) -> Engine:
        return self.engine.with_settings(replace(self.settings.detection, downscale=downscale))


def _load_engine(settings: ExtractionSettings) -> Engine:
    file = settings.embedder
    return load_engine(
        settings.detection,
        embedder=None if file is None else read_embedder(file),
        threads=1,
    )


def detection_settings(detector: DetectorName) -> DetectionSettings:
    """The search for labelled faces: pictures as they are, before they are enlarged."""
    return replace(_FULL_SCALE, detector=detector)


def check_detector(table: FeatureTable, settings: ExtractionSettings) -> None:
    """Raises DatasetError where a table's faces are not those that these settings find.

    Faces are told apart by their number in a picture, which is another one by another detector.
    """
    theirs, ours = table.info.detector, settings.detector
    if theirs in (None, ours):
        return
    option = "--aligned" if theirs == NO_DETECTOR else f"--detector {theirs}"
    if ours == NO_DETECTOR:
        option = f"--no-aligned {option}"
    raise DatasetError(
        f"the faces of the table were {found_by(theirs)}; those of the pictures would be "
        f"{found_by(ours)}: add {option}, or make the table anew"
    )


def as_chip(image: Image) -> Image:
    """An aligned chip of any size, at the size the embedder takes."""
    if image.shape[:2] == (CHIP_SIZE, CHIP_SIZE):
        return image
    flags = cv2.INTER_AREA if min(image.shape[:2]) > CHIP_SIZE else cv2.INTER_LINEAR
    resized = cv2.resize(image, (CHIP_SIZE, CHIP_SIZE), interpolation=flags)
    return resized.astype(np.uint8, copy=False)


def read_picture(path: Path) -> bytes:
    """A picture file's bytes, of a part of a picture those of its surroundings as a file; none
    where it cannot be read."""
    picture, region = named_region(path)
    try:
        content = read_regular(picture, MAX_PICTURE_BYTES)
    except UnfitFileError:
        return b""
    return content if region is None else cut_out(content, region)


def _no_faces(reason: str) -> FaceChips:
    none = np.zeros((0, CHIP_SIZE, CHIP_SIZE, 3), dtype=np.uint8)
    return FaceChips(reason, none, np.zeros(0, dtype=np.float32))


def _choose(faces: Detections, image: Image, policy: FacesPolicy) -> Detections:
    if policy in ("one", "all"):
        return faces
    if policy == "largest":
        order = -sizes_wh(faces.boxes_xyxy).prod(axis=1)
    else:
        height, width = image.shape[:2]
        middle = np.array([width / 2, height / 2], dtype=np.float32)
        order = np.linalg.norm(centres_xy(faces.boxes_xyxy) - middle, axis=1)
        if policy == "marked":
            boxes = faces.boxes_xyxy
            around = ((boxes[:, :2] <= middle) & (middle <= boxes[:, 2:])).all(axis=1)
            faces, order = faces[np.flatnonzero(around)], order[around]
    return faces[np.argsort(order, kind="stable")[:1]]
