"""LFWA+: `LFWA/lfw/NAME/NAME_0001.jpg` and the 73 attributes of `lfw_att_73.mat`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.safe_files import UnfitFileError, open_regular
from training.datasets.samples import FlagAttribute, Samples, unknown_column
from training.errors import DatasetError

CREDIT = "LFWA+ (Liu, Luo, Wang and Tang, ICCV 2015) on Labeled Faces in the Wild"
"""Source."""

ANNOTATIONS = "lfw_att_73.mat"
"""Name of the file with the 73 attributes."""

DEFAULT_FLAGS = ("Male", "Asian", "White", "Black")
"""Attributes that are read unless others are wanted."""

_GENDER = FlagAttribute("gender", ("Male",), ("Female", "Male"))
"""Gender, which follows from the one attribute Male."""

_RACE_FLAGS = ("White", "Black", "Asian")
"""Attributes from which a race follows, and its classes."""

_RACE = FlagAttribute("race", _RACE_FLAGS, _RACE_FLAGS)
"""Race, whose class is the strongest of three attributes."""

_PICTURES = ("LFWA/lfw", "lfw")
"""Folders in which the pictures may lie."""

_MAX_LABELS = 10_000_000
"""Labels of the annotations at most; as published there are 960,000."""


def is_lfwa(path: Path) -> bool:
    """Whether the folder, or LFWA in it, has the annotations."""
    return path.is_dir() and _annotations(path) is not None


def read_lfwa(path: Path, wanted: Sequence[str] | None = None) -> Samples:
    """LFWA+ as published.

    Its attributes are independent flags: each becomes a label with the classes `not Male` and
    `Male`. From Male follows a `gender`, from White, Black and Asian a `race`: the one whose flag
    is set; where none or several are, it is unknown.

    Args:
        path: the folder of LFWA and the annotations, or LFWA itself.
        wanted: which of the 73 attributes; Male, Asian, White and Black unless given.

    Raises:
        DatasetError: the file is not as published, or an attribute does not exist.
    """
    file = _annotations(path)
    if file is None:
        raise DatasetError(f"{path} has no {ANNOTATIONS}")
    names, flags, table = _read(file)
    folder = next((path / each for each in _PICTURES if (path / each).is_dir()), None)
    if folder is None:
        raise DatasetError(f"{path} has no folder {' or '.join(_PICTURES)} with the pictures")
    chosen = tuple(wanted or DEFAULT_FLAGS)
    for flag in chosen:
        if flag not in flags:
            raise DatasetError(f"there is no attribute {flag!r}; LFWA+ has {', '.join(flags)}")
    columns = {flag: table[flags.index(flag)] for flag in chosen}
    labels: dict[str, tuple[str | None, ...]] = {}
    flag_attributes: list[FlagAttribute] = []
    if "Male" in chosen:
        flag_attributes.append(_GENDER)
        labels["gender"] = tuple(_GENDER.classes[int(each)] for each in columns["Male"])
    if set(_RACE_FLAGS) <= set(chosen):
        flag_attributes.append(_RACE)
        stacked = np.stack([columns[flag] for flag in _RACE_FLAGS])
        labels["race"] = tuple(
            _RACE_FLAGS[int(each.argmax())] if each.sum() == 1 else None for each in stacked.T
        )
    for flag, column in columns.items():
        composition = FlagAttribute(flag, (flag,), (f"not {flag}", flag))
        flag_attributes.append(composition)
        labels[flag] = tuple(composition.classes[int(each)] for each in column)
    return Samples(
        name="LFWA+",
        root=path,
        files=tuple((folder / name).relative_to(path).as_posix() for name in names),
        labels=labels,
        identities=tuple(name.split("/")[0] for name in names),
        splits=unknown_column(len(names)),
        flag_attributes=tuple(flag_attributes),
        credit=CREDIT,
    )


def _annotations(path: Path) -> Path | None:
    places = (path / ANNOTATIONS, path / "LFWA" / ANNOTATIONS, path.parent / ANNOTATIONS)
    return next((each for each in places if each.is_file()), None)


def _read(file: Path) -> tuple[list[str], list[str], Any]:
    """Names of the pictures, names of the flags, and `(flags, pictures)` bool."""
    import h5py

    try:
        open_regular(file).close()
        with h5py.File(file) as content:
            if (size := content["label"].size) > _MAX_LABELS:
                raise ValueError(f"label has {size} numbers")
            names = [each.replace("\\", "/") for each in _cells(content, "name")]
            flags = _cells(content, "AttrName")
            table = np.asarray(content["label"]) > 0
    except (
        *(UnfitFileError, OSError, LookupError, ValueError, AttributeError, TypeError),
        *(RuntimeError, OverflowError),  # of h5py, where a file is damaged
    ) as error:
        raise DatasetError(
            f"{file} is not the annotation file as published (MATLAB 7.3 with name, AttrName and "
            f"label): {(str(error).splitlines() or ['it is damaged'])[0]}"
        ) from error
    if table.shape == (len(names), len(flags)):
        table = table.T
    if table.shape != (len(flags), len(names)):
        raise DatasetError(f"{file}: label should be {len(flags)} × {len(names)}, is {table.shape}")
    return names, flags, table


def _cells(content: Any, name: str) -> list[str]:
    """A cell array of strings: references to arrays of character codes."""
    return [
        "".join(chr(code) for code in np.asarray(content[reference]).ravel())
        for reference in np.asarray(content[name]).ravel()
    ]
