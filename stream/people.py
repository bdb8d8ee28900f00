"""What each track came to: when somebody was seen, how perceived, and in which view best."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.faces import Image, clip
from stream.annotator import Track
from stream.blur import blurred
from stream.frames import Frame, SourceInfo
from stream.labels import Label

_GONE_S = 5.0  # out of sight: longer than any tracker waits for somebody to come back
_ASSUMED_FPS = 25.0  # of a source that does not say
_MARGIN = 0.4  # of the face's box, left free around it in a cut-out


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A face in one frame.

    Attributes:
        frame: its index.
        time_s: when that was.
        path: the file, if it was a picture.
        box_xyxy: `(4,)` float32, px of the frame.
        quality: how good the view is, 0 to 1; 0 where the face is too small to say anything.
        cut_out: the face with a margin, in the pixels of the source, if there was a picture.
        blurred: whether faces were blurred in that picture.
    """

    frame: int
    time_s: float
    path: Path | None
    box_xyxy: NDArray[np.float32]
    quality: float
    cut_out: Image | None = None
    blurred: bool = False

    def hidden(self) -> "View":
        """The same, unrecognisable."""
        if self.blurred or self.cut_out is None:
            return self
        return replace(self, cut_out=unrecognisable(self.cut_out), blurred=True)


@dataclass(slots=True, eq=False)
class Person:
    """One track, from its first frame to its last.

    Attributes:
        track_id: as in the log.
        first_s: when the face was first seen.
        last_s: when it was last seen.
        frames: in how many it was.
        labels: what it was last perceived as; empty where it was too small to say.
        best: the view of the highest quality; where all have none, that of the largest box.
    """

    track_id: int
    first_s: float
    last_s: float
    frames: int
    labels: Mapping[str, Label]
    best: View

    def perceived(self) -> str:
        """In words, such as `Female, White`."""
        words = [label.text or f"{name} unsure" for name, label in self.labels.items()]
        return ", ".join(words) or "too small to say"


class People:
    """Keeps a record of everybody in sight, and hands it over once the track has ended.

    What it holds is bounded by how many people are there at a time, not by how long it runs.

    Args:
        info: the source: of pictures each is on its own, in a video people come back into sight.
    """

    def __init__(self, info: SourceInfo) -> None:
        fps = info.fps or _ASSUMED_FPS
        self._gone_after = 0 if info.kind == "pictures" else round(_GONE_S * fps)
        self._here: dict[int, Person] = {}
        self._last_frame: dict[int, int] = {}
        self._now = 0  # counts the frames: a tracker does too, whatever was dropped in between

    def __repr__(self) -> str:
        return f"People({len(self._here)} here)"

    def add(
        self,
        frame: Frame,
        tracks: Sequence[Track],
        picture: Callable[[], Image] | None = None,
        *,
        blur: bool = False,
    ) -> list[Person]:
        """Takes in the next frame.

        Args:
            frame: when and where.
            tracks: who is in it.
            picture: gives what faces are cut out of, where one is; without it none is.
            blur: its faces are blurred, and those of before are to be as well.

        Returns:
            Those whose track has ended since, by id.
        """
        self._now += 1
        if blur:
            for person in self._here.values():
                person.best = person.best.hidden()
        for track in tracks:
            if not track.missed_frames:
                self._see(frame, track, picture, blur)
        gone = [
            each for each, last in self._last_frame.items() if self._now - last > self._gone_after
        ]
        return [self._let_go(each) for each in sorted(gone)]

    def leave(self) -> list[Person]:
        """Those who are still here at the end, by id."""
        return [self._let_go(each) for each in sorted(self._here)]

    def _see(
        self, frame: Frame, track: Track, picture: Callable[[], Image] | None, blur: bool
    ) -> None:
        person = self._here.get(track.track_id)
        if person is None:
            best = _view(frame, track, picture, blur)
            time_s = frame.time_s
            person = Person(track.track_id, time_s, time_s, 0, track.labels, best)
            self._here[track.track_id] = person
        elif _is_better(track, person.best):
            person.best = _view(frame, track, picture, blur)
        person.last_s = frame.time_s
        person.frames += 1
        person.labels = track.labels
        self._last_frame[track.track_id] = self._now

    def _let_go(self, track_id: int) -> Person:
        del self._last_frame[track_id]
        return self._here.pop(track_id)


def _is_better(track: Track, best: View) -> bool:
    """Whether this frame shows more: a track's quality rises in the frame of a better view."""
    if track.quality or best.quality:
        return track.quality > best.quality
    return _width(track.box_xyxy) > _width(best.box_xyxy)


def _width(box_xyxy: NDArray[np.float32]) -> float:
    return float(box_xyxy[2] - box_xyxy[0])


def _view(frame: Frame, track: Track, picture: Callable[[], Image] | None, blur: bool) -> View:
    return View(
        frame=frame.index,
        time_s=frame.time_s,
        path=frame.path,
        box_xyxy=track.box_xyxy,
        quality=track.quality,
        cut_out=None if picture is None else cut_out(picture(), track.box_xyxy),
        blurred=blur,
    )


def cut_out(picture: Image, box_xyxy: NDArray[np.float32]) -> Image:
    """A copy of a face and a margin around it, as far as the picture reaches; a pixel at least."""
    margin = _MARGIN * (box_xyxy[2:] - box_xyxy[:2])
    wide = np.concatenate([box_xyxy[:2] - margin, box_xyxy[2:] + margin])
    height, width = picture.shape[:2]
    left, top, right, bottom = clip(wide[None], (width, height))[0].round().astype(int).tolist()
    left, top = min(left, width - 1), min(top, height - 1)
    return picture[top : max(bottom, top + 1), left : max(right, left + 1)].copy()


def unrecognisable(face: Image) -> Image:
    """A cut-out all of whose face is blurred."""
    height, width = face.shape[:2]
    return blurred(face, np.array([[0, 0, width, height]], dtype=np.float32))
