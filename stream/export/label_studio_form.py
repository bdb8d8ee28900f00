"""Marked faces as tasks of Label Studio, whose boxes and labels are predictions to be corrected."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from models.annotation_files import (
    BOX_CONTROL,
    FRAME_CONTROL,
    LABEL_STUDIO_CONFIG,
    LABEL_STUDIO_FILE,
    PICTURES_FOLDER,
)
from stream.export.marks import MarkedFace, MarkedPicture, MarkedPictures

_LOCAL_FILES = "/data/local-files/?d="
"""The address under which Label Studio serves files of its own machine, by their path below the
folder that it is told to serve."""


def label_studio_files(marked: MarkedPictures, folder_name: str) -> dict[str, bytes]:
    """The tasks, and what is asked for each face, by the names of their files.

    Args:
        marked: the pictures.
        folder_name: of the folder that they are written into, which lies in the served one.
    """
    tasks = [
        {
            "data": {"image": _address(picture, folder_name)},
            "predictions": [
                {"model_version": marked.model, "result": list(_regions(picture))},
            ],
        }
        for picture in marked.pictures
    ]
    return {
        LABEL_STUDIO_FILE: f"{json.dumps(tasks, indent=1)}\n".encode(),
        LABEL_STUDIO_CONFIG: _config(marked.attributes).encode(),
    }


def _address(picture: MarkedPicture, folder_name: str) -> str:
    return _LOCAL_FILES + quote(f"{folder_name}/{PICTURES_FOLDER}/{picture.name}")


def _regions(picture: MarkedPicture) -> Iterator[dict[str, Any]]:
    """The faces of a picture: a box each, and a choice for each label, which has the box's id."""
    width, height = picture.size_wh
    for number, face in enumerate(picture.faces, start=1):
        place = _place(face, picture.size_wh)
        common = {
            "id": f"face{number}",
            "to_name": FRAME_CONTROL,
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
            "meta": {"text": [face.identity]},
        }
        yield {
            **common,
            "from_name": BOX_CONTROL,
            "type": "rectanglelabels",
            "score": face.score,
            "value": {**place, "rectanglelabels": ["Face"]},
        }
        for attribute, name in face.classes.items():
            yield {
                **common,
                "from_name": attribute,
                "type": "choices",
                "score": face.confidences[attribute],
                "value": {**place, "choices": [name]},
            }


def _place(face: MarkedFace, size_wh: tuple[int, int]) -> dict[str, float]:
    """A box as Label Studio has it, in percent of the picture."""
    left, top, right, bottom = face.box_xyxy
    width, height = size_wh
    return {
        "x": 100 * left / width,
        "y": 100 * top / height,
        "width": 100 * (right - left) / width,
        "height": 100 * (bottom - top) / height,
        "rotation": 0,
    }


def _config(attributes: Mapping[str, Sequence[str]]) -> str:
    """The labelling interface: boxes, and below them a choice of each attribute's classes."""
    choices = "".join(
        f"  <Header value={quoteattr(f'perceived {name}')}/>\n"
        f"  <Choices name={quoteattr(name)} toName={quoteattr(FRAME_CONTROL)} "
        'perRegion="true" choice="single" showInline="true">\n'
        + "".join(f"    <Choice value={quoteattr(each)}/>\n" for each in classes)
        + "  </Choices>\n"
        for name, classes in attributes.items()
    )
    return (
        "<View>\n"
        f'  <Image name={quoteattr(FRAME_CONTROL)} value="$image" zoom="true"/>\n'
        f"  <RectangleLabels name={quoteattr(BOX_CONTROL)} toName={quoteattr(FRAME_CONTROL)} "
        'canRotate="false">\n'
        '    <Label value="Face"/>\n'
        "  </RectangleLabels>\n"
        f"{choices}</View>\n"
    )
