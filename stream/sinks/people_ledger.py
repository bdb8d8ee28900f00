"""A record of each person in sight, from the first frame to the last."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.faces import Image, clip
from stream.drawing.blur import blur_faces
from stream.frames import Frame, SourceInfo
from stream.people import BestView, Person
from stream.tracks import Track

_GONE_S = 5.0  # out of sight: longer than any tracker waits for somebody to come back


_MARGIN = 0.4  # of the face's box, left free around it in a cut-out


class PeopleLedger:
    """Keeps a record of everybody in sight, and hands it over once the track has ended.

    What it holds is bounded by how many people are there at a time, not by how long it runs.

    Args:
        info: the source: of pictures each is on its own, in a video people come back into sight.
    """

    def __init__(self, info: SourceInfo) -> None:
        self._gone_after = 0 if info.kind == "pictures" else round(_GONE_S * info.nominal_fps)
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
                person.best = hidden(person.best)
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


def _is_better(track: Track, best: BestView) -> bool:
    """Whether this frame shows more: a track's quality rises in the frame of a better view."""
    if track.quality or best.quality:
        return track.quality > best.quality
    return _width(track.box_xyxy) > _width(best.box_xyxy)


def _width(box_xyxy: NDArray[np.float32]) -> float:
    return float(box_xyxy[2] - box_xyxy[0])


def _view(frame: Frame, track: Track, picture: Callable[[], Image] | None, blur: bool) -> BestView:
    return BestView(
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


def hidden(view: BestView) -> BestView:
    """The same view with its face blurred."""
    if view.blurred or view.cut_out is None:
        return view
    return replace(view, cut_out=unrecognisable(view.cut_out), blurred=True)


def unrecognisable(face: Image) -> Image:
    """A cut-out all of whose face is blurred."""
    height, width = face.shape[:2]
    return blur_faces(face, np.array([[0, 0, width, height]], dtype=np.float32))
