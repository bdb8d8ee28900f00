"""The feature table: a row for each face, with its embedding and its labels."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, TypeAdapter, ValidationError

from models.classification.bundle import MAX_DIMENSIONS
from models.classification.view_quality import ViewQuality
from models.safe_files import UnfitFileError, parse_json
from training.datasets.samples import FlagAttribute
from training.errors import DatasetError

_SCHEMA = "face-features/5"
"""Version of the description that is written into a table's file; 2 added `detector`, 3 the column
`picture_hash`, 4 the column `sharpness`, 5 the column `filmed`."""

_READ_SCHEMAS = (*(f"face-features/{version}" for version in (1, 2, 3, 4)), _SCHEMA)
"""Versions that are read; another one is refused."""

Column: TypeAlias = NDArray[np.object_]
"""A column of text `(n,)`, such as class names; None where unknown."""


def schema_version(text: bytes) -> int:
    """The version of a description that `TableInfo.from_json` has read."""
    return int(parse_json(text)["schema"].rpartition("/")[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class TableInfo:
    """Where a table comes from.

    Attributes:
        dataset: its name.
        credit: whose data it is and under which licence.
        embedder: name of the embedding; a classifier is only good for the one it was fitted on.
        dimensions: how long an embedding is.
        chip_size: px, of the aligned face the embedder looks at.
        engine: how faces were found, in a few words.
        detector: which detector found them, `NO_DETECTOR` where the pictures were aligned chips,
            None in a table of version 1, which does not say.
        hold_out: how the split was decided, in a few words.
        command: the command line that makes the table, with the name of the dataset's folder.
        attributes: the label columns.
        flag_attributes: the attributes that are fitted through independent flags.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    dataset: str
    credit: str
    embedder: str
    dimensions: int
    chip_size: int
    engine: str
    hold_out: str
    command: str
    attributes: tuple[str, ...]
    detector: str | None = None
    flag_attributes: tuple[FlagAttribute, ...] = ()

    def to_json(self, indent: int | None = None) -> str:
        """The description as a table's file holds it, with the version of the format."""
        content = asdict(self)
        content["compositions"] = content.pop("flag_attributes")
        return json.dumps({"schema": _SCHEMA, **content}, ensure_ascii=False, indent=indent)

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Reads what `to_json` wrote.

        Raises:
            ValueError: the text is of another version, or no description.
        """
        try:
            content = parse_json(text)
        except UnfitFileError as error:
            raise ValueError(f"its description {error}") from error
        if not isinstance(content, dict):
            raise ValueError("its description is no object")
        if (schema := content.pop("schema", None)) not in _READ_SCHEMAS:
            known = ", ".join(_READ_SCHEMAS)
            raise ValueError(f"its schema is {schema}, this program reads {known}")
        content["flag_attributes"] = content.pop("compositions", None)
        if schema != _SCHEMA and isinstance(content.get("command"), str):
            content["command"] += " --filmed 0"  # as it was before there was a choice
        try:
            info = TypeAdapter(cls).validate_python(content)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise ValueError(
                f"its description is not understood: {place}: {first['msg']}"
            ) from error
        if not 0 < info.dimensions <= MAX_DIMENSIONS:
            raise ValueError(f"its embeddings have {info.dimensions} dimensions")
        return info


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FeatureTable:
    """n views of faces; every array has n rows.

    Attributes:
        info: where it comes from.
        embeddings: `(n, dimensions)` float32, finite.
        files: the picture of each.
        faces: which face of its picture, from 0.
        mirrored: the picture was flipped left to right.
        filmed: the face is shown as in a video.
        identities: name of the person, None where unknown.
        splits: `train` or `test`.
        face_px: width of the face in the picture, or where it is filmed in the video, px.
        sharpness: of each chip, see `models.classification.view_quality`; NaN where unknown, as in
            tables of versions 1 to 3.
        labels: attribute → class of each, None where unknown.
        picture_hashes: perceptual hash of each picture, 0 where unknown, as in tables of versions
            1 and 2.
    """

    info: TableInfo
    embeddings: NDArray[np.float32]
    files: Column
    faces: NDArray[np.int32]
    mirrored: NDArray[np.bool_]
    filmed: NDArray[np.bool_]
    identities: Column
    splits: Column
    face_px: NDArray[np.float32]
    sharpness: NDArray[np.float32]
    labels: dict[str, Column]
    picture_hashes: NDArray[np.uint64]

    def __post_init__(self) -> None:
        expected = (len(self.files), self.info.dimensions)
        if self.embeddings.shape != expected:
            raise ValueError(f"embeddings should be {expected}, are {self.embeddings.shape}")

    def __len__(self) -> int:
        return len(self.files)

    def __repr__(self) -> str:
        return f"FeatureTable({self.info.dataset}: {len(self)} faces by {self.info.embedder})"

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        return type(self)(
            info=self.info,
            embeddings=self.embeddings[chosen],
            files=self.files[chosen],
            faces=self.faces[chosen],
            mirrored=self.mirrored[chosen],
            filmed=self.filmed[chosen],
            identities=self.identities[chosen],
            splits=self.splits[chosen],
            face_px=self.face_px[chosen],
            sharpness=self.sharpness[chosen],
            labels={name: column[chosen] for name, column in self.labels.items()},
            picture_hashes=self.picture_hashes[chosen],
        )

    @property
    def as_found(self) -> NDArray[np.bool_]:
        """Which rows show the face as it was found, neither mirrored nor filmed: each face once."""
        return ~(self.mirrored | self.filmed)

    @property
    def quality(self) -> ViewQuality:
        """How good the views of the faces are."""
        return ViewQuality(self.face_px, self.sharpness)

    @property
    def people(self) -> list[str]:
        """What keeps rows together: the person, or the picture where that is not known."""
        pairs = zip(self.identities, self.files, strict=True)
        return [identity or file for identity, file in pairs]

    def column(self, attribute: str) -> Column:
        """The classes of one attribute.

        Raises:
            DatasetError: the table does not have it.
        """
        if attribute not in self.labels:
            known = ", ".join(self.labels)
            raise DatasetError(f"there is no label column {attribute!r}; the table has {known}")
        return self.labels[attribute]

    def digest(self) -> str:
        """The sha256 of all that a classifier is fitted on: embeddings, split and labels."""
        found = hashlib.sha256(np.ascontiguousarray(self.embeddings).tobytes())
        columns = [self.files.tolist(), self.splits.tolist()]
        columns += [self.mirrored.tolist(), self.filmed.tolist()]
        columns += [[name, *column.tolist()] for name, column in sorted(self.labels.items())]
        found.update(json.dumps(columns).encode())
        return found.hexdigest()


def has_label(column: Column) -> NDArray[np.bool_]:
    """Which rows of a column are known."""
    return np.array([each is not None for each in column], dtype=np.bool_)
