"""Recordings and snapshots that are made from the page."""

from pathlib import Path

import pytest
from fakes import numbered

from stream.page.made_files import MadeFiles


def test_only_what_was_made_is_given_out(tmp_path: Path) -> None:
    files = MadeFiles(tmp_path, 1_000_000)
    made = files.save(numbered(1), 3)
    other = tmp_path / "recording-of-another-run.mp4"
    other.write_bytes(b"x")
    assert files.get(made.name) is not None
    assert [entry["name"] for entry in files.listed()] == [made.name]
    for name in (other.name, f"../{tmp_path.name}/{made.name}", str(made), ""):
        assert files.get(name) is None
    assert files.add(other, 0) and not files.add(other, 0)
    assert not files.add(tmp_path / "out.mp4", 0), "what `--save` writes is not the page's"
    assert not files.add(tmp_path / "below" / other.name, 0)
    assert [entry["source"] for entry in files.listed()] == [0, 3], "the newest first"


def test_what_has_been_deleted_meanwhile_is_left_out(tmp_path: Path) -> None:
    files = MadeFiles(tmp_path, 1_000_000)
    made = files.save(numbered(1), 0)
    made.unlink()
    assert (files.listed(), files.get(made.name)) == ([], None)


@pytest.mark.parametrize(
    ("name", "is_counted"),
    [
        ("recording-a.mp4", True),
        (".recording-a.mp4.part", True),  # one that goes on
        ("snapshot-a.png", True),
        ("out.mp4", False),
    ],
)
def test_the_limit_counts_what_is_made_from_the_page(
    tmp_path: Path, name: str, is_counted: bool
) -> None:
    files = MadeFiles(tmp_path, 100)
    (tmp_path / name).write_bytes(bytes(100))
    assert files.is_full is is_counted
