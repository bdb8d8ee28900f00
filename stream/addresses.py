"""Addresses as they may be shown: without user, password, or whatever else could be a secret.

What is shown is chosen, not what is hidden: cameras have secrets in parts of any name. Shown are
the protocol, host and port, the folders of the path, and parameters that are known to be harmless.
"""

import difflib
import re

PROTOCOLS = ("rtsp", "rtsps", "http", "https", "rtmp", "rtmps", "udp", "srt")
"""Protocols that are read; whether FFmpeg was built with one is known only when it is used."""

SECRET_PLACE = "write it into a file or an environment variable, and here @FILE or $VARIABLE"
"""Where what no setting may hold belongs."""

_HIDDEN = "…"
"""What stands in the place of a secret."""

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
"""How an address begins."""

_MISTYPED = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,9})([:;]/{0,3}|/{2,3})")
"""How an address begins, mistyped or not: what may be a protocol, and what follows it."""

_HOST_AND_QUERY = re.compile(r"[\w-]+(?:\.[\w-]+)+(?::\d+)?/\S*[?#]")
"""An address without its protocol that has parameters."""

_HOST = re.compile(r"(?:[\w.-]*|\[[0-9A-Fa-f:.%]*\])(?::\d{0,5})?")
"""A host, and its port."""

_SHOWN_NAMES = frozenset(
    {
        *("cam", "camera", "ch", "chan", "channel", "channelid", "channelno", "codec", "device"),
        *("encoding", "format", "fps", "framerate", "h", "height", "id", "lang", "mode", "profile"),
        *("proto", "protocol", "quality", "res", "resolution", "size", "stream", "streamtype"),
        *("subtype", "transport", "transportmode", "type", "unicast", "v", "videocodec", "w"),
        *("width",),
    }
)
"""Names of parameters whose values are shown."""

_SHOWN_VALUE = re.compile(r"[\w.-]{0,12}")
"""A value that is shown, if its name is."""

_SECRET_NAMES = frozenset(
    {
        *("access", "access_token", "account", "api_key", "apikey", "auth", "authorization"),
        *("credential", "expires", "hash", "jwt", "key", "login", "loginpas", "loginuse", "p"),
        *("pass", "passphrase", "passwd", "password", "pin", "psk", "pw", "pwd", "secret"),
        *("session", "sessionid", "sid", "sig", "signature", "streamid", "token", "user"),
        *("userid", "username", "usr"),
    }
)
"""Names of parameters that are shown without their values; an unknown one could be the end of a
password, and is hidden too. What follows a folder of such a name is hidden as well."""

_SHOWN_WORDS = frozenset({"", "inst=1", "live", "main", "mjpg", "real_stream", "stream", "sub"})
"""Parameters without a value that are shown."""

_RANDOM = re.compile(r"(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{16,}")
"""A part of a path that looks drawn at random, as keys of streams do."""

_STREAM_KEY = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w-]{12,}")
"""The last part of an RTMP address, where it may be the key of a stream."""


def is_url(text: str) -> bool:
    """Whether a text begins with a protocol, as an address does."""
    return _URL.match(text) is not None


def may_be_address(text: str) -> bool:
    """Whether a text that names no file may be meant as an address, such as `rtsp:/u:pw@host`."""
    if any(sign in text for sign in "@=") or _HOST_AND_QUERY.match(text):
        return True
    return is_url(text) or bool(_protocol(text))


def shown_address(text: str) -> str:
    """An address, mistyped or not, as it may be shown."""
    start = _protocol(text)
    rest = text[len(start) :]
    cut = _credentials_end(rest)
    is_odd = cut > 0 and (not start or any(sign in rest[:cut] for sign in "/?#"))
    if is_odd and "=" in rest[:cut]:  # the @ may stand in the value of a parameter
        return f"{start}{_HIDDEN}"
    rest = rest[cut:]
    host = re.match(r"[^/?#]*", rest)
    place = host[0] if host is not None else ""
    shown = place if _HOST.fullmatch(place) else _shown_part(place, hidden_before=False)
    tail = rest[len(place) :]
    path, *query = re.split(r"(?=[?#])", tail, maxsplit=1)
    is_rtmp = start.lower().startswith("rtmp")
    path = _shown_path(path, is_rtmp=is_rtmp, hidden=_HIDDEN in shown)
    return f"{start}{_HIDDEN + '@' if is_odd else ''}{shown}{path}{_shown_query(''.join(query))}"


def masked_words(text: str) -> str:
    """A message in which each word that may be an address is shown as one."""
    return re.sub(
        r"[^\s'\"()]+",
        lambda word: shown_address(word[0]) if is_telling(word[0]) else word[0],
        text,
    )


def is_telling(word: str) -> bool:
    """Whether a word may be an address, mistyped or not, beside a setting such as `a.b=c` and the
    name of a file as in `@cameras/door.txt`.
    """
    is_whole = is_url(word) or _HOST_AND_QUERY.match(word) is not None
    return is_whole or "@" in word[1:] or bool(_protocol(word))


def _protocol(text: str) -> str:
    """What a text begins with, if it is a protocol or like one."""
    found = _MISTYPED.match(text)
    if found is None or ("/" not in found[2] and found[1].lower() not in PROTOCOLS):
        return ""
    is_like_one = difflib.get_close_matches(found[1].lower(), PROTOCOLS, n=1)
    return found[0] if is_url(text) or is_like_one else ""


def _credentials_end(rest: str) -> int:
    """Where user and password end; a password may hold any character, and be written as it is.

    1. There is no @: no credentials.
    2. A colon stands before the last @: all up to it may be a password.
    3. Otherwise only a user before the host.
    """
    last = rest.rfind("@")
    if ":" in rest[: max(last, 0)]:
        return last + 1
    authority = re.match(r"[^/?#]*@", rest)
    return authority.end() if authority is not None else 0


def _shown_path(path: str, *, is_rtmp: bool, hidden: bool) -> str:
    """A path; after a parameter that is hidden nothing is shown that could belong to it."""
    parts = path.split("/")
    for index, part in enumerate(parts):
        if "=" in part or (hidden and part):
            parts[index] = _shown_part(part, hidden_before=hidden)
            hidden = hidden or _HIDDEN in parts[index]
        elif is_rtmp and index == len(parts) - 1 and _STREAM_KEY.fullmatch(part):
            parts[index] = _HIDDEN
        elif part and index and parts[index - 1].lower() in _SECRET_NAMES:
            parts[index], hidden = _HIDDEN, True
        else:
            parts[index] = _RANDOM.sub(_HIDDEN, part)
    return "/".join(parts)


def _shown_part(part: str, *, hidden_before: bool) -> str:
    """A part of a path with parameters in it: `user=me_password=pw_channel=1.sdp`."""
    pieces = re.split(r"([&;,_])", part)
    pieces[::2] = [_shown_parameter(each, known_words=False) for each in pieces[::2]]
    if hidden_before and "=" not in part:
        return _HIDDEN
    return re.sub(rf"{_HIDDEN}(?:[&;,_]{_HIDDEN})+", _HIDDEN, "".join(pieces))


def _shown_query(query: str) -> str:
    """A query and a fragment, each with the character that it begins with."""
    pieces = re.split(r"([?#&;])", query)
    pieces[::2] = [_shown_parameter(each, known_words=True) for each in pieces[::2]]
    return "".join(pieces)


def _shown_parameter(parameter: str, *, known_words: bool) -> str:
    name, equals, value = parameter.partition("=")
    if not equals:
        return parameter if parameter == "" or (known_words and name in _SHOWN_WORDS) else _HIDDEN
    if name.lower() in _SHOWN_NAMES and _SHOWN_VALUE.fullmatch(value):
        return parameter
    return f"{name}={_HIDDEN}" if name.lower() in _SECRET_NAMES else _HIDDEN
