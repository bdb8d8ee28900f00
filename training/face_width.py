"""How accuracy falls with the width of a face: pictures are shrunk, and enlarged again."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.classifier import Classifier, grouped
from models.faces import Image
from models.graphs import CHIP_SIZE
from models.runtime import available_cores
from training.datasets.samples import Samples
from training.errors import DatasetError
from training.evaluate import Groups, Names, chosen_rows, in_model_names
from training.extraction import CHIP_FACE, Extractor, read_picture
from training.figures import SMALL_GROUP, Figures, with_interval
from training.splits import SEED
from training.table import FeatureTable

WIDTHS_PX = (10, 15, 20, 30, 40, 50, 75, 100)
_MAX_FACES = 500


def accuracy_by_width(
    bundle: Bundle,
    table: FeatureTable,
    samples: Samples,
    extractor: Extractor,
    *,
    split: str | None = "test",
    names: Names | None = None,
    groups: Mapping[str, Groups] | None = None,
    seed: int = SEED,
) -> dict[str, list[Figures]]:
    """Attribute → accuracy at each width, on at most 500 faces of the table.

    A face is shrunk to a width in px and enlarged to the chip the embedder takes, as the aligner
    does with a small face. Faces that are narrower from the start are left out of that width.

    Args:
        bundle: the model.
        table: whose faces they are.
        samples: the dataset of the table, where the pictures are.
        extractor: with the settings that the table was made with.
        split: which half of the table, None for both.
        names: what the classes of the table are called by the model.
        groups: attribute → classes of the model to be merged.
        seed: of the choice of faces.

    Raises:
        DatasetError: the pictures are not those of the table.
    """
    chosen = chosen_rows(table, split)
    if len(chosen) > _MAX_FACES:
        order = np.random.default_rng(seed).permutation(len(chosen))
        chosen = chosen[np.sort(order[:_MAX_FACES])]

    def shrunk(row: int) -> NDArray[np.float32]:
        content = read_picture(samples.root / chosen.files[row])
        found = extractor.chips(content)
        face = int(chosen.faces[row])
        usable = face < len(found.chips)
        pictures = [
            _narrowed(found.chips[face], width)
            for width in WIDTHS_PX
            if usable and width <= found.face_px[face]
        ]
        vectors = np.full((len(WIDTHS_PX), table.info.dimensions), np.nan, dtype=np.float32)
        if pictures:
            vectors[: len(pictures)] = extractor.engine.embedder.embed(np.stack(pictures))
        return vectors

    with ThreadPoolExecutor(available_cores()) as pool:
        embeddings = np.stack(list(pool.map(shrunk, range(len(chosen)))))
    if np.isnan(embeddings).all():
        raise DatasetError(f"{samples.root} has none of the pictures of the table")
    classifier = Classifier(bundle)
    figures: dict[str, list[Figures]] = {}
    for index, width in enumerate(WIDTHS_PX):
        there = ~np.isnan(embeddings[:, index, 0])
        for prediction in classifier.predict(embeddings[there, index]):
            attribute = prediction.attribute
            if attribute not in chosen.labels:
                continue
            merged = grouped(prediction, (groups or {}).get(attribute, {}))
            column = in_model_names(chosen.labels[attribute][there], attribute, names, groups)
            known = np.array([each is not None for each in column], dtype=np.bool_)
            if not known.any():
                continue
            answers = np.array(merged.classes, dtype=object)[merged.probabilities.argmax(axis=1)]
            right = (answers == column)[known].astype(np.bool_)
            figures.setdefault(attribute, []).append(
                {
                    "face_px": width,
                    "rows": len(right),
                    "small": len(right) < SMALL_GROUP,
                    **with_interval(right, seed),
                }
            )
    return figures


def _narrowed(chip: Image, width_px: int) -> Image:
    """A chip as it would be, had its face been that wide in the picture."""
    side = max(1, round(width_px / CHIP_FACE))
    if side >= CHIP_SIZE:
        return chip
    small = cv2.resize(chip, (side, side), interpolation=cv2.INTER_AREA)
    large = cv2.resize(small, (CHIP_SIZE, CHIP_SIZE), interpolation=cv2.INTER_LINEAR)
    return large.astype(np.uint8, copy=False)
