"""Label Studio: tasks as it exports them (JSON), after people have corrected boxes and labels."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NotRequired
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from models.annotation_files import BOX_CONTROL, LABEL_STUDIO_CONFIG, LABEL_STUDIO_FILE
from training.datasets.json_files import begins_with, read_json
from training.datasets.marked import MarkedFace, marked_samples
from training.datasets.samples import Samples, SkippedPicture
from training.errors import DatasetError

_NOT_LOOKED_AT = "no one has looked at it in Label Studio"
"""Reason for which a picture is skipped: its boxes and labels are still those of a model."""

_TURNED = "it was turned in Label Studio: turn it back there"
"""Reason for which a picture is skipped: its boxes count in another direction."""


class _Result(TypedDict):
    id: NotRequired[str]
    type: NotRequired[str]
    from_name: NotRequired[str]
    original_width: NotRequired[float]
    original_height: NotRequired[float]
    image_rotation: NotRequired[float]
    value: NotRequired[dict[str, Any]]
    meta: NotRequired[dict[str, Any]]


class _Annotation(TypedDict):
    result: list[_Result]
    was_cancelled: NotRequired[bool]
    ground_truth: NotRequired[bool]
    updated_at: NotRequired[str]


class _Task(TypedDict):
    data: dict[str, Any]
    annotations: NotRequired[list[_Annotation]]


_FORM = TypeAdapter(list[_Task])


def is_label_studio(path: Path) -> bool:
    """Whether the folder has tasks for Label Studio, or the path is an export of it."""
    if path.is_file():
        return begins_with(path, b"[")
    return any((path / name).is_file() for name in (LABEL_STUDIO_FILE, LABEL_STUDIO_CONFIG))


def read_label_studio(path: Path, wanted: Sequence[str] | None = None) -> Samples:
    """The faces of pictures that people have looked at.

    Args:
        path: the export, beside the pictures, or the folder that it lies in.
        wanted: the wanted attributes, all unless given.

    Raises:
        DatasetError: there is no export or several, it cannot be read, or no face has a label.
    """
    file = path if path.is_file() else _exported(path)
    root = path if path.is_dir() else path.parent
    faces: list[MarkedFace] = []
    skipped: list[SkippedPicture] = []
    for task in read_json(file, _FORM, "export it as JSON, not as JSON-MIN"):
        name = _picture(task["data"])
        result = _last_word(task.get("annotations", []))
        if result is None:
            skipped.append(SkippedPicture(name, _NOT_LOOKED_AT))
        elif any(each.get("image_rotation", 0) % 360 for each in result):
            skipped.append(SkippedPicture(name, _TURNED))
        else:
            faces.extend(_faces(name, result))
    if len(skipped) and not faces:
        raise DatasetError(
            f"{file}: no picture in it was corrected ({skipped[0].reason}): submit some in Label "
            "Studio, and export them as JSON"
        )
    return marked_samples(root, faces, wanted, skipped)


def _exported(folder: Path) -> Path:
    """The one file that Label Studio exported into a folder."""
    found = [each for each in sorted(folder.glob("*.json")) if each.name != LABEL_STUDIO_FILE]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(each.name for each in found)
        raise DatasetError(
            f"{folder} has {len(found)} exports, {names}: name the one that is meant"
        )
    raise DatasetError(
        f"{folder} has the tasks for Label Studio, and nothing that was corrected: export them "
        f"there as JSON, and put the file into {folder}"
    )


def _picture(data: Mapping[str, Any]) -> str:
    """The picture of a task by its address: what is served from a folder, or was uploaded."""
    address = next((each for each in data.values() if isinstance(each, str)), "")
    parts = urlsplit(str(data.get("image", address)))
    served = parse_qs(parts.query).get("d")
    # The path of what is served begins with the name of the folder that was exported.
    return served[0].partition("/")[2] or served[0] if served else unquote(parts.path)


def _last_word(annotations: Sequence[_Annotation]) -> Sequence[_Result] | None:
    """What people say of a picture: what is declared the truth, else what was changed last; None
    where no one has submitted anything."""
    submitted = [each for each in annotations if not each.get("was_cancelled")]
    if not submitted:
        return None
    return max(
        submitted, key=lambda each: (each.get("ground_truth", False), each.get("updated_at", ""))
    )["result"]


def _faces(name: str, result: Sequence[_Result]) -> Iterator[MarkedFace]:
    """The boxes of a picture, each with the choices that have its id; of several there is none."""
    labels: dict[str, dict[str, str | None]] = {}
    for each in result:
        choices = each.get("value", {}).get("choices")
        if isinstance(choices, list) and len(choices) == 1 and "from_name" in each:
            labels.setdefault(each.get("id", ""), {})[each["from_name"]] = str(choices[0])
    for each in result:
        if each.get("type") == "rectanglelabels" or each.get("from_name") == BOX_CONTROL:
            meta = each.get("meta", {}).get("text") or [None]
            identity = meta[0] if isinstance(meta[0], str) else None
            yield MarkedFace(name, _box(each), labels.get(each.get("id", ""), {}), identity)


def _box(region: _Result) -> tuple[float, float, float, float] | None:
    """The box in px, of one that is turned the upright box around it; None where it is none."""
    value = region.get("value", {})
    try:
        x, y, width, height = (float(value[key]) / 100 for key in ("x", "y", "width", "height"))
        angle = math.radians(float(value.get("rotation", 0)))
    except (KeyError, TypeError, ValueError):
        return None
    full_width, full_height = region.get("original_width", 0), region.get("original_height", 0)
    left, top = x * full_width, y * full_height
    across, down = width * full_width, height * full_height
    corners = [
        (
            along * math.cos(angle) - below * math.sin(angle),
            along * math.sin(angle) + below * math.cos(angle),
        )
        for along in (0, across)
        for below in (0, down)
    ]
    xs, ys = ([left + corner[0] for corner in corners], [top + corner[1] for corner in corners])
    box = min(xs), min(ys), max(xs), max(ys)
    return box if all(map(math.isfinite, box)) else None
