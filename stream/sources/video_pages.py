"""Web pages that show a video, which are not the video."""

import shlex
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from stream.addresses import shown_address

_SITES = frozenset(
    {
        *("youtube.com", "youtu.be", "youtube-nocookie.com"),
        *("vimeo.com", "dailymotion.com", "dai.ly", "twitch.tv", "bilibili.com", "rutube.ru"),
        *("facebook.com", "fb.watch", "instagram.com", "tiktok.com", "twitter.com", "x.com"),
    }
)
"""Sites whose addresses are those of pages; other pages are known by what they answer."""

_PREFIXES = ("www.", "m.", "mobile.", "music.")
"""What stands before the name of a site, for one kind of visitor or another."""


def is_video_page(uri: str) -> bool:
    """Whether an address, with or without its protocol, is that of a page of a known site."""
    try:
        parts = urlsplit(uri if "://" in uri else f"https://{uri}")
        host = (parts.hostname or "").lower()
    except ValueError:
        return False
    host = next((host.removeprefix(each) for each in _PREFIXES if host.startswith(each)), host)
    is_file = bool(PurePosixPath(parts.path).suffix)
    return parts.scheme in ("http", "https") and host in _SITES and not is_file


def how_to_read_page(uri: str) -> str:
    """What passes the video of a page on, in words that follow `pass the video on with`."""
    shown = shown_address(uri)
    address = shlex.quote(uri) if shown == uri else "ADDRESS"
    return f"yt-dlp -f b -o - {address} | face-stream run -"
