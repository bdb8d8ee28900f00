"""What an input was: which changes of files are noticed, and which are none."""

import os
import shutil
from pathlib import Path

import pytest

from stream.batch.content_key import ContentKey, content_key, is_unchanged
from stream.several.listing import NamedSource

_SIZE = 5 << 20


def _video(path: Path) -> NamedSource:
    path.write_bytes(bytes(range(256)) * (_SIZE // 256))
    return NamedSource(str(path), "file")


def _patch(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"changed")


@pytest.mark.parametrize(
    ("at", "is_noticed"), [(100, True), (_SIZE - 100, True), (_SIZE // 2, False)]
)
def test_the_ends_of_a_file_tell(tmp_path: Path, at: int, is_noticed: bool) -> None:
    path = tmp_path / "a.mp4"
    known = content_key(_video(path))
    _patch(path, at)
    os.utime(path, (1, 1))
    assert is_unchanged(NamedSource(str(path), "file"), known) is not is_noticed


def test_another_size_tells(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    known = content_key(_video(path))
    with path.open("r+b") as file:
        file.seek(_SIZE // 2)
        rest = file.read()
        file.seek(_SIZE // 2)
        file.write(b"\0" + rest)
    assert not is_unchanged(NamedSource(str(path), "file"), known)


def test_a_copy_in_another_folder_is_the_same(tmp_path: Path) -> None:
    known = content_key(_video(tmp_path / "a.mp4"))
    (tmp_path / "d").mkdir()
    copy = shutil.copyfile(tmp_path / "a.mp4", tmp_path / "d" / "a.mp4")
    assert is_unchanged(NamedSource(str(copy), "file"), known)


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 2 << 20])
def test_small_files_have_a_key(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"x" * size)
    source = NamedSource(str(path), "file")
    known = content_key(source)
    assert known.stamp and known.content
    if size:
        _patch(path, size - 1)
        os.utime(path, (1, 1))
        assert not is_unchanged(source, known)


def test_pictures_tell_by_each_of_them(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.jpg" for number in range(3)]
    for path in paths:
        path.write_bytes(path.name.encode())
    source = NamedSource(str(tmp_path), "pictures", tmp_path.parent, tuple(paths))
    known = content_key(source)
    assert is_unchanged(source, known)
    fewer = NamedSource(str(tmp_path), "pictures", tmp_path.parent, tuple(paths[:2]))
    assert not is_unchanged(fewer, known)
    paths[1].write_bytes(b"2.jpg")
    assert not is_unchanged(source, known)


@pytest.mark.parametrize("name", ["gone.mp4", "n" * 300, "nul\0.mp4"])
def test_what_is_missing_has_none_and_has_changed_once_it_is_there(
    tmp_path: Path, name: str
) -> None:
    source = NamedSource(str(tmp_path / name), "file")
    assert content_key(source) == ContentKey()
    assert is_unchanged(source, ContentKey())
    if name == "gone.mp4":
        assert not is_unchanged(_video(tmp_path / name), ContentKey())


def test_an_address_has_none() -> None:
    source = NamedSource("https://user:sesame@host/a.mp4", "address", shown="https://host/a.mp4")
    assert content_key(source) == ContentKey()
    assert is_unchanged(source, ContentKey())
