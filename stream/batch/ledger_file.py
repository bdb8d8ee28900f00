"""The file of a ledger: a database of SQLite, how it is opened, and its faults in one line."""

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeAlias

from models.program.interrupts import undivided
from stream.errors import ConfigError, LedgerError

Change: TypeAlias = Callable[..., sqlite3.Cursor]
"""Runs a statement of a change, with what stands for its question marks."""

FORMAT_VERSION = 1
"""Version of the tables below; another one is refused."""

_APPLICATION_ID = 0x66735F62
"""What SQLite keeps in the file's head of whose it is: `fs_b`."""

_WAIT_S = 30.0
"""For how long the ledger waits for one who reads it, s: `status` holds it for moments only."""

_TABLES = """
CREATE TABLE inputs (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL,
    place INTEGER NOT NULL,
    named INTEGER NOT NULL DEFAULT 1,
    columns TEXT NOT NULL,
    digest TEXT NOT NULL,
    stamp TEXT NOT NULL DEFAULT '',
    content TEXT NOT NULL DEFAULT '',
    planned TEXT NOT NULL,
    written TEXT NOT NULL DEFAULT '[]',
    state TEXT NOT NULL DEFAULT 'waiting',
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    frames INTEGER NOT NULL DEFAULT 0,
    faces INTEGER NOT NULL DEFAULT 0,
    people INTEGER NOT NULL DEFAULT 0,
    left_out INTEGER NOT NULL DEFAULT 0,
    media_s REAL NOT NULL DEFAULT 0,
    elapsed_s REAL NOT NULL DEFAULT 0,
    begun_s REAL,
    ended_s REAL,
    worker TEXT NOT NULL DEFAULT ''
);
CREATE INDEX inputs_by_state ON inputs (state, attempts, place);
CREATE INDEX inputs_by_path ON inputs (path);
CREATE TABLE people (
    input INTEGER NOT NULL REFERENCES inputs (key) ON DELETE CASCADE,
    cells TEXT NOT NULL
);
CREATE INDEX people_by_input ON people (input);
CREATE TABLE attributes (name TEXT PRIMARY KEY, classes TEXT NOT NULL);
"""
"""A row an input and a row a person, whose cells are those of the table of persons, as JSON. The
attributes are those of labels, with their classes. No embedding is kept."""

_MOUNTS = Path("/proc/self/mounts")
"""Where Linux says which disks are where."""

_NETWORK_DISKS = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "fuse", "fuse.ceph", "fuse.glusterfs"),
        *("fuse.sshfs", "fuse.s3fs", "gfs2", "gpfs", "lustre", "ncpfs", "nfs", "nfs4"),
        *("ocfs2", "orangefs", "panfs", "smb3", "smbfs", "virtiofs"),
    }
)
"""Kinds of disks that several machines may write: their memory is not shared, which a write-ahead
log needs (sqlite.org/wal.html)."""


def open_ledger(path: Path) -> sqlite3.Connection:
    """A ledger to be written, which is made where it is missing.

    On a local disk it keeps a write-ahead log, on others a rollback journal.

    Raises:
        ConfigError: the file is none of this program, or of another version.
        LedgerError: it cannot be opened, or is damaged.
    """
    with one_line_errors(path):
        connection = _connected(path, f"{path.absolute().as_uri()}?mode=rwc")
        try:
            if not _is_made(connection, path):
                _make(connection)
            journal = "WAL" if is_local(path.parent) else "DELETE"
            connection.execute(f"PRAGMA journal_mode = {journal}")
            # A whole-machine crash may undo the last commits of a write-ahead log, and no more.
            connection.execute(f"PRAGMA synchronous = {'NORMAL' if journal == 'WAL' else 'FULL'}")
        except BaseException:
            connection.close()
            raise
    return connection


def read_ledger(path: Path) -> sqlite3.Connection:
    """A ledger to be read, also while another process writes it.

    1. One in which a kill left a change half made is opened to be written: so SQLite undoes that.
    2. One in which nothing was made yet, as after a kill or on a full disk, reads as an empty one.

    Raises:
        ConfigError: there is none, or it is of another version.
        LedgerError: it cannot be opened, or is damaged.
    """
    if not path.is_file():
        raise ConfigError(f"{path.parent} holds no ledger of a batch: name the folder of --out")
    with one_line_errors(path):
        try:
            return _opened_to_read(path, "ro")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_READONLY_ROLLBACK:
                raise
        return _opened_to_read(path, "rw")


def copy_ledger(path: Path) -> sqlite3.Connection:
    """A copy of a ledger in memory; an empty one where there is none."""
    copy = _connected(path, "file::memory:")
    if path.is_file():
        with one_line_errors(path):
            connection = read_ledger(path)
            try:
                connection.backup(copy)
            finally:
                connection.close()
    else:
        _make(copy)
    return copy


def close_ledger(connection: sqlite3.Connection) -> None:
    """Closes a ledger; at rest it is one file, which can be read from a disk that is read-only."""
    try:
        connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error:  # one who reads it keeps the log: its next owner tidies up
        pass
    finally:
        connection.close()


@contextmanager
def changing(
    connection: sqlite3.Connection, path: Path, *, is_short: bool = True
) -> Iterator[Change]:
    """A change that is made as a whole or not at all; a signal waits for the end of a short one,
    and undoes any other.

    Raises:
        LedgerError: it cannot be made.
    """

    def change(statement: str, *given: Any) -> sqlite3.Cursor:
        return connection.execute(statement, given)

    with undivided() if is_short else nullcontext(), one_line_errors(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield change
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # SQLite itself undoes what a full disk stops
                connection.execute("ROLLBACK")
            raise


@contextmanager
def one_line_errors(path: Path) -> Iterator[None]:
    """Turns an error of SQLite into one line that says what to do.

    Raises:
        LedgerError: the body raised one.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise LedgerError(f"{path} {_explained(error)}") from error


def is_local(folder: Path, mounts_file: Path = _MOUNTS) -> bool:
    """Whether a folder is known to lie on a disk of this machine alone: only Linux says so. Where
    it does not, a rollback journal is slower, and right.
    """
    if sys.platform != "linux":
        return False
    try:
        mounts = mounts_file.read_bytes().splitlines()
    except OSError:
        return False
    place, kind = b"", ""
    inside = bytes(folder.resolve())
    for line in mounts:
        _, at, each_kind, *_ = line.split(b" ")
        at = at.replace(rb"\040", b" ")
        is_above = inside == at or inside.startswith(at.rstrip(b"/") + b"/")
        if is_above and len(at) >= len(place):
            place, kind = at, each_kind.decode()
    return bool(kind) and kind not in _NETWORK_DISKS


def _connected(path: Path, uri: str) -> sqlite3.Connection:
    """An open database whose transactions are begun by hand; names in it may be no UTF-8."""
    connection = sqlite3.connect(uri, timeout=_WAIT_S, isolation_level=None, uri=True)
    connection.text_factory = lambda text: text.decode(errors="surrogateescape")
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _opened_to_read(path: Path, mode: str) -> sqlite3.Connection:
    """A ledger as it stands in its file, or an empty one in memory where it was not made yet."""
    connection = _connected(path, f"{path.absolute().as_uri()}?mode={mode}")
    try:
        if _is_made(connection, path):
            return connection
    except BaseException:
        connection.close()
        raise
    connection.close()
    empty = _connected(path, "file::memory:")
    _make(empty)
    return empty


def _is_made(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether a database is a ledger of this version; it is not yet where it is empty.

    Raises:
        ConfigError: it is something else.
    """
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if not (application or version or tables):
        return False
    if application != _APPLICATION_ID:
        raise ConfigError(f"{path} is no ledger of a batch: choose another folder for --out")
    if version != FORMAT_VERSION:
        raise ConfigError(
            f"{path} has version {version}, and this program writes {FORMAT_VERSION}: go on with "
            "the program that wrote it, or choose another folder for --out"
        )
    return True


def _make(connection: sqlite3.Connection) -> None:
    """Makes the tables, all or none."""
    connection.executescript(
        f"BEGIN IMMEDIATE; {_TABLES} PRAGMA application_id = {_APPLICATION_ID}; "
        f"PRAGMA user_version = {FORMAT_VERSION}; COMMIT;"
    )


def _explained(error: sqlite3.Error) -> str:
    """What is wrong with a ledger and what to do, in words that follow its name."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return "cannot be written: the disk is full; make room and start again, which goes on"
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return (
            "is damaged: move it away and start again with --overwrite, which does all inputs "
            "anew, or choose another folder for --out"
        )
    if code == sqlite3.SQLITE_IOERR:
        return (
            f"cannot be read or written: {error}; see whether the disk is there and a quota is "
            "used up, and start again, which goes on"
        )
    if code == sqlite3.SQLITE_BUSY:
        return "is in use by another program: end that and start again, which goes on"
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return f"cannot be used: {error}; its folder must be one that may be written"
    return f"cannot be used: {error}"
