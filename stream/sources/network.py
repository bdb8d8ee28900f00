"""Videos and streams of the network, through FFmpeg's protocols."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from urllib.parse import urlsplit

import av
from av.container import InputContainer

from stream.addresses import PROTOCOLS, shown_address
from stream.errors import AbsentSourceError, ConfigError, SourceError
from stream.settings.schema import SourceSection
from stream.source_history import SourceHistory
from stream.sources.live import StreamSource, is_live
from stream.sources.media import open_media
from stream.sources.reconnection import Reconnection
from stream.sources.span import WHOLE, Span
from stream.sources.video import VideoSource
from stream.sources.video_pages import how_to_read_page
from stream.sources.waiting import call_in_thread

_OPTIONS = {
    # By default five seconds of a stream go by before its first frame.
    "analyzeduration": "2000000",
    # The newest segment of a live playlist: by default playing begins three segments before.
    "live_start_index": "-1",
}
"""FFmpeg's options for every address."""

_KNOWN = {"fpsprobesize": "0"}
"""FFmpeg's options for an address that is opened again: its rate is known, for which FFmpeg would
look at twenty frames first."""

_DIRECT = {
    "max_redirects": "0",
    "format_whitelist": "rtsp,rtp,mpegts,mpeg,mov,matroska,flv,avi,ogg,mpjpeg,mjpeg,h264,hevc",
}
"""FFmpeg's options for an address that may lead nowhere else: no redirect, no kind of playlist."""

_REFUSALS = (
    av.error.HTTPUnauthorizedError,
    av.error.HTTPForbiddenError,
    av.error.InvalidDataError,
)
"""Errors of an address that answers, and would answer the same again. (A wrong password that is
tried again and again locks some cameras.)"""


def open_url(
    url: str,
    settings: SourceSection,
    span: Span = WHOLE,
    history: SourceHistory | None = None,
) -> StreamSource | VideoSource:
    """Opens an address.

    1. What has an end is a video.
    2. Anything else is a live stream, of which no part can be asked for.

    Raises:
        AbsentSourceError: the address does not answer, or gives no pictures yet.
        SourceError: it answers, but not with video, or refuses.
        ConfigError: a part is asked for of a live stream.
    """
    name = _printable_address(url)
    return call_in_thread(lambda: _open(url, name, settings, span, history))


def _open(
    url: str, name: str, settings: SourceSection, span: Span, history: SourceHistory | None
) -> StreamSource | VideoSource:
    """Opens an address as far as its first frame."""
    container = _connect(url, name, settings)
    reopen = partial(_connect, url, name, settings, _KNOWN)
    reconnection = Reconnection(name, settings.lost_limit_s, history)
    if not is_live(container):
        return VideoSource(
            name, span, settings, container=container, reopen=reopen, reconnection=reconnection
        )
    if span != WHOLE:
        container.close()
        raise ConfigError(f"--start and --end are for videos, and {name} is live")
    return StreamSource(name, container, reopen, reconnection, settings)


def _printable_address(url: str) -> str:
    """The address as it may be printed.

    Raises:
        SourceError: its protocol is not read here, or its host or port is missing or malformed.
    """
    protocol = url.partition("://")[0].lower()
    if protocol not in PROTOCOLS:
        known = ", ".join(PROTOCOLS)
        raise SourceError(
            f"{protocol}://: videos are read from files and by {known}; from stores such as s3 "
            "with the extra `cluster`"
        )
    try:
        parts = urlsplit(url)
        if parts.port == 0 or not (parts.hostname or protocol == "udp"):
            raise ValueError
    except ValueError:
        raise SourceError(
            f"this {protocol} address has no valid host and port (in a password, "
            "write / as %2F, ? as %3F, # as %23 and @ as %40)"
        ) from None
    return shown_address(url)


def _connect(
    url: str, name: str, settings: SourceSection, more: Mapping[str, str] = MappingProxyType({})
) -> InputContainer:
    options = {**_OPTIONS, "rtsp_transport": settings.rtsp_transport, **more}
    options |= {} if settings.redirects else _DIRECT
    kind: type[SourceError] = AbsentSourceError
    try:
        return open_media(
            url,
            options=options,
            timeout_s=settings.timeout_s,
            max_megapixels=settings.max_megapixels,
        )
    except (av.error.ExitError, av.error.TimeoutError):
        reason = f"does not answer within {settings.timeout_s:g} s"
    except av.error.ProtocolNotFoundError:
        kind = SourceError
        reason = "cannot be read: this build of FFmpeg does not know its protocol"
    except (av.error.FFmpegError, OSError) as error:
        kind = SourceError if isinstance(error, _REFUSALS) else AbsentSourceError
        reason = f"cannot be read: {error.strerror}"
        if isinstance(error, av.error.InvalidDataError) and url.lower().startswith("http"):
            pipe = how_to_read_page(url)
            reason += f"; if it is a page that shows a video, pass the video on with {pipe}"
    # Not raised from the error, which holds the whole address.
    raise kind(f"{name} {reason}")
