"""A simulated camera: a clip played over and over, each frame at the time it is due."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

from models.faces import Image
from stream.errors import SourceError
from stream.frames import Frame, SourceInfo
from stream.sources.decoding import Decoder
from stream.sources.media import open_container


class SimulatedCamera:
    """Plays a clip over and over, each frame at the time it is due.

    As with a camera, a frame that cannot be read by the time the next is due is lost.

    Args:
        path: a video.
        fps: frames a second.

    Raises:
        SourceError: the file is not a video.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self._path = path
        self._container = open_container(path)
        try:
            self._decoder = Decoder(self._container, path.name)
            first = next(self._pictures(), None)
            if first is None:
                raise SourceError(f"{path.name} holds not one frame that can be read")
        except BaseException:
            self._container.close()
            raise
        self._info = SourceInfo(str(path), "camera", (first.shape[1], first.shape[0]), fps)
        self._fps = fps
        self._interrupted = threading.Event()

    def __repr__(self) -> str:
        return f"SimulatedCamera({self._path.name}, {self._fps:g} fps)"

    @property
    def info(self) -> SourceInfo:
        """A camera."""
        return self._info

    def frames(self) -> Iterator[Frame]:
        """The frames, without end."""
        start_s = time.monotonic()
        for index, image in enumerate(self._pictures()):
            due_s = start_s + index / self._fps
            if self._interrupted.wait(max(due_s - time.monotonic(), 0)):
                return
            if time.monotonic() - due_s < 1 / self._fps:
                yield Frame(image, index, index / self._fps, due_s)

    def interrupt(self) -> None:
        """Ends the wait for the next frame."""
        self._interrupted.set()

    def close(self) -> None:
        """Closes the clip."""
        self._container.close()

    def _pictures(self) -> Iterator[Image]:
        """The pictures of the clip, again and again.

        The clip is rewound, not opened again: each new decoder would leave some memory behind,
        which no camera does.
        """
        shown = True
        while shown:
            self._container.seek(0)
            shown = False
            for frame in self._decoder.frames():
                yield self._decoder.picture(frame)
                shown = True
