"""Media time, made of whatever times a container states."""

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import Pulses

from stream.sources.media import open_container
from stream.sources.media_clock import JointClock, MediaClock, joint_clock


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ([0.0, 0.04, 0.08], [0.0, 0.04, 0.08]),
        ([None, None, None], [0.0, 0.04, 0.08]),
        ([0.0, None, 0.5, None], [0.0, 0.04, 0.5, 0.54]),
        ([-0.5, -0.1, 0.2], [0.0, 0.02, 0.2]),
        ([0.0, 0.0, 0.04], [0.0, 0.02, 0.04]),
        ([0.0, 0.08, 0.04, 0.12], [0.0, 0.08, 0.1, 0.12]),
        ([9.0, 9.04, 0.0, 0.04, 0.5], [9.0, 9.04, 9.08, 9.12, 9.58]),
    ],
    ids=["plain", "missing", "some missing", "negative", "twice", "out of order", "joined"],
)
def test_time_goes_forwards_whatever_the_container_states(
    stated: list[float | None], expected: list[float]
) -> None:
    clock = MediaClock(0.0, 0.04)
    assert [clock.time_s(time_s) for time_s in stated] == pytest.approx(expected)


_VIDEO, _SOUND = SimpleNamespace(index=0), SimpleNamespace(index=1)


def _retimed(
    packets: list[tuple[Any, float]], *, restarts: bool = True
) -> list[tuple[float, float]]:
    """The times that packets of 40 ms get, each with the track's number before it."""
    container = SimpleNamespace(format=SimpleNamespace(flags=512 if restarts else 0))
    clock = JointClock(container, [_VIDEO, _SOUND])  # type: ignore[arg-type, list-item]
    retimed = []
    for track, stated_s in packets:
        ticks = round(stated_s * 1000)
        packet = SimpleNamespace(
            stream=track, pts=ticks, dts=ticks, duration=40, time_base=Fraction(1, 1000)
        )
        packet.is_keyframe = True
        clock.retime(packet)  # type: ignore[arg-type]
        retimed.append((track.index, packet.pts / 1000))
    return retimed


def test_all_tracks_follow_over_a_seam_with_one_shift() -> None:
    packets = [(_VIDEO, 8.0), (_SOUND, 8.01), (_VIDEO, 8.04), (_SOUND, 8.05)]
    packets += [(_VIDEO, 1.0), (_SOUND, 8.09), (_VIDEO, 1.04), (_SOUND, 1.01), (_SOUND, 1.05)]
    assert [time_s for _, time_s in _retimed(packets)[4:]] == pytest.approx(
        [8.08, 8.09, 8.12, 8.09, 8.13]
    )


def test_pictures_are_not_overlapped_where_sound_comes_to_a_seam_first() -> None:
    packets = [(_VIDEO, 8.0), (_SOUND, 7.9), (_SOUND, 1.0), (_VIDEO, 1.02)]
    assert [time_s for _, time_s in _retimed(packets)[2:]] == pytest.approx([8.04, 8.06])


def test_sound_that_outlasts_the_pictures_by_far_is_not_overlapped() -> None:
    packets = [(_VIDEO, 8.0), (_SOUND, 9.0), (_VIDEO, 1.0), (_SOUND, 1.0)]
    assert [time_s for _, time_s in _retimed(packets)[2:]] == pytest.approx([9.04, 9.04])


def test_a_little_back_is_jitter_and_moves_nothing() -> None:
    packets = [(_VIDEO, 1.0), (_VIDEO, 1.04), (_VIDEO, 1.0), (_VIDEO, 1.08)]
    assert [time_s for _, time_s in _retimed(packets)] == [1.0, 1.04, 1.0, 1.08]


@pytest.mark.parametrize(("restarts", "follows_s"), [(True, 1.04), (False, 100.0)])
def test_far_ahead_is_another_clock_only_where_a_format_has_several(
    restarts: bool, follows_s: float
) -> None:
    packets = [(_VIDEO, 1.0), (_VIDEO, 100.0), (_VIDEO, 100.04)]
    times = [time_s for _, time_s in _retimed(packets, restarts=restarts)]
    assert times == pytest.approx([1.0, follows_s, follows_s + 0.04])


def test_one_track_that_pauses_is_no_seam() -> None:
    packets = [(_VIDEO, 1.0), (_SOUND, 1.0)]
    packets += [(_VIDEO, 1 + second) for second in range(1, 30)] + [(_SOUND, 30.0)]
    assert _retimed(packets)[-1] == (1, 30.0)


def test_a_seam_that_a_track_misses_does_not_mislead_it_at_the_next() -> None:
    packets = [(_VIDEO, 5.0), (_SOUND, 5.0), (_VIDEO, 1.0), (_VIDEO, 1.04)]
    packets += [(_VIDEO, 0.5), (_SOUND, 0.5)]
    assert [time_s for _, time_s in _retimed(packets)[4:]] == pytest.approx([5.12, 5.12])


def test_an_index_needs_no_clock_of_all_tracks(tmp_path: Path) -> None:
    for ending, has_clock in ((".mp4", False), (".mkv", True)):
        path = Pulses(seconds=0.2).write(tmp_path / f"a{ending}", "libx264", "aac")
        with open_container(path) as container:
            clock = joint_clock(container, container.streams.video[0], "a")
            assert (clock is not None) is has_clock


def test_pictures_that_go_back_within_a_group_go_on_as_they_are_decoded() -> None:
    container = SimpleNamespace(format=SimpleNamespace(flags=0))
    clock = JointClock(container, [_VIDEO])  # type: ignore[arg-type, list-item]
    shown = []
    # Shown 80 ms after they are decoded, but every second one is not shown in that order.
    for number, (decoded, delay) in enumerate(
        [(0, 80), (40, 120), (80, 40), (-880, 120), (-840, 40)]
    ):
        packet = SimpleNamespace(
            stream=_VIDEO, pts=decoded + delay, dts=decoded, duration=40,
            time_base=Fraction(1, 1000), is_keyframe=number == 0,
        )  # fmt: skip
        clock.retime(packet)  # type: ignore[arg-type]
        shown.append(packet.pts)
    assert shown == [80, 160, 120, 240, 200]
