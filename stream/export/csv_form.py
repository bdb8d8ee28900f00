"""Marked faces as a table, which any spreadsheet opens."""

import io
from collections.abc import Iterator
from typing import Any

from models.annotation_files import BOX_COLUMNS, CONFIDENCE, CSV_FILE, IDENTITY, PICTURES_FOLDER
from stream.export.marks import MarkedFace, MarkedPictures
from stream.sinks.data.table_file import CsvTable


def csv_files(marked: MarkedPictures) -> dict[str, bytes]:
    """The table, by its name; a row a face, its labels after its box."""
    labels = [name for attribute in marked.attributes for name in _columns(attribute)]
    out = io.StringIO()
    CsvTable(out, ["file", IDENTITY, *BOX_COLUMNS, *labels]).write(list(_rows(marked)))
    return {CSV_FILE: out.getvalue().encode()}


def _columns(attribute: str) -> tuple[str, str]:
    return attribute, f"{attribute}{CONFIDENCE}"


def _rows(marked: MarkedPictures) -> Iterator[dict[str, Any]]:
    for picture in marked.pictures:
        for face in picture.faces:
            yield {
                "file": f"{PICTURES_FOLDER}/{picture.name}",
                IDENTITY: face.identity,
                **dict(zip(BOX_COLUMNS, face.box_xyxy, strict=True)),
                **_labels(face),
            }


def _labels(face: MarkedFace) -> dict[str, Any]:
    cells: dict[str, Any] = dict(face.classes)
    for attribute, confidence in face.confidences.items():
        cells[f"{attribute}{CONFIDENCE}"] = confidence
    return cells
