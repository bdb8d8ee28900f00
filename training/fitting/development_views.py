"""The views of a model's development faces, on which it is calibrated."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from training.datasets.samples import TRAIN
from training.features.table import FeatureTable, has_label
from training.fitting.head import Head
from training.fitting.view_calibration import UNKNOWN, LabelledViews

MAX_FACES = 3000
"""Development faces that are taken at most; more make the calibration steadier and take longer."""

_CLEAR_SHARE = 2 / 3
"""What the view of a face as it was found counts, of what all its views count; less leaves clear
faces a little too sure. Tuned on halves of the rows of FairFace that the shipped model's training
left out."""


def development_views(
    table: FeatureTable,
    heads: Sequence[Head],
    development: Mapping[str, NDArray[np.intp]],
    seed: int,
) -> LabelledViews | None:
    """The development faces as they were found, and filmed where the table has that.

    Args:
        table: what the heads were fitted on.
        heads: the heads.
        development: attribute → the rows of the table, as found, on which its head was not fitted.
        seed: by which faces are drawn, of more than `MAX_FACES`.

    Returns:
        None where nothing can be learned of them: there are none, or one attribute alone and no
        filmed faces.
    """
    rows = np.unique(np.concatenate([*development.values(), np.zeros(0, dtype=np.intp)]))
    if len(rows) > MAX_FACES:
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:MAX_FACES])
    filmed = _filmed_rows(table)
    # Of a face that is there twice the first row takes them all, so that each counts once.
    by_face = [filmed.pop(_face(table, row), []) for row in rows.tolist()]
    counts = np.array([len(each) for each in by_face], dtype=np.intp)
    if not len(rows) or (len(heads) < 2 and not counts.any()):
        return None
    shown = np.concatenate([rows, np.array([row for each in by_face for row in each], np.intp)])
    of_face = np.concatenate([np.arange(len(rows)), np.repeat(np.arange(len(rows)), counts)])
    weights = (1 - _CLEAR_SHARE) / np.maximum(counts, 1)[of_face]
    weights[: len(rows)] = np.where(counts, _CLEAR_SHARE, 1.0)
    return LabelledViews(
        probabilities={
            head.attribute: head.probabilities(table.embeddings[shown]).astype(np.float32)
            for head in heads
        },
        targets={
            head.attribute: _targets(head, table, rows, development[head.attribute])[of_face]
            for head in heads
        },
        quality=table.quality[shown] if counts.any() else None,
        weights=weights,
    )


def _face(table: FeatureTable, row: int) -> tuple[str, int]:
    return table.files[row], int(table.faces[row])


def _filmed_rows(table: FeatureTable) -> defaultdict[tuple[str, int], list[int]]:
    """Of each training face the rows in which it is filmed."""
    found: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for row in np.flatnonzero(table.filmed & (table.splits == TRAIN)).tolist():
        found[_face(table, row)].append(row)
    return found


def _targets(
    head: Head, table: FeatureTable, rows: NDArray[np.intp], development: NDArray[np.intp]
) -> NDArray[np.int64]:
    """The number of the class of each row, `UNKNOWN` where it has no label or was fitted on."""
    numbers = {name: number for number, name in enumerate(head.classes)}
    column = table.column(head.attribute)[rows]
    usable = has_label(column) & np.isin(rows, development)
    return np.array(
        [numbers[name] if use else UNKNOWN for name, use in zip(column, usable, strict=True)],
        dtype=np.int64,
    )
