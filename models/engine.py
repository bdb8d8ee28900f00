"""The engine: from a picture to its faces and their embeddings, with the settings of the search.

It is the only way in: the stream and training find, align and embed faces through it.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.aligner import Aligner
from models.cnn_detector import CnnDetector
from models.detector import WINDOW_PX, Detector, DivisibleDetector
from models.detector_names import DEFAULT_DETECTOR, DetectorName
from models.divisible_cnn_detector import DivisibleCnnDetector
from models.embedder import Embedder, EmbedderModel, OnnxEmbedder, dlib_embedder
from models.faces import Detections, Faces, Image, non_maximum_suppression
from models.hog_detector import HogDetector
from models.runtime import Device

Runtime: TypeAlias = Literal["onnx", "dlib"]
"""What runs dlib's networks: ONNX Runtime, or dlib itself as a slower reference."""

Precision: TypeAlias = Literal["int8", "float"]
"""What the CNN detector calculates in: 8-bit integers, which are faster and a little inexact, or
floats as dlib does."""

_AUTO_MAX_PX = 1920 * 1080
"""Largest picture that `auto` searches, px; a full search of more costs over half a second on two
cores."""

_SAME_FACE_IOU = 0.4
"""Overlap above which two detections in neighbouring crops are one face."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionSettings:
    """How faces are searched for.

    Both detectors look through a window of 80 px and never enlarge a picture themselves, so the
    smallest face found is about 80 px wide in the picture searched: 80 * downscale / upsample px
    in the picture given. Halving the picture costs a quarter of the time and doubles that size;
    enlarging it does the reverse.

    Attributes:
        detector: `cnn` finds turned and tilted heads too, `hog` upright frontal ones.
        downscale: by how much the picture is shrunk for the search, 1 for none. `auto` picks the
            scale at which a face of `min_face_px` fills the window, enlarging at most until the
            searched picture has as many pixels as full HD, and shrinking what has more.
        upsample: by how much the picture is enlarged for the search, 1 for none.
        threshold: detections that score higher are faces; 0 is dlib's choice, higher finds fewer.
        min_face_px: width of the smallest face that is worth a label, in px of the picture given.
            Smaller ones may be found, and get none.
    """

    detector: DetectorName = DEFAULT_DETECTOR
    downscale: float | Literal["auto"] = "auto"
    upsample: float = 1.0
    threshold: float = 0.0
    min_face_px: float = 40.0

    def scale(self, size_wh: tuple[int, int]) -> float:
        """By what a picture of that size is multiplied before it is searched."""
        if self.downscale != "auto":
            return self.upsample / self.downscale
        fills_window = WINDOW_PX / max(self.min_face_px, 1.0)
        affordable = (_AUTO_MAX_PX / (size_wh[0] * size_wh[1])) ** 0.5
        return self.upsample * min(max(fills_window, 1.0), affordable)


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
        settings: what is searched; its `detector` and `threshold` have chosen `detector`.
    """

    def __init__(
        self,
        detector: Detector,
        aligner: Aligner,
        embedder: Embedder,
        settings: DetectionSettings | None = None,
    ) -> None:
        self.detector = detector
        self.aligner = aligner
        self.embedder = embedder
        self.settings = settings or DetectionSettings()

    def __repr__(self) -> str:
        return f"Engine({self.detector!r}, {self.embedder!r})"

    def with_settings(self, settings: DetectionSettings) -> "Engine":
        """An engine of the same parts that searches by other settings.

        Its detector keeps the `threshold` that it was loaded with.
        """
        return Engine(self.detector, self.aligner, self.embedder, settings)

    def find(self, image: Image) -> Detections:
        """All faces of a picture, surest first."""
        return self.detector.detect(image, self._scale(image))

    @property
    def divisible(self) -> bool:
        """Whether a search can be spread over several frames."""
        return isinstance(self.detector, DivisibleDetector)

    def find_part(
        self,
        image: Image,
        part: int = 0,
        parts: int = 1,
        coarseness: float = 1.0,
        regions_xyxy: NDArray[np.float32] | None = None,
    ) -> Detections:
        """The faces that one of so many parts of the search finds; all parts find what `find` does.

        The boxes are rough: `find_near` gives those of the faces that matter.

        Args:
            image: the picture.
            part: which of the parts.
            parts: how many there are; one where the search is not divisible.
            coarseness: by what the scale of the search is multiplied, at most 1.
            regions_xyxy: `(n, 4)` px, where faces are searched for if the search is divisible.
        """
        scale = self._scale(image) * coarseness
        if isinstance(self.detector, DivisibleDetector):
            return self.detector.detect_part(image, scale, part, parts, regions_xyxy)
        return self.detector.detect(image, scale)

    def smallest_px(self, size_wh: tuple[int, int], coarseness: float = 1.0) -> float:
        """The width of the smallest face that a search of such a picture finds, in its px."""
        return WINDOW_PX / (self.settings.scale(size_wh) * coarseness)

    def find_near(self, image: Image, boxes_xyxy: NDArray[np.float32]) -> Detections:
        """The faces near `(n, 4)` places where faces are expected, each once.

        What it costs depends on n, not on the size of the picture.
        """
        found = self.detector.detect_near(image, boxes_xyxy)
        return non_maximum_suppression(found, _SAME_FACE_IOU)

    def describe(self, image: Image, detections: Detections) -> DescribedFaces:
        """The faces of detections, aligned and embedded, all in one batch."""
        aligned = self.align(image, detections)
        embeddings = self.embed(aligned.chips)
        appearances = embeddings[:, : self.embedder.appearance_dimensions]
        return DescribedFaces(aligned.faces, aligned.chips, embeddings, appearances)

    def align(self, image: Image, detections: Detections) -> AlignedFaces:
        """The faces of detections, with landmarks and chips."""
        faces = self.aligner.locate(image, detections)
        return AlignedFaces(faces, self.aligner.chips(image, faces))

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The embeddings of chips `(n, 150, 150, 3)` uint8 BGR, `(n, dimensions)`, in one batch."""
        return self.embedder.embed(chips)

    def _scale(self, image: Image) -> float:
        height, width = image.shape[:2]
        return self.settings.scale((width, height))


def load_engine(
    settings: DetectionSettings,
    *,
    runtime: Runtime = "onnx",
    embedder: EmbedderModel | None = None,
    precision: Precision = "float",
    divisible: bool = False,
    threads: int = 0,
    device: Device = "auto",
) -> Engine:
    """The engine that the settings ask for.

    Args:
        settings: what is searched for, and how.
        runtime: `onnx`, or `dlib` for the same steps through `face_recognition` and dlib.
        embedder: what describes the faces; dlib's unless given.
        precision: in what the CNN detector calculates: `float` as dlib does, `int8` for video.
        divisible: a search can be made a part at a time, as `int8` always can; without it floats
            lay all scales out on one canvas, as dlib does.
        threads: cores for one step, 0 for all.
        device: where ONNX Runtime works.

    Raises:
        ModelError: weights are missing or damaged, or the device is not there.
    """
    return Engine(
        _detector(settings, runtime, precision, divisible, threads, device),
        Aligner(),
        _embedder(embedder, runtime, threads, device),
        settings,
    )


def _detector(
    settings: DetectionSettings,
    runtime: Runtime,
    precision: Precision,
    divisible: bool,
    threads: int,
    device: Device,
) -> Detector:
    if settings.detector == "hog":
        return HogDetector(threshold=settings.threshold)
    if runtime == "dlib":
        from models.reference import ReferenceCnnDetector

        return ReferenceCnnDetector(threshold=settings.threshold)
    if precision == "int8" or divisible:
        return DivisibleCnnDetector(
            threshold=settings.threshold,
            quantized=precision == "int8",
            threads=threads,
            device=device,
        )
    return CnnDetector(threshold=settings.threshold, threads=threads, device=device)


def _embedder(
    embedder: EmbedderModel | None, runtime: Runtime, threads: int, device: Device
) -> Embedder:
    if embedder is not None:
        return OnnxEmbedder(embedder, threads=threads, device=device)
    if runtime == "dlib":
        from models.reference import ReferenceEmbedder

        return ReferenceEmbedder()
    return dlib_embedder(threads=threads, device=device)
