"""What every request passes: Host and Origin are checked, then the token; answers get headers."""

import asyncio
import ipaddress
import json
import socket
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stream.page.door import COOKIE, Door

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
"""Headers of every answer: nothing of others is loaded, nothing is embedded, guessed or kept."""

_JSON = "application/json"
"""The media type of every refusal."""

_KEPT = (b"content-range", b"allow")
"""Headers of a refusal that stay where its body is replaced."""

_REASONS = {
    400: "the header Range is no range of bytes: write bytes=FIRST-LAST",
    404: "there is no such address: /api lists those there are",
    405: "the address takes no such request: the header Allow lists those that it takes",
    416: "the file has no such bytes: Content-Range says how many it has",
    500: "that went wrong: the program says why where it was started",
}
"""What refusals say that the application leaves to Starlette, by status."""

_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
"""Names of this machine for itself."""

_MOST_PATH = 1000
"""Longest path of a request, letters; none of the page's own comes near it."""

_MOST_HEAD_BYTES = 16_384
"""Largest request but for its body, bytes."""

_FREE = "/healthz"
"""The only path that needs no token."""


class Guard:
    """Lets through what comes from the page itself or brings a token.

    1. A request whose head is too long (414, 431) or can be read in two ways (400) is refused.
    2. A request for another host is refused (400): another site's name may lead here.
    3. One that another site's page makes is refused (403), a WebSocket too.
    4. One without a right token is refused (401); wrong ones wait before that.
    5. `/?token=…` with a right one sets a cookie and leads to `/`.

    What the token allows stands in the scope's state as `rights`.

    Args:
        app: gets what is let through.
        door: knows the tokens.
        names: hosts that requests may be for, beside addresses in numbers.
        port: of the server; cookies do not tell ports apart, so its name has it.
        is_secure: whether the page is served by https.
    """

    def __init__(
        self, app: ASGIApp, door: Door, names: Iterable[str], port: int, *, is_secure: bool
    ) -> None:
        self._app = app
        self._door = door
        self._names = {name.lower() for name in names}
        self._cookie = f"{COOKIE}_{port}"
        self._is_secure = is_secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or hands it on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        answer = _Answer(scope, receive, send)
        if too_long := _too_long(scope):
            await answer.refuse(*too_long)
            return
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            text = value.decode("latin-1")
            known = headers.get(name.decode("latin-1"))
            if known is not None and name in (b"host", b"origin", b"authorization"):
                await answer.refuse(400, f"the header {name.decode()} stands there twice")
                return
            headers[name.decode("latin-1")] = text if known is None else f"{known}; {text}"
        if {"content-length", "transfer-encoding"} <= headers.keys():
            await answer.refuse(400, "the length of the body is given in two ways: give one")
            return
        if not self._is_host(headers.get("host", "")):
            await answer.refuse(
                400, "this page is not served under that name: set serve.names if it should be"
            )
            return
        if not self._is_own_page(headers):
            await answer.refuse(403, "another site's page may not ask this one for anything")
            return
        if scope["path"] == _FREE:
            await self._app(scope, receive, answer.send)
            return
        await self._check_token(scope, receive, answer, headers)

    async def _check_token(
        self, scope: Scope, receive: Receive, answer: "_Answer", headers: dict[str, str]
    ) -> None:
        by_address = _query_token(scope)
        token = by_address or self._token(headers)
        rights = self._door.rights(token) if token else None
        if rights is None:
            if token:
                await asyncio.sleep(self._door.delay_s((scope.get("client") or ("", 0))[0]))
            await answer.refuse(
                401, "a token is needed: open the address that the program printed when it started"
            )
        elif by_address:
            secure = "; Secure" if self._is_secure else ""
            cookie = f"{self._cookie}={by_address}; Path=/; HttpOnly; SameSite=Strict{secure}"
            await answer.respond(303, b"", {"Location": "/", "Set-Cookie": cookie})
        else:
            scope.setdefault("state", {})["rights"] = rights
            await self._app(scope, receive, answer.send)

    def _is_host(self, host: str) -> bool:
        """Whether a request is for this server: a name of its own, or an address in numbers, which
        no other site's name can stand for.
        """
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if not host or "@" in host or "/" in host or "\\" in host:
            return False
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def _is_own_page(self, headers: dict[str, str]) -> bool:
        """Whether a request is made by this page, by a program, or by a user who opens the page."""
        origin = headers.get("origin")
        if origin is not None:
            scheme = "https" if self._is_secure else "http"
            return origin.lower() == f"{scheme}://{headers['host'].lower()}"
        is_opened = headers.get("sec-fetch-mode") == "navigate"
        return is_opened or headers.get("sec-fetch-site") not in ("cross-site", "same-site")

    def _token(self, headers: dict[str, str]) -> str:
        """The token of a request; empty where it brings none."""
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return bearer.strip()
        # Not by `SimpleCookie`, which drops all cookies for one of another program that it cannot
        # read: cookies are of a host, whatever the port.
        named = (each.partition("=") for each in headers.get("cookie", "").split(";"))
        return next((value.strip() for name, _, value in named if name.strip() == self._cookie), "")


def served_names(host: str, further: Iterable[str]) -> list[str]:
    """The names by which a server may be reached that listens at a host."""
    own = [socket.gethostname(), socket.getfqdn()] if host in ("0.0.0.0", "::") else [host]
    return [*_LOCAL_NAMES, *own, *further]


class _Answer:
    """Sends the answer to a request, with the headers of every answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._is_begun = False
        self._is_replaced = False

    async def send(self, message: Message) -> None:
        """Sends what the application answers; a refusal that is no JSON is replaced by some.

        Such are those of Starlette: of a range of a file, of an unknown address of a WebSocket.
        """
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            known = dict(message.get("headers", []))
            if message["status"] >= 400 and known.get(b"content-type") != _JSON.encode():
                self._is_replaced = True
                kept = {key.decode(): known[key].decode() for key in _KEPT if key in known}
                await self.refuse(message["status"], _reason(message["status"]), kept)
                return
            message = {**message, "headers": [*known.items(), *_raw(HEADERS, set(known))]}
        elif message["type"] == "websocket.close" and not self._is_begun:
            await self.refuse(404, _reason(404))
            return
        self._is_begun = True
        if not self._is_replaced:
            await self._send(message)

    async def refuse(
        self, status: int, reason: str, headers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Answers with an error."""
        body = json.dumps({"error": reason}).encode()
        await self.respond(status, body, {"Content-Type": _JSON, **headers})

    async def respond(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Answers; a WebSocket is not opened then."""
        kind = "http.response"
        if self._scope["type"] == "websocket":
            await self._receive()
            kind = "websocket.http.response"
        all_headers = _raw({**HEADERS, **headers, "Content-Length": str(len(body))}, set())
        await self._send({"type": f"{kind}.start", "status": status, "headers": all_headers})
        await self._send({"type": f"{kind}.body", "body": body})


def _raw(headers: dict[str, str], known: set[bytes]) -> list[tuple[bytes, bytes]]:
    raw = ((name.lower().encode(), value.encode("latin-1")) for name, value in headers.items())
    return [(name, value) for name, value in raw if name not in known]


def _reason(status: int) -> str:
    """What a refusal of Starlette says."""
    return _REASONS.get(status, HTTPStatus(status).phrase)


def _query_token(scope: Scope) -> str:
    """The token in the address of the page itself; empty where there is none."""
    if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
        return ""
    query: dict[str, Any] = parse_qs(scope["query_string"].decode("latin-1"))
    return str(query.get("token", [""])[0])


def _too_long(scope: Scope) -> tuple[int, str] | None:
    """Status and reason where the head of a request is too long."""
    if len(scope["path"]) > _MOST_PATH:
        return 414, f"the path is longer than {_MOST_PATH} letters"
    size = len(scope["query_string"]) + sum(len(n) + len(value) for n, value in scope["headers"])
    if size > _MOST_HEAD_BYTES:
        return 431, f"the request is larger than {_MOST_HEAD_BYTES} bytes without its body"
    return None
