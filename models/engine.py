"""The engine: from a picture to its faces and their embeddings, with the settings of the search.

It is the only way in: the stream and training find, align and embed faces through it.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.aligner import Aligner
from models.detection.centerface_detector import CenterFaceDetector, DetectorPrecision
from models.detection.cnn_detector import CnnDetector
from models.detection.detector import NEIGHBOUR_IOU, Detector
from models.detection.hog_detector import HogDetector
from models.detection.names import DEFAULT_DETECTOR, DetectorName
from models.detection.turned_faces import TURNED_DEG, locate_turned, with_turned
from models.embedder import Embedder, EmbedderModel, OnnxEmbedder, dlib_embedder
from models.faces import (
    LANDMARK_COUNT,
    Detections,
    Faces,
    Image,
    concatenate,
    non_maximum_suppression,
)
from models.networks.graphs import CHIP_SIZE
from models.networks.runtime import Device

Runtime: TypeAlias = Literal["onnx", "dlib"]
"""What runs dlib's networks: ONNX Runtime, or dlib itself as a slower reference."""

EmbedderPrecision: TypeAlias = Literal["int8", "float"]
"""In what the embedder is calculated: floats, or 8-bit integers, which are faster on a CPU."""

_EMPTY_GREY = 128
"""Value of all pixels of a chip in which there is nothing to see, 0 to 255; black or dark ones have
nearly the same appearance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionSettings:
    """How faces are searched for; each setting means the same for every detector.

    Attributes:
        detector: `centerface` finds faces of any pose, small and half hidden ones too; `cnn` is
            dlib's network, `hog` dlib's search for upright frontal faces.
        downscale: by how much the picture is shrunk for the search, 1 for none. `auto` picks the
            scale at which faces of `min_face_px` are found; see `Engine.scale`.
        upsample: by how much the picture is enlarged for the search, 1 for none.
        threshold: detections that score higher are faces; higher finds fewer. `auto` is the
            detector's own choice, a number is on its own scale.
        min_face_px: width of the smallest face that is worth a label, in px of the picture given.
            Smaller ones may be found, and get none.
    """

    detector: DetectorName = DEFAULT_DETECTOR
    downscale: float | Literal["auto"] = "auto"
    upsample: float = 1.0
    threshold: float | Literal["auto"] = "auto"
    min_face_px: float = 40.0


@dataclass(frozen=True, slots=True, eq=False)
class AlignedFaces:
    """Faces of one picture, aligned.

    Attributes:
        faces: where they are and how they are turned.
        chips: `(n, 150, 150, 3)` uint8 BGR, the faces upright and of one size.
    """

    faces: Faces
    chips: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class DescribedFaces:
    """Faces of one picture, aligned and embedded.

    Attributes:
        faces: where they are and how they are turned.
        chips: `(n, 150, 150, 3)` uint8 BGR, the faces aligned.
        embeddings: `(n, dimensions)` float32.
        appearances: `(n, d)` float32, the first numbers of the embeddings, which tell people apart.
    """

    faces: Faces
    chips: NDArray[np.uint8]
    embeddings: NDArray[np.float32]
    appearances: NDArray[np.float32]


class Engine:
    """Finds faces and embeds them.

    Args:
        detector: finds faces in a picture as it is.
        aligner: gives landmarks and chips.
        embedder: describes chips.
        settings: what is searched; its `detector` has chosen `detector`.
        full_scale: pictures are searched at full scale at least, whatever the smallest face is.
    """

    def __init__(
        self,
        detector: Detector,
        aligner: Aligner,
        embedder: Embedder,
        settings: DetectionSettings | None = None,
        *,
        full_scale: bool = False,
    ) -> None:
        self.detector = detector
        self.aligner = aligner
        self.embedder = embedder
        self.settings = settings or DetectionSettings()
        self._full_scale = full_scale

    def __repr__(self) -> str:
        return f"Engine({self.detector!r}, {self.embedder!r})"

    @property
    def threshold(self) -> float:
        """The score above which a detection is a face."""
        if self.settings.threshold == "auto":
            return self.detector.traits.threshold
        return self.settings.threshold

    @cached_property
    def empty_appearance(self) -> NDArray[np.float32]:
        """`(d,)`, the appearance that a chip has in which there is nothing to see. Faces that show
        little, such as dark, hidden or turned ones, have appearances near it, whoever they are of.
        """
        grey = np.full((1, CHIP_SIZE, CHIP_SIZE, 3), _EMPTY_GREY, dtype=np.uint8)
        return self.embed(grey)[0, : self.embedder.appearance_dimensions]

    def with_settings(self, settings: DetectionSettings) -> "Engine":
        """An engine of the same parts that searches by other settings."""
        parts = self.detector, self.aligner, self.embedder
        return Engine(*parts, settings, full_scale=self._full_scale)

    def scale(self, size_wh: tuple[int, int]) -> float:
        """By what a picture of that size is multiplied before it is searched.

        1. As the user says: `upsample / downscale`.
        2. `auto`: the scale at which a face of `min_face_px` is just found, within what the
           detector takes of its own accord; at full scale no less than 1.
        """
        settings, traits = self.settings, self.detector.traits
        if settings.downscale != "auto":
            return settings.upsample / settings.downscale
        wanted = traits.smallest_px / settings.min_face_px
        if self._full_scale:
            wanted = max(wanted, 1.0)
        affordable: float = (traits.max_px / (size_wh[0] * size_wh[1])) ** 0.5
        return settings.upsample * min(wanted, traits.max_scale, affordable)

    def smallest_px(self, size_wh: tuple[int, int]) -> float:
        """The width of the smallest face that a search of such a picture finds, in its px."""
        return self.detector.traits.smallest_px / self.scale(size_wh)

    def find(self, image: Image) -> Detections:
        """All faces of a picture, surest first, large ones at any roll if the detector can."""
        scale = self._scale(image)
        found = self.detector.detect(image, scale, self.threshold)
        return with_turned(found, image, self.detector, scale, self.threshold)

    def find_candidates(
        self, image: Image, regions_xyxy: NDArray[np.float32], scale_factor: float = 1.0
    ) -> Detections:
        """What may be a face in regions of a picture.

        The boxes are rough, and a face at the edge of a region may be cut: `find_near` gives those
        of the faces that matter.

        Args:
            image: the picture.
            regions_xyxy: `(n, 4)` px.
            scale_factor: by what the scale of the search is multiplied.
        """
        height, width = image.shape[:2]
        traits = self.detector.traits
        threshold = max(self.threshold - traits.candidate_margin, traits.thresholds[0])
        scale, found = self._scale(image) * scale_factor, []
        for region in regions_xyxy.round().astype(int):
            left, top, right, bottom = region.clip(0, [width, height, width, height]).tolist()
            if left < right and top < bottom:
                cut = np.ascontiguousarray(image[top:bottom, left:right])
                detections = self.detector.detect(cut, scale, threshold)
                found.append(detections.mapped((1.0, 1.0), (left, top)))
        return non_maximum_suppression(concatenate(found), NEIGHBOUR_IOU)

    def find_near(self, image: Image, boxes_xyxy: NDArray[np.float32]) -> Detections:
        """The faces near `(n, 4)` places where faces are expected, each once.

        What it costs depends on n, not on the size of the picture.
        """
        return self.detector.detect_near(image, boxes_xyxy, self.threshold)

    def describe(self, image: Image, detections: Detections) -> DescribedFaces:
        """The faces of detections, aligned and embedded, all in one batch."""
        aligned = self.align(image, detections)
        embeddings = self.embed(aligned.chips)
        appearances = embeddings[:, : self.embedder.appearance_dimensions]
        return DescribedFaces(aligned.faces, aligned.chips, embeddings, appearances)

    def align(self, image: Image, detections: Detections) -> AlignedFaces:
        """The faces of detections, with landmarks and chips."""
        image = np.ascontiguousarray(image)  # dlib reads no part of a larger picture
        landmarks = np.empty((len(detections), LANDMARK_COUNT, 2), dtype=np.float32)
        is_turned = np.abs(detections.rolls_deg) > TURNED_DEG
        upright = detections[~is_turned]
        squares = self.detector.squares(upright.boxes_xyxy)
        landmarks[~is_turned] = self.aligner.locate(image, upright, squares).landmarks_xy
        for row in np.flatnonzero(is_turned):
            face = detections[row : row + 1]
            landmarks[row] = locate_turned(image, face, self.detector, self.aligner, self.threshold)
        faces = Faces(detections.boxes_xyxy, landmarks, detections.scores)
        return AlignedFaces(faces, self.aligner.chips(image, faces))

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The embeddings of chips `(n, 150, 150, 3)` uint8 BGR, `(n, dimensions)`, in one batch."""
        return self.embedder.embed(chips)

    def _scale(self, image: Image) -> float:
        return self.scale((image.shape[1], image.shape[0]))


def load_engine(
    settings: DetectionSettings,
    *,
    runtime: Runtime = "onnx",
    embedder: EmbedderModel | None = None,
    full_scale: bool = False,
    precision: DetectorPrecision = "float",
    embedder_precision: EmbedderPrecision = "float",
    threads: int = 0,
    device: Device = "auto",
    beside: Engine | None = None,
) -> Engine:
    """The engine that the settings ask for.

    Args:
        settings: what is searched for.
        runtime: `onnx`, or `dlib` for the same steps through `face_recognition` and dlib.
        embedder: what describes the faces; dlib's unless given.
        full_scale: pictures are searched at full scale at least.
        precision: in what CenterFace calculates; dlib's detectors know floats only.
        embedder_precision: likewise, the embedder; without ranges in its file it knows floats only.
        threads: cores for one step, 0 for all.
        device: where ONNX Runtime works.
        beside: another engine of that embedder, whose aligner and embedder it shares.

    Raises:
        ModelError: weights are missing or damaged, or the device is not there.
    """
    detector = _detector(settings, runtime, precision, threads, device)
    if beside is None:
        chosen = _embedder(embedder, runtime, embedder_precision, threads, device)
        return Engine(detector, Aligner(), chosen, settings, full_scale=full_scale)
    return Engine(detector, beside.aligner, beside.embedder, settings, full_scale=full_scale)


def _detector(
    settings: DetectionSettings,
    runtime: Runtime,
    precision: DetectorPrecision,
    threads: int,
    device: Device,
) -> Detector:
    if settings.detector == "centerface":
        return CenterFaceDetector(precision=precision, threads=threads, device=device)
    if settings.detector == "hog":
        return HogDetector()
    if runtime == "dlib":
        from models.reference import ReferenceCnnDetector

        return ReferenceCnnDetector()
    return CnnDetector(threads=threads, device=device)


def _embedder(
    embedder: EmbedderModel | None,
    runtime: Runtime,
    precision: EmbedderPrecision,
    threads: int,
    device: Device,
) -> Embedder:
    if embedder is not None:
        in_integers = precision == "int8"
        return OnnxEmbedder(embedder, quantized=in_integers, threads=threads, device=device)
    if runtime == "dlib":
        from models.reference import ReferenceEmbedder

        return ReferenceEmbedder()
    return dlib_embedder(threads=threads, device=device)
