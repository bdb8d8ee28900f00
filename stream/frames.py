"""What a source gives: frames, and a word about itself."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from models.faces import Image

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame

SourceKind: TypeAlias = Literal["camera", "stream", "video", "pictures"]


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known of a source before its first frame.

    Attributes:
        uri: what was opened, without credentials.
        kind: a `camera` and a `stream` are live, a `video` has media time, `pictures`
            have nothing in common.
        size_wh: of the first frame as it is given out (rotation applied), px.
        fps: frames a second, None where it means nothing or is not known.
        frame_count: None where the source does not say.
        has_audio: there is sound beside the pictures.
        start_s: media time of the first frame where only a part of a video is read; what is
            recorded begins here.
        reopen: opens the media a second time, for its sound; None where it can be read only once.
    """

    uri: str
    kind: SourceKind
    size_wh: tuple[int, int]
    fps: float | None = None
    frame_count: int | None = None
    has_audio: bool = False
    start_s: float = 0.0
    reopen: "Callable[[], InputContainer] | None" = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        """What people call it: a camera by its number, anything else without its folder."""
        return f"camera {self.uri}" if self.kind == "camera" else Path(self.uri).name or self.uri

    @property
    def is_live(self) -> bool:
        """Frames come at their own pace: those not fetched in time are lost."""
        return self.kind in ("camera", "stream")


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a source. Nobody writes to its pixels.

    Attributes:
        image: the pixels.
        index: counts from 0 what the source gave, dropped frames included.
        time_s: media time from the start of a video; seconds since a live source was opened.
        captured_s: `time.monotonic()` when it was grabbed; latency is measured from it.
        path: the file a picture was read from; None in a video.
        coded: the same picture as it came out of a decoder, where it can be recorded like that:
            8 bits, 4:2:0, neither turned nor stretched.
    """

    image: Image
    index: int
    time_s: float
    captured_s: float
    path: Path | None = None
    coded: "VideoFrame | None" = field(default=None, repr=False)

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in px."""
        height, width = self.image.shape[:2]
        return width, height
