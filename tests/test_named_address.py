"""Sources that a file or an environment variable names."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import write_numbers

from stream.errors import SourceError
from stream.named_address import resolved
from stream.sources import open_source


def test_a_file_names_a_source(tmp_path: Path) -> None:
    video = write_numbers(tmp_path / "numbers.mp4", 4)
    (tmp_path / "door.txt").write_text(f"# the door\n\n  {video}\n")
    source = open_source(f"@{tmp_path / 'door.txt'}")
    assert source.info.uri == str(video)
    source.close()


@pytest.mark.parametrize("name", ["$DOOR_CAMERA", "${DOOR_CAMERA}"])
def test_a_variable_names_a_source(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOOR_CAMERA", "rtsp://me:pa$$word@host/x")
    assert resolved(name) == "rtsp://me:pa$$word@host/x"
    (tmp_path / "door.txt").write_text(name)
    assert resolved(f"@{tmp_path / 'door.txt'}") == "rtsp://me:pa$$word@host/x"


@pytest.mark.parametrize("uri", ["0", "rtsp://me:$X@host", "a$b.mp4", "clip.mp4", "-", ""])
def test_any_other_source_is_what_it_is(uri: str) -> None:
    assert resolved(uri) == uri


def test_a_file_of_that_name_is_meant_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("@clip.mp4", "$HOME"):
        (tmp_path / name).touch()
        assert resolved(name) == name


def _holding(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


@pytest.mark.skipif(sys.platform == "win32", reason="has no FIFOs")
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "No such file"),
        (os.mkfifo, "a pipe or a device"),
        (_holding(b""), "names 0 sources"),
        (_holding(b"# S3cret\n"), "names 0 sources"),
        (_holding(b"rtsp://u:S3cret@h\nrtsp://u:S3cret@g\n"), "names 2 sources"),
        (_holding(b"\xffS3cret"), "it is no text"),
        (_holding(b"S3cret" * 100_000), "is larger than"),
        (_holding(b"$S3_NOT_SET\n"), r"the environment variable \$S3_NOT_SET is not set"),
    ],
)
def test_what_names_no_source_is_said_without_what_it_holds(
    make: Callable[[Path], object], said: str, tmp_path: Path
) -> None:
    make(tmp_path / "door.txt")
    with pytest.raises(SourceError, match=said) as caught:
        open_source(f"@{tmp_path / 'door.txt'}")
    assert "S3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)
