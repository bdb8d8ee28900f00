"""Marked faces as COCO has them; their labels are attributes, as CVAT reads and writes them."""

import json
from typing import Any

from models.annotation_files import COCO_FILE, IDENTITY, PICTURES_FOLDER
from stream.export.marks import MarkedFace, MarkedPictures

_FACE = {"id": 1, "name": "face", "supercategory": "person"}
"""The one category."""


def coco_files(marked: MarkedPictures) -> dict[str, bytes]:
    """The file of all pictures and faces, by its name."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, picture in enumerate(marked.pictures, start=1):
        width, height = picture.size_wh
        name = f"{PICTURES_FOLDER}/{picture.name}"
        images.append({"id": image_id, "file_name": name, "width": width, "height": height})
        for face in picture.faces:
            annotations.append(_annotation(face, len(annotations) + 1, image_id))
    entries = {
        "info": {
            "description": f"faces of {marked.title}, as perceived by the model {marked.model}",
            "classes": {name: list(classes) for name, classes in marked.attributes.items()},
        },
        "licenses": [],
        "categories": [_FACE],
        "images": images,
        "annotations": annotations,
    }
    return {COCO_FILE: f"{json.dumps(entries, indent=1)}\n".encode()}


def _annotation(face: MarkedFace, number: int, image_id: int) -> dict[str, Any]:
    left, top, right, bottom = face.box_xyxy
    width, height = (round(side, 1) for side in (right - left, bottom - top))
    return {
        "id": number,
        "image_id": image_id,
        "category_id": _FACE["id"],
        "bbox": [left, top, width, height],
        "area": round(width * height, 1),
        "iscrowd": 0,
        "score": face.score,
        "attributes": {**face.classes, IDENTITY: face.identity},
    }
