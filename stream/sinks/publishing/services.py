"""The services that events are sent to, as the user names them: a broker, a web service."""

from dataclasses import dataclass
from urllib.parse import SplitResult, unquote

from stream.addresses import is_url, shown_address
from stream.errors import ConfigError
from stream.named_address import resolved
from stream.sinks.publishing.destinations import valid_parts

_WILDCARDS = "+#\0"
"""What no topic may hold that is published to (MQTT 5.0, 4.7.1)."""

_MQTT_PORTS = {"mqtt": 1883, "mqtts": 8883}
"""The protocols of brokers, each with the port that it has unless another is named."""


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """A broker or a web service that events are sent to.

    Attributes:
        protocol: `mqtt`, `mqtts`, `http` or `https`.
        host: its name or number.
        port: at that host.
        user: empty for none.
        password: likewise.
        path: of a broker the topic, of a web service path and query as they are sent.
        shown: its name for people, without secrets.
    """

    protocol: str
    host: str
    port: int
    user: str
    password: str
    path: str
    shown: str

    def __repr__(self) -> str:
        return f"ServiceAddress({self.shown})"

    def __str__(self) -> str:
        return self.shown

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection is one of TLS."""
        return self.protocol in ("mqtts", "https")


def broker(text: str) -> ServiceAddress:
    """The broker and the topic that `--mqtt` names.

    Raises:
        ConfigError: it is no such address.
    """
    form = "mqtt://HOST/TOPIC or mqtts://USER:PASSWORD@HOST:PORT/TOPIC"
    uri, parts = _service(text, "--mqtt", _MQTT_PORTS, form)
    topic = unquote(parts.path.strip("/"))
    if not topic or any(sign in topic for sign in _WILDCARDS) or topic.startswith("$"):
        raise ConfigError(
            f"--mqtt {shown_address(uri)}: name a topic without + and #, as in {form}"
        )
    return _address(uri, parts, _MQTT_PORTS, topic)


def web_service(text: str) -> ServiceAddress:
    """The web service that `--webhook` names.

    Raises:
        ConfigError: it is no such address.
    """
    ports = {"http": 80, "https": 443}
    uri, parts = _service(text, "--webhook", ports, "https://HOST/PATH")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii() or any(sign.isspace() for sign in path):
        raise ConfigError(
            f"--webhook {shown_address(uri)}: write what is not ASCII, and spaces, as %20"
        )
    return _address(uri, parts, ports, path)


def _service(text: str, option: str, ports: dict[str, int], form: str) -> tuple[str, SplitResult]:
    """The address that an option names, and its parts."""
    uri = resolved(text, "destination", ConfigError)
    if uri.partition("://")[0].lower() not in ports or not is_url(uri):
        raise ConfigError(f"{option} {shown_address(uri)}: it takes an address as {form}")
    return uri, valid_parts(uri, option)


def _address(uri: str, parts: SplitResult, ports: dict[str, int], path: str) -> ServiceAddress:
    protocol = parts.scheme.lower()
    return ServiceAddress(
        protocol,
        parts.hostname or "",
        parts.port or ports[protocol],
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        path,
        shown_address(uri),
    )
