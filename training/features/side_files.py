"""The files beside a feature table: its cache, its description, and two lists of pictures."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from models.program.cells import text_cell
from models.program.printable import printable
from training.datasets.samples import SkippedPicture
from training.features.leaks import Contradiction, Leak


def cache_path(out: Path) -> Path:
    """Where the embeddings computed for a table are kept between runs."""
    return out.with_name(out.name + ".cache")


def info_path(out: Path) -> Path:
    """Where a table's description is, as its own file holds it."""
    return out.with_name(out.stem + ".info.json")


def skipped_path(out: Path) -> Path:
    """Where the pictures that are not in a table are listed."""
    return out.with_name(out.stem + ".skipped.csv")


def duplicates_path(out: Path) -> Path:
    """Where the pictures of a table are listed that both halves share or that have two labels."""
    return out.with_name(out.stem + ".duplicates.csv")


def skipped_csv(skipped: Sequence[SkippedPicture]) -> bytes:
    """The list of skipped pictures: file and reason."""
    return _csv(("file", "reason"), ((each.file, each.reason) for each in skipped))


def duplicates_csv(leaks: Sequence[Leak], contradictions: Sequence[Contradiction]) -> bytes:
    """The list of pictures that should not both be there as they are: two files and the reason."""
    shared = (
        (
            each.held_out,
            each.training,
            "nearly identical, held out and in training"
            if each.person is None
            else f"{each.person} is held out and in training",
        )
        for each in leaks
    )
    two_labels = (
        (*each.files, f"{each.attribute} is {each.classes[0]} and {each.classes[1]}")
        for each in contradictions
    )
    return _csv(("file", "other", "reason"), (*shared, *two_labels))


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([text_cell(printable(cell)) for cell in row] for row in rows)
    return text.getvalue().encode()
