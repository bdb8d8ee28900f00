"""What a model says of each face, as files: all of it, and the labels that look wrong."""

import csv
import io
from collections.abc import Container, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.classification.label_names import CONFIDENCE
from models.program.cells import text_cell
from models.program.printable import printable
from training.evaluation.evaluate import Comparison
from training.evaluation.mistakes import label_issues
from training.outputs import write_whole, written_aside

PREDICTIONS_FILE = "predictions.parquet"
"""Name of the table with a row for each face."""

ISSUES_FILE = "label_issues.csv"
"""Name of the list of labels that look wrong."""

_LABEL = "label"
"""What follows the name of an attribute in the column of what each face is labelled as."""

_ISSUE_COLUMNS = ("file", "face", "label", "label_probability", "perceived", "confidence")
"""Columns of the list of labels that look wrong, after the attribute."""


def write_predictions(folder: Path, comparison: Comparison) -> None:
    """Writes both files into a folder, which is made if need be.

    Raises:
        OutputError: the disk refuses.
    """
    with written_aside(folder / PREDICTIONS_FILE) as aside:
        pq.write_table(predictions_table(comparison), aside)
    write_whole(folder / ISSUES_FILE, _issues_csv(comparison).encode())


def predictions_table(comparison: Comparison) -> pa.Table:
    """A row a face, with columns for each attribute as in the logs of `face-stream`.

    For `gender` these are `gender`, what it is perceived as, `gender_confidence`, and the
    probability of each class, `gender_Female`; before them `gender_label`, as it is labelled.
    """
    table = comparison.table
    columns: dict[str, pa.Array] = {
        "file": pa.array(table.files.tolist(), pa.string()),
        "face": pa.array(table.faces, pa.int32()),
        "identity": pa.array(table.identities.tolist(), pa.string()),
        "split": pa.array(table.splits.tolist(), pa.string()),
        "face_px": pa.array(table.face_px, pa.float32()),
    }
    taken = {
        f"{name}_{each}"
        for name, prediction in comparison.predictions.items()
        for each in prediction.classes
    }
    for name, prediction in comparison.predictions.items():
        found = prediction.probabilities
        truth = comparison.truths.get(name)
        labels = [None] * len(table) if truth is None else truth.tolist()
        answers = np.array(prediction.classes, dtype=object)[found.argmax(axis=1)]
        columns[_free(f"{name}_{_LABEL}", taken | columns.keys())] = pa.array(labels, pa.string())
        columns[name] = pa.array(answers.tolist(), pa.string())
        columns[f"{name}_{CONFIDENCE}"] = pa.array(found.max(axis=1), pa.float32())
        for number, each in enumerate(prediction.classes):
            columns[f"{name}_{each}"] = pa.array(found[:, number], pa.float32())
    return pa.table(columns)


def _free(column: str, taken: Container[str]) -> str:
    """The column, with underscores behind it where a class has its name."""
    while column in taken:
        column += "_"
    return column


def _issues_csv(comparison: Comparison) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["attribute", *_ISSUE_COLUMNS])
    writer.writerows(_issue_rows(comparison))
    return text.getvalue()


def _issue_rows(comparison: Comparison) -> Iterator[list[str]]:
    for name, truth in comparison.truths.items():
        for issue in label_issues(comparison.predictions[name], truth, comparison.table):
            cells = (name, *(issue[column] for column in _ISSUE_COLUMNS))
            yield [text_cell(printable(str(cell))) for cell in cells]
