"""Found boxes against labelled ones: recall by width and condition, precision, fit."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.faces import iou
from stream.benchmarks.faces.truth import CONDITIONS, TrueBox, TruePicture

FOUND_IOU = 0.35
"""Overlap from which a labelled face is found; less than is usual, for detectors draw the box of a
face differently."""

WIDE_PX = 40.0
"""Width from which precision and fit count a face, px."""

_WIDTHS_PX = {
    "10-20": (10.0, 20.0),
    "20-40": (20.0, 40.0),
    "40-80": (40.0, 80.0),
    "80+": (80.0, float("inf")),
    "40+": (WIDE_PX, float("inf")),
}
"""The groups of faces by the width of their label, from and under which, px."""

_GROUPS = (*_WIDTHS_PX, *CONDITIONS)
"""The groups of faces, in the order in which they are reported."""

_CONDITION_MIN_PX = 20.0
"""Width from which a face counts among those that are hard to find, px."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of how many."""

    count: int = 0
    total: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.count + other.count, self.total + other.total)

    @property
    def share(self) -> float:
        """The count as a share of the total, 0 of none."""
        return self.count / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class FaceJudgement:
    """What was found in some labelled pictures.

    Attributes:
        pictures: number of pictures.
        faces: number of labelled faces, without those to be ignored.
        labelled: number of those by set and group.
        found: number of those that were found, by set and group.
        precision: found faces of at least `WIDE_PX` that are right, of those that are right or
            wrong. A second box of a labelled face is neither.
        overlaps: intersection over union of each found face of at least `WIDE_PX` with its label.
        faceless: number of pictures that have no face.
        faceless_wrong: number of faces of any width that were found in these.
    """

    pictures: int = 0
    faces: int = 0
    labelled: Counter[tuple[str, str]] = field(default_factory=Counter)
    found: Counter[tuple[str, str]] = field(default_factory=Counter)
    precision: Tally = Tally()
    overlaps: tuple[float, ...] = ()
    faceless: int = 0
    faceless_wrong: int = 0

    def __add__(self, other: "FaceJudgement") -> "FaceJudgement":
        return FaceJudgement(
            self.pictures + other.pictures,
            self.faces + other.faces,
            self.labelled + other.labelled,
            self.found + other.found,
            self.precision + other.precision,
            self.overlaps + other.overlaps,
            self.faceless + other.faceless,
            self.faceless_wrong + other.faceless_wrong,
        )

    @property
    def recall(self) -> dict[str, dict[str, Tally]]:
        """By set and group the faces found, of those labelled; no group is empty."""
        sets = sorted({set_name for set_name, _ in self.labelled})
        return {
            each: {
                group: Tally(self.found[each, group], self.labelled[each, group])
                for group in _GROUPS
                if self.labelled[each, group]
            }
            for each in sets
        }

    @property
    def fit(self) -> float:
        """Mean of the overlaps, 0 where there are none."""
        return float(np.mean(self.overlaps)) if self.overlaps else 0.0

    def as_dict(self) -> dict[str, object]:
        """The judgement as JSON has it."""
        right, judged = self.precision.count, self.precision.total
        return {
            "pictures": self.pictures,
            "faces": self.faces,
            "recall": {
                name: {
                    group: {"found": each.count, "labelled": each.total, "recall": each.share}
                    for group, each in groups.items()
                }
                for name, groups in self.recall.items()
            },
            "precision": {
                "right": right,
                "wrong": judged - right,
                "precision": self.precision.share,
            },
            "fit": self.fit,
            "faceless": {"pictures": self.faceless, "wrong": self.faceless_wrong},
        }


def judge(picture: TruePicture, found_xyxy: Sequence[Sequence[float]]) -> FaceJudgement:
    """Compares the boxes found in a picture with its labels.

    Boxes and labels are paired one to one, those that overlap most first. A label to be ignored
    takes part in that, so that what is found there is not wrong, and is no face to be found.

    Args:
        picture: the labels.
        found_xyxy: left, top, right, bottom of each box, px.
    """
    found = np.array(found_xyxy, np.float64).reshape(-1, 4)
    true = np.array([face.box_xyxy for face in picture.faces], np.float64).reshape(-1, 4)
    overlaps = iou(found.astype(np.float32), true.astype(np.float32))
    pairs = _pairs(overlaps)
    wide = found[:, 2] - found[:, 0] >= WIDE_PX
    right = int(wide[[row for row, _ in pairs]].sum())
    wrong = int((wide & ~(overlaps >= FOUND_IOU).any(axis=1)).sum())
    return FaceJudgement(
        pictures=1,
        faces=sum(not face.ignored for face in picture.faces),
        labelled=_counts(picture.faces),
        found=_counts([picture.faces[column] for _, column in pairs]),
        precision=Tally(right, right + wrong),
        overlaps=tuple(
            float(overlaps[row, column])
            for row, column in pairs
            if picture.faces[column].width_px >= WIDE_PX
        ),
        faceless=int(not picture.faces),
        faceless_wrong=0 if picture.faces else len(found),
    )


def _pairs(overlaps: NDArray[np.float32]) -> list[tuple[int, int]]:
    """The row and the column of each pair, the largest overlap first."""
    left, pairs = overlaps.copy(), []
    while left.size and left.max() >= FOUND_IOU:
        row, column = (int(each) for each in np.unravel_index(left.argmax(), left.shape))
        pairs.append((row, column))
        left[row], left[:, column] = 0, 0
    return pairs


def _counts(faces: Sequence[TrueBox]) -> Counter[tuple[str, str]]:
    """The number of faces by set and group, without those to be ignored."""
    counted = [face for face in faces if not face.ignored]
    return Counter((face.set_name, group) for face in counted for group in _groups(face))


def _groups(face: TrueBox) -> Iterator[str]:
    """The groups that a face belongs to."""
    width_px = face.width_px
    yield from (name for name, (low, high) in _WIDTHS_PX.items() if low <= width_px < high)
    if width_px >= _CONDITION_MIN_PX:
        yield from face.conditions
