"""What a reader must know before the figures of a report are believed."""

from collections.abc import Mapping, Sequence

from models.printable import counted
from training.evaluation.intervals import Figures, share
from training.fitting.held_out import FEW_FACES

_NAMED = 5
"""Attributes or classes, at most, that a line names; more make it longer."""


def cautions(attributes: Mapping[str, Figures]) -> list[str]:
    """A line for each: too few faces, and classes that no face is labelled with.

    Args:
        attributes: the figures of each attribute.
    """
    few: dict[int, list[str]] = {}
    for name, figures in attributes.items():
        if figures["rows"] < FEW_FACES:
            few.setdefault(figures["rows"], []).append(name)
    found = [
        f"{_listed(names)}: measured on {counted(rows, 'face')} only, so an accuracy may be off by "
        f"{_widest(rows):.2f}: hold out more with --hold-out, or go by fit --cross-validate 5"
        for rows, names in few.items()
    ]
    for name, figures in attributes.items():
        absent = [each for each, recall in figures["recall"].items() if not recall["rows"]]
        if absent:
            what = "that class" if len(absent) == 1 else "these classes"
            classes = _listed([repr(each) for each in absent])
            found.append(f"{name}: no face is labelled {classes}: nothing is known of {what}")
    return found


def _widest(rows: int) -> float:
    """Half the widest interval of a share of so many faces, which is that of one half."""
    half = share(rows // 2, rows)
    return (half["high"] - half["low"]) / 2


def _listed(names: Sequence[str]) -> str:
    """Names with commas between, of many only the first."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
