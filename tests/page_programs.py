"""The program `face-stream serve` in a process of its own, cameras for it, and those who watch."""

import http.client
import itertools
import json
import os
import re
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import cv2
from batch_programs import start
from fakes import stopped
from servers import HttpHandler, Page
from servers import http as web_server

from stream.benchmarks.speed.clips import SyntheticSource

_PATIENCE_S = 60.0
_LOOK_S = 0.05
_BOUNDARY = "part"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered.

    Attributes:
        status: of HTTP.
        headers: by name in small letters.
        body: whole.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Client:
    """Asks a server on loopback.

    Attributes:
        port: of the server.
        token: that it brings; empty for none.
    """

    port: int
    token: str = ""

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Asks once, with a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE_S)
        bearer = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            connection.request(method, path, body, {**bearer, **(headers or {})})
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        """Asks for something."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("GET", path, headers=named)

    def send(self, method: str, path: str, value: Any) -> Answer:
        """Sends JSON."""
        return self.ask(method, path, json.dumps(value).encode())

    def source(self, number: int = 0) -> dict[str, Any]:
        """The state of a source."""
        found: dict[str, Any] = self.get("/api/sources").json["sources"][number]
        return found

    def until(self, holds: Callable[["Client"], bool]) -> None:
        """Asks until something holds."""
        deadline_s = time.monotonic() + _PATIENCE_S
        while not holds(self):
            assert time.monotonic() < deadline_s, "that never came"
            time.sleep(_LOOK_S)


@dataclass(frozen=True, slots=True)
class Served:
    """A running program.

    Attributes:
        program: the process.
        control: asks with the token that controls.
        watch: asks with the token that only watches.
        said: its lines on standard error so far.
    """

    program: "subprocess.Popen[str]"
    control: Client
    watch: Client
    said: list[str]

    @property
    def cpu_s(self) -> float:
        """Processor time of the process so far, s."""
        fields = Path(f"/proc/{self.program.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(folder: Path, *words: object, command: str = "serve") -> Iterator[Served]:
    """Serves sources at a free port; when it is left, the program is told to end."""
    asked = [command, *words, "--set", "serve.port=0"]
    program = start(folder, *asked, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(iter(_line(program), "")))
    with stopped(program):
        reader.start()
        try:
            yield Served(program, *_clients(program, said), said)
        finally:
            program.terminate()
            program.communicate() if program.stdout is None else program.wait(_PATIENCE_S)
            reader.join(_PATIENCE_S)
            for pipe in (program.stderr, program.stdout):
                if pipe is not None:
                    pipe.close()


def _line(program: "subprocess.Popen[str]") -> Callable[[], str]:
    assert program.stderr is not None
    return program.stderr.readline


def _clients(program: "subprocess.Popen[str]", said: Sequence[str]) -> tuple[Client, Client]:
    deadline_s = time.monotonic() + _PATIENCE_S
    while len(found := re.findall(r"http://127.0.0.1:(\d+)/\?token=(\S+)", "".join(said))) < 2:
        assert program.poll() is None and time.monotonic() < deadline_s, said
        time.sleep(_LOOK_S)
    control, watch = (Client(int(port), token) for port, token in found)
    return control, watch


class Watcher:
    """One who watches the fragments of a source, in a connection of its own.

    Args:
        client: says where, and by which token.
        number: of the source.
    """

    def __init__(self, client: Client, number: int = 0, query: str = "", **headers: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", client.port), _PATIENCE_S)
        lines = [
            f"GET /api/sources/{number}/video{query} HTTP/1.1",
            f"Host: 127.0.0.1:{client.port}",
            f"Authorization: Bearer {client.token}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self._file = self.socket.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        while self._file.readline().strip():
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self.socket.close()

    def send(self, text: str) -> None:
        """Sends a short text, masked as browsers do."""
        data, mask = text.encode(), b"mask"
        masked = bytes(each ^ mask[place % 4] for place, each in enumerate(data))
        self.socket.sendall(bytes([0x81, 0x80 | len(data)]) + mask + masked)

    def rest(self) -> bytes:
        """All that comes until the server closes the connection."""
        return self._file.read()

    def message(self) -> tuple[int, bytes]:
        """The next message: its kind (1 for text, 2 for bytes, 8 for the end), and what it says."""
        head = self._file.read(2)
        if len(head) < 2:
            return 8, b""
        length = head[1] & 127
        if length == 126:
            length = struct.unpack(">H", self._file.read(2))[0]
        elif length == 127:
            length = struct.unpack(">Q", self._file.read(8))[0]
        return head[0] & 15, self._file.read(length)


class Watchers:
    """Several who watch at the same time, in one thread: they read, and count what they get.

    Args:
        client: says where.
        numbers: of the sources, one for each.
        stalled: how many more there are who never read.
        query: how wide they show it, as of `Watcher`.
    """

    def __init__(
        self, client: Client, numbers: Sequence[int], stalled: int = 0, query: str = ""
    ) -> None:
        self.all = [Watcher(client, number, query) for number in numbers]
        self.stalled = [Watcher(client, 0) for _ in range(stalled)]
        self.counts = [0] * len(self.all)
        self.received_bytes = 0
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._read, args=(place, each))
            for place, each in enumerate(self.all)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for each in (*self.all, *self.stalled):
            with suppress(OSError):
                each.socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for each in (*self.all, *self.stalled):
            each.__exit__()

    def _read(self, place: int, watcher: Watcher) -> None:
        with suppress(OSError, ValueError):
            while not self._ended.is_set():
                kind, data = watcher.message()
                if kind == 8:
                    return
                self.counts[place] += 1
                self.received_bytes += len(data)


@contextmanager
def cameras(count: int, fps: float, faces: int = 4) -> Iterator[list[str]]:
    """Cameras on loopback that send 720p for as long as anyone looks; their addresses."""
    source = SyntheticSource(faces, (1280, 720), 100)
    jpegs = [cv2.imencode(".jpg", frame.image)[1].tobytes() for frame in source.frames()]
    with_pages = web_server({f"/{number}.mjpeg": _endless(jpegs, fps) for number in range(count)})
    with with_pages as server:
        yield [f"http://{server.address}/{number}.mjpeg" for number in range(count)]


def _endless(jpegs: Sequence[bytes], fps: float) -> Page:
    """Pictures over and over again, each at its time."""

    def page(handler: HttpHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        handler.end_headers()
        begun_s = time.monotonic()
        for number, jpeg in enumerate(itertools.cycle(jpegs)):
            head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n"
            handler.wfile.write(head.encode() + b"\r\n" + jpeg + b"\r\n")
            due_s = begun_s + (number + 1) / fps - time.monotonic()
            if not handler.killable.wait(max(due_s, 0.001)):
                return

    return page
