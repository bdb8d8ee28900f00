"""What earlier attempts left of an input goes, under each of its names, and nothing else."""

from pathlib import Path

import pytest

from models.program.locks import lock_path, locked
from stream.batch.leftovers import remove_leftovers
from stream.errors import SinkError
from stream.sinks.paths import aside_path, partial_path


def _left(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_each_name_that_an_output_has_while_it_is_written_goes(tmp_path: Path) -> None:
    video, log, people, sheet = (
        tmp_path / name for name in ("a.mp4", "a.mp4.parquet", "a.mp4.people", "a.mp4.png")
    )
    tracks = tmp_path / "a.mp4.tracks.parquet"
    for path in (video, log, tracks, sheet):
        for name in (path, partial_path(path), aside_path(path), lock_path(path)):
            name.write_bytes(b"left")
    (people / "sub").mkdir(parents=True)
    for name in ("track-1.jpg", "tracks.part.csv", ".lock", ".tracks.csv.lock", "sub/x"):
        (people / name).write_bytes(b"left")
    others = {"b.mp4", "a.mp4.txt", "a.mp4.parquet.bak", "a", "a/x.mp4.parquet"}
    (tmp_path / "a").mkdir()
    for name in others - {"a"}:
        (tmp_path / name).write_bytes(b"other")
    remove_leftovers([video, log, people, sheet, tmp_path / "gone.mp4", tmp_path / "no" / "x.mp4"])
    assert _left(tmp_path) == others


def test_of_a_link_only_the_link_goes(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious").touch()
    (tmp_path / "a.people").symlink_to("mine")
    (tmp_path / "b.people").mkdir()
    (tmp_path / "b.people" / "link").symlink_to(tmp_path / "mine")
    remove_leftovers([tmp_path / "a.people", tmp_path / "b.people"])
    assert _left(tmp_path) == {"mine", "mine/precious"}


@pytest.mark.parametrize("name", ["a.mp4", "a.people"])
def test_what_another_run_is_writing_stays(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    is_folder = path.suffix == ".people"
    if is_folder:
        path.mkdir()
        (path / "track-1.jpg").touch()
    else:
        path.touch()
    with locked(path, inside=is_folder):
        with pytest.raises(SinkError, match="is being written by another run"):
            remove_leftovers([path])
        assert path.exists()
    remove_leftovers([path])
    assert _left(tmp_path) == set()
