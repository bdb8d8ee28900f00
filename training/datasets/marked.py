"""Pictures in which faces are marked: what the readers of such datasets share."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os.path import isfile  # unlike Path.is_file it takes any name
from pathlib import Path

from models.annotation_files import PICTURES_FOLDER
from training.datasets.labels import known
from training.datasets.regions import region_name, region_of
from training.datasets.samples import Samples, SkippedPicture, parse_split, select_columns
from training.errors import DatasetError

NO_PICTURE = "its picture is not there"
"""Reason for which a face is skipped."""

NO_LABEL = "a face has no label"
"""Reason for which a face is skipped: no one has said what it is perceived as."""

NO_BOX = "the box of a face has no area, or is none"
"""Reason for which a face is skipped."""

_UPLOAD = re.compile(r"[0-9a-f]{8}-(.+)", re.DOTALL)
"""What Label Studio calls a picture that was uploaded."""


@dataclass(frozen=True, slots=True)
class MarkedFace:
    """One face that is marked in a picture.

    Attributes:
        file: the picture as its mark calls it.
        box_xyxy: px of the picture; None where it is no box.
        labels: its classes, by attribute.
        identity: the person, where known.
        split: the half that it is of, as its mark calls it.
    """

    file: str
    box_xyxy: tuple[float, float, float, float] | None
    labels: Mapping[str, str | None] = field(default_factory=dict)
    identity: str | None = None
    split: str | None = None


def marked_samples(
    root: Path,
    faces: Sequence[MarkedFace],
    wanted: Sequence[str] | None,
    skipped: Sequence[SkippedPicture] = (),
) -> Samples:
    """The marked faces, each a sample.

    Args:
        root: the folder of the dataset.
        faces: in an order that does not change.
        wanted: the wanted attributes, all unless given.
        skipped: what the reader could not use.

    Raises:
        DatasetError: no face has a picture and a label, there is no such attribute, or a split
            means neither half.
    """
    pictures = _Pictures(root)
    attributes = tuple(dict.fromkeys(name for face in faces for name in face.labels))
    if not attributes:
        raise DatasetError(f"{root} has no face with a label: correct some, then export them anew")
    files: list[str] = []
    kept: list[MarkedFace] = []
    left_out = list(skipped)
    for face in faces:
        region = None if face.box_xyxy is None else region_of(face.box_xyxy)
        file = pictures.named(face.file)
        if file is None:
            left_out.append(SkippedPicture(face.file, NO_PICTURE))
        elif region is None:
            left_out.append(SkippedPicture(file, NO_BOX))
        elif not any(known(text) for text in face.labels.values()):
            left_out.append(SkippedPicture(region_name(file, region), NO_LABEL))
        else:
            files.append(region_name(file, region))
            kept.append(face)
    labels = {name: tuple(known(face.labels.get(name)) for face in kept) for name in attributes}
    return Samples(
        name=root.resolve().name,
        root=root,
        files=tuple(files),
        labels=select_columns(labels, wanted),
        identities=tuple(known((face.identity or "").strip()) for face in kept),
        splits=tuple(parse_split(known(face.split)) for face in kept),
        marked=True,
        skipped=tuple(left_out),
    )


class _Pictures:
    """The pictures of a dataset, found by what other programs made of their names.

    Args:
        root: the folder of the dataset.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._found: dict[str, str | None] = {}

    def named(self, name: str) -> str | None:
        """The path of a picture below the folder; None where it is not there."""
        if name not in self._found:
            there = (each for each in self._candidates(name) if isfile(self._root / each))
            self._found[name] = next(there, None)
        return self._found[name]

    def _candidates(self, name: str) -> Iterator[str]:
        """Where the picture may lie, never out of the folder."""
        path = name.replace("\\", "/")
        if not path.startswith("/") and ".." not in path.split("/"):
            yield path
        last = path.rpartition("/")[2]
        upload = _UPLOAD.fullmatch(last)
        for each in (last, *([upload[1]] if upload else [])):
            if each not in ("", ".", ".."):
                yield from (f"{PICTURES_FOLDER}/{each}", each, f"images/{each}")
