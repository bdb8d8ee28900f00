"""Videos in object stores and whatever else fsspec opens: s3://, gs://, sftp:// and the like.

They are read as they are needed, from wherever in the file, and never copied to a disk.
"""

from collections.abc import Callable
from typing import Any

from av.container import InputContainer
from av.error import FFmpegError

from models.pictures.files import PICTURE_SUFFIXES, VIDEO_SUFFIXES
from stream.errors import SourceError
from stream.settings.schema import SourceSection
from stream.sources.media import open_media
from stream.sources.span import WHOLE, Span
from stream.sources.video import VideoSource
from stream.sources.waiting import call_in_thread
from stream.stores import file_system, shown_stored, translated


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
        system, path = file_system(uri)
        if "*" in path or "?" in path or "[" in path:
            found = system.glob(path)
        elif system.isdir(path):
            found = system.find(path)
        else:
            return [uri]
        names = sorted(map(str, found))
        videos = tuple(VIDEO_SUFFIXES)
        return [system.unstrip_protocol(each) for each in names if each.lower().endswith(videos)]

    return translated(shown_stored(uri), look, SourceError)


class _StoredFile:
    """A file as FFmpeg reads it, whose errors are one line each.

    Args:
        name: for people.
        open_file: opens it.
    """

    def __init__(self, name: str, open_file: Callable[[], Any]) -> None:
        self.name = name
        self._file = translated(name, open_file, SourceError)

    def read(self, size: int) -> bytes:
        """The next bytes."""
        return bytes(translated(self.name, lambda: self._file.read(size), SourceError))

    def seek(self, offset: int, whence: int = 0) -> int:
        """Goes to a place, counted from the beginning, from here or from the end."""
        return int(translated(self.name, lambda: self._file.seek(offset, whence), SourceError))

    def tell(self) -> int:
        """The place where the next byte is read."""
        return int(self._file.tell())

    def close(self) -> None:
        """Closes it; may be called twice."""
        self._file.close()


def _opened(uri: str) -> Any:
    """A file of a store, open to be read."""
    system, path = file_system(uri)
    return system.open(path, "rb")
