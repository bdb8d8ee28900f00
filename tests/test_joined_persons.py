"""Persons of the spans of one video: tracks that go on over seams, and faces that come back."""

from collections.abc import Mapping, Sequence

import numpy as np

from models.classification.classifier import Prediction
from stream.batch.spans.joined_persons import JoinedPersons
from stream.labelling.evidence import TrackEvidence
from stream.labelling.track_faces import TrackFace
from stream.settings.schema import LabelSettings


def _face(track_id: int, person: int, *beside: int, female: float = 0.9) -> TrackFace:
    """The face of a person in a track of a span, so far from others: 1."""
    evidence = TrackEvidence(LabelSettings())
    gender = np.array([[female, 1 - female]], np.float32)
    evidence.add([Prediction("gender", ("Female", "Male"), gender)], 0, 0.8, 0.0)
    empty = np.zeros(8, np.float32)
    face = TrackFace((track_id,), evidence, empty, set(beside), is_shown=True)
    appearance = empty.copy()
    appearance[person] = 0.7
    face.add(appearance, 0.8)
    return face


def _ids(
    faces: Sequence[Sequence[TrackFace]],
    same: Sequence[Mapping[int, int]],
    tracks: Sequence[tuple[int, int, int]],
) -> dict[int, int]:
    """By track of the joined run, its person; `tracks` are span, track there, and joined id."""
    persons = JoinedPersons(faces, same)
    for each in tracks:
        persons.person_id(*each)
    return dict(persons.settled().person_ids)


def test_a_face_that_comes_back_in_a_later_span_is_one_person() -> None:
    faces = [[_face(1, 0, 2), _face(2, 1, 1)], [_face(1, 1)], [_face(1, 0), _face(2, 3)]]
    tracks = [(0, 1, 1), (0, 2, 2), (1, 1, 3), (2, 1, 4), (2, 2, 5)]
    assert _ids(faces, [{}, {}, {}], tracks) == {1: 1, 2: 2, 3: 2, 4: 1, 5: 5}


def test_a_track_over_a_seam_is_one_also_where_its_faces_look_unlike() -> None:
    """It goes on over two seams, and the face that comes back is that of its last span."""
    faces = [[_face(1, 0)], [_face(4, 1)], [_face(2, 1), _face(3, 1)]]
    same: list[dict[int, int]] = [{}, {4: 1}, {2: 4}]
    ids = _ids(faces, same, [(0, 1, 1), (1, 4, 1), (2, 2, 1), (2, 3, 2)])
    assert ids[1] == 1


def test_two_faces_in_one_frame_of_a_span_are_two_people() -> None:
    faces = [[_face(1, 0)], [_face(1, 0, 2), _face(2, 0, 1)]]
    ids = _ids(faces, [{}, {1: 1}], [(0, 1, 1), (1, 1, 1), (1, 2, 2)])
    assert ids == {1: 1, 2: 2}


def test_the_label_is_of_what_all_spans_say() -> None:
    persons = JoinedPersons([[_face(1, 0, female=0.9)], [_face(1, 0, female=0.7)]], [{}, {}])
    assert persons.person_id(0, 1, 1) == persons.person_id(1, 1, 2) == 1
    label = persons.settled().labels[1]["gender"]
    assert round(label.confidence, 3) == 0.8


def test_a_track_of_which_no_face_is_known_is_a_person_of_its_own() -> None:
    """It was too small for a view."""
    assert _ids([[], []], [{}, {}], [(0, 7, 7), (1, 1, 8)]) == {7: 7, 8: 8}
