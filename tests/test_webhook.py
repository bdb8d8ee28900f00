"""Events posted to a web service on loopback, which refuses, is killed, and comes back."""

import http.server
import json
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import servers
from fakes import PATIENCE_S, SIZE_WH, frame, label, track

from stream.deliveries import Delivery
from stream.drawing.overlay import Overlay
from stream.errors import ConfigError, SinkError
from stream.frames import SourceInfo
from stream.settings.schema import PublishSection
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.data.events import Event
from stream.sinks.publishing.event_sender import EventSender
from stream.sinks.publishing.opening import secret_of
from stream.sinks.publishing.services import web_service
from stream.sinks.publishing.webhook import (
    DELIVERY_HEADER,
    SIGNATURE_HEADER,
    Webhook,
    signature,
)

_FILE = SourceInfo("door.mp4", "video", SIZE_WH, 25.0)
_LIVE = SourceInfo("door", "stream", SIZE_WH, 25.0)


class _Service:
    """A web service that keeps what is posted, and answers as it is told, in the end with 204."""

    def __init__(self, answers: Sequence[int] = (), context: ssl.SSLContext | None = None) -> None:
        self.events: list[dict[str, Any]] = []
        self.requests: list[tuple[Mapping[str, str], bytes]] = []
        self.answers = list(answers)
        self.changed = threading.Condition()
        handler = type("Handler", (_Handler,), {"service": self})

        def make(port: int) -> Any:
            server = servers._HttpServer(("127.0.0.1", port), handler)
            if context is not None:
                server.socket = context.wrap_socket(server.socket, server_side=True)
            return server

        self.server = servers.KillableServer(make)
        self.address = f"http{'' if context is None else 's'}://{self.server.address}/hook"

    def wait_for(self, is_done: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(is_done, PATIENCE_S), self.events


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: _Service

    def setup(self) -> None:
        super().setup()
        self.server.killable.accept(self.connection)  # type: ignore[attr-defined]

    def do_POST(self) -> None:
        service, body = self.service, self.rfile.read(int(self.headers["Content-Length"]))
        with service.changed:
            status = service.answers.pop(0) if service.answers else 204
            service.requests.append((dict(self.headers), body))
            if status == 204:
                service.events.append(json.loads(body))
            service.changed.notify_all()
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Prints nothing."""


@contextmanager
def _service(
    answers: Sequence[int] = (), context: ssl.SSLContext | None = None
) -> Iterator[_Service]:
    service = _Service(answers, context)
    try:
        yield service
    finally:
        service.server.kill()


def _sender(
    address: str,
    delivery: Delivery,
    info: SourceInfo = _FILE,
    secret: str = "",
    context: ssl.SSLContext | None = None,
) -> EventSender:
    webhook = Webhook(web_service(address), secret, PATIENCE_S, context)
    return EventSender("webhook", info, webhook, delivery)


def _give(sender: EventSender, first: int, count: int) -> None:
    """Frames with a new person each, who appears."""
    for number in range(first, first + count):
        sender.write(AnnotatedFrame(frame(number), [track(number)], Overlay()))


def _tracks(service: _Service) -> list[int]:
    return [event["track"] for event in service.events]


def test_each_event_comes_once_in_order_with_its_signature() -> None:
    delivery = Delivery("event")
    with _service() as service:
        sender = _sender(service.address, delivery, secret="s3cret")
        labels = {"gender": label()}
        sender.write(AnnotatedFrame(frame(0), [track(1, labels=labels)], Overlay()))
        _give(sender, 2, 20)
        sender.close(complete=True)
    assert [each["event"] for each in service.events[:2]] == ["appeared", "labelled"]
    assert service.events[1]["labels"] == {"gender": {"label": "Female", "confidence": 0.9}}
    assert _tracks(service) == [1, 1, *range(2, 22)]
    for headers, body in service.requests:
        assert headers[SIGNATURE_HEADER] == f"sha256={signature(b's3cret', body)}"
        assert headers["Content-Type"] == "application/json"
    assert len({headers[DELIVERY_HEADER] for headers, _ in service.requests}) == 22
    assert service.server.requests == 1  # one connection, which is kept
    assert (delivery.sent, delivery.dropped) == (22, 0)


def test_without_a_secret_nothing_is_signed_and_a_password_is_sent() -> None:
    with _service() as service:
        address = service.address.replace("://", "://me:p%40ss@")
        sender = _sender(address, Delivery("event"))
        _give(sender, 1, 1)
        sender.close(complete=True)
        assert "p@ss" not in f"{sender!r}{web_service(address)!r}{web_service(address)}"
    ((headers, _),) = service.requests
    assert SIGNATURE_HEADER not in headers
    assert headers["Authorization"] == "Basic bWU6cEBzcw=="


def test_what_it_cannot_take_now_is_tried_again_in_order(
    caplog: pytest.LogCaptureFixture,
) -> None:
    delivery = Delivery("event")
    with _service([503]) as service:
        sender = _sender(service.address, delivery)
        _give(sender, 1, 3)
        service.wait_for(lambda: len(service.events) == 3)
        sender.close(complete=True)
    assert _tracks(service) == [1, 2, 3]
    tries = [headers[DELIVERY_HEADER] for headers, _ in service.requests]
    assert tries[0] == tries[1] and len(set(tries)) == 3
    assert (delivery.sent, delivery.dropped, delivery.outages) == (3, 0, 1)
    assert "answers 503 (Service Unavailable); tried again since" in caplog.messages[0]
    assert "is there again after" in caplog.messages[1]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "answers 400 (Bad Request)"),
        (401, "answers 401 (Unauthorized)"),
        (302, "answers 302 (Found): redirects are not followed, name the address itself"),
        (307, "answers 307 (Temporary Redirect): redirects are not followed"),
    ],
)
def test_what_it_refuses_is_dropped_and_said_once(
    status: int, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    delivery = Delivery("event")
    with _service([status, 204, status]) as service:
        sender = _sender(service.address, delivery)
        _give(sender, 1, 4)
        sender.close(complete=True)
    assert _tracks(service) == [2, 4]
    assert len(service.requests) == 4  # none of them to where a redirect leads
    assert (delivery.sent, delivery.dropped, delivery.outages) == (2, 2, 0)
    (said,) = caplog.messages
    assert said.startswith(f"webhook: {reason}")


def test_events_wait_for_a_service_that_was_killed(caplog: pytest.LogCaptureFixture) -> None:
    delivery = Delivery("event")
    with _service() as service:
        sender = _sender(service.address, delivery, _LIVE)
        _give(sender, 1, 2)
        service.wait_for(lambda: len(service.events) == 2)
        service.server.kill()
        _give(sender, 3, 5)
        deadline_s = time.monotonic() + PATIENCE_S
        while not delivery.outages:
            assert sender._thread.is_alive() and time.monotonic() < deadline_s
            threading.Event().wait(0.01)
        service.server.start()
        service.wait_for(lambda: len(service.events) == 7)
        sender.close(complete=True)
    assert _tracks(service) == list(range(1, 8))
    assert (delivery.sent, delivery.dropped, delivery.outages) == (7, 0, 1)
    assert len(caplog.messages) == 2


def test_a_dead_service_costs_its_events_alone() -> None:
    with _service() as service:
        address = service.address
    delivery = Delivery("event")
    sender = _sender(address, delivery)
    _give(sender, 1, 3000)
    with pytest.raises(SinkError, match="no event could be sent: Connection refused"):
        sender.close(complete=True)
    assert (delivery.sent, delivery.dropped) == (0, 3000)
    assert delivery.replaced >= 3000 - 1000 - 2  # so many wait, and one or two were being sent


def test_a_service_that_never_answers_ends_with_the_run() -> None:
    pages: dict[str, servers.Page] = {}
    with servers.http(pages) as server:
        silent = _Silent()
        pages["/hook"] = silent.page
        delivery = Delivery("event")
        sender = _sender(f"http://{server.address}/hook", delivery, _LIVE)
        _give(sender, 1, 1)
        with pytest.raises(SinkError, match="no event could be sent"):
            sender.close(complete=True)
    sender._thread.join(PATIENCE_S)
    assert not sender._thread.is_alive()


class _Silent:
    def page(self, handler: servers.HttpHandler) -> None:
        servers.silent_page(handler)


_OK = b"HTTP/1.1 200 OK\r\n"
_TOO_LATE = "gives no whole answer within 0.5 s"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ([b"what?\r\n"], "answers with what is no HTTP (BadStatusLine)"),
        ([_OK + b"\r\n", b"x"], _TOO_LATE),
        ([_OK + b"Content-Length: 99999\r\n\r\n", b"x"], _TOO_LATE),
        ([_OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"], _TOO_LATE),
        ([_OK + b"X: ", b"x"], _TOO_LATE),
        ([b"HTTP/1.1 100 Continue\r\n\r\n"], _TOO_LATE),
    ],
)
def test_an_answer_that_is_none_or_has_no_end_counts_as_away(
    answer: list[bytes], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    delivery = Delivery("event")
    with _endless(*answer) as address:
        webhook = Webhook(web_service(address), "", 0.5)
        sender = EventSender("webhook", _FILE, webhook, delivery)
        _give(sender, 1, 1)
        deadline_s = time.monotonic() + PATIENCE_S
        while not delivery.outages:
            assert sender._thread.is_alive() and time.monotonic() < deadline_s
            threading.Event().wait(0.01)
        with pytest.raises(SinkError, match="no event could be sent"):
            sender.close(complete=True)
    assert reason in caplog.messages[0]


@contextmanager
def _endless(first: bytes, then: bytes = b"") -> Iterator[str]:
    """A service that answers with one thing, and with another one again and again."""
    is_over = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                self.request.recv(1 << 16)
                self.request.sendall(first)
                while not is_over.wait(0.05):
                    self.request.sendall(then or first)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/hook"
        finally:
            is_over.set()
            server.shutdown()
            serving.join()


def test_a_name_of_a_source_that_is_no_text_is_sent_escaped() -> None:
    info = SourceInfo("door\udcff.mp4", "video", SIZE_WH, 25.0)
    with _service() as service:
        sender = _sender(service.address, Delivery("event"), info)
        _give(sender, 1, 1)
        sender.close(complete=True)
    assert {each["source"] for each in service.events} == {"door\udcff.mp4"}


def test_an_error_that_no_case_is_made_for_ends_this_sink_alone() -> None:
    class Broken(Webhook):
        def send(self, event: Event) -> None:
            raise ValueError("of a kind of its own")

    webhook = Broken(web_service("http://127.0.0.1:9/x"), "", PATIENCE_S)
    sender = EventSender("webhook", _FILE, webhook, Delivery("event"))
    _give(sender, 1, 1)
    sender._thread.join(PATIENCE_S)
    with pytest.raises(SinkError, match="cannot be sent: of a kind of its own"):
        _give(sender, 2, 1)
    with pytest.raises(SinkError, match="cannot be sent: of a kind of its own"):
        sender.close(complete=False)


def test_a_certificate_that_nobody_trusts_gets_no_event(
    certificate: tuple[Path, Path],
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with _service(context=context) as service:
        sender = _sender(service.address, Delivery("event"))
        _give(sender, 1, 1)
        with pytest.raises(SinkError, match=r"its certificate is not valid: self.signed"):
            sender.close(complete=True)
        assert service.requests == []
        trusting = ssl.create_default_context(cafile=str(certificate[0]))
        sender = _sender(service.address, Delivery("event"), _FILE, context=trusting)
        _give(sender, 1, 1)
        sender.close(complete=True)
        assert _tracks(service) == [1]


def test_the_secret_stands_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("s3cret\n")
    assert secret_of(PublishSection(webhook_secret=f"@{path}")) == "s3cret"
    assert secret_of(PublishSection()) == ""
    path.unlink()
    with pytest.raises(ConfigError, match="secret"):
        secret_of(PublishSection(webhook_secret=f"@{path}"))
    with pytest.raises(ValueError, match="write it into a file"):
        PublishSection(webhook_secret="s3cret")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("ftp://host/x", r"--webhook ftp://host/x: it takes an address as https://HOST/PATH"),
        ("host/x", r"it takes an address as https://HOST/PATH"),
        ("https:///x", "no valid host and port"),
        ("https://host:99999/x", "no valid host and port"),
        ("https://a..b/x", "no valid host and port"),
        ("https://me:secret@host/ä", "write what is not ASCII"),
    ],
)
def test_an_address_that_is_none_is_refused(address: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        web_service(address)
    assert "secret@" not in str(raised.value)
