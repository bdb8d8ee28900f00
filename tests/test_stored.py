"""Videos in stores that fsspec opens: folders of this machine under addresses, and a broken one."""

import io
from pathlib import Path
from typing import Any

import pytest
from fakes import times_s, write_clip

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed: uv sync --group dev")

from stream.batch.sources import batch_sources  # noqa: E402
from stream.errors import SourceError  # noqa: E402
from stream.run import run  # noqa: E402
from stream.settings import Config  # noqa: E402
from stream.settings.schema import SourceSection  # noqa: E402
from stream.sinks import Outputs  # noqa: E402
from stream.sources import Span, open_source  # noqa: E402
from stream.sources.stored import open_stored, stored_videos  # noqa: E402
from stream.stores import is_stored, shown_stored  # noqa: E402


class _Breaking(io.BytesIO):
    """A file whose second read fails in a way of its own."""

    reads = 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        if self.reads > 1:
            raise RuntimeError("quota of rtsp://me:secret@host/x\nis used up")
        return super().read(size)


class _BreakingStore(fsspec.AbstractFileSystem):  # type: ignore[misc]
    protocol = "breaking"

    def _open(self, path: str, mode: str = "rb", **_: Any) -> _Breaking:
        return _Breaking(Path(path).read_bytes())


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """A folder of two videos, one in a folder below it, and a picture."""
    write_clip(tmp_path / "a b.mp4", 8)
    (tmp_path / "below").mkdir()
    write_clip(tmp_path / "below" / "c.mp4", 4)
    (tmp_path / "picture.png").write_bytes(b"")
    return tmp_path


def test_a_video_of_a_store_is_read_like_a_file(videos: Path) -> None:
    path = videos / "a b.mp4"
    source = open_source(f"local://{path}")
    assert (source.info.kind, source.info.uri) == ("video", f"local://{path}")
    assert [frame.time_s for frame in source.frames()] == times_s(path)
    source.close()


def test_a_span_is_sought_and_a_recording_is_made(videos: Path) -> None:
    outputs = Outputs(save=videos / "out.mp4", log=videos / "out.jsonl")
    source = open_source(f"local://{videos / 'a b.mp4'}", span=Span(0.1, 0.25))
    summary = run(source, Config(), outputs)
    assert (summary.failures, summary.frames) == ([], len(times_s(videos / "out.mp4")))
    assert 0 < summary.frames < 8


def test_folders_and_patterns_of_a_store_are_its_videos(videos: Path) -> None:
    both = [f"file://{videos / 'a b.mp4'}", f"file://{videos / 'below' / 'c.mp4'}"]
    assert stored_videos(f"local://{videos}") == both
    assert stored_videos(f"local://{videos}/*.mp4") == both[:1]
    assert stored_videos(f"local://{videos}/a b.mp4") == [f"local://{videos}/a b.mp4"]
    listed = batch_sources([f"local://{videos}"], videos / "out")
    assert [each.source.uri for each in listed] == both


def test_what_a_store_cannot_give_is_one_line(videos: Path) -> None:
    fsspec.register_implementation("breaking", _BreakingStore, clobber=True)
    big = videos / "big.mp4"
    big.write_bytes((videos / "a b.mp4").read_bytes() + bytes(1 << 20))
    for address, message in (
        (f"local://{videos}/none.mp4", "none.mp4: there is no such file"),
        (f"local://{videos}/picture.png", "of a store videos are read"),
        (f"breaking://{big}", "cannot be read: RuntimeError quota of rtsp://host/x is used up"),
    ):
        with pytest.raises(SourceError) as caught:
            open_stored(address, SourceSection())
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


def test_what_is_no_video_is_said(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(SourceError, match=r"text\.mp4 is not a video that can be read"):
        open_source(f"local://{tmp_path / 'text.mp4'}")


@pytest.mark.parametrize(
    ("address", "stored", "shown"),
    [
        ("s3://bucket/deep/5f2a9c0d1e3b4a7788.mp4", True, None),
        ("sftp://me:secret@host:22/a.mp4", True, "sftp://host:22/a.mp4"),
        ("gs://bucket/a.mp4?key=secret", True, "gs://bucket/a.mp4?key=…"),
        ("rtsp://host/stream", False, None),
        ("https://host/a.mp4", False, None),
        ("nothing://host/a.mp4", False, None),
        ("a.mp4", False, None),
    ],
)
def test_which_addresses_are_of_a_store(address: str, stored: bool, shown: str | None) -> None:
    assert is_stored(address) is stored
    if stored:
        assert shown_stored(address) == (shown or address)
