"""Events published to an MQTT broker, and the state of the source, which alone is retained there.

1. `TOPIC/events`: each event, at least once.
2. `TOPIC/state`: that the program is online and how many faces are in sight. It is one message, so
   that the one last will that a connection has clears all that is retained, as a clean end does.
"""

import json
import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from stream.errors import ConfigError
from stream.sinks.data.events import Event
from stream.sinks.data.json_log import json_line
from stream.sinks.publishing.event_sender import AwayError
from stream.sinks.publishing.home_assistant import birth_topic, discovery, discovery_topic
from stream.sinks.publishing.services import ServiceAddress

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessageInfo

_CLOSED = "has closed the connection"
"""What is said where the broker has left."""

_KEEPALIVE_S = 15
"""Longest silence, s; after one and a half of it the broker publishes the last will."""

_AT_LEAST_ONCE = 1
"""Quality of service of all that is published."""

_LOOK_S = 0.05
"""Time between two looks whether a wait is to end, s."""

_CLEAR_S = 0.3
"""How long the clearing of the state may take at a clean end, s."""


class MqttClient:
    """Publishes to one topic of one broker.

    Args:
        address: the broker and the topic.
        source: the name of the source, for people.
        prefix: the discovery prefix of Home Assistant; empty for no discovery.
        timeout_s: for how long the broker may not answer, s.
        context: verifies certificates; those that the system trusts by default.

    Raises:
        ConfigError: the package is not installed.
    """

    def __init__(
        self,
        address: ServiceAddress,
        source: str,
        prefix: str,
        timeout_s: float,
        context: ssl.SSLContext | None = None,
    ) -> None:
        check_package()
        self._address, self._source, self._prefix = address, source, prefix
        self._timeout_s, self._context = timeout_s, context
        self._client: Client | None = None
        self._state: dict[str, Any] = {}
        self._refusal = ""
        self._accepted, self._left = threading.Event(), threading.Event()
        self._answered = threading.Event()
        self._reborn, self._interrupted = threading.Event(), threading.Event()

    def __repr__(self) -> str:
        return f"MqttClient({self._address})"

    def send(self, event: Event) -> None:
        """Publishes an event, and waits until the broker has it.

        Raises:
            AwayError: it does not take it.
        """
        self._connect()
        body = json_line(event).strip()
        self._publish(f"{self._address.path}/events", body, retain=False)

    def look_after(self, faces: int) -> None:
        """Publishes the state if it has changed, and describes the device to a Home Assistant that
        has just started.

        Raises:
            AwayError: the broker is away.
        """
        self._connect()
        if self._reborn.is_set():
            self._reborn.clear()
            self._describe()
        state = {"online": True, "faces": faces}
        if state != self._state:
            self._publish(self._state_topic, json.dumps(state), retain=True)
            self._state = state

    def interrupt(self) -> None:
        """Ends every wait; called by another thread."""
        self._interrupted.set()

    def close(self) -> None:
        """Clears what is retained, and leaves the broker."""
        client, self._client = self._client, None
        if client is None:
            return
        if not self._left.is_set():
            cleared = client.publish(self._state_topic, b"", _AT_LEAST_ONCE, retain=True)
            end_s = time.monotonic() + _CLEAR_S
            while not _is_taken(cleared) and time.monotonic() < end_s:
                if self._left.wait(_LOOK_S):
                    break
            client.disconnect()
        client.loop_stop()

    @property
    def _state_topic(self) -> str:
        return f"{self._address.path}/state"

    def _connect(self) -> None:
        """Connects, unless it is connected.

        Raises:
            AwayError: the broker does not answer, or refuses.
        """
        if self._client is not None:
            if not self._left.is_set():
                return
            self._drop()
            raise AwayError(_CLOSED)
        client = self._new_client()
        try:
            client.connect(self._address.host, self._address.port, _KEEPALIVE_S)
        except ssl.SSLCertVerificationError as error:
            raise AwayError(f"its certificate is not valid: {error.verify_message}") from error
        except TimeoutError as error:
            raise AwayError(f"does not answer within {self._timeout_s:g} s") from error
        except (OSError, ValueError) as error:
            raise AwayError(getattr(error, "strerror", None) or str(error)) from error
        self._client = client
        client.loop_start()
        self._await(self._accepted)
        if self._refusal:
            reason = self._refusal
            self._drop()
            raise AwayError(f"refuses the connection: {reason}")
        if self._prefix:
            client.subscribe(birth_topic(self._prefix))
            self._describe()

    def _new_client(self) -> "Client":
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        # What waits for an answer of another connection is sent anew by whoever sends it.
        client = Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
        client.connect_timeout = self._timeout_s
        if self._address.user or self._address.password:
            client.username_pw_set(self._address.user, self._address.password or None)
        if self._address.is_encrypted:
            client.tls_set_context(self._context or ssl.create_default_context())
        client.will_set(self._state_topic, b"", _AT_LEAST_ONCE, retain=True)
        self._refusal, self._state = "", {}
        self._accepted, self._left = threading.Event(), threading.Event()
        accepted, left = self._accepted, self._left

        def on_connect(_client: Any, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
            if reason.is_failure:
                self._refusal = str(reason)
            accepted.set()

        def on_disconnect(*_: Any) -> None:
            left.set()
            accepted.set()

        client.on_connect, client.on_disconnect = on_connect, on_disconnect
        client.on_publish = lambda *_: self._answered.set()
        client.on_message = lambda *given: self._hear(given[2].payload)
        return client

    def _hear(self, payload: bytes) -> None:
        """Home Assistant says that it has started; in the thread of the connection."""
        if payload == b"online":
            self._reborn.set()

    def _describe(self) -> None:
        body = json.dumps(discovery(self._address.path, self._source))
        self._publish(discovery_topic(self._prefix, self._address.path), body, retain=False)

    def _publish(self, topic: str, body: str, *, retain: bool) -> None:
        """Publishes a message, and waits until the broker has it.

        Raises:
            AwayError: it does not take it.
        """
        if self._client is None or self._left.is_set():
            self._drop()
            raise AwayError(_CLOSED)
        sent = self._client.publish(topic, body, _AT_LEAST_ONCE, retain)
        end_s = time.monotonic() + self._timeout_s
        while not _is_taken(sent):
            if self._left.is_set() or self._interrupted.is_set() or time.monotonic() > end_s:
                reason = _CLOSED if self._left.is_set() else self._silent
                self._drop()
                raise AwayError(reason)
            self._answered.wait(_LOOK_S)
            self._answered.clear()

    @property
    def _silent(self) -> str:
        return f"does not answer within {self._timeout_s:g} s"

    def _await(self, event: threading.Event) -> None:
        """Waits for an answer of the broker.

        Raises:
            AwayError: there is none.
        """
        end_s = time.monotonic() + self._timeout_s
        while not event.wait(_LOOK_S):
            if self._interrupted.is_set() or time.monotonic() > end_s:
                self._drop()
                raise AwayError(self._silent)

    def _drop(self) -> None:
        """Leaves a connection that is of no use any more, without a word."""
        client, self._client = self._client, None
        if client is not None:
            connection = client.socket()
            if isinstance(connection, socket.socket):
                with suppress(OSError):  # of TLS too without its farewell, for which it would wait
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
            client.loop_stop()


def _is_taken(sent: "MQTTMessageInfo") -> bool:
    """Whether the broker has a message."""
    try:
        return sent.is_published()
    except (RuntimeError, ValueError):  # the connection went before it could be sent
        return False


def check_package() -> None:
    """Checks that the package is there.

    Raises:
        ConfigError: it is not.
    """
    try:
        import paho.mqtt.client  # noqa: F401
    except ImportError:
        raise ConfigError(
            "--mqtt needs the package paho-mqtt: install face-stream with the extra `mqtt`"
        ) from None
