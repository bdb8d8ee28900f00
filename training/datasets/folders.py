"""A folder per class: `faces/female/…`, or `faces/train/female/…` and `faces/test/female/…`."""

from collections.abc import Sequence
from pathlib import Path

from training.datasets.samples import (
    Samples,
    SkippedPicture,
    left_out_in,
    parse_split,
    pictures_in,
    unknown_column,
)
from training.errors import DatasetError

DEFAULT_LABEL = "label"
"""Name of the attribute whose classes the folders are, unless another is given."""


def is_folders(path: Path) -> bool:
    """Whether the folder has folders with pictures in them, and none beside them."""
    return path.is_dir() and not pictures_in(path) and len(_classes(path)) > 0


def read_folders(path: Path, wanted: Sequence[str] | None = None) -> Samples:
    """A folder per class, or one per split with the classes in it.

    Args:
        path: the folder of the folders.
        wanted: the one name of the attribute, such as `gender`.

    Raises:
        DatasetError: there are fewer than two classes, or more than one name is given.
    """
    label, *others = wanted or (DEFAULT_LABEL,)
    if others:
        raise DatasetError("a folder per class holds one label: give it one name")
    rows: list[tuple[str, str, str | None]] = []
    skipped: list[SkippedPicture] = []
    for folder, given in _classes(path):
        prefix = folder.relative_to(path).as_posix()
        rows.extend(
            (f"{prefix}/{name}", folder.name, given) for name in pictures_in(folder, deep=True)
        )
        skipped.extend(left_out_in(folder, f"{prefix}/"))
    classes = {name for _, name, _ in rows}
    if len(classes) < 2:
        only = f"only {classes.pop()!r}" if classes else "none"
        raise DatasetError(f"{path}: a folder per class is expected, there is {only}")
    return Samples(
        name=path.resolve().name,
        root=path,
        files=tuple(file for file, _, _ in rows),
        labels={label: tuple(name for _, name, _ in rows)},
        identities=unknown_column(len(rows)),
        splits=tuple(given for _, _, given in rows),
        skipped=tuple(skipped),
    )


def _classes(path: Path) -> list[tuple[Path, str | None]]:
    """The class folders, each with the split whose folder holds it."""
    folders = _folders(path)
    try:
        splits = [parse_split(folder.name) for folder in folders]
    except DatasetError:  # an ordinary class name
        return [(folder, None) for folder in folders if pictures_in(folder, deep=True)]
    return [
        (inner, split)
        for folder, split in zip(folders, splits, strict=True)
        for inner in _folders(folder)
    ]


def _folders(path: Path) -> list[Path]:
    inner = (each for each in path.iterdir() if each.is_dir() and not each.name.startswith("."))
    return sorted(inner, key=lambda each: each.name)
