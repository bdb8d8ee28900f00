"""Tracks of one file that are of the same face: while it is read, and at its end."""

import pickle
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from models.classification.classifier import Prediction
from stream.labelling import settling
from stream.labelling.evidence import TrackEvidence
from stream.labelling.persons import Persons
from stream.labelling.settling import settlement
from stream.labelling.track_faces import TrackFace
from stream.settings.schema import LabelSettings

_EMPTY: NDArray[np.float32] = np.zeros(8, np.float32)


def _face(person: int, turn: float = 0.0) -> NDArray[np.float32]:
    """The appearance of a person, so far from that of the others and of nothing: 1 and 0.7."""
    appearance = np.zeros(8, np.float32)
    appearance[person] = 0.7
    appearance[7] = turn
    return appearance


class _Film:
    """Shots given to `Persons` as an annotator gives them, with evidence of its own."""

    def __init__(self) -> None:
        self.persons = Persons(_EMPTY)
        self.evidence: dict[int, TrackEvidence] = {}

    def shot(
        self,
        faces: Mapping[int, NDArray[np.float32]],
        female: float = 0.9,
        quality: float = 0.8,
        views: int = 3,
    ) -> dict[int, int]:
        """Tracks with these faces in the same frames; the numbers of their persons in the last."""
        for _ in range(views):
            for track_id, appearance in faces.items():
                own = self.evidence.setdefault(track_id, TrackEvidence(LabelSettings()))
                elsewhere = self.persons.add_view(track_id, own, appearance, quality)
                gender = np.array([[female, 1 - female]], np.float32)
                prediction = Prediction("gender", ("Female", "Male"), gender)
                own.add([prediction], 0, quality, 0.0, elsewhere)
            self.persons.see(list(faces))
        self.persons.see(())
        return {track_id: self.persons.person_id(track_id) for track_id in faces}

    def settled(self) -> dict[int, int]:
        return dict(self.persons.settled().person_ids)


def test_a_face_that_comes_back_is_the_person_that_it_was() -> None:
    film = _Film()
    assert film.shot({1: _face(0), 2: _face(1)}) == {1: 1, 2: 2}
    assert film.shot({3: _face(1, 0.1)}) == {3: 2}
    assert film.shot({4: _face(2), 6: _face(0, 0.1)}) == {4: 4, 6: 1}
    assert film.settled() == {1: 1, 2: 2, 3: 2, 4: 4, 6: 1}


def test_a_face_that_is_viewed_while_the_same_faces_are_shown_is_joined() -> None:
    film = _Film()
    film.persons.see([1, 2])  # still too small for a view
    assert film.shot({1: _face(0), 2: _face(1)}) == {1: 1, 2: 2}
    assert film.shot({3: _face(0, 0.1)}) == {3: 1}
    assert film.settled() == {1: 1, 2: 2, 3: 1}


def test_a_label_is_of_what_all_shots_say_from_the_first_view_on() -> None:
    film = _Film()
    film.shot({1: _face(0)}, female=0.95)
    film.shot({2: _face(0, 0.1)}, female=0.3, views=1)
    assert film.evidence[2].labels["gender"].text == "Female"
    mean = (3 * 0.95 + 0.3) / 4
    assert film.evidence[2].labels["gender"].confidence == pytest.approx(mean)
    (label,) = (labels["gender"] for labels in film.persons.settled().labels.values())
    assert (label.text, label.confidence) == ("Female", pytest.approx(mean))


def test_two_faces_in_one_frame_are_two_people_however_alike() -> None:
    film = _Film()
    assert film.shot({1: _face(0), 2: _face(0)}) == {1: 1, 2: 2}
    film.shot({3: _face(0, 0.1)})
    settled = film.settled()
    assert settled[1] != settled[2]
    assert settled[3] in (1, 2)


def test_tracks_of_one_person_that_meet_become_two() -> None:
    film = _Film()
    film.shot({1: _face(0)})
    assert film.shot({2: _face(0), 3: _face(5)}) == {2: 1, 3: 3}
    assert film.shot({2: _face(0), 4: _face(0)}) == {2: 1, 4: 4}


@pytest.mark.parametrize(("strength", "are_joined"), [(0.7, True), (0.3, False)])
def test_faces_that_show_little_stay_apart(strength: float, are_joined: bool) -> None:
    """What is near the appearance of an empty chip is near everybody's who is hardly seen."""
    film = _Film()
    little = np.zeros(8, np.float32)
    little[0] = strength
    film.shot({1: little})
    other = little.copy()
    other[1] = 0.15
    film.shot({2: other})
    assert (len(set(film.settled().values())) == 1) is are_joined


def test_a_track_that_was_never_shown_is_nobody() -> None:
    """A candidate is viewed before it is sure to be a face."""
    film = _Film()
    candidate = TrackEvidence(LabelSettings())
    film.persons.add_view(1, candidate, _face(0), 0.8)
    film.shot({2: _face(0)})
    assert film.settled() == {2: 2}


def test_a_lone_track_joins_the_only_person_that_is_nearly_near_enough() -> None:
    """Its mean distance lies between the two thresholds."""
    tracks = [_track(1, _face(0)), _track(2, _face(0, 0.1)), _track(3, _face(0, 0.69))]
    far = np.mean([0.69, 0.59])
    assert settling.SAME_PERSON_DISTANCE < far < settling._LONE_DISTANCE
    assert set(settlement(tracks).person_ids.values()) == {1}
    rival = _face(0, 0.69)
    rival[1] = 0.66  # so far is it from the third
    assert settlement([*tracks, _track(4, rival)]).person_ids == {1: 1, 2: 1, 3: 3, 4: 4}


def test_lone_tracks_do_not_join_a_person_beside_them() -> None:
    tracks = [_track(1, _face(0)), _track(2, _face(0, 0.1)), _track(3, _face(0, 0.69), beside={2})]
    assert settlement(tracks).person_ids == {1: 1, 2: 1, 3: 3}


def test_a_file_of_many_tracks_is_joined_in_parts() -> None:
    tracks = [_track(1 + n, _face(n % 4, 0.02 * (n // 4))) for n in range(40)]
    ids = settlement(tracks, at_a_time=6).person_ids
    assert ids == {1 + n: 1 + n % 4 for n in range(40)}


def test_more_people_than_are_compared_at_a_time() -> None:
    """Each is told, those seen longest ago too."""
    tracks = [_track(1 + n, _face(n)) for n in range(7)]
    assert settlement(tracks, at_a_time=2).person_ids == {1 + n: 1 + n for n in range(7)}


def test_no_track_and_one_track() -> None:
    assert settlement([]).person_ids == {}
    one = settlement([_track(3, _face(0))])
    assert (one.person_ids, list(one.labels)) == ({3: 3}, [3])


def test_faces_cross_from_one_process_to_another() -> None:
    film = _Film()
    film.shot({1: _face(0), 2: _face(1)})
    film.shot({3: _face(0, 0.1)})
    copies: Sequence[TrackFace] = pickle.loads(pickle.dumps(film.persons.faces))  # noqa: S301
    assert settlement(copies).person_ids == film.settled()


def _track(
    track_id: int, appearance: NDArray[np.float32], beside: set[int] | None = None
) -> TrackFace:
    evidence = TrackEvidence(LabelSettings())
    evidence.add([Prediction("gender", ("F", "M"), np.full((1, 2), 0.5, np.float32))], 0, 0.8, 0.0)
    face = TrackFace((track_id,), evidence, _EMPTY, beside or set(), is_shown=True)
    face.add(appearance, 0.8)
    return face
