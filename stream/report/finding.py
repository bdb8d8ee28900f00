"""Which logs a report is of: files as they are named, and of folders all logs in and below them."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from models.program.printable import printable
from stream.errors import ConfigError
from stream.report.json_logs import JsonLines
from stream.report.rows import Log
from stream.report.table_logs import TableLog, is_log_table
from stream.sinks.paths import final_path

_SUFFIXES = (".jsonl", ".parquet", ".csv")
"""How the names of logs end; of logs of one name in a folder the first is taken."""

_BESIDE = (".tracks", ".persons")
"""What the stems of tables end with that stand beside a log."""

_TABLES = ("summary", "persons", "faces", "tracks")
"""What names of tables begin with that are none of one source."""


def find_logs(paths: Sequence[Path]) -> list[Path]:
    """The logs, in their order, none twice.

    Raises:
        ConfigError: a path is not there, or a folder has no log.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if os.path.isdir(path):
            inside = list(_in_folder(path))
            if not inside:
                raise ConfigError(
                    f"{path} has no logs: give what --log wrote, or the folder of a batch"
                )
            found.update(dict.fromkeys(inside))
        elif os.path.exists(path):
            if path.suffix.lower() not in _SUFFIXES:
                raise ConfigError(f"{path} is no log: its name ends in {', '.join(_SUFFIXES)}")
            found[path] = None
        else:
            raise ConfigError(f"{printable(str(path))} is not there")
    return list(found)


def open_log(path: Path) -> Log:
    """The log, ready to be counted.

    Raises:
        SourceError: it is none, or damaged.
    """
    if path.suffix.lower() == ".jsonl":
        return JsonLines(path)
    return TableLog(path)


def _in_folder(folder: Path) -> Iterator[Path]:
    """The logs in a folder and below it, but for hidden ones; each source is taken once."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        stems: set[str] = set()
        for suffix in _SUFFIXES:
            for name in sorted(names):
                path = Path(parent, name)
                if path.suffix.lower() == suffix and path.stem not in stems and _is_log(path):
                    stems.add(path.stem)
                    yield path


def _is_log(path: Path) -> bool:
    stem = path.stem
    is_table = path.suffix.lower() != ".jsonl"
    is_beside = stem.endswith(_BESIDE) or stem.split("-")[0] in _TABLES
    is_partial = final_path(path) is not None
    if stem.startswith(".") or is_partial or (is_table and is_beside):
        return False
    return not is_table or is_log_table(path)
