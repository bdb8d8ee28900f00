"""Which sources a user means: patterns spelled out, pictures together, each taken once."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import numbered

from models.faces import Image
from stream.errors import ConfigError
from stream.settings import Config
from stream.several.listing import list_sources, open_named
from stream.sources import Span

_LEFT_OUT = "clips/*: left out, of kinds that are not read: 2 .txt"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where the program is started."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.mp4", "clips/c1.mp4", "clips/c2.MKV", "clips/c10.mp4", "deep/er/c.webm"):
        _touch(name)
    for name in ("clips/one.txt", "clips/two.txt", "cctv/1.dav", "cctv/2.dav"):
        _touch(name)
    for name in ("photos/2.png", "photos/10.png", "photos/old/1.png", "other/3.png"):
        _touch(name)
        cv2.imwrite(name, numbered(1))
    return tmp_path


def _touch(name: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(b"something else than a picture")


def _moving_gif(name: str) -> None:
    pictures: list[Image] = [numbered(1), numbered(2)]
    animation = cv2.Animation()
    animation.frames, animation.durations = pictures, np.array([100, 100], np.int32)
    cv2.imwriteanimation(name, animation)


def _listed(*named: str) -> list[tuple[str, str]]:
    return [(each.uri, each.form) for each in list_sources(named)]


def test_a_name_is_one_source() -> None:
    assert _listed("a.mp4") == [("a.mp4", "file")]
    assert _listed("photos") == [("photos", "pictures")]
    assert _listed("clips") == [("clips", "pictures")]  # a folder stays one of pictures
    assert _listed("7", "rtsp://host/live") == [("7", "camera"), ("rtsp://host/live", "address")]
    assert _listed("missing.mp4", "-") == [("missing.mp4", "file"), ("-", "file")]


def test_a_pattern_of_videos_is_each_of_them_in_natural_order() -> None:
    videos = [("clips/c1.mp4", "file"), ("clips/c10.mp4", "file")]
    assert _listed("clips/*.mp4") == videos
    assert _listed("**/*.webm") == [("deep/er/c.webm", "file")]
    assert _listed("cctv/*.dav") == [("cctv/1.dav", "file"), ("cctv/2.dav", "file")]
    assert _listed("clips/*.mp4", "a.mp4") == [*videos, ("a.mp4", "file")]


def test_of_a_wide_pattern_what_is_not_read_is_left_out_and_named_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cv2.imwrite("clips/cover.png", numbered(1))
    videos = ["clips/c1.mp4", "clips/c2.MKV", "clips/c10.mp4"]
    *first, pictures = list_sources(["clips/*"])
    assert [each.uri for each in first] == videos
    assert (pictures.uri, pictures.pictures) == ("clips/*", (Path("clips/cover.png"),))
    assert caplog.messages == [_LEFT_OUT]


def test_a_picture_that_moves_is_a_video() -> None:
    _moving_gif("photos/moves.gif")
    assert _listed("photos/moves.gif", "photos/*.gif") == [("photos/moves.gif", "file")]


def test_a_pattern_of_pictures_is_one_source_with_its_folders() -> None:
    (source,) = list_sources(["photos/**/*.png"])
    assert (source.uri, source.form, source.root) == ("photos/**/*.png", "pictures", Path("photos"))
    names = [frame.path for frame in open_named(source, Config()).frames()]
    assert names == [Path("photos", name) for name in ("2.png", "10.png", "old/1.png")]


def test_copies_that_a_run_writes_are_not_among_its_pictures() -> None:
    (source,) = list_sources(["photos/**/*.png"])
    frames = open_named(source, Config(), outputs=[Path("photos/old")]).frames()
    assert [frame.path for frame in frames] == [Path("photos/2.png"), Path("photos/10.png")]


@pytest.mark.parametrize(
    ("named", "pattern"),
    [
        (["photos/10.png", "photos/2.png"], "photos/*.png"),  # as the shell spells a pattern out
        (["photos/10.png", "other/3.png"], "*.png"),
        (["photos/1*.png", "other/*.png"], "*.png"),
    ],
)
def test_pictures_of_several_names_are_one_source(named: list[str], pattern: str) -> None:
    (source,) = list_sources(named)
    assert (source.uri, source.form) == (pattern, "pictures")
    assert source.pictures[0] == Path("photos/10.png")
    assert len(list(open_named(source, Config()).frames())) == 2


def test_pictures_among_videos_are_done_where_the_first_is_named() -> None:
    named = ["a.mp4", "photos/2.png", "clips/c1.mp4", "photos/10.png"]
    assert [uri for uri, _ in _listed(*named)] == ["a.mp4", "photos/*.png", "clips/c1.mp4"]


def test_pictures_beyond_the_current_folder_have_one_root() -> None:
    os.chdir("clips")
    (source,) = list_sources(["../photos/2.png", "../other/3.png"])
    assert source.root == Path.cwd().parent
    assert all(path.is_relative_to(Path.cwd().parent) for path in source.pictures)


def test_what_is_named_twice_is_taken_once(caplog: pytest.LogCaptureFixture) -> None:
    assert _listed("a.mp4", "./a.mp4", "*.mp4", "0", "0") == [("a.mp4", "file"), ("0", "camera")]
    assert caplog.messages == [
        "./a.mp4 is named twice: it is taken once",
        "a.mp4 is named twice: it is taken once",
        "camera 0 is named twice: it is taken once",
    ]


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    address = "rtsp://anna:S3cret@host/live"
    Path("door.txt").write_text(address)
    monkeypatch.setenv("DOOR", address)
    sources = list_sources([address, "@door.txt", "rtsp:/anna:S3cret@host/live"])
    assert [each.uri for each in sources][:1] == [address]
    assert "S3cret" not in f"{sources}{[*map(str, sources)]}"
    (named,) = list_sources(["$DOOR"])
    assert (named.uri, str(named)) == (address, "$DOOR")


def test_a_part_is_of_videos_only() -> None:
    (source,) = list_sources(["photos/2.png", "other/3.png"])[:1]
    with pytest.raises(ConfigError, match="--start and --end are for videos"):
        open_named(source, Config(), Span(1.0))
