"""What is said of the classes before anything is fitted: how many faces each has to fit on."""

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np

from models.program.printable import counted
from training.datasets.label_notes import label_notes
from training.datasets.samples import TRAIN, natural_key
from training.features.table import FeatureTable
from training.fitting.settings import FitSettings
from training.fitting.tasks import plan_tasks

_IMBALANCED = 3.0
"""Ratio of the largest class to the smallest from which advice is given: rarer classes are then
found clearly less often. Higher advises more rarely."""

_NAMED_CLASSES = 20
"""Classes, at most, whose counts a line names; of more it names the largest and says how many."""


def class_counts(table: FeatureTable, settings: FitSettings) -> Iterator[str]:
    """A line for each attribute that would be fitted, and one for each class of it that is hardly
    meant, held out or not; the views of a face count once.

    Raises:
        DatasetError: an attribute does not exist or has one class only.
    """
    train = np.flatnonzero(table.splits == TRAIN)
    attributes = settings.attributes or tuple(table.labels)
    for task in plan_tasks(table, train, attributes):
        rows = task.rows[table.as_found[task.rows]]
        for head in task.heads:
            yield class_counts_line(head.attribute, table.column(head.attribute)[rows], settings)
    yield from label_notes(
        {name: table.labels[name][table.as_found].tolist() for name in attributes}
    )


def class_counts_line(attribute: str, labels: Iterable[str], settings: FitSettings) -> str:
    """The counts of the classes, how imbalanced they are, and what helps.

    Args:
        attribute: its name.
        labels: the class of each face that is fitted on.
        settings: of the fit.
    """
    counts = Counter(labels)
    names = sorted(counts, key=natural_key)
    if len(names) > _NAMED_CLASSES:
        names = [name for name, _ in counts.most_common(_NAMED_CLASSES)]
    parts = [f"{counts[name]} {name}" for name in names]
    if more := len(counts) - len(names):
        parts.append(f"and {more} rarer classes")
    line = f"{attribute}: {counted(counts.total(), 'face')} to fit on: {', '.join(parts)}"
    largest, *_, smallest = counts.most_common()
    ratio = largest[1] / smallest[1]
    if ratio < _IMBALANCED:
        return line
    line += f"; imbalanced, {largest[0]} has {ratio:.0f} times the faces of {smallest[0]}: "
    line += f"pictures of {smallest[0]} help most"
    return line if settings.balanced else f"{line}, --class-weight balanced somewhat"
