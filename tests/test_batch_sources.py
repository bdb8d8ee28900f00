"""What a user names for a batch, spelled out: folders, lists, patterns, videos, pictures."""

import os
import sys
from pathlib import Path

import cv2
import pytest
from fakes import numbered

from stream.batch.sources import BatchSource, batch_sources
from stream.errors import ConfigError, SourceError
from stream.several.naming import source_names


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _make(*names: str) -> None:
    """Videos by their names, and pictures."""
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix in (".jpg", ".png"):
            coded, data = cv2.imencode(path.suffix, numbered(1))
            assert coded
            path.write_bytes(data.tobytes())
        else:
            path.write_bytes(b"video")


def _found(*named: str, out: str = "out", written: tuple[Path, ...] = ()) -> list[BatchSource]:
    return batch_sources(named, Path(out), written)


def _names(*named: str, out: str = "out", written: tuple[Path, ...] = ()) -> list[str]:
    found = _found(*named, out=out, written=written)
    return [name.as_posix() for name in source_names([each.source for each in found])]


def test_a_folder_is_its_videos_and_the_pictures_of_each_folder() -> None:
    _make("d/v10.mp4", "d/v2.mkv", "d/a/v.avi", "d/a/p2.jpg", "d/a/p10.png", "d/p.jpg", "d/n.txt")
    assert _names("d") == ["a/v.avi", "v2.mkv", "v10.mp4", "a", "d"]
    pictures = {str(each.source): each.source.pictures for each in _found("d")}
    assert [path.name for path in pictures["d/a"]] == ["p2.jpg", "p10.png"]
    assert [path.name for path in pictures["d"]] == ["p.jpg"]


def test_hidden_files_and_folders_are_left_out() -> None:
    _make("d/v.mp4", "d/.v.mp4", "d/.trash/v.mp4", "d/._v.mp4")
    assert _names("d") == ["v.mp4"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_links_are_followed_once_and_files_keep_their_own_paths() -> None:
    _make("d/real/v.mp4", "elsewhere/w.mp4")
    Path("d/a-link").symlink_to(Path("real"))
    Path("d/real/up").symlink_to(Path(".."))
    Path("d/self").symlink_to(Path("self"))
    Path("d/far").symlink_to(Path("../elsewhere"))
    Path("d/w2.mp4").symlink_to(Path("../elsewhere/w.mp4"))
    Path("d/gone.mp4").symlink_to(Path("gone"))
    assert _names("d") == ["far/w.mp4", "real/v.mp4", "w2.mp4"]


def test_what_is_written_into_is_no_input() -> None:
    _make("d/v.mp4", "d/out/v.mp4", "d/out/v.mp4.png", "d/out/sub/w.mp4")
    assert _names("d", out="d/out") == ["v.mp4"]
    with pytest.raises(ConfigError, match="--out d is the folder that is read: name another"):
        _found("d", out="d")


def test_results_are_no_inputs_wherever_they_lie() -> None:
    """The folder of results holds that of the videos, and a pattern matches both."""
    _make("v.mp4", "saved/v.mp4", "v.mp4.people/track-1.jpg", "day/p.jpg")
    written = tuple(Path(name).absolute() for name in ("saved/v.mp4", "v.mp4.people"))
    assert _names("**/*", out=".", written=written) == ["v.mp4", "day"]


def test_a_warning_counts_kinds_that_are_not_read(caplog: pytest.LogCaptureFixture) -> None:
    _make("d/v.mp4", "d/a.cr2", "d/b.cr2", "d/notes.docx")
    _found("d")
    assert [each.getMessage() for each in caplog.records] == [
        "d: left out, of kinds that are not read: 2 .cr2"
    ]


def test_patterns_keep_folders_and_divide_pictures_by_them() -> None:
    _make("d/a/v.mp4", "d/b/v.mp4", "d/a/p.jpg", "d/b/p.jpg", "cctv/x.dav")
    assert _names("d/*/*") == ["a/v.mp4", "b/v.mp4", "a", "b"]
    assert _names("cctv/*.dav") == ["x.dav"]


def test_pictures_that_are_named_are_one_input_a_folder() -> None:
    _make("a/1.jpg", "a/2.jpg", "b/1.jpg")
    found = _found("a/1.jpg", "b/1.jpg", "a/2.jpg")
    assert [len(each.source.pictures) for each in found] == [2, 1]
    assert _names("a/1.jpg", "b/1.jpg", "a/2.jpg") == ["a", "b"]


def test_folders_of_one_name_are_told_apart() -> None:
    _make("x/cam/1.mp4", "y/cam/1.mp4", "x/cam/p.jpg", "y/cam/p.jpg")
    names = _names("x/cam", "y/cam")
    assert names == ["x/cam/1.mp4", "x/cam", "y/cam/1.mp4", "y/cam"]


def test_what_is_named_twice_is_taken_once(caplog: pytest.LogCaptureFixture) -> None:
    _make("d/v.mp4", "d/w.mp4", "d/p.jpg")
    assert _names("d", "d/v.mp4", "./d/*.mp4", "d/p.jpg") == ["v.mp4", "w.mp4", "d"]
    assert [each.getMessage() for each in caplog.records] == [
        "d/v.mp4 and 3 others are named twice: each is taken once"
    ]


def test_a_list_is_found_from_its_own_folder_and_may_name_what_is_not_there() -> None:
    _make("in/a/v.mp4", "in/p.jpg", "in/q.jpg", "far/w.mp4")
    far = Path("far/w.mp4").absolute()
    Path("in/list.txt").write_text(f"a/v.mp4\ngone.mp4\np.jpg\nq.jpg\n0\n{far}\nhttps://h/x.mp4\n")
    assert _names("in/list.txt") == ["a/v.mp4", "gone.mp4", "in", "0", "w.mp4", "h-x.mp4"]
    assert all(Path(each.source.uri).is_absolute() for each in _found("in/list.txt")[:-1])


def test_the_columns_of_a_table_go_with_its_files() -> None:
    _make("v.mp4", "p.jpg", "q.jpg", "d/w.mp4", "d/r.jpg")
    Path("list.csv").write_text("file;id\nv.mp4;1\np.jpg;2\nq.jpg;3\nd;4\n")
    found = _found("list.csv")
    assert [each.columns["id"] for each in found] == ["1", "2", "3", "4", "4"]
    assert _names("list.csv") == ["v.mp4", "p.jpg", "q.jpg", "d/w.mp4", "d"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("0", "camera 0"),
        ("rtsp://u:sesame@host/live", "rtsp://host/live"),
        ("srt://host:9000", "srt://host:9000"),
    ],
)
def test_what_has_no_end_is_refused(name: str, shown: str) -> None:
    with pytest.raises(ConfigError, match="may have no end") as raised:
        _found(name)
    assert str(raised.value).startswith(f"{shown} may")
    Path("list.txt").write_text(f"{name}\n")
    if name != "0":  # in a list it is the name of a file
        with pytest.raises(ConfigError, match="may have no end"):
            _found("list.txt")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such pipes there")
def test_a_pipe_is_refused() -> None:
    os.mkfifo("pipe.mp4")
    with pytest.raises(ConfigError, match=r"pipe\.mp4 may have no end"):
        _found("pipe.mp4")


@pytest.mark.parametrize("name", ["gone", "gone.mp4", "gone/*.mp4", "n" * 300 + ".mp4"])
def test_what_is_named_and_not_there_is_one_line(name: str) -> None:
    with pytest.raises(SourceError, match=r"no such file or folder|no file has such a name"):
        _found(name)


def test_nothing_to_do_is_one_line() -> None:
    Path("empty").mkdir()
    with pytest.raises(ConfigError, match="empty: no videos and no pictures there"):
        _found("empty")


def test_addresses_are_inputs_and_show_no_secret() -> None:
    [found] = _found("https://user:sesame@host/clips/a.mp4?token=sesame")
    assert "sesame" in found.source.uri
    assert "sesame" not in str(found.source)
    assert _names("https://bucket.example.org/day/a.mp4") == ["bucket.example.org-day-a.mp4"]
