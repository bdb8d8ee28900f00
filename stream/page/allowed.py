"""Which addresses may be added from the page: those that `serve.allow` names, part by part."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from urllib.parse import SplitResult, unquote, urlsplit

from stream.sources.camera import camera_index

_PROTOCOLS = ("rtsp", "rtsps", "http", "https")
"""Protocols of addresses that may be added; others may listen, or send to many."""

_PLAYLISTS = (".m3u", ".m3u8", ".mpd", ".pls", ".asx", ".xspf", ".sdp", ".ffconcat", ".smil")
"""Endings of playlists, which lead to other addresses."""

_MOST_CODINGS = 4
"""How often the percent signs of a path are read; servers behind each other may do so in turn."""

_MOST_LETTERS = 2000
"""Longest address."""


def refusal(address: object, allow: Iterable[str]) -> str:
    """Why an address may not be added; empty where it may.

    Args:
        address: what was sent: a camera's number, or an address.
        allow: the patterns.
    """
    if isinstance(address, int) and not isinstance(address, bool):
        return "" if address >= 0 else "a camera's number is 0 or more"
    if not isinstance(address, str) or not address or len(address) > _MOST_LETTERS:
        return "name a camera's number or an address"
    if address.isascii() and address.isdecimal():
        return "" if camera_index(address) is not None else "there is no such camera"
    parts = _parts(address)
    if parts is None:
        return f"an address begins with {'://, '.join(_PROTOCOLS)}:// and has no odd characters"
    if parts.path.lower().endswith(_PLAYLISTS):
        return "a playlist leads to other addresses: name the address of the video itself"
    if not any(_matches(parts, pattern) for pattern in allow):
        return (
            "that address may not be added from the page: start the program with it in serve.allow"
        )
    return ""


def _parts(address: str) -> SplitResult | None:
    """The parts of an address; None where programs might read it in different ways."""
    if not address.isascii() or not address.isprintable() or set(address) & set(" \\\"'<>`{}|^"):
        return None
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return (
        parts if parts.scheme in _PROTOCOLS and parts.hostname and "@" not in parts.path else None
    )


def _is_host(host: str, pattern: str) -> bool:
    """Whether a host has as many parts as a pattern, and each matches: `10.0.0.*` is no name that
    begins like that.
    """
    parts, wanted = host.split("."), pattern.split(".")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def _climbs(path: str) -> bool:
    """Whether a server may read a path as one that leads upwards, however it is encoded."""
    for _ in range(_MOST_CODINGS):
        if ".." in path or "\\" in path:
            return True
        path = unquote(path)
    return "%" in path


def _matches(parts: SplitResult, pattern: str) -> bool:
    """Whether protocol, host, port and the beginning of the path are those of a pattern."""
    try:
        wanted = urlsplit(pattern)
        port = wanted.port
    except ValueError:
        return False
    is_path = fnmatchcase(parts.path, wanted.path + ("" if wanted.path.endswith("*") else "*"))
    return (
        parts.scheme == wanted.scheme
        and _is_host(parts.hostname or "", wanted.hostname or "")
        and port in (None, parts.port)
        and (wanted.path in ("", "/") or (is_path and not _climbs(parts.path)))
    )
