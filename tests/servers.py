"""Servers on loopback that send pictures as files, MJPEG, HLS and RTSP, and can be killed."""

import base64
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path
from socketserver import BaseRequestHandler, BaseServer, StreamRequestHandler, ThreadingTCPServer
from types import MappingProxyType
from typing import Any, Self

import av
import cv2

from models.faces import Image

FPS = 25
"""Frames a second of every server."""

_BOUNDARY = "frame"
"""Separates the parts of an MJPEG response."""

_RTP_BYTES = 1400
"""Largest RTP packet, bytes."""

_H264_PAYLOAD = 96
"""RTP payload type of H.264, the first that is free to choose."""


class KillableServer:
    """A server in a thread of its own; leaving it, or `kill`, cuts its connections off.

    Args:
        make: makes the server at a port; 0 for any.
        port: the port.
    """

    def __init__(self, make: Callable[[int], BaseServer], port: int = 0) -> None:
        self._make = make
        self._port = port
        self.requests = 0
        self.start()

    def start(self) -> None:
        """Starts, again at the port it had."""
        self._over = threading.Event()
        self._connections: list[socket.socket] = []
        self._server = self._make(self._port)
        self._port = int(self._server.server_address[1])
        self._server.killable = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def kill(self) -> None:
        """Ends the server and cuts its connections off."""
        self._over.set()
        self._server.shutdown()
        for connection in self._connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it is closed already
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._port}"

    def accept(self, connection: socket.socket) -> None:
        """Remembers a connection, to cut it off."""
        self.requests += 1
        self._connections.append(connection)

    def wait(self, pause_s: float) -> bool:
        """Waits; whether the server is still alive."""
        return not self._over.wait(pause_s)


class _ServerThreads:
    """What both kinds of server have in common: threads that are joined."""

    allow_reuse_address = True
    daemon_threads = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that is cut off or hangs up is not reported."""


class _HttpServer(_ServerThreads, ThreadingHTTPServer):
    pass


class _TcpServer(_ServerThreads, ThreadingTCPServer):
    pass


class HttpHandler(BaseHTTPRequestHandler):
    """Answers a request with the page of its path."""

    pages: dict[str, Callable[["HttpHandler"], None]]

    def setup(self) -> None:
        super().setup()
        self.killable.accept(self.connection)

    @property
    def killable(self) -> KillableServer:
        return self.server.killable  # type: ignore[attr-defined, no-any-return]

    def do_GET(self) -> None:
        page = self.pages.get(self.path.partition("?")[0])
        if page is None:
            self.send_error(404)
        else:
            page(self)

    def log_message(self, format: str, *args: Any) -> None:
        """Prints nothing."""

    def send(
        self,
        data: bytes,
        kind: str = "video/mp4",
        *,
        per_second: int | None = None,
        only: int | None = None,
    ) -> None:
        """Sends a file, or the part of it that is asked for.

        Args:
            data: the file.
            kind: its type.
            per_second: so many bytes a second; by default all at once.
            only: how many bytes are sent of those that are promised; None for all.
        """
        begin, _, end = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        first, last = int(begin), min(int(end or len(data)), len(data) - 1)
        self.send_response(206)
        self.send_header("Content-Type", kind)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        step = len(data) if per_second is None else max(per_second // 50, 1)
        stop = min(last + 1, only or last + 1)
        for place in range(first, stop, step):
            self.wfile.write(data[place : min(place + step, stop)])
            if per_second is not None and not self.killable.wait(0.02):
                return


Page = Callable[[HttpHandler], None]


def http(pages: dict[str, Page], port: int = 0) -> KillableServer:
    """A web server of these pages, at a port; 0 for any."""
    handler = type("Handler", (HttpHandler,), {"pages": pages})
    return KillableServer(lambda free: _HttpServer(("127.0.0.1", free), handler), port)


def relay(port: int) -> KillableServer:
    """A server that hands on what comes to a port of this machine, and back: a network to cut."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", port)) as further:
                self.server.killable.accept(further)  # type: ignore[attr-defined]
                self.server.killable.accept(self.request)  # type: ignore[attr-defined]
                ways = {self.request: further, further: self.request}
                while True:
                    for each in select.select(list(ways), [], [])[0]:
                        if not (data := each.recv(65_536)):
                            return
                        ways[each].sendall(data)

    return KillableServer(lambda free: _TcpServer(("127.0.0.1", free), Handler))


def file_page(path: Path) -> Page:
    """A file, whole or in part."""
    data = path.read_bytes()
    return lambda handler: handler.send(data)


def slow_page(path: Path, per_second: int) -> Page:
    """A file that comes as slowly as that, in bytes."""
    data = path.read_bytes()
    return lambda handler: handler.send(data, per_second=per_second)


def mjpeg_page(pictures: Iterable[Image | bytes]) -> Page:
    """Pictures, or JPEGs as they are, one after another, as web cameras send them; at the end the
    connection is cut.

    A further request gets the pictures that are left.
    """
    rest = iter(pictures)

    def page(handler: HttpHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        handler.end_headers()
        for picture in rest:
            is_jpeg = isinstance(picture, bytes)
            jpeg = picture if is_jpeg else cv2.imencode(".jpg", picture)[1].tobytes()
            head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n"
            handler.wfile.write(head.encode() + b"\r\n" + jpeg + b"\r\n")
            if not handler.killable.wait(1 / FPS):
                return

    return page


def silent_page(handler: HttpHandler) -> None:
    """Never answers."""
    while handler.killable.wait(1):
        pass


def password_page(credentials: str, page: Page) -> Page:
    """A page that needs `user:password`."""
    wanted = "Basic " + base64.b64encode(credentials.encode()).decode()

    def guard(handler: HttpHandler) -> None:
        if handler.headers.get("Authorization") == wanted:
            page(handler)
            return
        handler.send_response(401)
        handler.send_header("WWW-Authenticate", 'Basic realm="camera"')
        handler.end_headers()

    return guard


def encode(
    target: Path | Any,
    pictures: Sequence[Image],
    form: str,
    options: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """The pictures in H.264, a keyframe every ten, one after another without delay."""
    where = str(target) if isinstance(target, Path) else target
    with av.open(where, "w", format=form, options=dict(options), buffer_size=_RTP_BYTES) as out:
        stream = out.add_stream("libx264", rate=FPS, options={"tune": "zerolatency", "g": "10"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def hls_pages(folder: Path, pictures: Sequence[Image], *, live: bool = False) -> dict[str, Page]:
    """`/list.m3u8`, of segments of 0.4 seconds; a live one begins with three of them, and grows."""
    options = {"hls_time": "0.4", "hls_list_size": "0", "hls_playlist_type": "vod"}
    encode(folder / "all.m3u8", pictures, "hls", options)
    lines = (folder / "all.m3u8").read_text().splitlines()
    head = [line for line in lines if line.startswith("#EXT-X-V") or "TARGET" in line]
    segments = [lines[i : i + 2] for i, line in enumerate(lines) if line.startswith("#EXTINF")]
    began_s = time.monotonic()

    def playlist(handler: HttpHandler) -> None:
        known = 3 + int((time.monotonic() - began_s) / 0.4) if live else len(segments)
        body = ["#EXTM3U", *head, "#EXT-X-MEDIA-SEQUENCE:0", *chain(*segments[:known])]
        body += [] if live else ["#EXT-X-ENDLIST"]
        handler.send("\n".join([*body, ""]).encode(), "application/vnd.apple.mpegurl")

    pages: dict[str, Page] = {"/list.m3u8": playlist}
    for segment in folder.glob("*.ts"):
        data = segment.read_bytes()
        pages[f"/{segment.name}"] = lambda handler, data=data: handler.send(data, "video/mp2t")
    return pages


class _RtpPackets:
    """A file of PyAV's that keeps what is written, a packet each time."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.packets.append(bytes(data))
        return len(data)


def rtp_packets(pictures: Sequence[Image]) -> list[bytes]:
    """Pictures as RTP (RFC 6184), without the sender's reports."""
    target = _RtpPackets()
    encode(target, pictures, "rtp")
    return [packet for packet in target.packets if packet[1] & 0x7F == _H264_PAYLOAD]


class _RtspHandler(StreamRequestHandler):
    """RTSP over TCP (RFC 2326), as far as a player of one track asks for it."""

    packets: list[bytes]
    credentials: str

    def handle(self) -> None:
        killable: KillableServer = self.server.killable  # type: ignore[attr-defined]
        killable.accept(self.connection)
        wanted = "Basic " + base64.b64encode(self.credentials.encode()).decode()
        while request := self._request():
            method, headers = request
            if self.credentials and headers.get("authorization") != wanted:
                self._answer(headers, 'WWW-Authenticate: Basic realm="camera"', "401 Unauthorized")
            elif method == "OPTIONS":
                self._answer(headers, "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
            elif method == "DESCRIBE":
                self._answer(headers, "Content-Type: application/sdp", body=_SDP)
            elif method == "SETUP":
                self._answer(headers, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
            elif method == "PLAY":
                self._answer(headers, "Range: npt=0-")
                self._play(killable)
                return

    def _request(self) -> tuple[str, dict[str, str]] | None:
        lines = []
        while (line := self.rfile.readline().decode().strip()) or not lines:
            if not line:
                return None
            lines.append(line)
        fields = (line.partition(":") for line in lines[1:])
        return lines[0].split()[0], {name.lower(): value.strip() for name, _, value in fields}

    def _answer(
        self, headers: dict[str, str], field: str, status: str = "200 OK", body: str = ""
    ) -> None:
        lines = [f"RTSP/1.0 {status}", f"CSeq: {headers['cseq']}", "Session: 1", field]
        lines += [f"Content-Length: {len(body)}", "", body]
        self.wfile.write("\r\n".join(lines).encode())

    def _play(self, killable: KillableServer) -> None:
        for packet in self.packets:
            self.wfile.write(b"$\0" + len(packet).to_bytes(2, "big") + packet)
            ends_a_picture = packet[1] & 0x80
            if ends_a_picture and not killable.wait(1 / FPS):
                return


_SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=numbers\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    f"m=video 0 RTP/AVP {_H264_PAYLOAD}\r\na=rtpmap:{_H264_PAYLOAD} H264/90000\r\n"
    f"a=fmtp:{_H264_PAYLOAD} packetization-mode=1\r\na=control:track1\r\n"
)


def rtsp(pictures: Sequence[Image], credentials: str = "") -> KillableServer:
    """A camera on the network, which hangs up at the end of its pictures."""
    fields = {"packets": rtp_packets(pictures), "credentials": credentials}
    handler = type("Handler", (_RtspHandler,), fields)
    return KillableServer(lambda port: _TcpServer(("127.0.0.1", port), handler))
