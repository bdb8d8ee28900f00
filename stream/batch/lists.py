"""Lists of files: a text with a name a line, or a table whose column `file` names them."""

import codecs
import csv
import io
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.program.printable import printable, shortened
from models.safe_files import UnfitFileError, read_regular
from stream.addresses import is_url
from stream.errors import ConfigError
from stream.sources.pipe import STANDARD_INPUT

LIST_SUFFIXES = frozenset({".csv", ".lst", ".tsv", ".txt"})
"""Endings of the names of files that are taken for lists."""

_TABLE_SUFFIXES = frozenset({".csv", ".tsv"})
"""Endings of lists that must have a column `file`; another list is a table if it has one."""

_FILE_COLUMN = "file"
"""Name of the column that names the files, in small or in large letters."""

_DELIMITERS = ",;\t"
"""What may stand between the cells of a table: its first line shows which does."""

_COMMENT = "#"
"""How a line of a text begins that names no file; a file of such a name is written `./#name`."""

_MAX_LIST_BYTES = 512 << 20
"""Size of a list at most, bytes; a million names have about a hundred million."""

_MAX_HEADER_LETTERS = 10_000
"""Letters of a first line in which a column `file` is looked for."""

_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""How a list begins that says how it is encoded; another is UTF-8, or names that are none."""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One line of a list.

    Attributes:
        name: an address, or an absolute path: relative ones are taken from the list's folder.
        line: its number, from 1 on.
        columns: its other cells, by column.
    """

    name: str
    line: int
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SourceList:
    """A list that was read.

    Attributes:
        name: what it is called in messages.
        folder: the absolute path from which relative ones are taken.
        files: the files, folders and addresses in it.
        columns: its columns but for `file`; each picture is an input of its own where there are
            any.
    """

    name: str
    folder: Path
    files: Sequence[ListedFile]
    columns: Sequence[str] = ()


def is_list(name: str) -> bool:
    """Whether a source is a list by its name: `-`, or a file that ends like one."""
    is_file_of_kind = Path(name).suffix.lower() in LIST_SUFFIXES and not is_url(name)
    return name == STANDARD_INPUT or (is_file_of_kind and not os.path.isdir(name))


def read_list(name: str) -> SourceList:
    """Reads a list; blank lines name nothing.

    Args:
        name: the file, or `-` for standard input, whose relative paths are taken from the current
            folder.

    Raises:
        ConfigError: it cannot be read, is empty, or is a table that is not whole.
    """
    if name == STANDARD_INPUT:
        shown, folder, data = "the list on standard input", Path.cwd(), _read_standard_input()
    else:
        shown, folder = name, Path(os.path.abspath(name)).parent
        try:
            data = read_regular(Path(name), _MAX_LIST_BYTES)
        except UnfitFileError as error:
            raise ConfigError(f"{name} {error}") from error
    text = _decoded(data, shown)
    is_table = Path(name).suffix.lower() in _TABLE_SUFFIXES
    header = text.lstrip().partition("\n")[0].rstrip()[:_MAX_HEADER_LETTERS]
    delimiter = max(_DELIMITERS, key=header.count)
    cells = [cell.strip().lower() for cell in next(csv.reader([header], delimiter=delimiter), [])]
    if _FILE_COLUMN in cells:
        return _of_table(text, delimiter, shown, folder)
    if is_table:
        raise ConfigError(
            f"{shown} has no column {_FILE_COLUMN}, which names the files; its first line is "
            f"{shortened(printable(header))!r}"
        )
    files = [ListedFile(_placed(each, folder), line) for line, each in _lines(text)]
    if not files:
        raise ConfigError(f"{shown} names no file")
    return SourceList(shown, folder, files)


def _read_standard_input() -> bytes:
    if sys.stdin is None:
        raise ConfigError("the list on standard input cannot be read: it is closed")
    data = sys.stdin.buffer.read(_MAX_LIST_BYTES + 1)
    if len(data) > _MAX_LIST_BYTES:
        raise ConfigError(f"the list on standard input is larger than {_MAX_LIST_BYTES >> 20} MB")
    return data


def _decoded(data: bytes, shown: str) -> str:
    """The text of a list; bytes that are no UTF-8 stand for those of names."""
    for mark, encoding in _ENCODINGS:
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError as error:
                raise ConfigError(f"{shown} is not {encoding}, as its beginning says") from error
    return data.decode(errors="surrogateescape")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The names in a text with their lines; `find -print0` has zeros between them."""
    if "\0" in text:
        yield from ((number, each) for number, each in enumerate(text.split("\0"), 1) if each)
        return
    for number, line in enumerate(text.split("\n"), 1):
        name = line.strip("\r\t ")
        if name[:1] == name[-1:] == '"':
            name = name[1:-1]  # as Windows copies a path
        if name and not name.startswith(_COMMENT):
            yield number, name


def _of_table(text: str, delimiter: str, shown: str, folder: Path) -> SourceList:
    """A table, whose first line that is not blank names its columns."""
    files: list[ListedFile] = []
    columns: list[str] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    at = -1
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if at < 0:
                at = [cell.lower() for cell in cells].index(_FILE_COLUMN)
                columns = _columns(cells, at, shown)
                continue
            place = f"{shown}, line {reader.line_num}"
            if len(cells) > len(columns) and any(cells[len(columns) :]):
                raise ConfigError(
                    f"{place} has {len(cells)} cells, and there are {len(columns)} columns: put "
                    "quotes around a cell that holds a delimiter"
                )
            cells += [""] * (len(columns) - len(cells))
            if not cells[at] or "\0" in cells[at]:
                raise ConfigError(f"{place} names no file")
            others = {name: cell for name, cell in zip(columns, cells, strict=False) if name}
            others.pop(columns[at])
            files.append(ListedFile(_placed(cells[at], folder), reader.line_num, others))
    except csv.Error as error:
        raise ConfigError(f"{shown}, line {reader.line_num}: {error}") from error
    if not files:
        raise ConfigError(f"{shown} names no file")
    others_named = [name for index, name in enumerate(columns) if index != at]
    return SourceList(shown, folder, files, others_named)


def _columns(cells: Sequence[str], at: int, shown: str) -> list[str]:
    """The names of the columns; those without any at the end of a line are left out."""
    names = list(cells)
    while names and not names[-1]:
        names.pop()
    twice = [name for name, count in Counter(map(str.lower, names)).items() if count > 1]
    if "" in names or twice:
        what = (
            f"two columns {printable(twice[0])}" if twice and twice[0] else "a column without name"
        )
        raise ConfigError(f"{shown} has {what}: name each column, and no two alike")
    return names


def _placed(name: str, folder: Path) -> str:
    """A name as it can be opened from anywhere."""
    return name if is_url(name) else os.path.abspath(folder / name)
