"""Which frames belong to which segment, and what the files of a segment are called."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import pytest
from fakes import frame, track
from hypothesis import given
from hypothesis import strategies as st

from stream.settings.schema import RecorderSection
from stream.sinks.segments import Placement, Segmenter, SegmentNames, begun_at

_FPS = 10.0
_BEGUN = datetime(2026, 10, 25, 2, 59, 58, tzinfo=timezone(timedelta(hours=2)))


def _clock(*later_s: float) -> Callable[[], datetime]:
    """Gives these times after `_BEGUN`, one after another."""
    times = iter(later_s)
    return lambda: _BEGUN + timedelta(seconds=next(times))


def _placed(
    settings: RecorderSection, faces: Sequence[bool], segmenter: Segmenter | None = None
) -> list[Placement]:
    """Where the frames belong, a face in those that say so."""
    segmenter = segmenter or Segmenter(settings)
    return [
        segmenter.place(frame(number, fps=_FPS), [track()] if face else [])
        for number, face in enumerate(faces)
    ]


def _recorded(placements: Sequence[Placement]) -> list[tuple[int, int, str]]:
    """First and last frame of what is recorded in one piece, and the stamp of its segment."""
    pieces: list[tuple[int, int, str]] = []
    for number, place in enumerate(placements):
        if place.segment is None:
            continue
        first, stamp = round(place.since_s * _FPS), place.segment.stamp
        if pieces and pieces[-1][0] == first and pieces[-1][2] == stamp:
            first = pieces.pop()[0]
        pieces.append((first, number, stamp))
    return pieces


def test_a_segment_is_as_long_as_asked_for() -> None:
    segmenter = Segmenter(RecorderSection(segment_s=2), now=_clock(0, 2, 4))
    placements = _placed(RecorderSection(segment_s=2), [False] * 50, segmenter)
    assert _recorded(placements) == [
        (0, 19, "20261025-025958+0200"),
        (20, 39, "20261025-030000+0200"),
        (40, 49, "20261025-030002+0200"),
    ]
    keys = [number for number, place in enumerate(placements) if place.is_key]
    assert keys == [0, 20, 40]


def test_an_hour_that_the_clock_shows_twice_has_two_names() -> None:
    summer, winter = (timezone(timedelta(hours=hours)) for hours in (2, 1))
    times = iter([datetime(2026, 10, 25, 2, 30, tzinfo=zone) for zone in (summer, winter)])
    segmenter = Segmenter(RecorderSection(segment_s=1), now=lambda: next(times))
    stamps = [stamp for *_, stamp in _recorded(_placed(RecorderSection(), [True] * 20, segmenter))]
    assert stamps == ["20261025-023000+0200", "20261025-023000+0100"]
    assert begun_at(stamps[0]) < begun_at(stamps[1])


def test_a_name_that_is_taken_is_not_taken_again(tmp_path: Path) -> None:
    save, log = tmp_path / "door.mp4", tmp_path / "faces.jsonl"
    (tmp_path / "door-20261025-025958+0200.mp4").touch()
    (tmp_path / "faces-20261025-025958+0200-2.part.jsonl").touch()
    names = [SegmentNames.of(save), SegmentNames.of(log)]
    segmenter = Segmenter(RecorderSection(segment_s=1), names, now=_clock(0, 0))
    stamps = [stamp for *_, stamp in _recorded(_placed(RecorderSection(), [True] * 20, segmenter))]
    assert stamps == ["20261025-025958+0200-3", "20261025-025958+0200-4"]


def test_what_is_near_a_face_is_recorded() -> None:
    settings = RecorderSection(segment_s=3600, only_with_faces=True, before_s=2, after_s=1)
    faces = [number in range(50, 60) or number == 100 for number in range(130)]
    first, second = _recorded(_placed(settings, faces))
    assert first[:2] == (30, 69)
    assert second[:2] == (80, 110)
    assert first[2] != second[2]


def test_two_faces_that_follow_are_one_segment_and_nothing_is_in_two() -> None:
    settings = RecorderSection(segment_s=3600, only_with_faces=True, before_s=5, after_s=1)
    faces = [number in (20, 28, 45) for number in range(80)]
    first, second = _recorded(_placed(settings, faces))
    assert first[:2] == (0, 38)
    assert second[:2] == (39, 55)


def test_one_file_takes_all_that_is_near_faces() -> None:
    settings = RecorderSection(only_with_faces=True, before_s=1, after_s=1)
    pieces = _recorded(_placed(settings, [number in (20, 60) for number in range(90)]))
    assert pieces == [(10, 30, ""), (41, 70, "")]  # a second more, to the last keyframe


@given(
    st.lists(st.booleans(), min_size=1, max_size=120),
    st.sampled_from([0, 1, 3]),
    st.sampled_from([0.0, 0.5, 2.0]),
    st.sampled_from([0.0, 0.7, 2.0]),
)
def test_no_frame_of_a_face_is_left_out_and_none_is_in_two_segments(
    faces: list[bool], segment_s: float, before_s: float, after_s: float
) -> None:
    settings = RecorderSection(
        segment_s=segment_s, only_with_faces=True, before_s=before_s, after_s=after_s
    )
    placements = _placed(settings, faces)
    pieces = _recorded(placements)
    recorded = {number for first, last, _ in pieces for number in range(first, last + 1)}
    assert {number for number, face in enumerate(faces) if face} <= recorded
    assert all(later[0] > earlier[1] for earlier, later in pairwise(pieces))
    for first, _, _ in pieces:
        assert placements[first].is_key  # a file, and what goes on after a pause, begins with a key


def test_after_a_failure_a_new_segment_begins_soon() -> None:
    segmenter = Segmenter(RecorderSection(segment_s=3600), now=_clock(0, 11))
    numbers = []
    for number in range(150):
        if number == 10:
            segmenter.retry_soon()
            segmenter.retry_soon()
        place = segmenter.place(frame(number, fps=_FPS), [])
        assert place.segment is not None
        numbers.append(place.segment.number)
    assert numbers.index(1) == 109  # 10 s after the frame before the failure was known
    assert numbers[-1] == 1


@pytest.mark.parametrize(
    ("name", "stamp"),
    [
        ("door-20261025-025958+0200.mp4", "20261025-025958+0200"),
        ("door-20261025-025958-0330-12.mp4", "20261025-025958-0330-12"),
        ("door-20261025-025958.mp4", ""),
        ("door-20261025-025958+0200.mkv", ""),
        ("door-20261025-025958+0200.part.mp4", ""),
        ("front-door-20261025-025958+0200.mp4", ""),
        ("door-holiday.mp4", ""),
        ("door.mp4", ""),
    ],
)
def test_the_files_of_segments_are_known_by_their_names(name: str, stamp: str) -> None:
    names = SegmentNames.of(Path("/x/door.mp4"))
    assert names.stamp_of(name) == stamp
    if stamp:
        assert names.path(stamp) == Path("/x", name)
        assert begun_at(stamp).utcoffset() is not None


def test_a_date_that_there_is_not_is_no_date() -> None:
    for stamp in ("20261399-025958+0200", "yesterday"):
        with pytest.raises(ValueError, match=r"date|time"):
            begun_at(stamp)
