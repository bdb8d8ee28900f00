"""A tally as figures: by attribute and pair of attributes, a group for each label."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.prevalence.correction import AttributeCorrection
from models.prevalence.interval import Prevalence, corrected_prevalence
from stream.report.persons import NO_LABEL, UNSURE, LabelCodes
from stream.report.tally import Evidence, Tally

Figures: TypeAlias = dict[str, Any]
"""Figures as `report.json` has them; `docs/report.md` says what each is."""

FEW_PERSONS = 20
"""Persons under which a group, or all of whom the shares are, is said to be too small."""

NO_LABEL_NAME = "too small"
"""What the group is called whose faces are too small for a label."""

_UNSURE_NAME = "unsure"
"""What the group is called of whom the model is unsure."""

_DIGITS = 3
"""Digits of times, s."""

_SHARE_DIGITS = 4
"""Digits of shares."""


def tally_figures(tally: Tally, corrections: Mapping[str, AttributeCorrection]) -> Figures:
    """The figures of a tally.

    Args:
        tally: over one log or many.
        corrections: of the attributes that are corrected.
    """
    attributes, crossings = {}, []
    for names in tally.sums:
        groups = list(_groups(tally, names))
        if len(names) == 1:
            (name,) = names
            figures: Figures = {
                "groups": groups,
                "by_likeliest": tally.by_likeliest[name],
                "persons_with_probabilities": 0,
                "is_corrected": False,
            }
            if (evidence := tally.evidence.get(name)) is not None:
                codes, correction = tally.codes[name], corrections.get(name)
                figures |= _add_evidence(groups, evidence, codes, correction)
            attributes[name] = figures
        else:
            crossings.append({"attributes": list(names), "groups": groups})
    return {
        "logs": tally.logs,
        "persons": tally.persons,
        "total_s": round(tally.total_s, _DIGITS),
        "in_sight_s": round(tally.occupied_s, _DIGITS),
        "left_out_s": round(tally.left_out_s, _DIGITS),
        "attributes": attributes,
        "crossings": crossings,
    }


def label_name(codes: LabelCodes, code: int) -> str:
    """The name of a group."""
    if code in (NO_LABEL, UNSURE):
        return _UNSURE_NAME if code == UNSURE else NO_LABEL_NAME
    return codes.classes[code - UNSURE - 1]


def is_unsure(group: Figures) -> bool:
    """Whether a group is of those of whom the model is unsure, not a class of that name."""
    return not group["is_class"] and group["label"] == _UNSURE_NAME


def _groups(tally: Tally, names: tuple[str, ...]) -> Iterator[Figures]:
    """The groups of an attribute, or of a pair those that have a person; classes come first."""
    sums = tally.sums[names]
    totals = {name: float(each.sum()) for name, each in sums.items()}
    order = [[*range(UNSURE + 1, size), UNSURE, NO_LABEL] for size in sums["persons"].shape]
    for place in np.ndindex(*sums["persons"].shape):
        cell = tuple(codes[number] for codes, number in zip(order, place, strict=True))
        persons = int(sums["persons"][cell])
        is_class = min(cell) > UNSURE
        if not persons and not (is_class and len(names) == 1):
            continue
        labels = [
            label_name(tally.codes[name], code) for name, code in zip(names, cell, strict=True)
        ]
        yield {
            **({"label": labels[0]} if len(names) == 1 else {"labels": labels}),
            "is_class": is_class,
            "persons": persons,
            "persons_share": _share(persons, totals["persons"]),
            "in_sight_s": round(float(sums["in_sight_s"][cell]), _DIGITS),
            "face_s": round(float(sums["face_s"][cell]), _DIGITS),
            "face_share": _share(sums["face_s"][cell], totals["face_s"]),
            "largest_s": round(float(sums["largest_s"][cell]), _DIGITS),
            "largest_share": _share(sums["largest_s"][cell], totals["largest_s"]),
            "area_share": _share(sums["area_s"][cell], totals["area_s"]),
            "is_small": persons < FEW_PERSONS,
        }


def _add_evidence(
    groups: list[Figures],
    evidence: Evidence,
    codes: LabelCodes,
    correction: AttributeCorrection | None,
) -> Figures:
    """Adds to the groups of classes the share of the likeliest class, and where there is a
    correction the corrected shares, and says on what they stand.
    """
    probabilities, widths_px, face_s = evidence.joined()
    count = len(probabilities)
    raw = np.bincount(probabilities.argmax(axis=1), minlength=len(codes.classes)) / count
    by_class = {group["label"]: group for group in groups if group["is_class"]}
    for name, share in zip(codes.classes, raw.tolist(), strict=True):
        by_class[name]["likeliest_share"] = round(share, _SHARE_DIGITS)
    basis: Figures = {"persons_with_probabilities": count, "is_corrected": correction is not None}
    if correction is None:
        return basis
    persons = corrected_prevalence(correction, probabilities, widths_px)
    time = corrected_prevalence(correction, probabilities, widths_px, np.maximum(face_s, 1e-9))
    for number, name in enumerate(codes.classes):
        by_class[name]["corrected"] = {
            "persons_share": _interval(persons, number),
            "face_share": _interval(time, number),
            "adjusted_counts": round(float(persons.adjusted[number]), _SHARE_DIGITS),
        }
    outside = widths_px < correction.measured_from_px
    return basis | {
        "is_small": count < FEW_PERSONS,
        "outside": {
            "narrower_than_px": correction.measured_from_px,
            "persons": int(outside.sum()),
        },
    }


def _interval(found: Prevalence, number: int) -> Figures:
    ends = {"value": found.shares, "low": found.lows, "high": found.highs}
    return {name: round(float(each[number]), _SHARE_DIGITS) for name, each in ends.items()}


def _share(part: float | NDArray[np.float64], whole: float) -> float | None:
    return round(float(part) / whole, _SHARE_DIGITS) if whole else None
