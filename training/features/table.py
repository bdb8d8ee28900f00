"""The feature table: embeddings with what is known of each."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from training.datasets.samples import Composition
from training.errors import DatasetError

_SCHEMA = "face-features/1"

Labels = NDArray[np.object_]
"""`(n,)`, a class name or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableInfo:
    """Where a table comes from.

    Attributes:
        dataset: its name.
        credit: whose data it is and under which licence.
        embedder: name of the embedding; a classifier is only good for the one it was fitted on.
        dimensions: how long an embedding is.
        chip_size: px, of the aligned face the embedder looks at.
        engine: how faces were found, in words.
        hold_out: how the split was decided, in words.
        command: what makes the table again, the dataset's folder by its name.
        attributes: the label columns.
        compositions: those of them that are fitted through independent flags.
    """

    dataset: str
    credit: str
    embedder: str
    dimensions: int
    chip_size: int
    engine: str
    hold_out: str
    command: str
    attributes: tuple[str, ...]
    compositions: tuple[Composition, ...] = ()

    def to_json(self) -> str:
        """With the version of the format."""
        return json.dumps({"schema": _SCHEMA, **asdict(self)}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """What `to_json` wrote.

        Raises:
            ValueError: it is of another version, or something else.
        """
        content = json.loads(text)
        if (schema := content.pop("schema", None)) != _SCHEMA:
            raise ValueError(f"its schema is {schema}, this program reads {_SCHEMA}")
        compositions = tuple(
            Composition(each["attribute"], tuple(each["flags"]), tuple(each["classes"]))
            for each in content.pop("compositions")
        )
        attributes = tuple(content.pop("attributes"))
        try:
            return cls(**content, attributes=attributes, compositions=compositions)
        except TypeError as error:
            raise ValueError(f"its description is not understood: {error}") from error


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FeatureTable:
    """n faces; every array has n rows.

    Attributes:
        info: where it comes from.
        embeddings: `(n, dimensions)` float32, finite.
        files: the picture of each.
        faces: which face of its picture, from 0.
        mirrored: the picture was flipped left to right.
        identities: who it is, None where unknown.
        splits: `train` or `test`.
        face_px: width of the face in the picture, px.
        labels: attribute → class of each, None where unknown.
    """

    info: TableInfo
    embeddings: NDArray[np.float32]
    files: Labels
    faces: NDArray[np.int32]
    mirrored: NDArray[np.bool_]
    identities: Labels
    splits: Labels
    face_px: NDArray[np.float32]
    labels: dict[str, Labels]

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
            identities=self.identities[chosen],
            splits=self.splits[chosen],
            face_px=self.face_px[chosen],
            labels={name: column[chosen] for name, column in self.labels.items()},
        )

    def column(self, attribute: str) -> Labels:
        """The classes of one attribute.

        Raises:
            DatasetError: the table does not have it.
        """
        if attribute not in self.labels:
            known = ", ".join(self.labels)
            raise DatasetError(f"there is no label column {attribute!r}; the table has {known}")
        return self.labels[attribute]

    def digest(self) -> str:
        """sha256 of what a classifier is fitted on: embeddings, split and labels."""
        found = hashlib.sha256(np.ascontiguousarray(self.embeddings).tobytes())
        columns = [self.files.tolist(), self.splits.tolist()]
        columns += [[name, *column.tolist()] for name, column in sorted(self.labels.items())]
        found.update(json.dumps(columns).encode())
        return found.hexdigest()
