"""One connection to the page: its requests come in time, and refusals have one form."""

import asyncio
import json
import socket
from typing import Any

import h11
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from stream.page.guard import HEADERS

_REQUEST_S = 10.0
"""Time within which a request must have come but for its body, s; less cuts slow networks off."""

_SEND_BYTES = 131_072
"""What the system holds of an answer that is not taken yet, bytes; more lets a slow viewer see
older pictures, less slows downloads over long ways."""

_NO_ROOM = "there are too many connections at the moment: try again in a moment"
"""What a request is told for which there is no room."""


class LimitedProtocol(H11Protocol):
    """A connection whose requests must come in time; answers find its transport in their scope.

    1. A body that still comes when its request is answered has that time to end, too.
    2. What is no request (400), or comes while there are too many connections (503), is refused in
       the same form as everything else. Uvicorn's own refusals are plain text, and WebSockets have
       no limit there.
    """

    def connection_made(self, transport: Any) -> None:
        """Begins to wait for the first request."""
        super().connection_made(transport)
        self._most, self.limit_concurrency = self.limit_concurrency, None
        self._served_app = self.app
        connected = transport.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BYTES)
        self.app_state = {**self.app_state, "transport": transport}
        self._timer: asyncio.TimerHandle | None = None
        self._begin_to_wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits no longer."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes a piece of a request."""
        self.app = self._served_app if self._has_room else _refuse_one_more
        super().data_received(data)
        if self._is_due:
            self._begin_to_wait()
        else:
            self._stop_waiting()

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no request."""
        self._refuse(400, "that is no request of HTTP/1.1: ask again")

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Opens a WebSocket where there is room for one more connection."""
        if self._has_room:
            super().handle_websocket_upgrade(event)
        else:
            self._refuse(503, _NO_ROOM)

    def _refuse(self, status: int, reason: str) -> None:
        headers, body = _refusal(reason)
        response = h11.Response(status_code=status, headers=headers)
        for event in (response, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event))
        self.transport.close()

    @property
    def _has_room(self) -> bool:
        """Whether there are no more connections and answers under way than there may be."""
        under_way = max(len(self.connections), len(self.tasks))
        return self._most is None or under_way < self._most

    @property
    def _is_due(self) -> bool:
        """Whether a request is yet to come, or what is left of one that is answered already."""
        theirs, ours = self.conn.their_state, self.conn.our_state
        return theirs is h11.IDLE or (theirs is h11.SEND_BODY and ours is h11.DONE)

    def _begin_to_wait(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(_REQUEST_S, self._give_up)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if self._is_due:
            self.transport.abort()


async def _refuse_one_more(_: Scope, __: Receive, send: Send) -> None:
    """Answers where there are too many connections."""
    headers, body = _refusal(_NO_ROOM)
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _refusal(reason: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and body of a refusal after which the connection is closed."""
    headers = {**HEADERS, "Content-Type": "application/json", "Connection": "close"}
    body = json.dumps({"error": reason}).encode()
    headers["Content-Length"] = str(len(body))
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()], body
