"""Where annotated video is sent on to, as the user names it: addresses, HLS, standard output."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from stream.addresses import is_url, shown_address
from stream.errors import ConfigError
from stream.named_address import resolved
from stream.settings.publish_section import PublishSection
from stream.sinks.data.line_stream import is_standard_output
from stream.sinks.video.codecs import CONTAINERS, STREAMED, ContainerFormat

StreamKind: TypeAlias = Literal["rtmp", "rtsp", "srt", "udp", "hls", "pipe"]
"""How video is sent on."""

_STREAM_PROTOCOLS: dict[str, StreamKind] = {
    "rtmp": "rtmp",
    "rtmps": "rtmp",
    "rtsp": "rtsp",
    "rtsps": "rtsp",
    "srt": "srt",
    "udp": "udp",
}
"""The protocols that video is sent in, each with its kind."""

_DEFAULT_PORTS = {"rtmp": 1935, "rtmps": 443, "rtsp": 554, "rtsps": 322}
"""Ports that need not stand in an address."""

PLAYLIST = ".m3u8"
"""How the name of a playlist of HLS ends."""


@dataclass(frozen=True, slots=True)
class VideoDestination:
    """Where annotated video is sent on to.

    Attributes:
        kind: how it is sent.
        uri: an address, which may hold a secret; a path; or `-`.
        shown: its name for people, without secrets.
    """

    kind: StreamKind
    uri: str
    shown: str

    def __repr__(self) -> str:
        return f"VideoDestination({self.shown})"

    def __str__(self) -> str:
        return self.shown

    @property
    def protocol(self) -> str:
        """That of its address; empty where it has none."""
        return self.uri.partition("://")[0].lower() if is_url(self.uri) else ""

    @property
    def format(self) -> str:
        """What carries the video there, for messages."""
        return {"hls": "HLS", "pipe": "what goes to standard output"}.get(self.kind, self.protocol)

    @property
    def path(self) -> Path | None:
        """The playlist of HLS; None of others."""
        return Path(self.uri) if self.kind == "hls" else None


def split_saved(names: Iterable[str]) -> tuple[list[str], tuple[VideoDestination, ...]]:
    """What `--save` names: files and folders as they are, and where video is sent on to.

    Raises:
        ConfigError: an address cannot be sent to, or is named twice.
    """
    files, streams = list[str](), list[VideoDestination]()
    for name in names:
        destination = _video_destination(name)
        if destination is None:
            files.append(name)
        elif destination.uri in (each.uri for each in streams):
            raise ConfigError(f"--save {destination} is named twice: name it once")
        else:
            streams.append(destination)
    return files, tuple(streams)


def saved_file(names: Sequence[str]) -> str | None:
    """The one file or folder that `--save` names beside where video is sent on to.

    Raises:
        ConfigError: there are several.
    """
    if len(names) > 1:
        raise ConfigError(
            f"--save {names[0]} and --save {names[1]}: one file or folder is recorded into; "
            "beside it name addresses, playlists (.m3u8) or -"
        )
    return names[0] if names else None


def _video_destination(text: str) -> VideoDestination | None:
    """What one `--save` names; None for a file or a folder.

    1. `-`, or another name of standard output
    2. an address, or the file or variable in which it stands
    3. a path that ends in `.m3u8`
    4. anything else is a file or a folder
    """
    if is_standard_output(Path(text)):
        return VideoDestination("pipe", "-", "standard output")
    is_named = text.startswith("$") or (
        text.startswith("@") and Path(text).suffix.lower() not in CONTAINERS
    )
    uri = resolved(text, "destination", ConfigError) if is_named else text
    if is_url(uri):
        return _stream(uri)
    if Path(uri).suffix.lower() == PLAYLIST:
        return VideoDestination("hls", uri, uri)
    if uri != text:
        raise ConfigError(f"--save {text}: it should hold an address, such as rtmp://HOST/APP/KEY")
    return None


def _stream(uri: str) -> VideoDestination:
    protocol = uri.partition("://")[0].lower()
    kind = _STREAM_PROTOCOLS.get(protocol)
    if kind is None:
        known = ", ".join(_STREAM_PROTOCOLS)
        raise ConfigError(
            f"--save {protocol}://: video is sent to {known}; or name a file, "
            "a playlist (.m3u8), or - for standard output"
        )
    parts = valid_parts(uri, "--save")
    if parts.port is None and protocol not in _DEFAULT_PORTS:
        raise ConfigError(
            f"--save {shown_address(uri)}: name its port, as in {protocol}://HOST:PORT"
        )
    return VideoDestination(kind, uri, shown_address(uri))


def valid_parts(uri: str, option: str) -> SplitResult:
    """The parts of an address, whose host and port are valid."""
    try:
        parts = urlsplit(uri)
        if parts.port == 0 or not parts.hostname:
            raise ValueError
        parts.hostname.encode("idna")  # as it is done where the name is looked up
    except ValueError:
        raise ConfigError(
            f"{option}: this address has no valid host and port (in a password, "
            "write / as %2F, ? as %3F, # as %23 and @ as %40)"
        ) from None
    return parts


def format_of(destination: VideoDestination, settings: PublishSection) -> ContainerFormat:
    """The container whose rules the encoder follows."""
    match destination.kind:
        case "rtmp" | "rtsp":
            return STREAMED["flv"]  # headers once, at the beginning
        case "pipe":
            return STREAMED[settings.pipe]
        case _:
            return STREAMED["mpegts"]
