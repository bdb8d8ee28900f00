"""Lists of files: texts and tables as they come from other programs."""

import io
import os
import sys
from pathlib import Path

import pytest

from stream.batch.lists import ListedFile, is_list, read_list
from stream.errors import ConfigError


def _read(path: Path, content: str | bytes) -> list[ListedFile]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_list(str(path)).files)


def _names(path: Path, content: str | bytes) -> list[str]:
    return [os.path.relpath(each.name, path.parent) for each in _read(path, content)]


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"a.mp4\nb/c.mp4\n", ["a.mp4", "b/c.mp4"]),
        (b"a.mp4\r\n\r\n  b.mp4  \r\n", ["a.mp4", "b.mp4"]),
        (b"# the first day\na.mp4\n\n./#b.mp4", ["a.mp4", "#b.mp4"]),
        (b"\xef\xbb\xbfa.mp4\n", ["a.mp4"]),
        ("a.mp4\n\u00e9.mp4".encode("utf-16"), ["a.mp4", "é.mp4"]),
        ("\ufeffa.mp4\n".encode("utf-16-be"), ["a.mp4"]),
        (b'"my clip.mp4"\n', ["my clip.mp4"]),
        (b"a.mp4\0two\nlines.mp4\0", ["a.mp4", "two\nlines.mp4"]),
        (b"a, b; c.mp4\n", ["a, b; c.mp4"]),
        (b'it\'s "fine".mp4\n', ['it\'s "fine".mp4']),
        (b"caf\xe9.mp4\n", [os.fsdecode(b"caf\xe9.mp4")]),
        (b"0\n@secret\n$HOME\n", ["0", "@secret", "$HOME"]),
    ],
)
def test_a_text_has_a_name_a_line(tmp_path: Path, content: bytes, names: list[str]) -> None:
    if sys.platform == "win32" and b"\xe9" in content:
        pytest.skip("names are no bytes there")
    assert _names(tmp_path / "list.txt", content) == names


@pytest.mark.parametrize(
    "content",
    [
        b'file,place,day\na.mp4,door,1\n\n"b, c.mp4","hall; large",\n',
        b'\xef\xbb\xbffile;place;day\r\na.mp4;door;1\r\nb, c.mp4;"hall; large";\r\n',
        b"file\tplace\tday\na.mp4\tdoor\t1\nb, c.mp4\thall; large\n",
        "file\tplace\tday\na.mp4\tdoor\t1\nb, c.mp4\thall; large".encode("utf-16"),
        b' File , place,day,,\na.mp4, door,1,,\n"b, c.mp4",hall; large,,,\n',
    ],
)
@pytest.mark.parametrize("name", ["list.csv", "list.txt"])
def test_a_table_has_its_files_in_a_column(tmp_path: Path, name: str, content: bytes) -> None:
    first, second = _read(tmp_path / name, content)
    assert first.columns == {"place": "door", "day": "1"}
    assert second.columns == {"place": "hall; large", "day": ""}
    assert second.name == str(tmp_path / "b, c.mp4")


def test_files_stand_in_any_column_and_cells_may_hold_lines(tmp_path: Path) -> None:
    [only] = _read(tmp_path / "l.csv", 'note,FILE\n"one\ntwo",a.mp4\n')
    assert (only.name, only.columns) == (str(tmp_path / "a.mp4"), {"note": "one\ntwo"})


def test_addresses_stay_as_they_are(tmp_path: Path) -> None:
    names = ["https://host/a.mp4?v=1", "s3://bucket/b.mp4"]
    assert [each.name for each in _read(tmp_path / "l.txt", "\n".join(names))] == names


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("l.csv", "name,place\na.mp4,door\n", "has no column file, which names the files"),
        ("l.csv", "a.mp4\nb.mp4\n", "has no column file"),
        ("l.csv", "file,place\na\0b.mp4,door\n", "line 2 names no file"),
        ("l.csv", "file,place,Place\na.mp4,x,y\n", "has two columns place: name each"),
        ("l.csv", "file,,place\na.mp4,x,y\n", "has a column without name"),
        ("l.csv", "file,place\na.mp4,x,y\n", "line 2 has 3 cells, and there are 2 columns"),
        ("l.csv", "file,place\na.mp4,x\n,y\n", "line 3 names no file"),
        ("l.csv", 'file,place\na.mp4,"x"y\n', "line 2: "),
        ("l.csv", "file,place\n\n", "names no file"),
        ("l.txt", "\n# nothing\n", "names no file"),
        ("l.txt", "", "names no file"),
        ("l.txt", b"\xff\xfea", "is not utf-16, as its beginning says"),
    ],
)
def test_a_list_that_is_not_whole_is_one_line(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        _read(tmp_path / name, content)
    assert name in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_list_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.txt cannot be read: No such file"):
        read_list(str(tmp_path / "gone.txt"))


def test_standard_input_is_a_list_whose_files_are_found_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a.mp4\0b.mp4\0")))
    assert [each.name for each in read_list("-").files] == [
        str(tmp_path / name) for name in ("a.mp4", "b.mp4")
    ]


def test_lists_are_told_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "folder.txt").mkdir()
    assert is_list("-")
    assert is_list("day.CSV")
    assert is_list("files.txt")
    assert not is_list("a.mp4")
    assert not is_list("https://host/list.csv")
    assert not is_list(str(tmp_path / "folder.txt"))
