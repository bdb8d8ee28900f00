"""The feature table: embeddings with what is known of each, as one Parquet file."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from training.datasets.samples import Composition
from training.errors import DatasetError
from training.outputs import written_aside

_SCHEMA = "face-features/1"
_METADATA_KEY = b"face_train"
_FIXED_COLUMNS = ("file", "face", "mirrored", "identity", "split", "face_px", "embedding")

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


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One face as it goes into a table."""

    file: str
    face: int
    mirrored: bool
    identity: str | None
    split: str
    face_px: float
    embedding: NDArray[np.float32]
    labels: tuple[str | None, ...]


class TableWriter:
    """Takes rows group by group, so that a table of any size passes through little memory."""

    def __init__(self, writer: pq.ParquetWriter, schema: pa.Schema) -> None:
        self._writer = writer
        self._schema = schema

    def write(self, rows: Sequence[Row]) -> None:
        """Appends rows as a group of their own."""
        if not rows:
            return
        size = self._schema.field("embedding").type.list_size
        vectors = np.stack([row.embedding for row in rows]).reshape(-1)
        names = self._schema.names[len(_FIXED_COLUMNS) :]
        columns = [
            *([getattr(row, name) for row in rows] for name in _FIXED_COLUMNS[:-1]),
            pa.FixedSizeListArray.from_arrays(pa.array(vectors, pa.float32()), size),
            *([row.labels[index] for row in rows] for index in range(len(names))),
        ]
        arrays = [
            pa.array(column, field.type) if isinstance(column, list) else column
            for column, field in zip(columns, self._schema, strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))


def check_names(info: TableInfo) -> None:
    """Raises DatasetError where an attribute has the name of a column that every table has."""
    for name in info.attributes:
        if name in _FIXED_COLUMNS:
            raise DatasetError(f"a label cannot be called {name!r}: the table uses that name")


@contextmanager
def table_writer(path: Path, info: TableInfo) -> Iterator[TableWriter]:
    """Writes a table aside; it becomes `path` when the body is through.

    Raises:
        OutputError: the disk refuses.
    """
    schema = _schema(info)
    with written_aside(path) as aside, pq.ParquetWriter(aside, schema) as writer:
        yield TableWriter(writer, schema)


def read_table(path: Path) -> FeatureTable:
    """Reads a feature table and checks it.

    Raises:
        DatasetError: there is none, it is truncated or of another kind, it is empty, or an
            embedding is not finite.
    """
    if not path.is_file():
        raise DatasetError(f"{path} does not exist: face-train features makes it")
    try:
        table = pq.read_table(path)
        info = TableInfo.from_json((table.schema.metadata or {})[_METADATA_KEY])
        table = table.select([*_FIXED_COLUMNS, *info.attributes])
    except KeyError as error:
        reason = "face-train features did not write it, or its columns were changed"
        raise DatasetError(f"{path} is not a table of features: {reason}") from error
    except (pa.ArrowException, ValueError, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise DatasetError(f"{path} is damaged or not a table of features: {reason}") from error
    if not table.num_rows:
        raise DatasetError(f"{path} has no rows: no face was found in the dataset")
    return _checked(path, _from_arrow(table, info))


def is_table(path: Path) -> bool:
    """Whether a path is meant as a table of features; a damaged one too, so that it is named."""
    if path.suffix.lower() != ".parquet" or path.is_dir():
        return False
    try:
        return _METADATA_KEY in (pq.read_schema(path).metadata or {})
    except (pa.ArrowException, OSError):
        return True


def write_csv(table: FeatureTable, features: Path, labels: Path) -> None:
    """The table as two CSV files, one line a face and the mirrored ones left out.

    Args:
        table: what is written.
        features: gets the file and the values of the embedding.
        labels: gets the file, identity, split and labels.

    Raises:
        OutputError: the disk refuses.
    """
    chosen = table[~table.mirrored]
    numbers = [str(number) for number in range(table.info.dimensions)]
    vectors = chosen.embeddings.T
    files = pa.array(chosen.files.tolist(), pa.string())
    columns = {"identity": chosen.identities, "split": chosen.splits, **chosen.labels}
    texts = {name: pa.array(column.tolist(), pa.string()) for name, column in columns.items()}
    embedding = dict(zip(numbers, map(pa.array, vectors), strict=True))
    for path, content in ((features, embedding), (labels, texts)):
        with written_aside(path) as aside:
            pyarrow.csv.write_csv(pa.table({"file": files, **content}), aside)


def _from_arrow(table: pa.Table, info: TableInfo) -> FeatureTable:
    embeddings = table["embedding"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    text = {
        name: np.array(table[name].to_pylist(), dtype=object)
        for name in ("file", "identity", "split", *info.attributes)
    }
    return FeatureTable(
        info=info,
        embeddings=embeddings.reshape(table.num_rows, -1),
        files=text["file"],
        faces=table["face"].to_numpy(),
        mirrored=table["mirrored"].to_numpy(),
        identities=text["identity"],
        splits=text["split"],
        face_px=table["face_px"].to_numpy(),
        labels={name: text[name] for name in info.attributes},
    )


def _checked(path: Path, table: FeatureTable) -> FeatureTable:
    finite = np.isfinite(table.embeddings).all(axis=1)
    if not finite.all():
        count, first = int((~finite).sum()), table.files[~finite][0]
        raise DatasetError(
            f"{path}: {count} embeddings are not finite numbers, the first of {first}: "
            "make the table again"
        )
    return table


def _schema(info: TableInfo) -> pa.Schema:
    text = pa.string()
    types = (text, pa.int32(), pa.bool_(), text, text, pa.float32())
    fields = [
        *zip(_FIXED_COLUMNS[:-1], types, strict=True),
        ("embedding", pa.list_(pa.float32(), info.dimensions)),
        *((name, text) for name in info.attributes),
    ]
    return pa.schema(fields, metadata={_METADATA_KEY: info.to_json().encode()})
