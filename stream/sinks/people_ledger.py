"""The people of a run: those in sight, and those whose tracks have ended."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.faces import Image, clip
from stream.drawing.blur import blur_faces
from stream.frames import Frame, SourceInfo
from stream.people import BestView, Person, Settlement
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

    Its memory is bounded by how many people are in sight at a time, not by how long a run is; but
    where tracks are joined into persons it keeps what each track came to, without pixels.

    Args:
        info: the source; pictures are unrelated, so that a track ends with its picture.
        keeps_all: whether tracks are joined into persons when all frames were seen.
    """

    def __init__(self, info: SourceInfo, *, keeps_all: bool = False) -> None:
        is_video = info.kind != "pictures"
        self._ended_after = round(_ENDED_AFTER_S * info.nominal_fps) if is_video else 0
        self._frame_s = 1 / info.nominal_fps if is_video else 0.0
        self._keeps_all = keeps_all
        self._kept: list[Person] = []  # whose tracks have ended
        self._last_s: float | None = None
        self._present: dict[int, _Presence] = {}
        self._count = 0  # of frames, as a tracker counts them: dropped ones are not among them

    def __repr__(self) -> str:
        return f"PeopleLedger({len(self._present)} present)"

    @property
    def present(self) -> list[Person]:
        """The people whose tracks have not ended, in the order of their ids."""
        return [self._present[track_id].person for track_id in sorted(self._present)]

    def persons(self, settlement: Settlement) -> list[Person]:
        """The persons of all frames, in the order of their numbers, without crops."""
        return settlement.persons([*self._kept, *(each.without_crop() for each in self.present)])

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
        self._lengthen(frame.time_s)
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
            first = _view(frame, track, picture, blur)
            return Person(
                track_id=track.track_id,
                first_s=frame.time_s,
                last_s=frame.time_s,
                frames=1,
                labels=track.labels,
                best=first,
                seconds=self._frame_s,
                person_id=track.person_id,
            )
        person, best = known.person, known.person.best
        if _is_better(track, best):
            best = _view(frame, track, picture, blur)
        return replace(
            person,
            last_s=frame.time_s,
            frames=person.frames + 1,
            labels=track.labels,
            best=best,
            seconds=person.seconds + self._frame_s,
            person_id=track.person_id,
        )

    def _lengthen(self, now_s: float) -> None:
        """Corrects how long the last frame was shown, which is known with the next one: those who
        were seen in it were seen for so long.
        """
        last_s, self._last_s = self._last_s, now_s
        if last_s is None or not self._frame_s or now_s < last_s:
            return
        off_s = now_s - last_s - self._frame_s
        for each in self._present.values():
            if each.last_seen == self._count:
                each.person = replace(each.person, seconds=each.person.seconds + off_s)

    def _end_tracks(self) -> list[Person]:
        """Removes the people who have been out of sight for too long, in the order of their ids."""
        oldest = self._count - self._ended_after
        ended = [track_id for track_id, each in self._present.items() if each.last_seen < oldest]
        people = [self._present.pop(track_id).person for track_id in sorted(ended)]
        if self._keeps_all:
            self._kept += [person.without_crop() for person in people]
        return people


def _is_better(track: Track, best: BestView) -> bool:
    """Whether this frame shows more: a track's quality rises in the frame of a better view."""
    if track.quality or best.quality:
        return track.quality > best.quality
    return float(track.box_xyxy[2] - track.box_xyxy[0]) > best.width_px


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
