"""A folder per class: `faces/female/…`, or `faces/train/female/…` and `faces/test/female/…`."""

from collections.abc import Sequence
from pathlib import Path

from training.datasets.labels import known
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


_LOOSE = "lies beside the folders of the classes"
"""Reason for which a picture is skipped: no folder says its class."""

_NO_LABEL = "its folder's name means that there is no label: rename the folder if it is a class"
"""Reason for which a picture is skipped: its folder is called `NaN` or the like."""


def is_folders(path: Path) -> bool:
    """Whether the folder has two folders or more with pictures in them, or such in folders of
    splits; pictures may lie beside them."""
    if not path.is_dir():
        return False
    try:
        return len({folder.name for folder, _ in _classes(path)}) > 1
    except DatasetError:  # splits beside others: what is wrong is said when it is read
        return True


def has_folders(path: Path) -> bool:
    """Whether the folder has a folder with pictures in it, be it for a class or not."""
    return path.is_dir() and len(_folders(path)) > 0


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
    folders = _classes(path)
    skipped = _loose(path, folders)
    for folder, given in folders:
        prefix = folder.relative_to(path).as_posix()
        names = [f"{prefix}/{name}" for name in pictures_in(folder, deep=True)]
        if known(folder.name) is None:
            skipped.extend(SkippedPicture(name, _NO_LABEL) for name in names)
        else:
            rows.extend((name, folder.name, given) for name in names)
        skipped.extend(left_out_in(folder, f"{prefix}/"))
    classes = {name for _, name, _ in rows}
    if len(classes) < 2:
        unlabelled = [folder.name for folder, _ in folders if known(folder.name) is None]
        raise DatasetError(
            f"{path}: a folder per class is expected, there is {_lone(path, classes, unlabelled)}"
        )
    return Samples(
        name=path.resolve().name,
        root=path,
        files=tuple(file for file, _, _ in rows),
        labels={label: tuple(name for _, name, _ in rows)},
        identities=unknown_column(len(rows)),
        splits=tuple(given for _, _, given in rows),
        skipped=tuple(skipped),
    )


def _lone(path: Path, classes: set[str], unlabelled: Sequence[str]) -> str:
    """What there is instead of several classes, and what may be meant."""
    if unlabelled:
        found = f"only {min(classes)!r}" if classes else "none"
        return f"{found}, for {unlabelled[0]!r} means no label: rename that folder if it is a class"
    if not classes:
        splits = [each.name for each in _folders(path) if _split_of(each)]
        meant = f": {' and '.join(splits[:2])} are read as splits, and have no folders of classes"
        return f"none{meant if splits else ''}"
    (name,) = classes
    deeper = [each.name for each in _folders(path / name)] if (path / name).is_dir() else []
    meant = f"; name {path / name} if {' and '.join(deeper[:2])} in it are classes"
    return f"only {name!r}{meant if len(deeper) > 1 else ''}"


def _classes(path: Path) -> list[tuple[Path, str | None]]:
    """The class folders, each with the split whose folder holds it.

    1. All folders with pictures are called like splits: the classes are in them.
    2. None is, or those that are hold no folders with pictures: they are the classes.

    Raises:
        DatasetError: folders of splits with classes in them lie beside other folders.
    """
    folders = _folders(path)
    splits = {folder: split for folder in folders if (split := _split_of(folder)) is not None}
    inner: list[tuple[Path, str | None]] = [
        (each, split) for folder, split in splits.items() for each in _folders(folder)
    ]
    if len(splits) == len(folders):
        return inner
    if inner:
        parts = ", ".join(sorted(folder.name for folder in splits))
        other = next(folder.name for folder in folders if folder not in splits)
        raise DatasetError(
            f"{path} has folders of classes in {parts}, and beside them the folder {other!r}, "
            "which is no split: move it elsewhere"
        )
    return [(folder, None) for folder in folders]


def _split_of(folder: Path) -> str | None:
    try:
        return parse_split(folder.name)
    except DatasetError:  # an ordinary name
        return None


def _loose(path: Path, classes: Sequence[tuple[Path, str | None]]) -> list[SkippedPicture]:
    """The pictures that lie beside the folders of classes, here or in a folder of a split."""
    parents = dict.fromkeys((path, *(folder.parent for folder, _ in classes)))
    prefixes = {each: "" if each == path else f"{each.name}/" for each in parents}
    return [
        SkippedPicture(prefix + name, _LOOSE)
        for parent, prefix in prefixes.items()
        for name in pictures_in(parent)
    ]


def _folders(path: Path) -> list[Path]:
    """The folders in a folder that have pictures in them, by name."""
    inner = (each for each in path.iterdir() if each.is_dir() and not each.name.startswith("."))
    return [each for each in sorted(inner) if pictures_in(each, deep=True)]
