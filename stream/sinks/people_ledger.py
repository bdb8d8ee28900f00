"""The people of a run: those in sight, and those whose tracks have ended."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.faces import Image, clip
from stream.drawing.blur import blur_faces
from stream.frames import Frame, SourceInfo
from stream.people import BestView, Person
from stream.tracks import Track

_ENDED_AFTER_S = 5.0
"""Time out of sight after which a track has ended, s; longer than a tracker waits for a face."""

_CROP_MARGIN = 0.4
"""Margin around a face in its crop, as a share of its box."""


@dataclass(slots=True, eq=False)
class _Presence:
    """A person whose track has not ended, and the number of the frame that last showed it."""

    person: Person
    last_seen: int


class PeopleLedger:
    """Counts the frames of each person in sight, and hands a person over once the track has ended.

    Its memory is bounded by how many people are in sight at a time, not by how long a run is.

    Args:
        info: the source; pictures are unrelated, so that a track ends with its picture.
    """

    def __init__(self, info: SourceInfo) -> None:
        is_video = info.kind != "pictures"
        self._ended_after = round(_ENDED_AFTER_S * info.nominal_fps) if is_video else 0
        self._present: dict[int, _Presence] = {}
        self._count = 0  # of frames, as a tracker counts them: dropped ones are not among them

    def __repr__(self) -> str:
        return f"PeopleLedger({len(self._present)} present)"

    @property
    def present(self) -> list[Person]:
        """The people whose tracks have not ended, in the order of their ids."""
        return [self._present[track_id].person for track_id in sorted(self._present)]

    def add(
        self,
        frame: Frame,
        tracks: Sequence[Track],
        picture: Callable[[], Image] | None = None,
        *,
        blur: bool = False,
    ) -> list[Person]:
        """Adds the next frame.

        Args:
            frame: when and where.
            tracks: the faces in it.
            picture: gives what crops of faces are taken from; None where no crop is wanted.
            blur: the faces of this picture are blurred; those of earlier crops become so.

        Returns:
            The people whose tracks have ended with this frame, in the order of their ids.
        """
        self._count += 1
        if blur:
            for each in self._present.values():
                each.person = replace(each.person, best=blurred_view(each.person.best))
        for track in tracks:
            if not track.missed_frames:
                person = self._seen(frame, track, picture, blur)
                self._present[track.track_id] = _Presence(person, self._count)
        return self._end_tracks()

    def _seen(
        self, frame: Frame, track: Track, picture: Callable[[], Image] | None, blur: bool
    ) -> Person:
        """The person of a track, as of this frame."""
        known = self._present.get(track.track_id)
        if known is None:
            view = _view(frame, track, picture, blur)
            return Person(track.track_id, frame.time_s, frame.time_s, 1, track.labels, view)
        person, best = known.person, known.person.best
        if _is_better(track, best):
            best = _view(frame, track, picture, blur)
        frames = person.frames + 1
        return replace(person, last_s=frame.time_s, frames=frames, labels=track.labels, best=best)

    def _end_tracks(self) -> list[Person]:
        """Removes the people who have been out of sight for too long, in the order of their ids."""
        oldest = self._count - self._ended_after
        ended = [track_id for track_id, each in self._present.items() if each.last_seen < oldest]
        return [self._present.pop(track_id).person for track_id in sorted(ended)]


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
        crop=None if picture is None else face_crop(picture(), track.box_xyxy),
        blurred=blur,
    )


def face_crop(picture: Image, box_xyxy: NDArray[np.float32]) -> Image:
    """A copy of a face and a margin around it, as far as the picture reaches; a pixel at least."""
    margin = _CROP_MARGIN * (box_xyxy[2:] - box_xyxy[:2])
    wide = np.concatenate([box_xyxy[:2] - margin, box_xyxy[2:] + margin])
    height, width = picture.shape[:2]
    left, top, right, bottom = clip(wide[None], (width, height))[0].round().astype(int).tolist()
    left, top = min(left, width - 1), min(top, height - 1)
    return picture[top : max(bottom, top + 1), left : max(right, left + 1)].copy()


def blurred_view(view: BestView) -> BestView:
    """The same view, its face blurred."""
    if view.blurred or view.crop is None:
        return view
    return replace(view, crop=blurred_crop(view.crop), blurred=True)


def blurred_crop(crop: Image) -> Image:
    """A crop all of which is blurred."""
    height, width = crop.shape[:2]
    return blur_faces(crop, np.array([[0, 0, width, height]], dtype=np.float32))
