"""FairFace: `fairface_label_train.csv`, `fairface_label_val.csv` and the pictures they name."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from models.safe_files import UnfitFileError
from training.datasets.arrow_files import read_csv
from training.datasets.labels import known
from training.datasets.samples import (
    Samples,
    natural_key,
    parse_split,
    select_columns,
    unknown_column,
)
from training.errors import DatasetError

CREDIT = (
    "FairFace (Kimmo Kärkkäinen and Jungseock Joo, FairFace: Face Attribute Dataset for Balanced "
    "Race, Gender, and Age, WACV 2021), CC BY 4.0"
)
"""Source and licence."""

ATTRIBUTES = ("gender", "race", "age")
"""Label columns of FairFace that are read."""

_FILE = "file"
"""Column of the pictures."""

_LABEL_FILES = "fairface_label_*.csv"
"""Pattern of the names of the label files."""


def is_fairface(path: Path) -> bool:
    """Whether the folder has FairFace's label files."""
    return path.is_dir() and any(path.glob(_LABEL_FILES))


def read_fairface(path: Path, wanted: Sequence[str] | None = None) -> Samples:
    """FairFace's folder, the pictures in the order of their numbers, with the labels wanted.

    The published pictures with padding 0.25 are dlib's aligned chips.

    Raises:
        DatasetError: a label file is not as published.
    """
    rows: list[tuple[str, str | None, dict[str, str | None]]] = []
    for file in sorted(path.glob(_LABEL_FILES)):
        given = parse_split(file.stem.removeprefix("fairface_label_"))
        rows.extend((name, given, labels) for name, labels in _rows(file))
    rows.sort(key=lambda each: natural_key(each[0]))
    labels = {name: tuple(row[name] for _, _, row in rows) for name in ATTRIBUTES}
    return Samples(
        name="FairFace",
        root=path,
        files=tuple(file for file, _, _ in rows),
        labels=select_columns(labels, wanted),
        identities=unknown_column(len(rows)),
        splits=tuple(given for _, given, _ in rows),
        aligned=True,
        credit=CREDIT,
    )


def _rows(file: Path) -> Iterator[tuple[str, dict[str, str | None]]]:
    """The picture and the labels of each row of a label file."""
    try:
        table = read_csv(file, _FILE)
    except UnfitFileError as error:
        raise DatasetError(f"{file} is not a label file of FairFace: {error}") from error
    for name in (_FILE, *ATTRIBUTES):
        if name not in table.schema.names:
            raise DatasetError(f"{file} is not a label file of FairFace: it has no column {name}")
    columns = [table[name].to_pylist() for name in ATTRIBUTES]
    for picture, *labels in zip(table[_FILE].to_pylist(), *columns, strict=True):
        if not picture:
            raise DatasetError(f"{file}: a row names no file")
        yield picture, dict(zip(ATTRIBUTES, map(known, labels), strict=True))
