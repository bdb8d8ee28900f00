"""Small pictures of the faces that a report shows: the surest errors, to be judged by eye."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import cv2

from models.faces import Image
from models.networks.runtime import available_cores
from training.datasets.samples import Samples
from training.evaluation.intervals import Figures
from training.features.extractor import Extractor, read_picture

FaceKey: TypeAlias = tuple[str, int]
"""A face: its picture, relative to the dataset, and which face of that picture."""

Thumbnails: TypeAlias = Mapping[FaceKey, bytes]
"""Face → JPEG."""

SIDE_PX = 112
"""Side of a thumbnail, px; larger shows more and makes the page heavier."""

_JPEG_QUALITY = 80
"""Quality of a thumbnail, of 100: about 4 kB each."""


def error_thumbnails(report: Figures, samples: Samples, extractor: Extractor) -> Thumbnails:
    """The aligned faces of a report's surest errors; one whose picture is gone has none.

    Args:
        report: as `evaluate` gives it.
        samples: the dataset that was measured, with the pictures.
        extractor: an extractor with the settings of the table.
    """
    wanted: dict[str, set[int]] = {}
    for figures in report["attributes"].values():
        for each in figures["surest_errors"]:
            wanted.setdefault(each["file"], set()).add(each["face"])

    def faces_of(file: str) -> list[tuple[FaceKey, bytes]]:
        chips = extractor.chips(read_picture(samples.path_of(file))).chips
        return [((file, face), _jpeg(chips[face])) for face in wanted[file] if face < len(chips)]

    with ThreadPoolExecutor(available_cores()) as pool:
        return dict(face for faces in pool.map(faces_of, sorted(wanted)) for face in faces)


def _jpeg(chip: Image) -> bytes:
    small = cv2.resize(chip, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return data.tobytes()
