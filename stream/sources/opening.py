"""The one place that opens sources, and the contract they answer to."""

import glob
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from stream.errors import SourceError
from stream.frames import Frame, SourceInfo
from stream.sources.camera import CameraSource
from stream.sources.pictures import PictureSource, is_picture, natural_order, pictures_in
from stream.sources.video import VideoSource


class Source(Protocol):
    """Something that gives frames, once, to one thread."""

    @property
    def info(self) -> SourceInfo:
        """What is known before the first frame."""

    def frames(self) -> Iterator[Frame]:
        """The frames in order, lazily.

        Raises:
            SourceError: it cannot be read any further.
        """

    def close(self) -> None:
        """Releases the device or file; may be called twice, by the thread that reads."""


def open_source(uri: str) -> Source:
    """Opens what the user named.

    Args:
        uri: the index of a camera, a video file, a picture, a folder or a glob of pictures.

    Raises:
        SourceError: there is no such thing, or it cannot be opened.
    """
    if uri.isdecimal() and not os.path.exists(uri):
        return CameraSource(int(uri))
    path = Path(uri)
    # Unlike Path's, these take any text: too long a name is no name of a file.
    if uri and os.path.isdir(uri):
        return PictureSource(uri, pictures_in(path))
    if os.path.isfile(uri):
        return PictureSource(uri, [path]) if is_picture(path) else VideoSource(path)
    if glob.has_magic(uri):
        found = map(Path, glob.glob(uri, recursive=True))
        return PictureSource(uri, sorted(found, key=natural_order))
    raise SourceError(
        f"{_without_credentials(uri)}: no such file or folder. Give a video, a picture, "
        "a folder of pictures or the number of a camera (0 is the first)"
    )


def _without_credentials(uri: str) -> str:
    return re.sub(r"(?<=://)[^/]*@", "", uri)
