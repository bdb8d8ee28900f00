"""Locks that keep two runs from writing the same result.

A lock is the system's own, on a file beside the result. It ends with the process, however that
ends; the file may then stay, and means nothing: the next run takes it.
"""

import errno
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from models.program.interrupts import claiming

_MODE = 0o666
"""Permissions of a lock's file, before the system takes away those of the user's mask."""

_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
"""Errors by which a system says that another process holds a lock."""

_FOLDER_LOCK = ".lock"
"""Name of the lock's file inside a folder."""

_log = logging.getLogger(__name__)


class LockedError(Exception):
    """Another run holds the lock of a result."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is being written by another run: wait for its end, or name another"
        )


class UnusableLockError(LockedError):
    """What has the name of a lock's file cannot be one."""

    def __init__(self, path: Path, lock: Path, reason: str) -> None:
        Exception.__init__(
            self,
            f"{lock}, whose lock keeps other runs from {path.name}, cannot be opened: {reason}; "
            "remove it",
        )


def lock_path(path: Path, *, inside: bool = False) -> Path:
    """The file whose lock is that of a result.

    A file that grows has the lock of the one that it becomes: `out.part.mp4` that of `out.mp4`.

    Args:
        path: a file, or a folder.
        inside: of a folder that is written into; else beside it, where it is replaced as a whole.
    """
    if inside:
        return path / _FOLDER_LOCK
    path = path.absolute()
    return path.with_name(f".{path.stem.removesuffix('.part')}{path.suffix}{_FOLDER_LOCK}")


def is_lock(path: Path) -> bool:
    """Whether a file is one of a lock."""
    return path.name.startswith(".") and path.name.endswith(_FOLDER_LOCK)


@contextmanager
def locked(path: Path, *, inside: bool = False) -> Iterator[None]:
    """Holds the lock of a result.

    Args:
        path: a file, or a folder; its parent exists.
        inside: the lock of a folder that is written into, which is made where it is missing, and
            removed again if it is then empty.

    Raises:
        LockedError: another run holds it, or this one already.
        UnusableLockError: a folder, a link or the like has the name of the lock's file.
        OSError: the folder or the lock's file cannot be made.
    """
    with claiming():
        made = inside and not path.is_dir()
        if made:
            path.mkdir(exist_ok=True)
        try:
            lock = lock_path(path, inside=inside)
            descriptor = _acquired(lock, path)
            try:
                yield
            finally:
                _release(lock, descriptor)
        finally:
            if made:
                with suppress(OSError):  # something is in it
                    path.rmdir()


def is_held(path: Path) -> bool:
    """Whether a run holds the lock of a file now; nothing is made to find out."""
    try:
        descriptor = os.open(lock_path(path), os.O_RDONLY)
    except OSError:
        return False
    try:
        _lock(descriptor)
    except OSError as error:
        return error.errno in _HELD
    finally:
        os.close(descriptor)
    return False


def _acquired(lock: Path, path: Path) -> int:
    """The open file of a lock that is now held; without a lock where the disk has none."""
    while True:
        try:
            descriptor = _open(lock)
        except OSError as error:
            if os.path.lexists(lock):
                raise UnusableLockError(path, lock, error.strerror or str(error)) from error
            raise
        try:
            _lock(descriptor)
        except OSError as error:
            if error.errno in _HELD:
                os.close(descriptor)
                raise LockedError(path) from None
            _log.warning(
                "%s cannot be locked on this disk (%s): let no other run write it",
                path,
                error.strerror,
            )
            return descriptor
        if _is_at(descriptor, lock):
            return descriptor
        os.close(descriptor)  # its last holder has removed it: another may have made a new one


def _open(lock: Path) -> int:
    """Opens the file of a lock, or makes it; another user's can only be read, which is enough."""
    flags = getattr(os, "O_NOFOLLOW", 0)
    try:
        return os.open(lock, flags | os.O_RDWR | os.O_CREAT, _MODE)
    except PermissionError:
        if not lock.is_file():
            raise
        return os.open(lock, flags | os.O_RDONLY)


def _release(lock: Path, descriptor: int) -> None:
    """Removes the file while the lock is held, so that no other run waits for a file that goes."""
    if sys.platform == "win32":  # which removes no open file
        os.close(descriptor)
    with suppress(OSError):
        lock.unlink()
    if sys.platform != "win32":
        os.close(descriptor)


def _is_at(descriptor: int, lock: Path) -> bool:
    """Whether an open file is the one that has the name now."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(lock))
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
