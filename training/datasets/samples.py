"""Labelled pictures as every reader returns them, and what the readers share."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.classification.label_names import check_label_names
from models.pictures.files import is_left_out, is_picture, kind_of
from models.program.printable import printable
from training.datasets.labels import alike_key
from training.errors import DatasetError

TRAIN = "train"
"""Name of the split that models are fitted on."""

TEST = "test"
"""Name of the split that is held out."""

_SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("test", "testing", "val", "valid", "validation", "dev"), TEST),
    **dict.fromkeys(("eval", "evaluation", "holdout", "hold-out", "held-out"), TEST),
}
"""Usual names of the splits."""


@dataclass(frozen=True, slots=True)
class SkippedPicture:
    """A picture that is left out, with a short reason."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class FlagAttribute:
    """An attribute that follows from independent binary attributes, its flags.

    One flag and two classes: the flag's probability is that of the second class. As many flags as
    classes: the strongest flag wins, the probabilities are the flags' divided by their sum.
    """

    attribute: str
    flags: tuple[str, ...]
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Samples:
    """n pictures with their labels; every tuple has n entries, None where unknown.

    Attributes:
        name: of the dataset, for the record.
        root: the folder that `files` are relative to.
        files: the pictures, with forward slashes, in an order that does not change.
        labels: attribute → the class of each picture.
        identities: the name of the person on each picture.
        splits: `train` or `test`, where the dataset has a split.
        aligned: the pictures are aligned chips (padding 0.25): no face is searched for in them.
        marked: each file is the part of a picture in which one face is marked.
        flag_attributes: attributes of `labels` that are fitted through independent flags.
        skipped: the pictures that the reader could not use.
        credit: whose data it is and under which licence, in one sentence.
        asked: the options with which it was read, `--format` and `--labels`, as words.
    """

    name: str
    root: Path
    files: tuple[str, ...]
    labels: Mapping[str, tuple[str | None, ...]]
    identities: tuple[str | None, ...]
    splits: tuple[str | None, ...]
    aligned: bool = False
    marked: bool = False
    flag_attributes: tuple[FlagAttribute, ...] = ()
    skipped: tuple[SkippedPicture, ...] = ()
    credit: str = ""
    asked: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.files:
            why = self.skipped[0].reason if self.skipped else ""
            listed = f": of {self.skipped[0].file}, {why}" if why else ""
            raise DatasetError(f"{self.root} holds no labelled pictures{listed}")
        columns = {**self.labels, "identity": self.identities, "split": self.splits}
        for name, column in columns.items():
            if len(column) != len(self.files):
                raise ValueError(f"{name} should have {len(self.files)} rows, has {len(column)}")

    def check_names(self) -> None:
        """Raises DatasetError where a label or a class has a name that tables cannot have, or two
        labels have names that are too alike to be told apart."""
        attributes: dict[str, str] = {}
        for attribute in self.labels:
            if (other := attributes.setdefault(alike_key(attribute), attribute)) != attribute:
                raise DatasetError(
                    f"the labels {other!r} and {attribute!r} differ in letter case or spaces only: "
                    "rename one, or choose with --labels"
                )
        classes = {
            attribute: sorted({name for name in column if name is not None})
            for attribute, column in self.labels.items()
        }
        try:
            check_label_names(classes.items())
        except ValueError as error:
            raise DatasetError(str(error)) from error

    def path_of(self, name: str) -> Path:
        """Where a picture lies by its name in a table, in which it is one printable line."""
        if "\\" in name:
            name = next((file for file in self.files if printable(file) == name), name)
        return self.root / name

    def __len__(self) -> int:
        return len(self.files)

    def __repr__(self) -> str:
        return f"Samples({self.name}: {len(self)} pictures, {', '.join(self.labels)})"


def parse_split(name: str | None) -> str | None:
    """`train` or `test` for any usual name of either half, None for no name.

    Raises:
        DatasetError: the name means neither.
    """
    if name is None or not name.strip():
        return None
    split = _SPLIT_NAMES.get(name.strip().lower())
    if split is None:
        known = ", ".join(_SPLIT_NAMES)
        raise DatasetError(f"the split {name!r} is none of {known}")
    return split


def is_split(name: str) -> bool:
    """Whether a name is a usual one of either half."""
    return name.strip().lower() in _SPLIT_NAMES


def natural_key(text: str) -> tuple[tuple[bool, int, str], ...]:
    """The key that sorts numbers in names by value: `2.jpg` before `10.jpg`, `3-9` before `10`."""
    parts = re.findall(r"\d+|\D+", text)
    return tuple(
        (False, int(part), part) if part.isdecimal() else (True, 0, part) for part in parts
    )


def pictures_in(folder: Path, *, deep: bool = False) -> list[str]:
    """The pictures of a folder, relative to it, in natural order; hidden ones are left out."""
    return _names(folder, folder.rglob("*") if deep else folder.iterdir(), _is_picture_file)


def left_out_in(folder: Path, prefix: str = "") -> list[SkippedPicture]:
    """The files in a folder and below it that are pictures of kinds that are not read, and links
    to pictures that are not there.

    Args:
        folder: hidden files in it are passed over.
        prefix: stands before their names.
    """
    names = _names(folder, folder.rglob("*"), lambda path: is_left_out(path) or _is_dead(path))
    return [SkippedPicture(prefix + name, _left_out_reason(folder / name)) for name in names]


def _left_out_reason(path: Path) -> str:
    if _is_dead(path):
        return "a link to a file that is not there"
    return f"of a kind that is not read ({kind_of(path)})"


def _is_dead(path: Path) -> bool:
    """Whether it is the link of a picture that has been moved or deleted."""
    return is_picture(path) and path.is_symlink() and not path.exists()


def _names(folder: Path, paths: Iterable[Path], wanted: Callable[[Path], bool]) -> list[str]:
    names = (path.relative_to(folder).as_posix() for path in paths if wanted(path))
    return sorted(
        (name for name in names if not name.startswith(".") and "/." not in name), key=natural_key
    )


def _is_picture_file(path: Path) -> bool:
    return is_picture(path) and path.is_file()


def unknown_column(count: int) -> tuple[None, ...]:
    """A column of unknown values."""
    return (None,) * count


def select_columns(
    labels: Mapping[str, tuple[str | None, ...]], wanted: Sequence[str] | None
) -> dict[str, tuple[str | None, ...]]:
    """The wanted attributes, or all of them.

    Raises:
        DatasetError: one does not exist.
    """
    if wanted is None:
        return dict(labels)
    for name in wanted:
        if name not in labels:
            known = ", ".join(labels)
            raise DatasetError(f"there is no label {name!r}; the dataset has {known}")
    return {name: labels[name] for name in wanted}
