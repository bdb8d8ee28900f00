"""Files from elsewhere: pipes, devices, endless and huge ones, links, and deep JSON and TOML."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.safe_files import (
    UnfitFileError,
    check_inside,
    open_regular,
    parse_json,
    parse_toml,
    read_regular,
)

_MAX_BYTES = 100


def test_a_file_of_the_size_allowed_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * _MAX_BYTES)
    assert read_regular(tmp_path / "a", _MAX_BYTES) == b"x" * _MAX_BYTES
    with open_regular(tmp_path / "a") as file:
        assert file.read(3) == b"xxx"


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


@pytest.mark.skipif(sys.platform != "linux", reason="has other devices")
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_bytes(b"x" * (_MAX_BYTES + 1)), "is larger than 100 bytes"),
        (_sparse, "is larger than 100 bytes"),
        (os.mkfifo, "a pipe or a device"),
        (lambda path: path.symlink_to("/dev/zero"), "a pipe or a device"),
        (lambda path: path.symlink_to("/proc/kallsyms"), "is larger than"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: None, "No such file"),
        (lambda path: path.symlink_to(path), "Too many levels"),
    ],
    ids=["large", "sparse", "fifo", "endless", "without a size", "folder", "missing", "circle"],
)
def test_what_is_no_sensible_file_is_refused_at_once(
    make: Callable[[Path], object], said: str, tmp_path: Path
) -> None:
    make(tmp_path / "a")
    with pytest.raises(UnfitFileError, match=said):
        read_regular(tmp_path / "a", _MAX_BYTES)


def test_a_link_may_lead_to_another_file_of_its_folder_only(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret").write_text("s3cret")
    (folder / "inner").write_text("x")
    (folder / "good").symlink_to("inner")
    (folder / "bad").symlink_to("../secret")
    check_inside(folder / "good", folder)
    with pytest.raises(UnfitFileError, match="leads out of its folder"):
        check_inside(folder / "bad", folder)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "9" * 5_000, "", "\\", "\x80"])
def test_json_that_is_none_has_one_error(text: str) -> None:
    with pytest.raises(UnfitFileError):
        parse_json(text.encode("latin-1"))


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 100_000, "a = " + "9" * 5_000, "a = \x80", "a", "[a]\n[a]"]
)
def test_toml_that_is_none_has_one_error(text: str) -> None:
    with pytest.raises(UnfitFileError):
        parse_toml(text.encode("latin-1"))


@given(st.binary(max_size=300) | st.text(alphabet='[]{}",:=\\\n0919eE-.ua\u00e4', max_size=300))
def test_nothing_else_is_raised(content: bytes | str) -> None:
    data = content.encode() if isinstance(content, str) else content
    for parse in (parse_json, parse_toml):
        try:
            parse(data)
        except UnfitFileError:
            continue
