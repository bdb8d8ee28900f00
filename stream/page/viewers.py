"""Those who watch a source: each has a bounded queue of its own, in which the newest wins.

All of it belongs to the thread of the server's event loop.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Form: TypeAlias = Literal["jpeg", "h264"]
"""How pictures are sent: each by itself, or as fragments of a video."""

MOST_PX = 1 << 14
"""Largest width of a picture that is asked for, px; none is shown larger than `serve.width`."""

_MOST: dict[Form, int] = {"jpeg": 1, "h264": 30}
"""Pictures that wait for one who watches, by form: of a video two seconds, for they build upon one
another; more lets a slow one fall further behind and takes more memory."""


@dataclass(frozen=True, slots=True)
class VideoHead:
    """What a browser needs to know before the fragments of a video.

    Attributes:
        mime: the type, with the codec.
        size_wh: width and height, px.
        data: the first segment, which holds no picture.
    """

    mime: str
    size_wh: tuple[int, int]
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Encoded:
    """One picture as it is sent.

    Attributes:
        data: the JPEG, or the fragment.
        is_key: it can be decoded without those before it.
        head: of the video that it is of; None for a JPEG.
    """

    data: bytes = field(repr=False)
    is_key: bool = True
    head: VideoHead | None = None


class Viewer:
    """One who watches: what is yet to be sent, the newest first where there is no room.

    Args:
        form: how pictures are sent.
        shown_px: width at which they are shown; larger ones are of no use.

    Attributes:
        shown_px: this width, which may change.
        dropped: pictures that were left out.
    """

    def __init__(self, form: Form, shown_px: int = MOST_PX) -> None:
        self.form = form
        self.shown_px = shown_px
        self.dropped = 0
        self._waiting: deque[Encoded] = deque()
        self._needs_key = True
        self._has_ended = False
        self._changed = asyncio.Event()

    def __repr__(self) -> str:
        return f"Viewer({self.form}, {len(self._waiting)} waiting)"

    @property
    def needs_key(self) -> bool:
        """Whether nothing can be sent before a picture that can be decoded by itself."""
        return self._needs_key

    def begin(self) -> None:
        """Another video begins, as of another size: its first picture builds upon none."""
        self._needs_key = True

    def offer(self, encoded: Encoded) -> None:
        """Takes the next picture, if there is use for it.

        1. Where the queue is full, what waits is dropped.
        2. A picture that builds upon one that was dropped is dropped too.
        """
        if len(self._waiting) >= _MOST[self.form]:
            self.dropped += len(self._waiting)
            self._waiting.clear()
            self._needs_key = True
        if self._needs_key and not encoded.is_key:
            self.dropped += 1
            return
        self._needs_key = False
        self._waiting.append(encoded)
        self._changed.set()

    def end(self) -> None:
        """There is nothing more to come."""
        self._has_ended = True
        self._changed.set()

    async def next(self) -> Encoded | None:
        """The next picture to be sent; None where there is none any more."""
        while not self._waiting:
            if self._has_ended:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._waiting.popleft()
