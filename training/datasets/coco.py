"""COCO: faces as annotations with a `bbox`, their labels as `attributes`, as CVAT writes them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NotRequired

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from models.annotation_files import COCO_FILE, IDENTITY
from training.datasets.json_files import begins_with, read_json
from training.datasets.marked import MarkedFace, marked_samples
from training.datasets.samples import Samples

_EXPORTED = "annotations/instances_*.json"
"""Where CVAT puts the file, beside `images/`."""


class _Image(TypedDict):
    id: int
    file_name: str


class _Annotation(TypedDict):
    image_id: int
    bbox: list[float]
    attributes: NotRequired[dict[str, Any]]


class _Coco(TypedDict):
    images: list[_Image]
    annotations: list[_Annotation]


_FORM = TypeAdapter(_Coco)


def is_coco(path: Path) -> bool:
    """Whether the folder has a file of COCO, or the path is one."""
    return begins_with(path, b"{") if path.is_file() else _file(path) is not None


def read_coco(path: Path, wanted: Sequence[str] | None = None) -> Samples:
    """The faces of a file of COCO.

    Args:
        path: the file, beside its pictures, or the folder that it lies in.
        wanted: the wanted attributes, all unless given.

    Raises:
        DatasetError: it is not of COCO, or no face has a label.
    """
    file = path if path.is_file() else _file(path)
    content = read_json(path / COCO_FILE if file is None else file, _FORM, "it is no file of COCO")
    root = path if path.is_dir() else path.parent
    return marked_samples(root, list(_faces(content)), wanted)


def _file(folder: Path) -> Path | None:
    """The file of a folder that was exported, here or by CVAT; None where there is none."""
    here = [folder / COCO_FILE, *sorted(folder.glob(_EXPORTED))]
    return next((each for each in here if each.is_file()), None)


def _faces(content: _Coco) -> Iterator[MarkedFace]:
    names = {image["id"]: image["file_name"] for image in content["images"]}
    for each in content["annotations"]:
        texts = {
            name: value
            for name, value in each.get("attributes", {}).items()
            if isinstance(value, str)  # CVAT's own, such as `occluded`, are no text
        }
        identity = texts.pop(IDENTITY, None)
        yield MarkedFace(names.get(each["image_id"], ""), _box(each["bbox"]), texts, identity)


def _box(bbox: Sequence[float]) -> tuple[float, float, float, float] | None:
    """Left, top, width and height as a box; None where they are not four."""
    if len(bbox) != 4:
        return None
    left, top, width, height = bbox
    return left, top, left + width, top + height
