"""What a source gives: frames, and a word about itself."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from models.faces import Image

SourceKind: TypeAlias = Literal["camera", "video", "pictures"]


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known of a source before its first frame.

    Attributes:
        uri: what was opened, without credentials.
        kind: a `camera` is live, a `video` has media time, `pictures` have nothing in common.
        size_wh: of the first frame as it is given out (rotation applied), px.
        fps: frames a second, None where it means nothing or is not known.
        frame_count: None where the source does not say.
        has_audio: there is sound beside the pictures.
    """

    uri: str
    kind: SourceKind
    size_wh: tuple[int, int]
    fps: float | None = None
    frame_count: int | None = None
    has_audio: bool = False

    @property
    def is_live(self) -> bool:
        """Frames come at their own pace: those not fetched in time are lost."""
        return self.kind == "camera"


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a source. Nobody writes to its pixels.

    Attributes:
        image: the pixels.
        index: counts from 0 what the source gave, dropped frames included.
        time_s: media time from the start of a video; for a camera, seconds since it was opened.
        captured_s: `time.monotonic()` when it was grabbed; latency is measured from it.
        path: the file a picture was read from; None in a video.
    """

    image: Image
    index: int
    time_s: float
    captured_s: float
    path: Path | None = None

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in px."""
        height, width = self.image.shape[:2]
        return width, height
