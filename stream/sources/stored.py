"""Videos in object stores and whatever else fsspec opens: s3://, gs://, sftp:// and the like.

They are read as they are needed, from wherever in the file, and never copied to a disk.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from av.container import InputContainer
from av.error import FFmpegError

from models.pictures import PICTURE_SUFFIXES, VIDEO_SUFFIXES
from stream.addresses import PROTOCOLS, is_url, masked_words, shown_address
from stream.errors import SourceError
from stream.settings.schema import SourceSection
from stream.sources.media import open_media
from stream.sources.span import WHOLE, Span
from stream.sources.video import VideoSource
from stream.sources.waiting import call_in_thread


def is_stored(uri: str) -> bool:
    """Whether an address is of a protocol that FFmpeg does not read, and fsspec does."""
    protocol = uri.partition("://")[0].lower()
    return is_url(uri) and protocol not in PROTOCOLS and protocol in _known_protocols()


def shown_stored(uri: str) -> str:
    """Such an address as it may be shown: with the whole path, but no user and no password."""
    try:
        parts = urlsplit(uri)
        is_plain = not (parts.query or parts.fragment or "@" in parts.path)
    except ValueError:
        is_plain = False
    if not is_plain:
        return shown_address(uri)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def open_stored(uri: str, settings: SourceSection, span: Span = WHOLE) -> VideoSource:
    """Opens a video by such an address.

    Raises:
        SourceError: it cannot be read, or is a picture.
    """
    name = shown_stored(uri)
    if uri.lower().endswith(tuple(PICTURE_SUFFIXES)):
        raise SourceError(f"{name}: of a store videos are read; copy pictures to a disk first")

    def connect() -> InputContainer:
        file = _StoredFile(name, lambda: _opened(uri))
        try:
            return open_media(file, max_megapixels=settings.max_megapixels)
        except FFmpegError as error:
            raise SourceError(f"{name} is not a video that can be read: {error.strerror}") from None

    return call_in_thread(
        lambda: VideoSource(name, span, settings, container=connect(), reopen=connect)
    )


def stored_videos(uri: str) -> list[str]:
    """The addresses of the videos that an address stands for: itself, a pattern, a folder.

    Raises:
        SourceError: it cannot be looked up.
    """

    def look() -> list[str]:
        from fsspec.core import url_to_fs
        from fsspec.utils import stringify_path

        system, path = url_to_fs(uri)
        if "*" in path or "?" in path or "[" in path:
            found = system.glob(path)
        elif system.isdir(path):
            found = system.find(path)
        else:
            return [uri]
        names = sorted(stringify_path(each) for each in found)
        videos = tuple(VIDEO_SUFFIXES)
        return [system.unstrip_protocol(each) for each in names if each.lower().endswith(videos)]

    return _translated(shown_stored(uri), look)


class _StoredFile:
    """A file as FFmpeg reads it, whose errors are one line each.

    Args:
        name: for people.
        open_file: opens it.
    """

    def __init__(self, name: str, open_file: Callable[[], Any]) -> None:
        self.name = name
        self._file = _translated(name, open_file)

    def read(self, size: int) -> bytes:
        """The next bytes."""
        return bytes(_translated(self.name, lambda: self._file.read(size)))

    def seek(self, offset: int, whence: int = 0) -> int:
        """Goes to a place, counted from the beginning, from here or from the end."""
        return int(_translated(self.name, lambda: self._file.seek(offset, whence)))

    def tell(self) -> int:
        """The place where the next byte is read."""
        return int(self._file.tell())

    def close(self) -> None:
        """Closes it; may be called twice."""
        self._file.close()


def _opened(uri: str) -> Any:
    """A file of a store, open to be read."""
    from fsspec.core import url_to_fs

    system, path = url_to_fs(uri)
    return system.open(path, "rb")


def _known_protocols() -> frozenset[str]:
    """The protocols of fsspec; none where it is not installed."""
    try:
        from fsspec import available_protocols
    except ImportError:
        return frozenset()
    return frozenset(available_protocols())


def _translated(name: str, call: Callable[[], Any]) -> Any:
    """What a call into a file system gives.

    Raises:
        SourceError: it fails; each store has errors of its own.
    """
    try:
        return call()
    except FileNotFoundError:
        reason = "there is no such file"
    except ImportError as error:
        reason = f"a package is missing: {error}"
    except Exception as error:  # noqa: BLE001 - each store has errors of its own
        reason = f"cannot be read: {type(error).__name__} {masked_words(str(error))}".rstrip()
    raise SourceError(f"{name}: {' '.join(reason.split())}")
