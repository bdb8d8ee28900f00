"""Tables of labels that a user gives a benchmark, checked as they are read."""

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TypeAlias

from models.safe_files import UnfitFileError, open_regular
from stream.errors import SourceError

LabelTable: TypeAlias = "csv.DictReader[str]"
"""The rows; `line_num` is the line that was read last."""


@contextmanager
def open_label_table(path: Path, columns: Iterable[str]) -> Iterator[LabelTable]:
    """The rows of a CSV file that has these columns; what reading them raises in the body, too, is
    one line.

    Raises:
        SourceError: the file cannot be read, lacks a column, or is no table of text.
    """
    try:
        with TextIOWrapper(open_regular(path), encoding="utf-8-sig", newline="") as lines:
            table = csv.DictReader(lines)
            if missing := set(columns) - set(table.fieldnames or ()):
                raise SourceError(f"{path} has no column {', '.join(sorted(missing))}")
            yield table
    except UnfitFileError as error:
        raise SourceError(f"{path} {error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path} cannot be read: it is no table of text (CSV)") from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error
