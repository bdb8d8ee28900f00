"""Events posted to a web service, each as one request, signed where a secret is given."""

import base64
import hashlib
import hmac
import http.client
import socket
import ssl
import threading
import uuid
from contextlib import suppress
from http import HTTPStatus

from stream.sinks.data.events import Event
from stream.sinks.data.json_log import json_line
from stream.sinks.publishing.event_sender import AwayError, RefusedError
from stream.sinks.publishing.services import ServiceAddress

SIGNATURE_HEADER = "X-Face-Stream-Signature-256"
"""Header with `sha256=` and the HMAC-SHA256 of the body in hexadecimal."""

DELIVERY_HEADER = "X-Face-Stream-Delivery"
"""Header with a name of the event that no other has, the same in each try."""

_USER_AGENT = "face-stream"
"""What the program calls itself."""

_MOST_TRIES = 6
"""Tries of an event that the service answers with an error of its own; more keep those that follow
waiting for longer, a minute with these."""

_WORTH_A_TRY = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
"""Answers under 500 after which the same request may be taken later."""

_MOST_ANSWER_BYTES = 1 << 16
"""How much of an answer is read, bytes; a longer one costs its connection."""


class Webhook:
    """Posts events to one address. Certificates are verified, and no redirect is followed.

    Args:
        address: where to.
        secret: signs each body; empty for no signature.
        timeout_s: for how long the service may not answer, s.
        context: verifies certificates; those that the system trusts by default.
    """

    def __init__(
        self,
        address: ServiceAddress,
        secret: str,
        timeout_s: float,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._address, self._secret, self._timeout_s = address, secret.encode(), timeout_s
        self._context = context
        self._connection: http.client.HTTPConnection | None = None
        # Of its own, for a connection forgets it while the last answer is read.
        self._socket: socket.socket | None = None
        self._run = uuid.uuid4().hex
        self._count = 0
        self._tries = 0
        self._is_late = threading.Event()

    def __repr__(self) -> str:
        return f"Webhook({self._address})"

    def send(self, event: Event) -> None:
        """Posts an event.

        1. 2xx: it is taken.
        2. 5xx, 408, 425, 429: it is tried again, `_MOST_TRIES` times in all.
        3. Any other answer, a redirect too: it is refused.

        Raises:
            AwayError: there is no answer, or one that it is worth to try again after.
            RefusedError: the service does not take it.
        """
        body = json_line(event).strip().encode()
        status = self._answer_to(body)
        if 200 <= status < 300:
            self._next()
            return
        self._tries += 1
        reason = f"answers {status}{_meaning(status)}"
        if status >= 500 or status in _WORTH_A_TRY:
            if self._tries < _MOST_TRIES:
                raise AwayError(reason)
            reason += f" {self._tries} times to one event"
        self._next()
        if 300 <= status < 400:
            reason += ": redirects are not followed, name the address itself"
        raise RefusedError(reason)

    def look_after(self, faces: int) -> None:
        """There is nothing to do between events."""

    def interrupt(self) -> None:
        """Ends the wait for an answer; called by another thread."""
        if (connected := self._socket) is not None:
            with suppress(OSError):
                socket.socket.shutdown(connected, socket.SHUT_RDWR)

    def close(self) -> None:
        """Closes the connection."""
        connection, self._connection, self._socket = self._connection, None, None
        if connection is not None:
            connection.close()

    def _next(self) -> None:
        self._count, self._tries = self._count + 1, 0

    def _answer_to(self, body: bytes) -> int:
        """The status of the answer to a request.

        Raises:
            AwayError: there is none.
        """
        self._is_late.clear()
        limit = threading.Timer(self._timeout_s, self._cut)
        limit.start()
        try:
            return self._exchange(body)
        except ssl.SSLCertVerificationError as error:
            reason = f"its certificate is not valid: {error.verify_message}"
        except OSError as error:
            reason = error.strerror or type(error).__name__
            if isinstance(error, TimeoutError) or self._is_late.is_set():
                reason = f"gives no whole answer within {self._timeout_s:g} s"
        except http.client.HTTPException as error:
            reason = f"answers with what is no HTTP ({type(error).__name__})"
            if self._is_late.is_set():
                reason = f"gives no whole answer within {self._timeout_s:g} s"
        finally:
            limit.cancel()
            limit.join()
        self.close()
        raise AwayError(reason)

    def _cut(self) -> None:
        """The answer has not come in time as a whole; each of its bytes may have."""
        self._is_late.set()
        self.interrupt()

    def _exchange(self, body: bytes) -> int:
        """Posts a body, over a connection that is kept, if the service keeps it."""
        is_kept = self._connection is not None
        if self._connection is None:
            self._connection = self._connected()
        try:
            self._connection.request("POST", self._address.path, body, self._headers(body))
            self._socket = self._connection.sock
            self._check_time()  # there was nothing to cut before
            answer = self._connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self.close()
            # One that is kept may have been closed meanwhile, as services do after some time.
            if not is_kept or self._is_late.is_set():
                raise
            return self._exchange(body)
        answer.read(_MOST_ANSWER_BYTES)
        self._check_time()  # what was cut off reads as if it had ended
        if not answer.isclosed():
            self.close()
        return answer.status

    def _check_time(self) -> None:
        """Raises TimeoutError where the time for an answer is over."""
        if self._is_late.is_set():
            raise TimeoutError

    def _connected(self) -> http.client.HTTPConnection:
        host, port = self._address.host, self._address.port
        if self._address.is_encrypted:
            context = self._context or ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=self._timeout_s, context=context)
        return http.client.HTTPConnection(host, port, timeout=self._timeout_s)

    def _headers(self, body: bytes) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": _USER_AGENT,
            DELIVERY_HEADER: f"{self._run}-{self._count}",
        }
        if self._address.user or self._address.password:
            credentials = f"{self._address.user}:{self._address.password}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(credentials).decode()}"
        if self._secret:
            headers[SIGNATURE_HEADER] = f"sha256={signature(self._secret, body)}"
        return headers


def signature(secret: bytes, body: bytes) -> str:
    """The HMAC-SHA256 of a body, in hexadecimal."""
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def _meaning(status: int) -> str:
    """What a status means, in parentheses; empty where that is not known."""
    try:
        return f" ({HTTPStatus(status).phrase})"
    except ValueError:
        return ""
