"""The command `serve`: what it refuses, how it ends, and that it stays up."""

import json
import re
import signal
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from batch_programs import start
from fakes import stopped, write_clip
from page_programs import Client, Watcher, cameras, served
from servers import HttpHandler, Page
from servers import http as web_server
from starlette.types import Receive, Scope, Send

from stream.errors import ConfigError
from stream.page.server import PageServer
from stream.settings.serve_section import ServeSection

_PATIENCE_S = 100
_MOST_CONNECTIONS = 101  # of one viewer, and 100 more


def _said(folder: Path, *words: object) -> tuple[int, str]:
    """Exit code and standard error of a program that ends by itself."""
    program = start(folder, "serve", *words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    with stopped(program):
        said = program.communicate(timeout=_PATIENCE_S)[1]
    return program.returncode, said


def test_what_cannot_be_served_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("no certificate")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for settings, part in (
            (ServeSection(host="0.0.0.0", port=0), "--insecure"),
            (ServeSection(host="::", port=0), "--insecure"),
            (ServeSection(key="key.pem", port=0), "set serve.cert"),
            (ServeSection(cert=str(tmp_path / "cert.pem"), port=0), "in PEM form"),
            (ServeSection(cert=str(tmp_path / "missing.pem"), port=0), "No such file"),
            (ServeSection(port=port), f"port {port}"),
        ):
            with pytest.raises(ConfigError, match=part) as refused:
                PageServer(settings)
            assert "\n" not in str(refused.value)


def test_one_connection_too_many_is_refused_in_json() -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with PageServer(ServeSection(port=0, max_viewers=1)) as server, ExitStack() as opened:
        server.start(app)
        client = Client(server.port)
        assert client.get("/healthz").status == 204
        for _ in range(_MOST_CONNECTIONS):
            opened.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        refused = client.get("/healthz")
        assert (refused.status, refused.headers["content-type"]) == (503, "application/json")
        assert "try again in a moment" in refused.json["error"]
        assert refused.headers["x-content-type-options"] == "nosniff"
        with Watcher(client) as watcher:
            assert watcher.status == 503
            assert "try again in a moment" in json.loads(watcher.rest())["error"]
        opened.close()
        client.until(lambda client: client.get("/healthz").status == 204)


def test_without_a_source_there_must_be_some_that_may_be_added(tmp_path: Path) -> None:
    code, said = _said(tmp_path)
    assert code == 2
    assert said.splitlines() == [
        "face-stream: there is no SOURCE: name one, or what may be added by serve.allow"
    ]


def test_it_ends_where_no_source_gives_anything(tmp_path: Path) -> None:
    code, said = _said(tmp_path, "missing.mp4", "--port", "0")
    assert code == 1
    assert said.count("no such file or folder") == 1


def test_a_source_that_is_not_there_yet_says_why_it_is_waited_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    address = f"http://127.0.0.1:{port}/none"  # nothing listens there any more
    with served(tmp_path, address, "--set", 'source.reconnect_s="forever"') as program:
        program.watch.until(lambda client: "refused" in client.source()["reason"])
        source = program.watch.source()
        assert source["state"] == "waiting"
        assert source["since"]
        assert address not in source["reason"], "its name stands beside"


def test_it_stays_up_when_a_file_has_ended_and_says_so(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 5)
    with served(tmp_path, clip, "--blur") as program:
        program.watch.until(lambda client: client.source()["state"] == "ended")
        source = program.watch.source()
        assert (source["name"], source["frames"]) == ("clip.mp4", 5)
        assert program.watch.get("/api/sources/0/picture.jpg").status == 200
        assert program.control.get("/api/me").json["blur_fixed"] is True
        for wish in ({"blur": False}, {"recording": True}, {"paused": True}):
            answer = program.control.send("POST", "/api/sources/0/controls", wish)
            assert (answer.status, set(answer.json)) == (409, {"error"})
        for key, value in (  # fewer faces would be found, and those that are not, not blurred
            ("overlay.blur", False),
            ("detection.threshold", 0.95),
            ("detection.downscale", 16.0),
            ("detection.min_face_px", 1000.0),
            ("detection.frame_skip", 1000),
        ):
            answer = program.control.send("PATCH", "/api/settings", {key: value})
            assert (answer.status, set(answer.json)) == (422, {"error"}), key
        told = program.control.get("/api/settings").json["settings"]
        assert {e["key"].partition(".")[0] for e in told if e["editable"]} == {"labels", "overlay"}
        program.program.send_signal(signal.SIGTERM)
        assert program.program.wait(_PATIENCE_S) == 128 + signal.SIGTERM


def test_a_run_that_is_served_writes_what_it_is_asked_for(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 5)
    words = [clip, "--serve", "--save", "out.mp4", "--log", "out.jsonl"]
    with served(tmp_path, *words, command="run") as program:
        program.watch.until(lambda client: client.source()["state"] == "ended")
        assert program.control.ask("DELETE", "/api/sources/0").status == 409
    assert (tmp_path / "out.mp4").exists()
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) > 5


def test_who_takes_nothing_is_cut_off_and_a_request_that_does_not_come(tmp_path: Path) -> None:
    with cameras(1, 15, faces=1) as addresses, served(tmp_path, *addresses) as program:
        client = program.watch
        client.until(lambda asked: asked.source()["frames"] > 0)
        with socket.socket() as stalled, socket.socket() as slow, socket.socket() as endless:
            stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            for each in (stalled, slow, endless):
                each.settimeout(_PATIENCE_S)
                each.connect(("127.0.0.1", client.port))
            slow.sendall(b"GET / HTTP/1.1\r\nHost: ")
            endless.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999\r\n\r\n")
            assert b" 401 " in endless.recv(100), "it is answered, and its body comes on"
            head = f"GET /api/sources/0/video.mjpeg HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\n"
            stalled.sendall(f"{head}Authorization: Bearer {client.token}\r\n\r\n".encode())
            client.until(lambda asked: asked.source()["watching"] == 1)
            client.until(lambda asked: asked.source()["watching"] == 0)
            assert slow.recv(1) == b"", "it is closed"
            with pytest.raises(OSError):
                for _ in range(round(_PATIENCE_S / 0.1)):
                    endless.sendall(b"x")
                    time.sleep(0.1)
            before = client.source()["frames"]
            client.until(lambda asked: asked.source()["frames"] > before)


def test_an_address_of_serve_allow_can_be_added_and_removed(tmp_path: Path) -> None:
    with cameras(2, 10, faces=1) as addresses:
        allow = f"serve.allow=['http://{addresses[0].split('/')[2]}/1.mjpeg']"
        with served(tmp_path, addresses[0], "--set", allow) as program:
            added = program.control.send("POST", "/api/sources", {"address": addresses[1]})
            assert (added.status, added.json["number"]) == (201, 1)
            again = program.control.send("POST", "/api/sources", {"address": addresses[1]})
            assert again.status == 409
            program.control.until(lambda client: client.source(1)["frames"] > 0)
            assert program.control.ask("DELETE", "/api/sources/1").status == 200
            assert len(program.control.get("/api/sources").json["sources"]) == 1


def test_a_certificate_serves_https(tmp_path: Path) -> None:
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    made += ["-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.pem"]
    try:
        subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("there is no openssl that makes a certificate")
    words = ["serve", "0", "--port", "0", "--cert", "cert.pem", "--key", "key.pem"]
    words += ["--set", "source.reconnect_s=forever"]
    program = start(tmp_path, *words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    with stopped(program):
        assert program.stderr is not None
        line = program.stderr.readline()
        assert re.fullmatch(r"https://127\.0\.0\.1:\d+/\?token=\S+\n", line)
        program.terminate()
        program.communicate(timeout=_PATIENCE_S)


def _moved(to: str) -> Page:
    """Leads to another address."""

    def page(handler: HttpHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", to)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return page


def _playlist(of: str) -> Page:
    """A playlist that does not say so in its address."""

    def page(handler: HttpHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/vnd.apple.mpegurl")
        handler.end_headers()
        handler.wfile.write(f"#EXTM3U\n#EXTINF:2,\n{of}\n#EXT-X-ENDLIST\n".encode())

    return page


def test_what_was_added_leads_to_no_other_address(tmp_path: Path) -> None:
    asked: list[str] = []

    def elsewhere(handler: HttpHandler) -> None:
        asked.append(handler.path)
        handler.send_error(404)

    with web_server({"/": elsewhere}) as other:
        to = f"http://{other.address}/"
        pages = {"/moved": _moved(to), "/listed": _playlist(to)}
        with web_server(pages) as allowed, cameras(1, 10, faces=1) as addresses:
            allow = f"serve.allow=['http://{allowed.address}']"
            with served(tmp_path, *addresses, "--set", allow) as program:
                for path in pages:
                    address = f"http://{allowed.address}{path}"
                    program.control.send("POST", "/api/sources", {"address": address})
                for number in (1, 2):
                    program.control.until(lambda client, n=number: _failed(client, n))
    assert asked == []


def _failed(client: Client, number: int) -> bool:
    return bool(client.source(number)["state"] == "failed")


def test_a_recording_ends_where_the_disk_is_full_enough(tmp_path: Path) -> None:
    words = ["--folder", "made", "--set", "serve.max_disk_gb=0.0002"]
    with cameras(1, 10, faces=1) as addresses, served(tmp_path, *addresses, *words) as program:
        control, path = program.control, "/api/sources/0/controls"
        control.until(lambda client: client.source()["frames"] > 0)
        assert control.send("POST", path, {"recording": True}).status == 200
        control.until(lambda client: "serve.max_disk_gb" in (client.source()["notice"] or ""))
        control.until(lambda client: len(client.get("/api/files").json["files"]) == 1)
        for wish in ("recording", "snapshot"):
            answer = control.send("POST", path, {wish: True})
            assert (answer.status, set(answer.json)) == (409, {"error"})
