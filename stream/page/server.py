"""The server of the page: uvicorn in a thread of its own, with limits on time and size."""

import asyncio
import ipaddress
import logging
import socket
import ssl
import threading
import time
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from stream.errors import ConfigError
from stream.page.connection import LimitedProtocol
from stream.settings.serve_section import ServeSection

_HEADER_BYTES = 16_384
"""Largest request but for its body, bytes."""

_MESSAGE_BYTES = 4096
"""Largest message of a browser in a WebSocket, bytes; it says no more than a width."""

_CLOSE_S = 2
"""How long answers that are being sent are waited for at the end, s."""

_FURTHER = 100
"""Connections at most beside one for each who may watch."""

_POLL_S = 0.02
"""Time between two looks at whether the server has started, s."""


class PageServer:
    """Serves an application until it is left; use it as a context manager.

    Args:
        settings: where, and by which certificate.

    Attributes:
        port: that it listens at.

    Raises:
        ConfigError: there it cannot listen, or the certificate does not fit.
    """

    def __init__(self, settings: ServeSection) -> None:
        _check_certificate(settings)
        self._settings = settings
        self._socket = _bound_socket(settings.host, settings.port)
        self.port = int(self._socket.getsockname()[1])
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.loop = asyncio.new_event_loop()

    def __repr__(self) -> str:
        return f"PageServer({self._settings.host}:{self.port})"

    @property
    def is_secure(self) -> bool:
        """Whether it serves https."""
        return bool(self._settings.cert)

    def start(self, app: ASGIApp) -> None:
        """Serves an application from now on."""
        settings = self._settings
        config = uvicorn.Config(
            app,
            http=LimitedProtocol,
            ws="wsproto",
            ws_max_size=_MESSAGE_BYTES,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            log_level=logging.ERROR,  # what strangers send is no news, and may be sent without end
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=settings.max_viewers + _FURTHER,
            timeout_graceful_shutdown=_CLOSE_S,
            ssl_certfile=settings.cert or None,
            ssl_keyfile=settings.key or None,
            h11_max_incomplete_event_size=_HEADER_BYTES,
        )
        logging.getLogger("uvicorn.error").addFilter(_is_news)
        self._server = uvicorn.Server(config)
        server = self._server
        self._thread = threading.Thread(target=self._work, args=(server,), name="page server")
        self._thread.start()
        while not server.started and self._thread.is_alive():
            time.sleep(_POLL_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends it; answers that are being sent end with it."""
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()
        else:
            self.loop.close()
        self._socket.close()

    def _work(self, server: uvicorn.Server) -> None:
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(server.serve(sockets=[self._socket]))


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a line of uvicorn says more than that viewers were cut off at the end."""
    return "timeout graceful shutdown" not in str(record.msg)


def _check_certificate(settings: ServeSection) -> None:
    """Checks that what is served to other machines is encrypted, unless that is not wanted."""
    if settings.key and not settings.cert:
        raise ConfigError("serve.key is the key of a certificate: set serve.cert (--cert) too")
    if settings.cert:
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(settings.cert, settings.key or None, password=_no_password)
        except (OSError, ValueError) as error:  # SSLError is an OSError
            reason = getattr(error, "strerror", None) or error
            if isinstance(error, ssl.SSLError):
                reason = "they are no certificate and key in PEM form that belong together"
            raise ConfigError(
                f"the certificate {settings.cert} and its key cannot be used: {reason}"
            ) from error
    elif not is_loopback(settings.host) and not settings.insecure:
        raise ConfigError(
            f"serve.host = {settings.host}: other machines are served with a certificate only "
            "(--cert, --key), or with --insecure, by which anyone on the way sees the pictures"
        )


def _no_password() -> str:
    """A key with a password would ask for it on the terminal."""
    raise ValueError("the key has a password: give one without")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bound_socket(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        ConfigError: it cannot.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen()
    except OSError as error:
        bound.close()
        raise ConfigError(
            f"the page cannot be served at {host}, port {port}: {error.strerror or error}; choose "
            "another with --port, 0 for any that is free"
        ) from error
    return bound
