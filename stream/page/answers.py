"""How routes answer: JSON, errors in one line, and what goes on for as long as one watches."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import wraps
from typing import Any, TypeAlias

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

STALLED_S = 10.0
"""Time after which a connection that takes nothing is closed, s; less closes slow networks."""

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
"""Answers a request."""


class RefusedError(Exception):
    """A request cannot be granted; its text is one line that says what is wrong and what to do.

    Args:
        status: of HTTP.
        reason: the line.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def as_json(value: Any, status: int = 200) -> Response:
    """An answer in JSON."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Response(body, status, media_type="application/json")


def refused(_: Request, error: Exception) -> Response:
    """The answer to a request that cannot be granted."""
    status = getattr(error, "status", 500)
    return as_json({"error": str(error)}, status)


def gone(*_: object) -> Response:
    """The answer to a request whose sender has left: nothing gets it."""
    return Response(status_code=400)


def not_there(*_: object) -> Response:
    """The answer to a request for what there is not."""
    return as_json({"error": "there is no such address: /api lists those there are"}, 404)


def not_allowed(*_: object) -> Response:
    """The answer to a request by a method that its address does not take."""
    return as_json({"error": "that cannot be done with this address: see /api"}, 405)


def may_control(connection: HTTPConnection) -> bool:
    """Whether the token of a request allows everything."""
    return bool(connection.scope["state"]["rights"] == "control")


def controlling(handler: Handler) -> Handler:
    """A handler for those alone whose token allows everything."""

    @wraps(handler)
    async def checked(request: Request) -> Response:
        if not may_control(request):
            raise RefusedError(403, "this token only watches: open the page by the other address")
        return await handler(request)

    return checked


async def body_of(request: Request, most_bytes: int, limit_s: float) -> bytes:
    """The body of a request.

    Args:
        request: the request.
        most_bytes: its largest size.
        limit_s: within which it must have come, s.

    Raises:
        RefusedError: it is larger or slower.
    """
    parts = [part async for part in body_parts(request, most_bytes, limit_s)]
    return b"".join(parts)


async def body_parts(request: Request, most_bytes: int, limit_s: float) -> AsyncIterator[bytes]:
    """The body of a request in pieces, so that a large one is not held in memory; see `body_of`."""
    too_large = RefusedError(
        413, f"that is larger than {most_bytes / 1e6:g} MB, the most it may be"
    )
    stated = request.headers.get("content-length", "0")
    if not stated.isdecimal() or int(stated) > most_bytes:
        raise too_large
    size = 0
    try:
        async with asyncio.timeout(limit_s):
            async for part in request.stream():
                size += len(part)
                if size > most_bytes:
                    raise too_large
                yield part
    except TimeoutError:
        raise RefusedError(408, f"nothing more came for {limit_s:g} s: send it again") from None


async def json_of(request: Request) -> dict[str, Any]:
    """The body of a request as a JSON object.

    Raises:
        RefusedError: it is none.
    """
    try:
        value = json.loads(await body_of(request, _MOST_JSON_BYTES, _JSON_S))
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # can be answered, too
    except (ValueError, RecursionError):
        raise RefusedError(400, "the body is no JSON: send an object") from None
    if not isinstance(value, dict):
        raise RefusedError(400, "the body is no JSON object")
    return value


_MOST_JSON_BYTES = 65_536
"""Largest body of JSON, bytes."""

_JSON_S = 10.0
"""Time within which a body of JSON must have come, s."""


class EndlessResponse(Response):
    """An answer that goes on until its parts end, or who gets it leaves or takes nothing any more.

    Args:
        parts: what is sent.
        media_type: of all of it.
    """

    def __init__(self, parts: AsyncIterator[bytes], media_type: str) -> None:
        super().__init__(media_type=media_type)
        del self.headers["content-length"]
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the parts."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        sending = asyncio.ensure_future(self._send_parts(scope, send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            sending.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            await self._parts.aclose()  # type: ignore[attr-defined]
        await send({"type": "http.response.body", "body": b""})

    async def _send_parts(self, scope: Scope, send: Send) -> None:
        async for part in self._parts:
            message = {"type": "http.response.body", "body": part, "more_body": True}
            await in_time(scope, send(message))


async def in_time(scope: Scope, sending: Awaitable[None]) -> None:
    """Waits until something is sent; a connection that takes nothing is cut off."""
    try:
        async with asyncio.timeout(STALLED_S):
            await sending
    except TimeoutError:
        transport = scope["state"].get("transport")
        if transport is not None:
            transport.abort()
        raise


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
