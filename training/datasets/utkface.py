"""UTKFace: pictures named `age_gender_race_date.jpg`."""

import re
from collections.abc import Sequence
from pathlib import Path

from training.datasets.samples import Samples, Skipped, chosen_columns, pictures_in, unknown

CREDIT = "UTKFace (Zhang, Song and Qi, CVPR 2017), for non-commercial research only"
GENDERS = ("Male", "Female")
RACES = ("White", "Black", "Asian", "Indian", "Others")
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
_NAME = re.compile(rf"(\d{{1,3}})_([01])_([0-{len(RACES) - 1}])_\d+(\.[^/]*)?$")
_RECOGNISED = 0.5  # part of the pictures whose names must fit


def is_utkface(path: Path) -> bool:
    """Whether most pictures of the folder are named as UTKFace's."""
    if not path.is_dir():
        return False
    names = pictures_in(path, deep=True)
    fitting = sum(_NAME.search(name.rsplit("/", 1)[-1]) is not None for name in names)
    return fitting > _RECOGNISED * len(names)


def read_utkface(path: Path, wanted: Sequence[str] | None = None) -> Samples:
    """UTKFace's folder or one of its parts; names that break the pattern are skipped.

    Args:
        path: the folder.
        wanted: which of gender, race and age; all unless given.
    """
    files: list[str] = []
    found: list[tuple[str, str, str]] = []
    skipped: list[Skipped] = []
    for name in pictures_in(path, deep=True):
        match = _NAME.match(name.rsplit("/", 1)[-1])
        if match is None:
            skipped.append(Skipped(name, _MALFORMED))
            continue
        age, gender, race = (int(each) for each in match.groups()[:3])
        files.append(name)
        found.append((GENDERS[gender], RACES[race], age_group(age)))
    genders, races, ages = zip(*found, strict=True) if found else ((), (), ())
    return Samples(
        name="UTKFace",
        root=path,
        files=tuple(files),
        labels=chosen_columns({"gender": genders, "race": races, "age": ages}, wanted),
        identities=unknown(len(files)),
        splits=unknown(len(files)),
        skipped=tuple(skipped),
        credit=CREDIT,
    )


def age_group(years: int) -> str:
    """FairFace's name of the group of an age."""
    return next(name for last, name in AGE_GROUPS if years <= last)
