"""Results: a tuple of faces that knows its picture and its model, and what a notebook shows."""

import base64
import pickle
import re

import cv2
import numpy as np
import pytest
from fakes import label, numbered, track

from stream.drawing.overlay import Overlay
from stream.results import Context, Results
from stream.settings.schema import OverlaySection
from stream.tracks import Face, Track

_ATTRIBUTES = {"gender": ("Female", "Male"), "race": ("Black", "White")}
_CONTEXT = Context(source="clip.mp4", attributes=_ATTRIBUTES)
_SEEN = track(3, (20, 10, 60, 50), {"gender": label("Female", 0.9)})
_MISSED = Track(4, _SEEN.box_xyxy + 50, 0.5, {}, 5, missed_frames=2, quality=0.0)
_IMAGE = numbered(300, (160, 120))


def _results() -> Results[Track]:
    return Results([_SEEN, _MISSED], _CONTEXT, _IMAGE)


def _face() -> Face:
    return Face(_SEEN.box_xyxy, 0.9, _SEEN.labels, 0.5)


def test_it_is_a_tuple_of_its_faces() -> None:
    results = _results()
    first, second = results
    assert (first, second) == (_SEEN, _MISSED)
    assert results == (_SEEN, _MISSED)
    assert (len(results), results[0], results[-1]) == (2, _SEEN, _MISSED)
    assert not Results()


def test_a_part_knows_the_same() -> None:
    for part in (_results()[:1], _results().visible):
        assert part == (_SEEN,)
        assert (part.source, part.attributes) == ("clip.mp4", _ATTRIBUTES)
        assert part.image is _IMAGE
    assert len(Results([_face()]).visible) == 1


def test_a_pickle_holds_the_same() -> None:
    again = pickle.loads(pickle.dumps(_results()))  # noqa: S301, its own
    assert again == _results()
    assert (again.source, again.attributes) == ("clip.mp4", _ATTRIBUTES)
    np.testing.assert_array_equal(again.draw(), _results().draw())


def test_a_line_says_how_many_there_are_and_names_the_first() -> None:
    assert repr(_results()).startswith("Results(2 faces in clip.mp4: Track(3: gender Female 90%")
    assert repr(Results([_face()])) == f"Results(1 face: {_face()!r})"
    assert repr(Results[Face]()) == "Results(0 faces)"
    assert repr(Results([_SEEN] * 40)).endswith(", …)")


def test_it_draws_what_the_settings_say() -> None:
    expected = Overlay().draw(_IMAGE, [_SEEN, _MISSED])
    np.testing.assert_array_equal(_results().draw(), expected)
    plain = Context(overlay=OverlaySection(labels=False))
    nothing_drawn = Results([_SEEN], plain, _IMAGE).draw()
    np.testing.assert_array_equal(nothing_drawn, _IMAGE)
    assert nothing_drawn is not _IMAGE  # a caller may write to it
    np.testing.assert_array_equal(
        Results([_face()], _CONTEXT, _IMAGE).draw(),
        Overlay().draw(_IMAGE, [track(1, labels=_SEEN.labels)]),
    )


def test_without_a_picture_there_is_none_to_draw() -> None:
    results = Results([_SEEN], _CONTEXT)
    with pytest.raises(ValueError, match="keeps no picture"):
        results.draw()
    assert "<img" not in results._repr_html_()
    assert "<table>" in results._repr_html_()


def _shown(html: str) -> np.ndarray:
    """The picture in what a notebook shows."""
    found = re.search(r'<img src="data:image/jpeg;base64,([^"]+)">', html)
    assert found is not None
    return cv2.imdecode(np.frombuffer(base64.b64decode(found[1]), np.uint8), cv2.IMREAD_COLOR)


def test_a_notebook_shows_the_picture_and_a_table() -> None:
    html = _results()._repr_html_()
    shown = _shown(html).astype(int)
    assert shown.shape == _IMAGE.shape
    assert np.abs(shown - _results().draw()).mean() < 20  # it is a JPEG
    rows = [re.findall(r"<t[hd]>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>.*?</tr>", html)]
    assert rows == [
        ["", "gender", "race", "box", "score"],
        ["3", "Female 90%", "", "20, 10, 60, 50", "1.00"],
        ["4", "", "", "70, 60, 110, 100", "0.50"],
    ]


def test_a_large_picture_is_shown_small() -> None:
    large = np.zeros((1200, 2000, 3), np.uint8)
    assert _shown(Results([_SEEN], _CONTEXT, large)._repr_html_()).shape == (576, 960, 3)


def test_names_of_classes_are_no_html() -> None:
    context = Context(attributes={"<b>": ("<script>",)})
    html = Results([track(1, labels={"<b>": label("<script>", 0.9)})], context)._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt; 90%" in html
    assert "<th>&lt;b&gt;</th>" in html


def test_faces_are_blurred_where_the_settings_say_so() -> None:
    blurred = Context(overlay=OverlaySection(blur=True, labels=False))
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    drawn = Results([_SEEN], blurred, noise).draw()
    face = np.s_[15:45, 25:55]
    assert drawn[face].std() < noise[face].std() / 3
    np.testing.assert_array_equal(drawn[100:], noise[100:])
