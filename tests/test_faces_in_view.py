"""The faces in view of a source, as the page shows them, and how many there were."""

from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
from fakes import frame, label, person, track

from stream.drawing.overlay import Overlay
from stream.page.faces_in_view import HISTORY_STEP_S, UNSURE, FacesInView, add_counts
from stream.people import Person
from stream.settings.schema import OverlaySection
from stream.sinks import AnnotatedFrame

_OVERLAY = Overlay(OverlaySection(labels=False))


def _annotated(*people: Person, seen: int | None = None, captured_s: float = 0.0) -> AnnotatedFrame:
    """A frame in which all people are present, and the first ones seen."""
    tracks = [track(each.track_id) for each in people[:seen]]
    captured = replace(frame(0), captured_s=captured_s)
    return AnnotatedFrame(captured, tracks, _OVERLAY, present=people)


def test_people_are_listed_with_what_they_are_perceived_as() -> None:
    faces = FacesInView()
    faces.update(_annotated(person(3, {"gender": label("Male", 1.0)}), person(4), seen=1))
    first, second = faces.entries(2)
    assert (first["source"], first["track"], first["in_view"]) == (2, 3, True)
    assert first["labels"] == {"gender": {"text": "Male", "confidence": 0.99}}
    assert first["thumbnail"] == "/api/people/2/3.jpg"
    assert (second["track"], second["in_view"], second["labels"]) == (4, False, {})
    assert faces.count == 1
    faces.leave()
    assert (faces.entries(2), faces.count, faces.counts()) == ([], 0, {})


def test_counts_are_of_the_faces_in_view_and_unsure_ones_are_counted() -> None:
    faces = FacesInView()
    people = [person(n, {"gender": label(text)}) for n, text in enumerate(("Male", None, "Female"))]
    faces.update(_annotated(*people, seen=2))
    assert faces.counts() == {"gender": Counter({"Male": 1, UNSURE: 1})}
    assert add_counts([faces.counts(), faces.counts(), {}]) == {"gender": {"Male": 2, UNSURE: 2}}


def test_counts_over_time_are_taken_every_few_seconds() -> None:
    faces = FacesInView()
    for number in range(7):
        faces.update(_annotated(person(), captured_s=number * HISTORY_STEP_S / 2))
    assert [entry["faces"] for entry in faces.history()] == [1, 1, 1, 1]


def test_a_picture_of_a_face_is_blurred_if_faces_are_to_be() -> None:
    faces = FacesInView()
    whole = person(1)
    rough = np.random.default_rng(0).integers(0, 256, (72, 64, 3), dtype=np.uint8)
    faces.update(_annotated(replace(whole, best=replace(whole.best, crop=rough))))
    plain, blurred = (faces.thumbnail(1, blur=blur) for blur in (False, True))
    assert plain is not None and blurred is not None
    detail = [
        float(cv2.Laplacian(cv2.imdecode(np.frombuffer(jpeg, np.uint8), 0), cv2.CV_64F).std())
        for jpeg in (plain, blurred)
    ]
    assert detail[1] < detail[0] / 4
    assert faces.thumbnail(2, blur=False) is None
