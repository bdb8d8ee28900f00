"""Locks of results: one process at a time, free when it ends, however it ends."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from models.program.locks import LockedError, is_held, is_lock, lock_path, locked

_HOLDER = """
import sys
from pathlib import Path
from models.program.locks import locked
with locked(Path(sys.argv[1]), inside=sys.argv[2] == "True"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def _held(path: Path, *, inside: bool = False) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path), str(inside)],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.__exit__(None, None, None)  # closes the pipes, whichever the test has closed


@pytest.mark.parametrize("inside", [True, False])
def test_a_second_run_is_refused_until_the_first_has_ended(inside: bool, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with _held(out, inside=inside) as process:
        with (
            pytest.raises(LockedError, match="out is being written by another run: wait"),
            locked(out, inside=inside),
        ):
            pass
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
        assert list(tmp_path.iterdir()) == []
    with locked(out, inside=inside):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_killed_run_leaves_a_lock_that_the_next_one_takes(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    with _held(out) as process:
        process.kill()
        process.wait()
        assert lock_path(out).exists()
        with locked(out):
            pass
    assert list(tmp_path.iterdir()) == []


def test_one_process_does_not_take_a_lock_twice(tmp_path: Path) -> None:
    with locked(tmp_path / "out.mp4"), pytest.raises(LockedError), locked(tmp_path / "out.mp4"):
        pass


def test_a_partial_file_has_the_lock_of_the_whole_one(tmp_path: Path) -> None:
    with (
        locked(tmp_path / "out.mp4"),
        pytest.raises(LockedError),
        locked(tmp_path / "out.part.mp4"),
    ):
        pass


def test_other_files_have_other_locks(tmp_path: Path) -> None:
    with ExitStack() as stack:
        for name in ("out.mp4", "out.mkv", "out", "out.mp4.mp4"):
            stack.enter_context(locked(tmp_path / name))
        stack.enter_context(locked(tmp_path, inside=True))
        assert all(map(is_lock, tmp_path.iterdir()))


def test_a_link_to_a_folder_is_that_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    with (
        locked(tmp_path / "folder" / "out.mp4"),
        pytest.raises(LockedError),
        locked(tmp_path / "link" / "out.mp4"),
    ):
        pass


def test_a_folder_that_was_made_stays_where_something_is_in_it(tmp_path: Path) -> None:
    with locked(tmp_path / "out", inside=True):
        (tmp_path / "out" / "picture.png").touch()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["picture.png"]


def test_a_folder_that_was_there_stays(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with locked(tmp_path / "out", inside=True):
        pass
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("make", [Path.mkdir, lambda lock: lock.symlink_to("elsewhere")])
def test_what_cannot_be_a_lock_is_named_not_the_output(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "out.mp4"
    make(lock_path(path))
    said = (
        r"\.out\.mp4\.lock, whose lock keeps other runs from out\.mp4, cannot be opened: .*; remove"
    )
    with pytest.raises(LockedError, match=said), locked(path):
        pass
    assert [each.name for each in tmp_path.iterdir()] == [".out.mp4.lock"]


def test_where_no_file_can_be_made_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError), locked(tmp_path / "missing" / "out.mp4"):
        pass


def test_whether_a_lock_is_held_is_seen_without_making_one(tmp_path: Path) -> None:
    path = tmp_path / "out.sqlite"
    assert not is_held(path)
    assert not list(tmp_path.iterdir())
    with locked(path):
        assert is_held(path)
    lock_path(path).touch()  # as a killed run leaves it
    assert not is_held(path)
    assert not is_held(tmp_path / "gone" / "out.sqlite")
