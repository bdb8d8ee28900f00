"""How accuracy falls where a picture is bad: small, blurred, tilted, dark, compressed."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.classifier import Classifier, Prediction, grouped
from models.faces import Image
from models.runtime import available_cores
from training.datasets.samples import Samples
from training.datasets.splits import SEED
from training.errors import DatasetError
from training.evaluation.corruptions import blurred, compressed, darkened, grey, narrowed, tilted
from training.evaluation.evaluate import Groups, Names, chosen_rows, in_model_names
from training.evaluation.figures import SMALL_GROUP, Figures, with_interval
from training.features.extractor import Extractor, read_picture
from training.features.table import FeatureTable

WIDTHS_PX = (10, 15, 20, 30, 40, 60, 80, 120)
FACE_WIDTH, HARM = "face_width", "harm"
_MAX_FACES = 500


@dataclass(frozen=True, slots=True)
class _Harm:
    """Something done to a chip.

    Attributes:
        kind: FACE_WIDTH or HARM, under which the report lists it.
        entry: what the report says of it.
        apply: the chip → the chip as it is then.
        min_face_px: narrower faces are left out.
    """

    kind: str
    entry: Mapping[str, Any]
    apply: Callable[[Image], Image]
    min_face_px: int = 0


def _shrunk(width_px: int) -> _Harm:
    return _Harm(FACE_WIDTH, {"face_px": width_px}, lambda chip: narrowed(chip, width_px), width_px)


_HARMS = (
    *map(_shrunk, WIDTHS_PX),
    _Harm(HARM, {"harm": "none"}, lambda chip: chip),
    _Harm(HARM, {"harm": "JPEG of quality 30"}, lambda chip: compressed(chip, 30)),
    _Harm(HARM, {"harm": "blurred"}, lambda chip: blurred(chip, 2.5)),
    _Harm(HARM, {"harm": "tilted by 20°"}, lambda chip: tilted(chip, 20)),
    _Harm(HARM, {"harm": "tilted by -20°"}, lambda chip: tilted(chip, -20)),
    _Harm(HARM, {"harm": "a quarter of the light"}, lambda chip: darkened(chip, 0.25)),
    _Harm(HARM, {"harm": "grey"}, grey),
)


def measure_robustness(
    bundle: Bundle,
    table: FeatureTable,
    samples: Samples,
    extractor: Extractor,
    *,
    split: str | None = "test",
    names: Names | None = None,
    groups: Mapping[str, Groups] | None = None,
    seed: int = SEED,
) -> dict[str, dict[str, list[Figures]]]:
    """Attribute → FACE_WIDTH and HARM → accuracies, on at most 500 faces of the table.

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
    with ThreadPoolExecutor(available_cores()) as pool:
        rows = pool.map(lambda row: _embedded(chosen, row, samples, extractor), range(len(chosen)))
        embeddings = np.stack(list(rows))
    if np.isnan(embeddings).all():
        raise DatasetError(f"{samples.root} has none of the pictures of the table")
    classifier = Classifier(bundle)
    figures: dict[str, dict[str, list[Figures]]] = {}
    for index, harm in enumerate(_HARMS):
        there = ~np.isnan(embeddings[:, index, 0])
        for prediction in classifier.predict(embeddings[there, index]):
            right = _right(prediction, chosen[there], names, groups)
            if right is not None:
                kinds = figures.setdefault(prediction.attribute, {FACE_WIDTH: [], HARM: []})
                small = len(right) < SMALL_GROUP
                kinds[harm.kind].append(
                    {
                        **harm.entry,
                        "rows": len(right),
                        "small": small,
                        **with_interval(right, seed),
                    }
                )
    return figures


def _embedded(
    table: FeatureTable, row: int, samples: Samples, extractor: Extractor
) -> NDArray[np.float32]:
    """`(harms, dimensions)` of one face; not a number where there is none or it is too narrow."""
    found = extractor.chips(read_picture(samples.root / table.files[row]))
    vectors = np.full((len(_HARMS), table.info.dimensions), np.nan, dtype=np.float32)
    face = int(table.faces[row])
    if face < len(found.chips):
        fits = np.array([each.min_face_px <= found.face_px[face] for each in _HARMS])
        harmed = [
            each.apply(found.chips[face]) for each, fit in zip(_HARMS, fits, strict=True) if fit
        ]
        vectors[fits] = extractor.engine.embedder.embed(np.stack(harmed))
    return vectors


def _right(
    prediction: Prediction,
    table: FeatureTable,
    names: Names | None,
    groups: Mapping[str, Groups] | None,
) -> NDArray[np.bool_] | None:
    """Whether the answer is the label, for the faces that have one; None where none has."""
    attribute = prediction.attribute
    if attribute not in table.labels:
        return None
    merged = grouped(prediction, (groups or {}).get(attribute, {}))
    column = in_model_names(table.labels[attribute], attribute, names, groups)
    known = np.array([each is not None for each in column], dtype=np.bool_)
    if not known.any():
        return None
    answers = np.array(merged.classes, dtype=object)[merged.probabilities.argmax(axis=1)]
    return (answers == column)[known].astype(np.bool_)
