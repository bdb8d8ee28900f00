"""Which addresses may be added from the page."""

import pytest

from stream.page.allowed import refusal

_ALLOW = ["rtsp://10.0.0.*/", "http://cam.example:8080/video", "rtsp://door.example:554"]


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://10.0.0.7/stream1",
        "rtsp://user:secret@10.0.0.7/stream1?channel=1",
        "RTSP://10.0.0.7/",
        "http://cam.example:8080/video",
        "http://cam.example:8080/video/2.mjpeg",
        "http://cam.example:8080/video/the%20door.mjpeg",
        "rtsp://door.example:554/h264",
        0,
    ],
)
def test_what_matches_may_be_added(address: object) -> None:
    assert refusal(address, _ALLOW) == ""


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://10.0.1.7/stream1",
        "rtsp://10.0.0.7@evil.example/",  # the host is after the @
        "rtsp://10.0.0.7.evil.example@192.0.2.1/",
        "rtsp://10.0.0.7.evil.example/",
        "rtsp://evil.example/10.0.0.7/",
        "rtsp://evil.example#@10.0.0.7/",
        "rtsp://evil.example\\@10.0.0.7/",
        "rtsp://10.0.0.7/a b",
        "rtsp://10.0.0.7/\n",
        "http://10.0.0.7/",
        "http://cam.example/video",
        "http://cam.example:8080/other",
        "http://cam.example:8080/video/../admin",
        "http://cam.example:8080/video/%2e%2e/admin",
        "http://cam.example:8080/video/.%252E/admin",
        "http://cam.example:8080/video/%25252525252e./admin",
        "http://cam.example:8080/video%5c..%5cadmin",
        "http://cam.example:8080/video/list.m3u8",
        "rtsp://door.example:555/",
        "rtsp://10.0.0.7:99999/",
        "file:///etc/passwd",
        "/etc/passwd",
        "clip.mp4",
        "concat:a|b",
        "@secrets.txt",
        "$HOME",
        "-",
        "udp://10.0.0.7:1",
        "/dev/video0",
        "../x",
        "",
        " 0",
        "٣",
        -1,
        True,
        None,
        ["rtsp://10.0.0.7/"],
        "rtsp://10.0.0.7/" + "x" * 3000,
    ],
)
def test_nothing_else_may_be_added(address: object) -> None:
    assert refusal(address, _ALLOW)


def test_without_patterns_only_cameras_may_be_added() -> None:
    assert refusal("rtsp://10.0.0.7/", [])
    assert refusal("0", []) == ""
