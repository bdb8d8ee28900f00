"""Opens media through FFmpeg: the one place that says how, for files, addresses and pipes."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import av
from av.container import InputContainer

from models.pictures.size import MAX_MEGAPIXELS
from stream.errors import SourceError
from stream.sources.pixel_limit import FILE_PROTOCOL, pixel_options

_METADATA_ERRORS = "backslashreplace"
"""What becomes of bytes in tags, titles and names of tracks that are not UTF-8: escapes."""


def open_media(
    media: Any,
    *,
    container_format: str | None = None,
    options: Mapping[str, str] = MappingProxyType({}),
    timeout_s: float | None = None,
    max_megapixels: int = MAX_MEGAPIXELS,
) -> InputContainer:
    """Opens media to be read.

    Args:
        media: an address, with the protocol `file:` for a file, or an object with `read`.
        container_format: FFmpeg's name of the format; None where FFmpeg is to detect it.
        options: FFmpeg's options of format and protocol.
        timeout_s: how long opening or a read may take, s; None for any time.
        max_megapixels: pixels of a frame at most, in millions; no larger one is decoded.

    Raises:
        FFmpegError, OSError, ValueError: it cannot be opened.
    """
    return av.open(
        media,
        "r",
        format=container_format,
        options={**options, **pixel_options(max_megapixels)},
        timeout=timeout_s,
        metadata_errors=_METADATA_ERRORS,
    )


def open_container(path: Path, max_megapixels: int = MAX_MEGAPIXELS) -> InputContainer:
    """Opens a media file.

    Args:
        path: the file.
        max_megapixels: pixels of a frame at most, in millions.

    Raises:
        SourceError: the file is not one.
    """
    try:
        return open_media(f"{FILE_PROTOCOL}{path}", max_megapixels=max_megapixels)
    except (av.error.FFmpegError, OSError) as error:
        raise SourceError(f"{path} is not a video that can be read: {error.strerror}") from error
