"""Video files through PyAV: any container and codec FFmpeg reads, animated GIFs among them."""

import logging
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.container import InputContainer
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from models.faces import Image
from stream.errors import SourceError
from stream.frames import Frame, SourceInfo

_log = logging.getLogger(__name__)

_MICROSECONDS = 1_000_000
_MAX_PLAUSIBLE_FRAMES = 10**9  # some containers report nonsense


class VideoSource:
    """A video file; time counts from the start of the container, so that sound stays beside it.

    Raises:
        SourceError: it is not a video, or not one that can be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._container = open_container(path)
        self._reformatter = VideoReformatter()  # one for all: each has threads of its own
        self._matrix: bytes | None = None
        try:
            self._stream = self._container.streams.video[0]
            self._stream.thread_type = "AUTO"
            self._decoded = self._decode()
            self._first = next(self._decoded, None)
            if self._first is None:
                raise SourceError(f"{path} holds not one frame that can be read")
            self._info = SourceInfo(
                uri=str(path),
                kind="video",
                size_wh=self._first.size_wh,
                fps=_fps(self._stream),
                frame_count=_frame_count(self._container, self._stream),
                has_audio=bool(self._container.streams.audio),
                reopen=partial(open_container, path),
            )
        except IndexError:
            self.close()
            raise SourceError(f"{path} has no pictures in it, only sound or data") from None
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"VideoSource({self._path})"

    @property
    def info(self) -> SourceInfo:
        """What the container says, and the size of the first frame."""
        return self._info

    def frames(self) -> Iterator[Frame]:
        """Every frame of the file.

        Raises:
            SourceError: the file is damaged from here on.
        """
        if self._first is not None:
            yield self._first
            self._first = None
        yield from self._decoded

    def close(self) -> None:
        """Closes the file."""
        self._container.close()

    def _picture(self, frame: VideoFrame) -> Image:
        """The frame in BGR, with square pixels, turned and mirrored as it is to be shown."""
        width = max(round(frame.width * (self._stream.sample_aspect_ratio or 1)), 1)
        plain = self._reformatter.reformat(frame, width, frame.height, "bgr24")
        return _upright(plain.to_ndarray(), self._matrix)

    def _decode(self) -> Iterator[Frame]:
        start_s = start_time_s(self._container)
        step_s = 1 / (_fps(self._stream) or 25)
        time_s, count = -step_s, 0
        try:
            for index, frame in enumerate(self._container.decode(self._stream)):
                if index == 0:  # a file has one; asking each frame would keep it from being freed
                    self._matrix = _display_matrix(frame)
                known_s = frame.time
                time_s = time_s + step_s if known_s is None else known_s - start_s
                count = index + 1
                yield Frame(self._picture(frame), index, time_s, time.monotonic())
        except av.error.FFmpegError as error:
            raise SourceError(
                f"{self._path} cannot be read any further: {error.strerror}"
            ) from error
        if count < self._stream.frames < _MAX_PLAUSIBLE_FRAMES:
            _log.warning(
                "%s ended after %d of %d frames: it is cut short or damaged",
                self._path,
                count,
                self._stream.frames,
            )


def open_container(path: Path) -> InputContainer:
    """Opens a media file.

    Raises:
        SourceError: it is not one.
    """
    try:
        # A plain path would let FFmpeg take "http:..." or "concat:..." in a name for a protocol.
        return av.open(f"file:{path}")
    except (av.error.FFmpegError, OSError) as error:
        raise SourceError(f"{path} is not a video that can be read: {error.strerror}") from error


def start_time_s(container: InputContainer) -> float:
    """When the container's clock starts; media time is counted from here."""
    return (container.start_time or 0) / _MICROSECONDS


def _upright(image: NDArray[Any], matrix: bytes | None) -> Image:
    """A picture turned and mirrored as its display matrix says."""
    if matrix is not None:
        # It takes (x, y) of the stored picture to (a x + c y, b x + d y) of the one shown.
        a, b, _, c, d = np.frombuffer(matrix, dtype=np.int32)[:5]
        turned = abs(int(b)) > abs(int(a))
        if turned:
            image = image.transpose(1, 0, 2)
        right, down = (c, b) if turned else (a, d)
        image = image[:: -1 if down < 0 else 1, :: -1 if right < 0 else 1]
    return np.ascontiguousarray(image, dtype=np.uint8)


def _display_matrix(frame: VideoFrame) -> bytes | None:
    side_data = cast(SideDataContainer, frame.side_data)  # its stub knows motion vectors only
    try:
        return bytes(side_data[Type.DISPLAYMATRIX])
    except KeyError:
        return None


def _fps(stream: VideoStream) -> float | None:
    rate = stream.average_rate or stream.guessed_rate
    return float(rate) if rate else None


def _frame_count(container: InputContainer, stream: VideoStream) -> int | None:
    """As declared, or reckoned from the declared duration."""
    fps = _fps(stream)
    if 0 < stream.frames < _MAX_PLAUSIBLE_FRAMES:
        return stream.frames
    if container.duration and container.duration > 0 and fps:
        return round(container.duration / _MICROSECONDS * fps)
    return None
