"""COCO: faces as annotations with a `bbox`, their labels as `attributes`, as CVAT writes them, or
where there are none as `category_id`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NotRequired

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from models.annotation_files import COCO_FILE, IDENTITY, SPLIT
from training.datasets.folders import DEFAULT_LABEL
from training.datasets.json_files import begins_with, read_json
from training.datasets.marked import MarkedFace, marked_samples
from training.datasets.samples import Samples

_EXPORTED = "annotations/instances_*.json"
"""Where CVAT puts the file, beside `images/`."""

_CVATS_OWN = frozenset({"occluded", "keyframe"})
"""What CVAT says itself of each box, true or false."""


class _Image(TypedDict):
    id: int
    file_name: str


class _Annotation(TypedDict):
    image_id: int
    bbox: list[float]
    category_id: NotRequired[int]
    attributes: NotRequired[dict[str, Any]]


class _Category(TypedDict):
    id: int
    name: str


class _Coco(TypedDict):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: NotRequired[list[_Category]]


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
    annotations = content["annotations"]
    texts = [_texts(each.get("attributes", {})) for each in annotations]
    others = [(each.pop(IDENTITY, None), each.pop(SPLIT, None)) for each in texts]
    for each, labels, other in zip(
        annotations, texts if any(texts) else _categories(content), others, strict=True
    ):
        yield MarkedFace(names.get(each["image_id"], ""), _box(each["bbox"]), labels, *other)


def _texts(attributes: Mapping[str, Any]) -> dict[str, str]:
    """The attributes that are labels: text, and boxes to tick but for those of CVAT itself."""
    ticked = {True: "yes", False: "no"}
    return {
        name: ticked[value] if isinstance(value, bool) else value
        for name, value in attributes.items()
        if isinstance(value, str) or (isinstance(value, bool) and name not in _CVATS_OWN)
    }


def _categories(content: _Coco) -> list[dict[str, str]]:
    """The category of each annotation as its label; none where all are of one, such as `face`."""
    names = {each["id"]: each["name"] for each in content.get("categories", [])}
    found = [names.get(each.get("category_id", -1)) for each in content["annotations"]]
    if len(set(found) - {None}) < 2:
        return [{} for _ in found]
    return [{} if name is None else {DEFAULT_LABEL: name} for name in found]


def _box(bbox: Sequence[float]) -> tuple[float, float, float, float] | None:
    """Left, top, width and height as a box; None where they are not four."""
    if len(bbox) != 4:
        return None
    left, top, width, height = bbox
    return left, top, left + width, top + height
