"""Logs → figures: each log is read on its own, and what it adds up to is kept."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.prevalence.estimation import PSEUDO_FACES
from models.prevalence.interval import CONFIDENCE_LEVEL, MOST_FACES, REPLICATES
from models.program.printable import printable
from stream.errors import SourceError
from stream.report.corrections import Corrections
from stream.report.figures import FEW_PERSONS, Figures, label_name, tally_figures
from stream.report.finding import open_log
from stream.report.persons import LabelCodes
from stream.report.rows import Log
from stream.report.screen_time import Limits, ScreenTime
from stream.report.tally import Tally

SCHEMA = "face-stream-report/1"
"""Name and version of the form of `report.json`."""

KINDS = {False: "video", True: "pictures"}
"""What a log may be of; the two are not added, for one has seconds and the other has none."""

_MOST_PERSONS = 100
"""Persons that a report lists at most, those longest in sight; more make the page larger."""


@dataclass(slots=True)
class _Gathered:
    """What the logs that were read so far came to."""

    codes: dict[str, LabelCodes] = field(default_factory=dict)
    overall: dict[str, Tally] = field(default_factory=dict)
    files: list[Figures] = field(default_factory=list)
    persons: list[Figures] = field(default_factory=list)
    left_out: list[Figures] = field(default_factory=list)


def make_report(
    paths: Sequence[Path],
    corrections: Corrections,
    limits: Limits,
    on_log: Callable[[Path], None] = lambda path: None,
) -> Figures:
    """The figures of a report, as `report.json` has them.

    A log that is none or damaged is named and left out.

    Args:
        paths: the logs.
        corrections: which of them are corrected, and by what.
        limits: which faces count.
        on_log: is given each log before it is read.

    Raises:
        SourceError: no log can be read.
    """
    gathered = _Gathered()
    for path in paths:
        on_log(path)
        try:
            log = open_log(path)
            _check_classes(log, gathered.codes)
            corrections.meet(log)
            counted = ScreenTime(log, gathered.codes, limits)
        except SourceError as error:
            gathered.left_out.append({"log": str(path), "reason": printable(str(error))})
            continue
        _gather(gathered, log, counted, corrections)
    if not gathered.files:
        raise SourceError(gathered.left_out[0]["reason"])
    applied = corrections.applied(gathered.codes)
    return {
        "schema": SCHEMA,
        "parameters": {
            "min_width_px": limits.min_width_px,
            "min_quality": limits.min_quality,
            "few_persons": FEW_PERSONS,
            "confidence_level": CONFIDENCE_LEVEL,
            "replicates": REPLICATES,
            "most_faces_of_a_replicate": MOST_FACES,
            "pseudo_faces": PSEUDO_FACES,
        },
        "correction": corrections.as_dict(gathered.codes),
        "overall": {
            kind: tally_figures(tally, applied) for kind, tally in gathered.overall.items()
        },
        "files": gathered.files,
        "persons": _longest(gathered.persons),
        "left_out": gathered.left_out,
    }


def _check_classes(log: Log, codes: dict[str, LabelCodes]) -> None:
    """Takes the attributes of a log, if its classes are those of the logs before it."""
    for name, classes in log.attributes.items():
        if name in codes and codes[name].classes != classes:
            raise SourceError(
                f"{log.path} has other classes of {name} than the logs before it: "
                "make a report of its own"
            )
    for name, classes in log.attributes.items():
        codes.setdefault(name, LabelCodes(classes))


def _gather(gathered: _Gathered, log: Log, counted: ScreenTime, corrections: Corrections) -> None:
    kind = KINDS[log.is_pictures]
    gathered.overall.setdefault(kind, Tally(gathered.codes)).add(counted)
    own = Tally(gathered.codes)
    own.add(counted)
    enough = own.persons >= FEW_PERSONS
    figures = tally_figures(own, corrections.applied(gathered.codes) if enough else {})
    gathered.files.append(
        {
            "log": str(log.path),
            "source": log.source,
            "kind": kind,
            "is_cut_short": log.is_cut_short,
            **figures,
            "timelines": _timelines(counted, gathered.codes),
        }
    )
    gathered.persons += _persons(log, counted, gathered.codes)
    gathered.persons = _longest(gathered.persons)


def _timelines(counted: ScreenTime, codes: Mapping[str, LabelCodes]) -> Figures:
    """By attribute the time in sight by label, bin by bin."""
    found = {}
    for name, timeline in counted.timelines.items():
        sums = timeline.used
        met = [code for code in range(sums.shape[1]) if sums[:, code].any()]
        found[name] = {
            "begin_s": timeline.begin_s,
            "bin_s": timeline.bin_s,
            "face_s": {
                label_name(codes[name], code): sums[:, code].round(2).tolist() for code in met
            },
        }
    return found


def _persons(log: Log, counted: ScreenTime, codes: Mapping[str, LabelCodes]) -> Iterable[Figures]:
    """The persons of a log that were longest in sight."""
    longest = np.argsort(-counted.face_s, kind="stable")[:_MOST_PERSONS]
    numbers = counted.persons.numbers
    labels = {name: counted.persons.labels(name) for name in log.attributes}
    words = {name: counted.persons.words(name) for name in log.attributes}
    for row in longest[counted.is_counted[longest]].tolist():
        yield {
            "log": str(log.path),
            "person": int(numbers[row]),
            "first_s": None if log.is_pictures else round(float(counted.first_s[row]), 3),
            "face_s": round(float(counted.face_s[row]), 3),
            "width_px": round(float(counted.width_px[row]), 1),
            "quality": round(float(counted.quality[row]), 4),
            "labels": {
                name: words[name].get(row) or label_name(codes[name], int(each[row]))
                for name, each in labels.items()
            },
        }


def _longest(persons: list[Figures]) -> list[Figures]:
    return sorted(persons, key=lambda person: -person["face_s"])[:_MOST_PERSONS]
