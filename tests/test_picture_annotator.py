"""Picture → tracks, with people whom a script puts into the pictures."""

import threading
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from models.errors import ModelError
from models.faces import Detections, Image
from stream.controls import RunReport
from stream.frames import Frame
from stream.labelling.labeller import Labeller
from stream.picture_annotator import PictureAnnotator
from stream.settings.schema import LabelSettings
from stream.tracks import Track
from tests.fakes import FakeActors, FakeClassifier, numbered

_SIZE_WH = (640, 360)
_BOXES = {1: (40, 60, 120, 160), 2: (240, 60, 320, 160), 5: (440, 60, 450, 75)}  # the last is small


class _Actors(FakeActors):
    """People of whom it is noted in which thread they are searched for."""

    def __init__(self, script: "Mapping[int, Sequence[float]]", broken: Sequence[int] = ()) -> None:
        super().__init__(lambda number: script)
        self.threads: dict[int, str] = {}
        self._broken = broken

    def detect(
        self, image: Image, scale: float = 1.0, threshold: float | None = None
    ) -> Detections:
        found = super().detect(image, scale, threshold)
        number = self.searches[-1]
        if number in self._broken:
            raise ModelError(f"picture {number} cannot be searched")
        self.threads[number] = threading.current_thread().name
        return found


def _classifier() -> FakeClassifier:
    return FakeClassifier(gender={"Female": 0.9, "Male": 0.1}, race={"Black": 0.6, "White": 0.4})


def _annotator(actors: FakeActors, report: RunReport | None = None) -> PictureAnnotator:
    engine = actors.engine(min_face_px=20.0)
    labeller = Labeller(engine, _classifier(), LabelSettings(attributes=("gender",)))
    return PictureAnnotator(engine, labeller, report or RunReport())


def _pictures(count: int, size_wh: tuple[int, int] = _SIZE_WH) -> list[Frame]:
    return [
        Frame(numbered(number, size_wh, contrast=16), number, float(number), 0.0)
        for number in range(count)
    ]


def _walk(annotator: PictureAnnotator, frames: Sequence[Frame]) -> list[tuple[Track, ...]]:
    """Each picture in its turn, the two that follow known."""
    return [
        annotator.annotate(frame, frames[place + 1 : place + 3])
        for place, frame in enumerate(frames)
    ]


def test_each_face_of_each_picture_is_a_track_of_its_own() -> None:
    seen = _walk(_annotator(_Actors(_BOXES)), _pictures(3))
    ids = [[track.track_id for track in tracks] for tracks in seen]
    assert ids == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    for tracks in seen:
        boxes = {tuple(track.box_xyxy.tolist()) for track in tracks}
        assert boxes == set(_BOXES.values())
        assert {(track.seen_frames, track.missed_frames) for track in tracks} == {(1, 0)}
        assert all((track.velocity_xy == 0).all() for track in tracks)


def test_faces_large_enough_have_the_label_of_their_one_view() -> None:
    for tracks in _walk(_annotator(_Actors(_BOXES)), _pictures(2)):
        labels = {track.box_xyxy[0]: track.labels for track in tracks}
        assert {left: list(each) for left, each in labels.items()} == {
            40: ["gender"],
            240: ["gender"],
            440: [],
        }
        assert labels[40]["gender"].text == "Female"
        qualities = {track.box_xyxy[0]: track.quality for track in tracks}
        assert qualities[440] == 0 < min(qualities[40], qualities[240])


def test_a_picture_without_faces_and_one_with_small_ones() -> None:
    assert _walk(_annotator(_Actors({})), _pictures(2)) == [(), ()]
    ((track,),) = _walk(_annotator(_Actors({5: _BOXES[5]})), _pictures(1))
    assert track.labels == {}


def test_only_the_search_is_asked_and_each_picture_is_searched_once() -> None:
    actors = _Actors(_BOXES)
    _walk(_annotator(actors), _pictures(5))
    assert sorted(actors.searches) == list(range(5))
    assert actors.near_searches == []


def test_pictures_that_follow_are_looked_at_before_their_turn() -> None:
    actors, frames = _Actors(_BOXES), _pictures(3)
    looked = threading.Event()
    annotator = _annotator(actors)
    annotator.annotate(frames[0], frames[1:])
    ahead = [annotator._ahead[1], annotator._ahead[2]]
    for each in ahead:
        each.add_done_callback(lambda _: looked.set())
        each.result(timeout=60)
    assert looked.is_set()
    assert sorted(actors.searches) == [0, 1, 2]
    assert all(name.startswith("pictures") for name in actors.threads.values())


def test_a_large_picture_waits_for_its_turn() -> None:
    actors = _Actors({})
    large = Frame(np.zeros((3001, 4000, 3), dtype=np.uint8), 1, 1.0, 0.0)
    annotator = _annotator(actors)
    annotator.annotate(_pictures(1)[0], [large])
    assert annotator._ahead == {}
    assert annotator.annotate(large) == ()


def test_pictures_may_be_gone_back_to_and_left_out() -> None:
    annotator, frames = _annotator(_Actors(_BOXES)), _pictures(4)
    annotator.annotate(frames[0], frames[1:3])
    back = annotator.annotate(frames[3])  # 1 and 2 were looked at for nothing
    again = annotator.annotate(frames[0], frames[1:3])
    assert [track.track_id for track in back] == [4, 5, 6]
    assert [track.track_id for track in again] == [7, 8, 9]


def test_a_failure_is_that_of_the_picture_in_whose_turn_it_shows() -> None:
    annotator, frames = _annotator(_Actors(_BOXES, broken=[1])), _pictures(3)
    assert len(annotator.annotate(frames[0], frames[1:])) == 3
    with pytest.raises(ModelError, match="picture 1 cannot be searched"):
        annotator.annotate(frames[1], frames[2:])


def test_how_small_faces_may_be_is_reported() -> None:
    report = RunReport()
    _walk(_annotator(_Actors(_BOXES), report), _pictures(1))
    assert report.smallest_face_px == pytest.approx(20)


def test_what_it_may_say_and_is() -> None:
    annotator = _annotator(_Actors(_BOXES))
    assert annotator.attributes == {"gender": ("Female", "Male")}
    assert repr(annotator).startswith("PictureAnnotator(Engine(")
