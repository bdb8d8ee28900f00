"""Pages that show a video are told apart from videos, and the way to their video is named."""

from pathlib import Path

import pytest
from servers import http

from stream.errors import SourceError
from stream.sources import open_source
from stream.sources.video_pages import how_to_read_page, is_video_page


@pytest.mark.parametrize(
    ("uri", "is_page"),
    [
        ("https://www.youtube.com/watch?v=abc", True),
        ("https://youtu.be/abc", True),
        ("http://m.youtube.com/shorts/abc", True),
        ("youtube.com/watch?v=abc", True),
        ("www.youtube.com/live/abc", True),
        ("HTTPS://YouTube.com/watch?v=abc", True),
        ("https://vimeo.com/123", True),
        ("https://www.twitch.tv/somebody", True),
        ("https://vimeo.com/external/123.hd.mp4", False),
        ("https://notyoutube.com/watch?v=abc", False),
        ("https://youtube.com.example/watch", False),
        ("rtsp://youtube.com/live", False),
        ("https://[youtube.com/watch", False),
        ("https://door.example/live.m3u8", False),
        ("clip.mp4", False),
        ("0", False),
        ("", False),
    ],
)
def test_pages_of_known_sites_are_told_by_their_address(uri: str, is_page: bool) -> None:
    assert is_video_page(uri) == is_page


@pytest.mark.parametrize(
    "uri", ["https://www.youtube.com/watch?v=abc", "www.youtube.com/watch?v=abc"]
)
def test_a_page_is_refused_with_the_pipe_that_reads_it(uri: str) -> None:
    with pytest.raises(SourceError) as refused:
        open_source(uri)
    said = f"{uri} is a page that shows a video: pass the video on with "
    assert str(refused.value) == said + f"yt-dlp -f b -o - '{uri}' | face-stream run -"


def test_a_file_of_such_a_name_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "youtu.be").mkdir()
    (tmp_path / "youtu.be" / "abc").write_text("no video")
    with pytest.raises(SourceError, match=r"youtu\.be/abc is not a video that can be read"):
        open_source("youtu.be/abc")


def test_no_secret_of_an_address_is_in_the_pipe() -> None:
    assert "S3cret" not in how_to_read_page("https://youtube.com/watch?v=abc&token=S3cret")
    with pytest.raises(SourceError) as refused:
        open_source("https://youtube.com/watch?v=abc&token=S3cret")
    assert "S3cret" not in str(refused.value)
    assert "yt-dlp -f b -o - ADDRESS | face-stream run -" in str(refused.value)


def test_any_other_page_is_known_by_what_it_answers() -> None:
    page = b"<!doctype html><html><body>" + b"<p>words</p>" * 500 + b"</body></html>"
    with http({"/": lambda handler: handler.send(page)}) as server:
        address = f"http://{server.address}/"
        with pytest.raises(SourceError) as refused:
            open_source(address)
    said = "if it is a page that shows a video, pass the video on with yt-dlp -f b -o - "
    assert str(refused.value).endswith(f"; {said}{address} | face-stream run -")
