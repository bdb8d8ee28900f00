"""A clip as a camera would give it, and who looks at what comes of it."""

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from models.faces import Image
from stream.errors import SourceError
from stream.frames import Frame, SourceInfo
from stream.people import Person
from stream.sinks import AnnotatedFrame
from stream.sources.decoding import Decoder
from stream.sources.video import open_container


class CameraOfClip:
    """Plays a clip over and over, each frame when it is due.

    As with a camera, a frame that cannot be read by the time the next is due is lost.

    Args:
        path: a video.
        fps: frames a second.

    Raises:
        SourceError: it is not a video.
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
        self._leaving = threading.Event()

    def __repr__(self) -> str:
        return f"CameraOfClip({self._path.name}, {self._fps:g} fps)"

    @property
    def info(self) -> SourceInfo:
        """A camera."""
        return self._info

    def frames(self) -> Iterator[Frame]:
        """Without end."""
        start_s = time.monotonic()
        for index, image in enumerate(self._pictures()):
            due_s = start_s + index / self._fps
            if self._leaving.wait(max(due_s - time.monotonic(), 0)):
                return
            if time.monotonic() - due_s < 1 / self._fps:
                yield Frame(image, index, index / self._fps, due_s)

    def interrupt(self) -> None:
        """Ends the wait for the next frame."""
        self._leaving.set()

    def close(self) -> None:
        """Closes the clip."""
        self._container.close()

    def _pictures(self) -> Iterator[Image]:
        """Those of the clip, again and again. It is wound back, not opened anew: each decoder would
        leave some memory behind, which no camera does."""
        shown = True
        while shown:
            self._container.seek(0)
            shown = False
            for frame in self._decoder.frames():
                yield self._decoder.picture(frame)
                shown = True


class Passerby:
    """Looks at each picture, as a window does, and keeps nothing.

    Args:
        seconds: after which it asks for the end.
        looks: the picture is taken; without it nobody has it drawn.
    """

    name = "onlooker"
    output = None

    def __init__(self, seconds: float = float("inf"), *, looks: bool = True) -> None:
        self._looks = looks
        self._seconds = seconds
        self._end_s: float | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(looks={self._looks})"

    @property
    def quit_requested(self) -> bool:
        """It has seen enough."""
        return self._end_s is not None and time.monotonic() >= self._end_s

    def write(self, annotated: AnnotatedFrame) -> None:
        """Looks at the next frame."""
        if self._looks:
            _ = annotated.picture  # it is drawn when it is asked for
        if self._end_s is None:
            self._end_s = time.monotonic() + self._seconds

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """There is nothing to let go of."""


class Onlooker(Passerby):
    """Notes when each frame came and who was in it.

    Attributes:
        indices: of the frames that came.
        shown_s: when each could be seen, `time.monotonic()`.
        latencies_s: how old each was then.
        faces: how many were found in each.
        cpu_s: what the whole program had had of the cores by then.
    """

    def __init__(self, seconds: float = float("inf"), *, looks: bool = True) -> None:
        super().__init__(seconds, looks=looks)
        self.indices: list[int] = []
        self.shown_s: list[float] = []
        self.latencies_s: list[float] = []
        self.faces: list[int] = []
        self.cpu_s: list[float] = []

    def write(self, annotated: AnnotatedFrame) -> None:
        """Looks at the next frame, and notes it."""
        super().write(annotated)
        now_s = time.monotonic()
        self.indices.append(annotated.frame.index)
        self.shown_s.append(now_s)
        self.latencies_s.append(now_s - annotated.frame.captured_s)
        self.cpu_s.append(time.process_time())
        self.faces.append(sum(track.missed_frames == 0 for track in annotated.tracks))
