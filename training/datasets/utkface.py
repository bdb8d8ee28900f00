"""UTKFace: pictures named `age_gender_race_date.jpg`."""

import re
from collections.abc import Sequence
from pathlib import Path

from training.datasets.samples import (
    Samples,
    SkippedPicture,
    left_out_in,
    pictures_in,
    select_columns,
    unknown_column,
)

CREDIT = "UTKFace (Zhang, Song and Qi, CVPR 2017), for non-commercial research only"
"""Source and terms of use."""

GENDERS = ("Male", "Female")
"""Classes of gender by the number in a name."""

RACES = ("White", "Black", "Asian", "Indian", "Others")
"""Classes of race by the number in a name."""

AGE_GROUPS = (
    (2, "0-2"),
    (9, "3-9"),
    (19, "10-19"),
    (29, "20-29"),
    (39, "30-39"),
    (49, "40-49"),
    (59, "50-59"),
    (69, "60-69"),
    (10**9, "more than 70"),
)
"""Last year of each group, and FairFace's name for it."""

_MALFORMED = "name is not age_gender_race_date"
"""Reason for which a picture is skipped."""

_NAME = re.compile(rf"(\d{{1,3}})_([01])_([0-{len(RACES) - 1}])_\d+(\.[^/]*)?$")
"""Names of pictures: age in years, gender, race and date."""

_MIN_MATCHING_SHARE = 0.5
"""Share of the pictures whose names must match for a folder to be UTKFace's."""


def is_utkface(path: Path) -> bool:
    """Whether most pictures of the folder have names as in UTKFace."""
    if not path.is_dir():
        return False
    names = pictures_in(path, deep=True)
    fitting = sum(_NAME.search(name.rsplit("/", 1)[-1]) is not None for name in names)
    return fitting > _MIN_MATCHING_SHARE * len(names)


def read_utkface(path: Path, wanted: Sequence[str] | None = None) -> Samples:
    """UTKFace's folder or one of its parts; names that break the pattern are skipped.

    Args:
        path: the folder.
        wanted: which of gender, race and age; all unless given.
    """
    files: list[str] = []
    found: list[tuple[str, str, str]] = []
    skipped = left_out_in(path)
    for name in pictures_in(path, deep=True):
        match = _NAME.match(name.rsplit("/", 1)[-1])
        if match is None:
            skipped.append(SkippedPicture(name, _MALFORMED))
            continue
        age, gender, race = (int(each) for each in match.groups()[:3])
        files.append(name)
        found.append((GENDERS[gender], RACES[race], age_group(age)))
    genders, races, ages = zip(*found, strict=True) if found else ((), (), ())
    return Samples(
        name="UTKFace",
        root=path,
        files=tuple(files),
        labels=select_columns({"gender": genders, "race": races, "age": ages}, wanted),
        identities=unknown_column(len(files)),
        splits=unknown_column(len(files)),
        skipped=tuple(skipped),
        credit=CREDIT,
    )


def age_group(years: int) -> str:
    """The class of an age, named as in FairFace."""
    return next(name for last, name in AGE_GROUPS if years <= last)
