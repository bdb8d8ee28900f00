"""The page as a program serves it: one source, asked for everything by both tokens."""

import http.client
import io
import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from page_programs import Client, Served, Watcher, Watchers, cameras, served

from stream.sources.demo import portrait

_UPLOAD_MB = 1
_DOCS = Path(__file__).parents[1] / "docs" / "page.md"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A camera with one face, served; recordings go into a folder."""
    folder = tmp_path_factory.mktemp("page")
    words = ["--folder", "made", "--set", f"serve.max_upload_mb={_UPLOAD_MB}"]
    words += ["--set", "serve.notice='You are filmed here.'", "--set", "serve.max_viewers=60"]
    with cameras(1, 10, faces=1) as addresses, served(folder, *addresses, *words) as program:
        program.control.until(lambda client: client.get("/api/people").json["people"] != [])
        yield program


def test_both_addresses_are_printed_whole_and_nothing_else_has_a_token(program: Served) -> None:
    lines = [line.strip() for line in program.said if "token=" in line]
    at = f"http://127.0.0.1:{program.control.port}/?token="
    assert lines == [at + program.control.token, f"to watch only: {at}{program.watch.token}"]


def test_what_is_said_to_all(program: Served) -> None:
    me = program.watch.get("/api/me").json
    assert me["notice"] == "You are filmed here."
    assert "perceived" in me["misuse"]
    assert (me["may_control"], me["blur_fixed"]) == (False, False)
    assert program.control.get("/api/me").json["may_control"] is True


def test_the_source_says_how_it_is(program: Served) -> None:
    source = program.watch.source()
    assert (source["state"], source["kind"]) == ("live", "stream")
    assert (source["width"], source["height"]) == (1280, 720)
    program.watch.until(lambda client: client.source()["latency_ms"]["p95"] is not None)
    assert program.watch.source()["frames"] > 0


def test_the_picture_moves_as_jpegs(program: Served) -> None:
    answer = program.watch.get("/api/sources/0/picture.jpg")
    picture = cv2.imdecode(np.frombuffer(answer.body, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (540, 960, 3), "no wider than serve.width"
    connection = http.client.HTTPConnection("127.0.0.1", program.watch.port, timeout=60)
    bearer = {"Authorization": f"Bearer {program.watch.token}"}
    connection.request("GET", "/api/sources/0/video.mjpeg", headers=bearer)
    answered = connection.getresponse()
    assert "multipart/x-mixed-replace; boundary=" in answered.headers["Content-Type"]
    seen = set()
    while len(seen) < 3:
        while not (line := answered.readline()).startswith(b"Content-Length"):
            assert line
        answered.readline()
        seen.add(answered.read(int(line.split(b":")[1])))
    connection.close()


def test_the_picture_moves_as_a_video_that_browsers_play(program: Served) -> None:
    with Watcher(program.watch) as watcher:
        kind, said = watcher.message()
        head = json.loads(said)
        assert (watcher.status, kind) == (101, 1)
        assert head["mime"].startswith('video/mp4; codecs="avc1.')
        data = b"".join(watcher.message()[1] for _ in range(6))
    with av.open(io.BytesIO(data)) as film:
        frames = list(film.decode(video=0))
    assert len(frames) == 5
    assert (frames[0].width, frames[0].height) == (head["width"], head["height"])


def test_a_viewer_gets_the_size_that_it_shows_and_may_change_it(program: Served) -> None:
    with Watcher(program.watch, query="?width=300") as watcher:
        for shown_px, width in (("640", 640), ("641", 960), ("20", 640)):
            watcher.send(shown_px)
            heads = (
                json.loads(said)
                for kind, said in (watcher.message() for _ in range(1000))
                if kind == 1
            )
            assert next(each for each in heads if each["width"] == width)
        watcher.send("as large as can be")
        assert any(watcher.message()[0] == 8 for _ in range(1000)), "what is no width ends it"


def test_a_width_or_an_address_that_is_none_opens_no_socket(program: Served) -> None:
    asked = [(0, "?width=0", 400), (0, "?width=wide", 400), (99, "", 404), (0, "/none", 404)]
    for number, query, status in asked:
        with Watcher(program.watch, number, query) as watcher:
            assert watcher.status == status, query


def test_people_in_view_have_a_picture_and_are_counted(program: Served) -> None:
    program.watch.until(lambda client: bool(client.get("/api/people").json["counts"]))
    people = program.watch.get("/api/people").json
    person = people["people"][0]
    assert set(person["labels"]) == {"gender", "race"}
    assert sum(people["counts"]["gender"].values()) == 1
    assert people["history"][0]["faces"] in (0, 1)
    thumbnail = program.watch.get(person["thumbnail"])
    assert thumbnail.headers["content-type"] == "image/jpeg"
    assert program.watch.get("/api/people/0/999999.jpg").status == 404


def test_a_pause_holds_the_picture_for_all(program: Served) -> None:
    program.control.send("POST", "/api/sources/0/controls", {"paused": True})
    assert program.watch.source()["state"] == "paused"
    program.control.until(lambda client: _stands_still(client))
    program.control.send("POST", "/api/sources/0/controls", {"paused": False})
    before = program.watch.source()["frames"]
    program.watch.until(lambda client: client.source()["frames"] > before)


def _stands_still(client: Client) -> bool:
    before = client.get("/api/sources/0/picture.jpg").body
    time.sleep(0.3)
    return client.get("/api/sources/0/picture.jpg").body == before


def test_recordings_and_snapshots_are_made_and_given_out_by_their_names(program: Served) -> None:
    control = program.control
    wishes = {"recording": True, "snapshot": True}
    assert control.send("POST", "/api/sources/0/controls", wishes).status == 200
    control.until(lambda client: client.source()["recording"])
    time.sleep(1)
    control.send("POST", "/api/sources/0/controls", {"recording": False})
    control.until(lambda client: len(client.get("/api/files").json["files"]) == 2)
    by_kind = {each["kind"]: each for each in control.get("/api/files").json["files"]}
    film = control.get(f"/api/files/{by_kind['recording']['name']}")
    assert len(film.body) == by_kind["recording"]["bytes"]
    with av.open(io.BytesIO(film.body)) as opened:
        assert next(opened.decode(video=0)).width == 1280
    part = control.get(f"/api/files/{by_kind['recording']['name']}", Range="bytes=4-7")
    assert (part.status, part.body) == (206, film.body[4:8])
    picture = control.get(f"/api/files/{by_kind['snapshot']['name']}").body
    assert cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR).shape == (720, 1280, 3)


@pytest.mark.parametrize("asked", ["bytes=abc", "bytes=9-2", "lines=1-2", "x", "bytes=99999999-"])
def test_a_range_that_is_none_is_refused_as_everything_is(program: Served, asked: str) -> None:
    control = program.control
    control.send("POST", "/api/sources/0/controls", {"snapshot": True})
    name = control.get("/api/files").json["files"][0]["name"]
    answer = control.get(f"/api/files/{name}", Range=asked)
    assert answer.status == (416 if asked.endswith("999-") else 400)
    assert set(answer.json) == {"error"}
    assert answer.headers["content-type"] == "application/json"
    assert ("content-range" in answer.headers) == (answer.status == 416)


def test_every_refusal_is_json(program: Served) -> None:
    control = program.control
    for method, path, status in (
        ("GET", "/none", 404),
        ("GET", "/api/sources/0/video", 404),
        ("PUT", "/api/sources", 405),
        ("BREW", "/", 405),
        ("GET", "/" + "a" * 2000, 414),
        ("GET", "/api/sources/0/video.mjpeg?width=0", 400),
    ):
        answer = control.ask(method, path)
        assert (answer.status, set(answer.json)) == (status, {"error"}), path
    with socket.create_connection(("127.0.0.1", control.port), 60) as sending:
        sending.sendall(b"nonsense\r\n\r\n")
        head, _, body = sending.makefile("rb").read().partition(b"\r\n\r\n")
    assert b" 400 " in head and set(json.loads(body)) == {"error"}


@pytest.mark.parametrize(
    "path",
    [
        "/api/files/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/api/files/%2e%2e/%2e%2e/etc/passwd",
        "/api/files/../config.toml",
        "/api/files/%2fetc%2fpasswd",
        "/api/files/recording-x.mp4%00.png",
        "/assets/..%2fapp.py",
        "/assets/../app.py",
        "/assets/..%5capp.py",
        "/api/uploads/..%2f..%2fx/video",
        "/api/people/0/..%2f1.jpg",
        "//etc/passwd",
    ],
)
def test_no_path_of_a_request_reaches_the_disk(program: Served, path: str) -> None:
    answer = program.control.get(path)
    assert answer.status in (404, 405)
    assert set(answer.json) == {"error"}


def test_the_watching_token_only_watches(program: Served) -> None:
    asked = [
        ("POST", "/api/sources/0/controls", b'{"paused": true}'),
        ("POST", "/api/sources", b'{"address": 0}'),
        ("DELETE", "/api/sources/0", None),
        ("PATCH", "/api/settings", b'{"labels.min_confidence": 0.1}'),
        ("GET", "/api/files", None),
        ("GET", "/api/files/recording-x.mp4", None),
        ("POST", "/api/analyze", b"x"),
        ("POST", "/api/uploads", b"x"),
        ("GET", "/api/uploads/x", None),
        ("GET", "/api/uploads/x/video", None),
        ("DELETE", "/api/uploads/x", None),
    ]
    for method, path, body in asked:
        answer = program.watch.ask(method, path, body)
        assert answer.status == 403, path
        assert "only watches" in answer.json["error"]
    told = {each["key"]: each for each in program.watch.get("/api/settings").json["settings"]}
    assert told["serve.folder"]["value"] is None
    assert not any(each["editable"] for each in told.values())


def test_settings_change_while_it_runs_and_wrong_ones_are_refused(program: Served) -> None:
    control = program.control
    changed = control.send("PATCH", "/api/settings", {"labels.min_confidence": 1.0})
    assert changed.status == 200
    control.until(lambda client: client.get("/api/people").json["counts"]["gender"] == {"": 1})
    for key, value in (
        ("labels.min_confidence", 3),
        ("labels.min_confidenc", 0.5),
        ("engine.model", "/tmp"),
        ("source.address", "rtsp://10.0.0.1"),
        ("serve.folder", "/"),
        ("overlay.blur", False),
        ("overlay.colours", "shoe size"),
        ("detection.threshold", 1.5),
    ):
        answer = control.send("PATCH", "/api/settings", {"overlay.scale": 2.0, key: value})
        assert (answer.status, set(answer.json)) == (422, {"error"}), key
        assert "\n" not in answer.json["error"]
    listed = {each["key"]: each for each in control.get("/api/settings").json["settings"]}
    assert listed["overlay.scale"]["value"] == 1.0, "none is changed where one is wrong"
    assert listed["labels.min_confidence"] | {"description": ""} == {
        "key": "labels.min_confidence",
        "value": 1.0,
        "kind": "number",
        "minimum": 0,
        "maximum": 1,
        "choices": None,
        "description": "",
        "editable": True,
        "why_not": "",
    }
    control.send("PATCH", "/api/settings", {"labels.min_confidence": 0.5})


def test_what_is_no_wish_is_refused(program: Served) -> None:
    path = "/api/sources/0/controls"
    for body in (b"", b"[]", b"{", b'{"paused": 1}', b'{"explode": true}', b"[" * 5000):
        answer = program.control.ask("POST", path, body)
        assert (answer.status, set(answer.json)) == (400, {"error"})
    for body in (b'{"\\ud800": 1}', b'{"overlay.scale": 1e999}', b'{"overlay.scale": NaN}'):
        answer = program.control.ask("PATCH", "/api/settings", body)
        assert (answer.status, set(answer.json)) == (400, {"error"})
    assert program.control.ask("POST", path, b'"' + b"x" * 100_000 + b'"').status == 413
    assert program.control.send("POST", "/api/sources/7/controls", {}).status == 404


def test_sources_may_be_added_by_number_only(program: Served) -> None:
    for address in ("/etc/passwd", "file:///etc/passwd", "rtsp://127.0.0.1/x", "clip.mp4", None):
        answer = program.control.send("POST", "/api/sources", {"address": address})
        assert (answer.status, set(answer.json)) == (403, {"error"})


def test_a_picture_is_annotated(program: Served) -> None:
    jpeg = cv2.imencode(".jpg", portrait())[1].tobytes()
    found = program.control.ask("POST", "/api/analyze?picture=1", jpeg).json
    assert len(found["faces"]) == 1
    assert set(found["faces"][0]["labels"]) == {"gender", "race"}
    assert found["picture"].startswith("data:image/jpeg;base64,")
    assert "picture" not in program.control.ask("POST", "/api/analyze", jpeg).json
    assert program.control.ask("POST", "/api/analyze", b"no picture").status == 422


def test_what_is_too_large_is_refused_before_it_has_come(program: Served) -> None:
    for path in ("/api/analyze", "/api/uploads"):
        with socket.create_connection(("127.0.0.1", program.control.port), 60) as sending:
            head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{program.control.port}\r\n"
            head += f"Authorization: Bearer {program.control.token}\r\n"
            sending.sendall((head + "Content-Length: 10000000000\r\n\r\n").encode())
            assert b" 413 " in sending.makefile("rb").readline()


def test_who_sends_nonsense_or_leaves_in_the_middle_fills_no_log(program: Served) -> None:
    before = list(program.said)
    head = f"Host: 127.0.0.1:{program.control.port}\r\n"
    known = f"{head}Authorization: Bearer {program.control.token}\r\nContent-Length: 5000\r\n"
    for asked in (
        "\x16\x03\x01nonsense\r\n\r\n",
        f"GET / HTTP/1.1\r\n{head}Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        f"POST /api/uploads HTTP/1.1\r\n{known}\r\nabc",
        f"POST /api/analyze HTTP/1.1\r\n{known}\r\nabc",
        f"PATCH /api/settings HTTP/1.1\r\n{known}\r\nabc",
    ):
        with socket.create_connection(("127.0.0.1", program.control.port), 60) as sending:
            sending.sendall(asked.encode("latin-1"))
            sending.shutdown(socket.SHUT_WR)
            sending.recv(1)
    assert program.control.get("/healthz").status == 200
    assert program.said == before


def test_figures_name_no_address(program: Served) -> None:
    text = program.watch.get("/metrics").body.decode()
    named = [line for line in text.splitlines() if not line.startswith("#")]
    form = re.compile(
        r'(face_stream_[a-z_]+)\{source="\d+"(?:,[a-z]+="[^"]*")*\} -?[\d.]+(?:e[+-]\d+)?'
    )
    matches = [form.fullmatch(line) for line in named]
    assert all(matches), named
    described = set(re.findall(r"face_stream_[a-z_]+", _DOCS.read_text()))
    assert {each[1] for each in matches if each} == described, "the page of docs lists them all"
    assert all(line.startswith("face_stream_") for line in named)
    assert 'face_stream_state{source="0",state="live"} 1' in named
    assert "127.0.0.1" not in text and 'mjpeg"' not in text.replace('form="jpeg"', "")


def test_changes_are_told_as_they_happen(program: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", program.watch.port, timeout=60)
    bearer = {"Authorization": f"Bearer {program.watch.token}"}
    connection.request("GET", "/api/events", headers=bearer)
    answer = connection.getresponse()
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    topics = set()
    while topics < {"sources", "people", "settings"}:
        line = answer.readline()
        assert line
        if line.startswith(b"event: "):
            topics.add(line[7:].strip().decode())
            if "people" in topics:
                program.control.send("PATCH", "/api/settings", {"overlay.scale": 1.0})
        elif line.startswith(b"data: "):
            json.loads(line[6:])
    assert "files" not in topics, "who only watches is not told of files"
    connection.close()


def test_fifty_watch_and_five_of_them_read_nothing(program: Served) -> None:
    before = program.watch.source()
    with Watchers(program.watch, [0] * 45, stalled=5) as watchers:
        program.watch.until(lambda _: min(watchers.counts) > 10)
        assert program.watch.source()["watching"] == 50
        refused = [Watcher(program.watch) for _ in range(20)]
        assert 503 in {each.status for each in refused}, "there are too many"
        for each in refused:
            each.__exit__()
    after = program.watch.source()
    assert after["state"] == "live"
    assert after["frames"] > before["frames"]
    program.watch.until(lambda client: client.source()["watching"] == 0)


def test_the_api_describes_itself(program: Served) -> None:
    described = program.watch.get("/api").json
    assert described["openapi"].startswith("3.")
    assert {"/api/sources", "/api/people", "/api/settings", "/api/analyze"} <= set(
        described["paths"]
    )
