"""Frame → tracks, with people whom a script puts into the pictures."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from random import Random

import cv2
import numpy as np
import pytest
from fakes import FakeActors, FakeClassifier, Script, frame, number_of, numbered, scripted_annotator
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.classification.classifier import Prediction
from models.classification.view_quality import ViewQuality
from models.faces import Detections, Image
from stream.annotator import Annotator
from stream.controls import Controls, RunReport
from stream.following.load_shedding import LoadShedding
from stream.following.schedule import Schedule
from stream.frames import Frame, SourceInfo, SourceKind
from stream.settings.schema import LabelSettings
from stream.tracks import Track

_SIZE_WH = (640, 360)
_GENDER = {"Female": 0.9, "Male": 0.1}
_RACE = {"White": 0.3, "East Asian": 0.4, "Southeast Asian": 0.25, "Indian": 0.05}
_ANN, _BOB, _CAT = 1, 2, 3  # people, as `FakeActors` tells them apart
_CAST: Mapping[int, Sequence[float]] = {
    _ANN: (100, 100, 180, 180),
    _BOB: (300, 100, 380, 180),
    _CAT: (500, 100, 590, 190),
}


def _still(number: int) -> Mapping[int, Sequence[float]]:
    return _CAST


def _annotator(
    actors: FakeActors,
    *,
    labels: LabelSettings | None = None,
    frame_skip: int | None = 4,
    kind: SourceKind = "video",
    min_face_px: float = 20.0,
    fps: float | None = 25.0,
) -> Annotator:
    info = SourceInfo("script", kind, _SIZE_WH, fps)
    classifier = FakeClassifier(gender=_GENDER, race=_RACE)
    schedule = Schedule(frame_skip)
    return scripted_annotator(
        actors, classifier, info, schedule, labels=labels, min_face_px=min_face_px
    )


def _walk(annotator: Annotator, numbers: Sequence[int]) -> list[tuple[Track, ...]]:
    return [annotator.annotate(frame(number, _SIZE_WH, contrast=16)) for number in numbers]


def _run(script: Script, count: int, *, frame_skip: int | None = 4) -> list[tuple[Track, ...]]:
    return _walk(_annotator(FakeActors(script), frame_skip=frame_skip), range(count))


def _who(tracks: Sequence[Track], cast: Mapping[int, Sequence[float]]) -> dict[int, int]:
    """For each person in sight, the id of the track whose middle is nearest, if it is near."""
    found = {}
    for person, box in cast.items():
        middle = np.array([box[0] + box[2], box[1] + box[3]]) / 2
        for each in tracks:
            shown = (each.box_xyxy[:2] + each.box_xyxy[2:]) / 2
            if np.abs(shown - middle).max() < (box[2] - box[0]) / 2:
                found[person] = each.track_id
    return found


# --- one frame ---


def test_the_faces_of_a_frame_are_embedded_in_one_call() -> None:
    actors = FakeActors(_still)
    (tracks,) = _walk(_annotator(actors), [0])
    assert actors.embedded == [3]
    assert [track.track_id for track in tracks] == [1, 2, 3]
    np.testing.assert_array_equal([track.box_xyxy for track in tracks], list(_CAST.values()))
    assert all((track.seen_frames, track.missed_frames) == (1, 0) for track in tracks)
    assert all(track.score == 1 for track in tracks)
    assert [track.quality for track in tracks] == [1, 1, 1]  # as wide and clear as can be


def test_what_is_said_of_a_face() -> None:
    ((track, *_),) = _walk(_annotator(FakeActors(_still)), [0])
    assert list(track.labels) == ["gender", "race"]
    gender, race = track.labels["gender"], track.labels["race"]
    assert (gender.text, gender.confidence) == ("Female", pytest.approx(0.9))
    assert gender.probabilities == pytest.approx(_GENDER)
    assert race.confidence == pytest.approx(0.4)
    assert race.probabilities == pytest.approx(_RACE)


def test_only_what_is_asked_for_is_said() -> None:
    annotator = _annotator(FakeActors(_still), labels=LabelSettings(attributes=("race",)))
    ((track, *_),) = _walk(annotator, [0])
    assert list(track.labels) == ["race"]
    assert annotator.attributes == {"race": tuple(_RACE)}


def test_under_the_least_confidence_a_label_says_unsure() -> None:
    labels = LabelSettings(min_confidence=0.5)
    ((track, *_),) = _walk(_annotator(FakeActors(_still), labels=labels), [0])
    assert track.labels["gender"].text == "Female"
    assert track.labels["race"].text is None
    sure = LabelSettings(min_confidence=0.95)
    ((track, *_),) = _walk(_annotator(FakeActors(_still), labels=sure), [0])
    assert track.labels["gender"].text is None


def test_classes_shown_as_one() -> None:
    groups = {"Asian": ("East Asian", "Southeast Asian")}
    labels = LabelSettings(groups={"race": groups}, min_confidence=0.5)
    annotator = _annotator(FakeActors(_still), labels=labels)
    ((track, *_),) = _walk(annotator, [0])
    race = track.labels["race"]
    assert (race.text, race.confidence) == ("Asian", pytest.approx(0.65))
    assert race.probabilities == pytest.approx(_RACE)  # each on its own, for the log
    assert track.labels["gender"].text == "Female"
    assert annotator.attributes["race"] == tuple(_RACE)


def test_a_face_too_small_for_a_label_gets_a_box_and_no_label() -> None:
    actors = FakeActors(_still)
    (tracks,) = _walk(_annotator(actors, min_face_px=85), [0])
    assert [bool(track.labels) for track in tracks] == [False, False, True]
    assert [track.quality for track in tracks] == [0, 0, 1]
    assert actors.embedded == [1]


def test_a_face_that_comes_near_gets_its_label_then() -> None:
    def approaching(number: int) -> Mapping[int, Sequence[float]]:
        half = 20 + number
        return {_ANN: (320 - half, 180 - half, 320 + half, 180 + half)}

    actors = FakeActors(approaching)
    seen = _walk(_annotator(actors, min_face_px=60), range(30))
    said = [bool(tracks[0].labels) for tracks in seen]
    assert said == [20 + number >= 30 for number in range(30)]
    assert {track.track_id for tracks in seen for track in tracks} == {1}


class _Wavering(FakeClassifier):
    """Sure of the first view that it is a woman, and ever surer later that it is a man."""

    def __init__(self, *female: float) -> None:
        super().__init__(gender=_GENDER)
        self.female = list(female)

    def predict(
        self,
        embeddings: NDArray[np.float32],
        attributes: Container[str] | None = None,
        quality: ViewQuality | None = None,
    ) -> tuple[Prediction, ...]:
        if not len(embeddings):
            return super().predict(embeddings, attributes)
        female = self.female.pop(0)
        rows = np.tile(np.array([female, 1 - female], dtype=np.float32), (len(embeddings), 1))
        return (Prediction("gender", tuple(_GENDER), rows),)


def _wavering(script: Script, *female: float) -> Annotator:
    info = SourceInfo("script", "video", _SIZE_WH, 25.0)
    actors = FakeActors(script)
    schedule = Schedule(4)
    return scripted_annotator(actors, _Wavering(*female), info, schedule)


def test_a_weak_and_a_strong_view_give_their_weighted_mean() -> None:
    """The face is first 30 px wide, half of what is useful, and at its second view 60."""

    def approaching(number: int) -> Mapping[int, Sequence[float]]:
        half = min(15 + 3 * number, 30)
        return {_ANN: (320 - half, 180 - half, 320 + half, 180 + half)}

    seen = _walk(_wavering(approaching, 0.9, 0.3), range(6))
    assert [tracks[0].quality for tracks in seen] == [0.5] * 5 + [1]
    assert seen[4][0].labels["gender"].probabilities["Female"] == pytest.approx(0.9)
    mean = (0.5 * 0.9 + 1 * 0.3) / 1.5
    assert seen[5][0].labels["gender"].probabilities["Female"] == pytest.approx(mean)


def test_quality_never_falls_from_frame_to_frame() -> None:
    def leaving(number: int) -> Mapping[int, Sequence[float]]:
        half = 30 - 0.5 * number
        return {_ANN: (320 - half, 180 - half, 320 + half, 180 + half)}

    actors = FakeActors(leaving)
    qualities = [tracks[0].quality for tracks in _walk(_annotator(actors), range(20))]
    assert len(actors.embedded) == 4  # worse each time
    assert qualities == [1] * 20


def test_each_face_of_a_view_has_its_own_weight() -> None:
    cast = {_ANN: (100, 100, 130, 130), _BOB: (300, 100, 360, 160)}
    ((ann, bob),) = _walk(_annotator(FakeActors(lambda number: cast)), [0])
    assert (ann.quality, bob.quality) == (0.5, 1)


def test_no_faces() -> None:
    actors = FakeActors(lambda number: {})
    assert _walk(_annotator(actors), range(3)) == [(), (), ()]
    assert actors.embedded == []


# --- when it looks where ---


def test_the_whole_frame_is_searched_now_and_then() -> None:
    actors = FakeActors(_still)
    _walk(_annotator(actors, frame_skip=4), range(31))
    assert actors.searches == list(range(0, 31, 5))


def test_in_between_each_face_is_searched_for_where_it_should_be() -> None:
    """Nothing is to be seen in these pictures that a template could match."""
    actors = FakeActors(_still)
    _walk(_annotator(actors), range(12))
    followed = [each for each in actors.near_searches if each[1]]
    assert followed == [(number, 3) for number in range(12)]  # in the first, as newcomers


def _walking(number: int) -> Mapping[int, Sequence[float]]:
    return {_ANN: (100 + 3 * number, 100, 180 + 3 * number, 180)}


def _walking_together(number: int) -> Mapping[int, Sequence[float]]:
    return {**_walking(number), _BOB: (100 + 3 * number, 220, 180 + 3 * number, 300)}


def _walking_frame(number: int, script: Script) -> Frame:
    """All have faces, as wide as their boxes, too faint to change what the picture says."""
    seen = frame(number, _SIZE_WH, contrast=16)
    for owner, (left, top, right, bottom) in script(number).items():
        coarse = np.random.default_rng(owner).uniform(-40, 40, (10, 10, 1)).astype(np.float32)
        features = cv2.resize(coarse - coarse.mean(), (80, 80), interpolation=cv2.INTER_CUBIC)
        face = seen.image[int(top) : int(bottom), int(left) : int(right)]
        face[:] = np.clip(128 + features[..., None], 0, 255).astype(np.uint8)
    return seen


def test_a_face_matched_by_its_template_is_searched_for_now_and_then() -> None:
    actors = FakeActors(_walking)
    annotator = _annotator(actors, frame_skip=1000)
    for number in range(130):
        (track,) = annotator.annotate(_walking_frame(number, _walking))
        assert (track.track_id, track.missed_frames) == (1, 0)
        assert track.seen_frames == number + 1
        assert np.abs(track.box_xyxy - _walking(number)[_ANN]).max() < 4
    # Once in sixteen frames, and when it is time for a view: five in a second, then one in two.
    first, views, turns = range(5), [0, 5, 10, 15, 20, 70, 120], range(0, 130, 16)
    looked_for = [number for number, _ in actors.near_searches]
    assert looked_for == sorted({*first, *views, *turns})
    assert sum(actors.embedded) == len(views)


def test_a_face_too_small_for_a_label_is_not_searched_for_to_be_viewed() -> None:
    """It may be matched as others are, though it never had a view."""
    actors = FakeActors(_walking)
    annotator = _annotator(actors, frame_skip=1000, min_face_px=90)
    for number in range(40):
        annotator.annotate(_walking_frame(number, _walking))
    assert [number for number, _ in actors.near_searches] == [0, 1, 2, 3, 4, 16, 32]


@pytest.mark.parametrize(
    ("kind", "turns", "views"),
    [("video", [0], {70: 2}), ("camera", [14, 15], {70: 1, 71: 1})],
)
def test_faces_of_a_file_are_searched_for_in_the_same_frames(
    kind: SourceKind, turns: list[int], views: dict[int, int]
) -> None:
    """Of a live source each has a turn of its own; from frame 70 on both are due for a view."""
    actors = FakeActors(_walking_together)
    annotator = _annotator(actors, frame_skip=1000, kind=kind)
    for number in range(80):
        assert len(annotator.annotate(_walking_frame(number, _walking_together))) == 2
    each = 2 // len(turns)
    sought = {number: each for number in range(30, 80) if number % 16 in turns} | views
    assert {number: count for number, count in actors.near_searches if number >= 30} == sought


def test_where_each_frame_is_searched_no_face_is_matched() -> None:
    actors = FakeActors(_walking)
    annotator = _annotator(actors, frame_skip=0)
    for number in range(20):
        annotator.annotate(_walking_frame(number, _walking))
    assert [number for number, count in actors.near_searches if count] == list(range(20))


def test_a_new_face_is_found_by_the_next_search() -> None:
    def arriving(number: int) -> Mapping[int, Sequence[float]]:
        return _CAST if number >= 3 else {_ANN: _CAST[_ANN]}

    seen = _run(arriving, 10)
    assert [len(tracks) for tracks in seen] == [1, 1, 1, 1, 1, 3, 3, 3, 3, 3]


class _Framing(FakeActors):
    """Notes which parts of pictures are searched, and at which scale."""

    def __init__(self, script: Script) -> None:
        super().__init__(script)
        self.parts: list[tuple[tuple[int, int], float]] = []

    def detect(
        self, image: Image, scale: float = 1.0, threshold: float | None = None
    ) -> Detections:
        height, width = image.shape[:2]
        self.parts.append(((width, height), round(scale, 3)))
        return super().detect(image, scale, threshold)


@pytest.mark.parametrize("blur", [False, True])
@pytest.mark.parametrize("kind", ["camera", "video"])
def test_where_faces_are_blurred_what_seems_unchanged_is_searched_too(
    kind: SourceKind, blur: bool
) -> None:
    actors, info = _Framing(lambda number: {}), SourceInfo("script", kind, _SIZE_WH, 25.0)
    annotator = scripted_annotator(
        actors,
        FakeClassifier(gender=_GENDER, race=_RACE),
        info,
        Schedule(),
        controls=Controls(blur=blur),
    )
    for number in range(30):
        annotator.annotate(Frame(frame(0, _SIZE_WH, contrast=16).image, number, 0.04 * number, 0.0))
    assert actors.parts == [(_SIZE_WH, 1.0)] * (30 if blur else 1)


def _changing(number: int) -> Frame:
    """A picture of 720p that grows lighter everywhere, too slowly for a cut."""
    return Frame(np.full((720, 1280, 3), 60 + 3 * number, np.uint8), number, number / 30, 0.0)


def _live(actors: FakeActors, kind: SourceKind = "camera") -> Annotator:
    info = SourceInfo("script", kind, (1280, 720), 30.0)
    return scripted_annotator(actors, FakeClassifier(gender=_GENDER), info, Schedule())


def test_a_live_picture_of_720p_is_searched_wholly_within_a_second_a_step_in_each_frame() -> None:
    actors = _Framing(lambda number: {})
    annotator = _live(actors)
    searched: list[list[tuple[tuple[int, int], float]]] = []
    for number in range(31):
        before = len(actors.parts)
        annotator.annotate(_changing(number))
        searched.append(actors.parts[before:])
    first, *others = searched
    assert first == [((1280, 720), 1.0)]
    steps = [part for parts in others for part in parts]
    assert max(len(parts) for parts in others) == 1
    (size_wh, scale), *tiles = steps
    assert (size_wh, scale) == ((1280, 720), pytest.approx(0.255, abs=0.001)), "coarsely at first"
    assert {scale for _, scale in tiles} == {1.0}
    assert sum(width * height for (width, height), _ in tiles) > 1280 * 720
    assert all(width * height <= (245 + 30) ** 2 for (width, height), _ in tiles)


def test_of_a_file_all_that_has_changed_is_searched_in_one_frame() -> None:
    actors = _Framing(lambda number: {})
    annotator = _live(actors, "video")
    for number in range(12):
        annotator.annotate(_changing(number))
    assert actors.parts == [((1280, 720), 1.0)]
    annotator.annotate(_changing(12))
    assert actors.parts == [((1280, 720), 1.0)] * 2


def test_steps_of_a_search_before_a_cut_are_forgotten() -> None:
    actors = _Framing(lambda number: {})
    annotator = _live(actors)
    for number in range(16):
        annotator.annotate(_changing(number))
    del actors.parts[:]
    dark = np.full((720, 1280, 3), 10, np.uint8)
    for number in range(16, 26):
        annotator.annotate(Frame(dark, number, number / 30, 0.0))
    assert actors.parts == [((1280, 720), 1.0)]


class _Doubtful(FakeActors):
    """The search of the frame is surer than the closer look."""

    def __init__(self, script: Script, searched: float, near: float) -> None:
        super().__init__(script)
        self._searched, self._near = searched, near

    def detect(
        self, image: Image, scale: float = 1.0, threshold: float | None = None
    ) -> Detections:
        return self._scored(super().detect(image, scale), self._searched)

    def detect_near(
        self, image: Image, boxes_xyxy: NDArray[np.float32], threshold: float | None = None
    ) -> Detections:
        return self._scored(super().detect_near(image, boxes_xyxy), self._near)

    def _scored(self, faces: Detections, score: float) -> Detections:
        return Detections.of(faces.boxes_xyxy, np.full(len(faces), score))


@pytest.mark.parametrize(
    ("searched", "near", "shown"),
    [
        (0.5, 0.5, [3] * 4),
        (0.5, 0.3, [0, 0, 3, 3]),
        (0.3, 0.5, [0, 0, 3, 3]),
        (0.4, 0.4, [0, 0, 3, 3]),
        (0.5, 0.4, [0, 0, 3, 3]),
        (0.3, 0.3, [0] * 4),
    ],
)
def test_a_new_face_of_which_one_search_is_unsure_is_shown_after_three_sightings(
    searched: float, near: float, shown: list[int]
) -> None:
    """One of which neither is even fairly sure, at 0.35, is none; the threshold is 0.45."""
    seen = _walk(_annotator(_Doubtful(_still, searched, near)), range(4))
    assert [len(tracks) for tracks in seen] == shown


def test_when_faces_are_to_be_blurred_those_that_are_doubtful_still_are_too() -> None:
    controls, info = Controls(), SourceInfo("script", "video", _SIZE_WH, 25.0)
    actors, classifier = _Doubtful(_still, 0.5, 0.3), FakeClassifier(gender=_GENDER)
    annotator = scripted_annotator(actors, classifier, info, Schedule(), controls=controls)
    assert _walk(annotator, [0]) == [()]
    controls.blur = True
    assert len(*_walk(annotator, [1])) == 3


def test_a_face_is_labelled_before_it_is_shown() -> None:
    """So that its first box has a label."""
    seen = _walk(_annotator(_Doubtful(_still, 0.5, 0.3)), range(3))
    assert [sorted(track.labels) for track in seen[2]] == [["gender", "race"]] * 3


class _Rough(FakeActors):
    """The search of the frame is off by half a face; the closer look is not."""

    def detect(
        self, image: Image, scale: float = 1.0, threshold: float | None = None
    ) -> Detections:
        found = super().detect(image, scale)
        return Detections.of(found.boxes_xyxy + np.float32([40, 0, 40, 0]), found.scores)


def test_a_face_that_a_track_explains_after_a_closer_look_is_not_new() -> None:
    seen = _walk(_annotator(_Rough(_still), frame_skip=1), range(6))
    ids = [[track.track_id for track in tracks] for tracks in seen]
    assert ids == [[]] * 2 + [[1, 2, 3]] * 4  # the two searches did not agree on them


def test_a_face_that_comes_back_is_viewed_when_it_is_whole() -> None:
    def passing(number: int) -> Mapping[int, Sequence[float]]:
        left = 40 - 6 * min(number, 12) if number < 30 else -80 + 4 * (number - 30)
        return {} if 12 <= number < 36 else {_ANN: (left, 100, left + 80, 180)}

    actors = FakeActors(passing)
    annotator = _annotator(actors, frame_skip=1000)
    embedded = []
    for number in range(60):
        (track,) = annotator.annotate(frame(number, _SIZE_WH, contrast=16)) or (None,)
        embedded.append(sum(actors.embedded))
    assert track is not None
    assert track.track_id == 1
    before, back, inside = embedded[29], embedded[45], embedded[50]
    assert back == before  # from 36 on she is there, from 48 on nine tenths of her
    assert inside > before


def _viewed_in(actors: FakeActors, annotator: Annotator, count: int) -> list[int]:
    """The frames in which a face is viewed."""
    viewed = []
    for number in range(count):
        before = len(actors.embedded)
        _walk(annotator, [number])
        if len(actors.embedded) > before:
            viewed.append(number)
    return viewed


def test_a_steady_face_is_embedded_seldom() -> None:
    """Five times in the first second, then once in two; all three at once."""
    actors = FakeActors(_still)
    assert _viewed_in(actors, _annotator(actors), 200) == [0, 5, 10, 15, 20, 70, 120, 170]
    assert set(actors.embedded) == {3}


@pytest.mark.parametrize(
    ("missed", "viewed_in"), [(1, []), (2, []), (3, [33]), (6, [37]), (7, [37])]
)
def test_a_face_back_after_three_missed_frames_is_viewed_when_it_is_found(
    missed: int, viewed_in: list[int]
) -> None:
    """From the third missed frame on it is searched for in every fourth."""

    def hiding(number: int) -> Mapping[int, Sequence[float]]:
        return {} if 30 <= number < 30 + missed else {_ANN: _CAST[_ANN]}

    actors = FakeActors(hiding)
    viewed = _viewed_in(actors, _annotator(actors, frame_skip=1000), 60)
    assert viewed == [0, 5, 10, 15, 20, *viewed_in]


def test_a_face_back_that_is_too_small_is_not_viewed() -> None:
    def hiding(number: int) -> Mapping[int, Sequence[float]]:
        return {} if 30 <= number < 35 else {_ANN: _CAST[_ANN]}

    actors = FakeActors(hiding)
    assert _viewed_in(actors, _annotator(actors, frame_skip=1000, min_face_px=90), 60) == []


def test_the_face_that_has_waited_longest_is_viewed_first() -> None:
    """Of five faces in a live picture three come later, and one of them waits for its first."""
    cast = _placed([(0, 0), (2, 0), (4, 0), (0, 2), (2, 2)])
    first = {person: cast[person] for person in (1, 2)}
    actors = FakeActors(lambda number: cast if number >= 4 else first)
    seen = _walk(_annotator(actors, kind="camera", frame_skip=3), range(7))
    labelled = [[track.track_id for track in tracks if track.labels] for tracks in seen]
    assert labelled[4:] == [[1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4, 5]]
    assert actors.embedded == [1] * 5  # though the second view of the first is due meanwhile


def test_a_face_of_which_nothing_is_known_yet_is_viewed_even_at_the_edge() -> None:
    """At first it is too small for that; then two thirds of it are in the picture."""

    def coming(number: int) -> Mapping[int, Sequence[float]]:
        half = 29 if number < 3 else 32
        return {_ANN: (10 - half, 180 - half, 10 + half, 180 + half)}

    actors = FakeActors(coming)
    annotator = _annotator(actors, frame_skip=1000, min_face_px=60)
    assert _viewed_in(actors, annotator, 12) == [3]  # and not again, though it is time in frame 8


def test_what_is_saved_to_keep_up_is_said() -> None:
    info, report = SourceInfo("script", "camera", _SIZE_WH, 25.0), RunReport()
    shedding = LoadShedding(0.5, clock=lambda: 0.0)
    actors, schedule = FakeActors(_still), Schedule(load_shedding=shedding)
    classifier = FakeClassifier(gender=_GENDER)
    annotator = scripted_annotator(actors, classifier, info, schedule, report=report)
    for index in range(0, 10, 2):  # every other frame is dropped
        annotator.annotate(Frame(numbered(0, _SIZE_WH, 16), index, index / 25, 0.0))
    assert report.load_shedding == shedding.note == "newcomers looked for 1.6× more rarely"


def test_a_live_frame_is_not_held_up_by_many_faces() -> None:
    actors = FakeActors(_still)
    seen = _walk(_annotator(actors, kind="camera"), range(4))
    assert actors.embedded == [1, 1, 1]  # each face but the first waits for a frame of its own
    assert [sum(bool(track.labels) for track in tracks) for tracks in seen] == [1, 2, 3, 3]


def _after_a_cut(script: Script) -> tuple[list[int], FakeActors]:
    """Whom the first picture of another shot shows, after four with the ids 1, 2 and 3."""
    actors = FakeActors(script)
    annotator = _annotator(actors, frame_skip=100)
    before = _walk(annotator, range(4))
    assert {track.track_id for tracks in before for track in tracks} == {1, 2, 3}
    after = annotator.annotate(frame(4, _SIZE_WH, contrast=250))
    return [track.track_id for track in after], actors


def test_after_a_cut_everything_begins_anew() -> None:
    places = list(_CAST.values())
    elsewhere = dict(zip(_CAST, places[1:] + places[:1], strict=True))
    ids, actors = _after_a_cut(lambda number: _CAST if number < 4 else elsewhere)
    assert ids == [4, 5, 6]
    assert actors.searches == [0, 4]


@pytest.mark.parametrize("to", [2, 200])
def test_where_the_user_goes_to_all_is_searched_and_who_is_there_keeps_the_id(to: int) -> None:
    """The picture itself has hardly changed: only the frame says that it was sought."""

    def script(number: int) -> Mapping[int, Sequence[float]]:
        at_first = {_ANN: _CAST[_ANN], _BOB: _CAST[_BOB]}
        return at_first if number < 100 and number != 2 else {_ANN: _CAST[_ANN], _CAT: _CAST[_CAT]}

    actors = FakeActors(script)
    annotator = _annotator(actors, frame_skip=1000)
    before = _walk(annotator, range(10))[-1]
    searched = len(actors.searches)
    sought = replace(frame(to, _SIZE_WH, contrast=16), sought=True)
    after = annotator.annotate(sought)
    assert len(actors.searches) == searched + 1
    assert [each.track_id for each in before] == [1, 2]
    ids = _who(after, script(to))
    assert ids[_ANN] == 1
    assert ids[_CAT] not in (1, 2)
    assert len(after) == 2


def test_after_a_cut_all_that_a_live_picture_shows_is_viewed() -> None:
    """Else none could be told from the tracks before."""
    actors = FakeActors(_still)
    annotator = _annotator(actors, kind="camera", frame_skip=100)
    _walk(annotator, range(4))
    after = annotator.annotate(frame(4, _SIZE_WH, contrast=250))
    assert [track.track_id for track in after] == [1, 2, 3]
    assert actors.embedded == [1, 1, 1, 3]


def test_a_track_that_a_cut_does_not_show_ends() -> None:
    """By appearance alone they would be found again."""
    away = {_ANN: _CAST[_BOB]}
    actors = FakeActors(lambda number: _CAST if number < 4 else {} if number < 6 else away)
    annotator = _annotator(actors, frame_skip=0)
    _walk(annotator, range(4))
    after = [annotator.annotate(frame(number, _SIZE_WH, contrast=250)) for number in range(4, 7)]
    assert [[track.track_id for track in tracks] for tracks in after] == [[], [], [4]]


def test_a_swing_of_the_camera_is_no_cut_for_those_it_shows_on() -> None:
    moved = {_ANN: (120, 110, 200, 190), _BOB: (500, 300, 580, 380)}  # a little, and far away
    ids, _ = _after_a_cut(lambda number: _CAST if number < 4 else moved)
    assert ids == [1, 4]


# --- which track a face belongs to ---


def _moving(number: int) -> Mapping[int, Sequence[float]]:
    """All three to the right, up or down, at a speed of their own."""
    shifts = {_ANN: (3, 1), _BOB: (1, -0.5), _CAT: (0.5, 2)}
    return {
        person: tuple(np.array(box) + np.tile(shifts[person], 2) * number)
        for person, box in _CAST.items()
    }


def test_people_keep_their_ids_through_motion() -> None:
    seen = _run(_moving, 60)
    for number, tracks in enumerate(seen):
        assert _who(tracks, _moving(number)) == {_ANN: 1, _BOB: 2, _CAT: 3}


def test_boxes_follow_a_motion_closely() -> None:
    for number, tracks in enumerate(_run(_moving, 60)[10:], start=10):
        boxes = np.array([track.box_xyxy for track in tracks])
        assert np.abs(boxes - np.array(list(_moving(number).values()))).max() < 4


@pytest.mark.parametrize("hidden", [1, 3, 10, 25])
def test_a_face_that_was_hidden_keeps_its_id(hidden: int) -> None:
    def script(number: int) -> Mapping[int, Sequence[float]]:
        cast = dict(_moving(number))
        if 20 <= number < 20 + hidden:
            del cast[_ANN]
        return cast

    seen = _run(script, 60)
    ids = {_who(tracks, _moving(number)).get(_ANN) for number, tracks in enumerate(seen)}
    assert ids <= {1, None}
    assert _who(seen[-1], _moving(59)) == {_ANN: 1, _BOB: 2, _CAT: 3}
    missed = [track.missed_frames for track in seen[20] if track.track_id == 1]
    assert missed in ([0], [1])  # 0 where it was not looked for


def test_a_face_that_is_not_found_is_shown_for_three_frames_only() -> None:
    seen = _run(lambda number: _CAST if number < 20 else {_BOB: _CAST[_BOB]}, 40)
    assert [len(tracks) for tracks in seen] == [3] * 23 + [1] * 17


@pytest.mark.parametrize(("skipped", "shown"), [(2, True), (3, False)])
def test_frames_that_a_live_source_skipped_are_counted_as_missed(skipped: int, shown: bool) -> None:
    annotator = _annotator(FakeActors(lambda number: _CAST if number < 20 else {}), kind="camera")
    _walk(annotator, range(20))
    (tracks,) = _walk(annotator, [20 + skipped])
    assert [track.missed_frames for track in tracks] == ([1 + skipped] * 3 if shown else [])


def test_a_track_lost_for_long_ends_and_no_id_is_used_twice() -> None:
    def script(number: int) -> Mapping[int, Sequence[float]]:
        return {} if 20 <= number < 120 else {_ANN: _CAST[_ANN]}

    seen = _run(script, 160)
    assert {track.track_id for tracks in seen[:20] for track in tracks} == {1}
    assert seen[60] == ()
    assert {track.track_id for tracks in seen[125:] for track in tracks} == {2}


def test_no_evidence_is_kept_of_tracks_that_have_ended() -> None:
    annotator = _annotator(FakeActors(lambda number: _CAST if number < 20 else {}))
    _walk(annotator, range(70))
    assert annotator._labeller._evidence.keys() == {1, 2, 3}  # they may come back for two seconds
    _walk(annotator, range(70, 72))
    assert annotator._labeller._evidence == {}


def test_another_face_in_the_same_place_is_another_track() -> None:
    def script(number: int) -> Mapping[int, Sequence[float]]:
        return {_ANN if number < 40 else _BOB: _CAST[_ANN]}

    seen = _run(script, 160)
    assert {track.track_id for tracks in seen[:40] for track in tracks} == {1}
    (last,) = seen[-1]
    assert last.track_id == 2
    assert last.seen_frames <= 120


def test_tracks_come_by_id_also_where_a_face_took_anothers_place() -> None:
    def script(number: int) -> Mapping[int, Sequence[float]]:
        return {_ANN if number < 4 else _CAT: _CAST[_ANN], _BOB: _CAST[_BOB]}

    seen = _run(script, 6)
    assert [[track.track_id for track in tracks] for tracks in seen[4:]] == [[1, 2], [2, 3]]


class _Moody(FakeActors):
    """Behind the appearance, embeddings hold numbers that change a lot."""

    dimensions = 65

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.embedded.append(len(chips))
        who = np.eye(self.appearance_dimensions, dtype=np.float32)[
            [number_of(chip) for chip in chips]
        ]
        return np.pad(who, ((0, 0), (0, 1)), constant_values=float(len(self.embedded)))


def test_only_the_appearance_tells_faces_apart() -> None:
    actors = _Moody(_still)
    annotator = _annotator(actors)
    viewed = _viewed_in(actors, annotator, 30)
    assert viewed == [0, 5, 10, 15, 20]
    assert [track.track_id for track in _walk(annotator, [30])[0]] == [1, 2, 3]


def test_people_who_cross_keep_their_ids() -> None:
    def crossing(number: int) -> Mapping[int, Sequence[float]]:
        left, right = 100 + 5 * number, 500 - 5 * number
        cast = {_ANN: (left, 100, left + 80, 180), _BOB: (right, 105, right + 80, 185)}
        if abs(left - right) < 50:  # one hides the other
            del cast[_BOB]
        return cast

    seen = _run(crossing, 80)
    assert _who(seen[10], crossing(10)) == {_ANN: 1, _BOB: 2}
    assert _who(seen[-1], crossing(79)) == {_ANN: 1, _BOB: 2}


@pytest.mark.parametrize("near", [0.3, 0.5])
def test_a_false_alarm_of_which_one_search_was_unsure_is_never_shown(near: float) -> None:
    """One of which both were sure is shown for the frames in which a face may be missed."""

    def script(number: int) -> Mapping[int, Sequence[float]]:
        return _CAST if number == 0 else {_ANN: _CAST[_ANN]}

    seen = _walk(_annotator(_Doubtful(script, 0.5, near)), range(10))
    unsure, sure = [0, 0, *[1] * 8], [*[3] * 4, *[1] * 6]
    assert [len(tracks) for tracks in seen] == (unsure if near < 0.45 else sure)


_PLACES = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 2)), min_size=1, max_size=12, unique=True
)


def _placed(places: Sequence[tuple[int, int]]) -> dict[int, Sequence[float]]:
    return {
        person: (x * 120 + 10, y * 115 + 5, x * 120 + 90, y * 115 + 85)
        for person, (x, y) in enumerate(places, start=1)
    }


@settings(deadline=None, max_examples=40)
@given(_PLACES, st.randoms(use_true_random=False))
def test_every_seen_face_has_exactly_one_track_in_whatever_order_faces_are_found(
    places: list[tuple[int, int]], random: Random
) -> None:
    cast = _placed(places)

    def shuffled(number: int) -> Mapping[int, Sequence[float]]:
        people = list(cast.items())
        if number:
            random.shuffle(people)
        return dict(people)

    orders = [shuffled(number) for number in range(8)]
    seen = _run(orders.__getitem__, 8, frame_skip=2)
    for tracks in seen:
        assert _who(tracks, cast) == {person: person for person in cast}
        assert len(tracks) == len(cast)


def test_a_face_is_the_same_one_in_frames_of_another_size() -> None:
    def grown(number: int) -> Mapping[int, Sequence[float]]:
        return {who: np.multiply(box, 1 + (number > 19)).tolist() for who, box in _CAST.items()}

    annotator = _annotator(FakeActors(grown))
    small = _walk(annotator, range(20))
    wide = tuple(2 * side for side in _SIZE_WH)
    large = [annotator.annotate(frame(number, wide, contrast=16)) for number in range(20, 30)]
    for tracks in large:
        assert _who(tracks, grown(20)) == _who(small[-1], _CAST)
        assert all(not each.missed_frames for each in tracks)
