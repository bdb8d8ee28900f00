"""The place and the pace of a source: when each frame is due, and where keys lead."""

import math
from dataclasses import replace

import pytest
from fakes import SIZE_WH, frame

from stream.controls import Controls
from stream.frames import Frame, SourceInfo
from stream.playback import Playback

_VIDEO = SourceInfo("clip.mp4", "video", SIZE_WH, 25.0, 500, seekable=True)
_PICTURES = SourceInfo("photos", "pictures", SIZE_WH, frame_count=8, seekable=True)


def _played(info: SourceInfo = _VIDEO, number: int = 0, now_s: float = 100.0) -> Playback:
    """A playback that shows a frame since then."""
    playback = Playback.of(info, recorded=False)
    playback.shown(_frame(number, info), now_s)
    return playback


def _frame(number: int, info: SourceInfo = _VIDEO) -> Frame:
    made = frame(number % 256)
    step_s = 1.0 if info.kind == "pictures" else 0.04
    return replace(made, index=number, time_s=number * step_s)


def _wait_s(playback: Playback, number: int, now_s: float, *, paused: bool = False) -> float:
    return playback.wait_s(_frame(number), now_s, paused=paused)


def _target_s(playback: Playback, *keys: str) -> float | None:
    for key in keys:
        assert playback.press(key) == ""
    return playback.take_target()


# --- the pace ---


def test_each_frame_is_due_at_its_media_time() -> None:
    playback = Playback.of(_VIDEO, recorded=False)
    assert _wait_s(playback, 0, 100.0) == 0
    playback.shown(_frame(0), 100.0)
    assert _wait_s(playback, 1, 100.01) == pytest.approx(0.03)
    playback.shown(_frame(1), 100.045)  # a little late, which the next makes good
    assert _wait_s(playback, 2, 100.05) == pytest.approx(0.03)
    assert _wait_s(playback, 25, 100.5) == pytest.approx(0.5)
    assert _wait_s(playback, 2, 100.09) == 0


@pytest.mark.parametrize("speed", [0.25, 0.5, 1.0, 2.0, 4.0])
def test_the_speed_holds_from_the_present_frame_on(speed: float) -> None:
    playback = _played(number=50)
    playback.speed = speed
    assert _wait_s(playback, 75, 100.0) == pytest.approx(1.0 / speed)


def test_brackets_go_through_the_speeds_to_their_ends() -> None:
    playback = _played()
    faster = [playback.press("]") for _ in range(3)]
    slower = [playback.press("[") for _ in range(5)]
    assert faster == ["speed 2×", "speed 4×", "speed 4×"]
    assert slower == ["speed 2×", "speed 1×", "speed 0.5×", "speed 0.25×", "speed 0.25×"]


def test_the_clock_stands_still_while_the_user_pauses() -> None:
    playback = _played()
    assert _wait_s(playback, 1, 100.02, paused=True) == math.inf
    assert _wait_s(playback, 1, 130.0, paused=True) == math.inf
    assert _wait_s(playback, 1, 130.0) == pytest.approx(0.04)


def test_a_frame_that_was_sought_is_due_at_once_and_sets_the_clock() -> None:
    playback = _played()
    sought = replace(_frame(200), sought=True)
    assert playback.wait_s(sought, 100.5, paused=True) == 0
    playback.shown(sought, 100.5)
    assert playback.position_s == pytest.approx(8.0)
    assert _wait_s(playback, 201, 100.5) == pytest.approx(0.04)


def test_a_full_stop_lets_one_frame_pass_each_time() -> None:
    playback = _played()
    assert (playback.press("."), playback.press(".")) == ("", "")
    for number in (1, 2):
        assert _wait_s(playback, number, 105.0, paused=True) == 0
        playback.shown(_frame(number), 105.0)
    assert _wait_s(playback, 3, 105.0, paused=True) == math.inf


def test_steps_from_a_place_that_was_sought_are_counted_from_there() -> None:
    playback = _played()
    for key in ("right", ".", "."):
        playback.press(key)
    for number, sought in ((125, True), (126, False), (127, False)):
        each = replace(_frame(number), sought=sought)
        assert playback.wait_s(each, 105.0, paused=True) == 0
        playback.shown(each, 105.0)
    assert _wait_s(playback, 128, 105.0, paused=True) == math.inf


def test_a_machine_that_is_too_slow_leaves_frames_out_and_never_all() -> None:
    playback = _played()
    late = [
        playback.is_late(_frame(number), now_s, paused=False)
        for number, now_s in ((1, 100.04), (1, 100.13), (1, 100.15), (1, 100.24), (1, 100.26))
    ]
    assert late == [False, False, True, True, False]  # the last: another must be shown at last
    assert not playback.is_late(_frame(1), 100.2, paused=True)
    assert not playback.is_late(replace(_frame(1), sought=True), 100.2, paused=False)
    playback.press(".")
    assert not playback.is_late(_frame(1), 100.2, paused=False)


def test_what_falls_far_behind_goes_on_from_there() -> None:
    playback = _played()
    playback.shown(_frame(1), 103.0)
    assert _wait_s(playback, 2, 103.0) == pytest.approx(0.04)


def test_each_picture_waits_for_a_key() -> None:
    playback = Playback.of(_PICTURES, recorded=False)
    first, second = _frame(0, _PICTURES), _frame(1, _PICTURES)
    assert playback.wait_s(first, 0.0, paused=False) == 0
    playback.shown(first, 0.0)
    assert playback.wait_s(second, 1e6, paused=False) == math.inf
    assert not playback.is_late(second, 1e6, paused=False)
    Controls(playback=playback).press("space")
    assert playback.wait_s(second, 1e6, paused=False) == 0


@pytest.mark.parametrize(
    ("info", "recorded"),
    [(_VIDEO, True), (_PICTURES, True), (replace(_VIDEO, kind="camera"), False)],
    ids=["recorded video", "recorded pictures", "camera"],
)
def test_what_is_recorded_or_live_is_shown_as_it_comes(info: SourceInfo, recorded: bool) -> None:
    playback = Playback.of(info, recorded=recorded)
    for number in (0, 1, 200):
        assert playback.wait_s(_frame(number), 0.0, paused=False) == 0
        assert not playback.is_late(_frame(number), 1e6, paused=False)
        playback.shown(_frame(number), 0.0)
    said = {playback.press(key) for key in ("left", "right", "home", ",", ".")}
    assert said == {playback.refusal} and playback.refusal
    assert "another speed" in playback.press("]")
    assert playback.take_target() is None


# --- the place ---


@pytest.mark.parametrize(
    ("keys", "target_s"),
    [
        (("right",), 13.0),
        (("left",), 3.0),
        (("right", "right", "right"), 19.96),  # the last frame of 20 s
        (("left", "left", "left"), 0.0),
        (("right", "left", "left"), 3.0),
        (("home",), 0.0),
        (("home", "right"), 5.0),
        (("left", "right"), None),  # it is there already
    ],
)
def test_keys_lead_from_the_place_that_is_shown(
    keys: tuple[str, ...], target_s: float | None
) -> None:
    playback = _played(number=200)
    expected = None if target_s is None else pytest.approx(target_s)
    assert _target_s(playback, *keys) == expected
    assert playback.take_target() is None


def test_a_comma_leads_to_the_frame_before_wherever_that_is() -> None:
    one, two = _target_s(_played(number=200), ","), _target_s(_played(number=200), ",", ",")
    assert one is not None and 7.96 <= one < 8.0 - 5e-4
    assert two is not None and 7.92 <= two < 7.96 - 5e-4


def test_the_end_that_is_not_known_may_lie_anywhere() -> None:
    playback = _played(replace(_VIDEO, frame_count=None), number=499)
    assert _target_s(playback, "right") == pytest.approx(24.96)


def test_the_part_that_is_played_is_not_left() -> None:
    playback = _played(replace(_VIDEO, start_s=4.0, frame_count=100), number=150)
    assert _target_s(playback, "left") == 4.0
    assert _target_s(playback, "right") == pytest.approx(7.96)
    assert _target_s(playback, "home") == 4.0


@pytest.mark.parametrize(
    ("keys", "target_s"),
    [(("left",), 4.0), ((",", ","), 3.0), (("left",) * 9, 0.0), (("home",), 0.0)],
)
def test_pictures_are_gone_through_backwards_too(keys: tuple[str, ...], target_s: float) -> None:
    assert _target_s(_played(_PICTURES, 5), *keys) == target_s


@pytest.mark.parametrize("key", ["right", "."])
def test_the_next_picture_is_the_one_that_comes(key: str) -> None:
    playback = _played(_PICTURES, 5)
    assert _target_s(playback, key) is None
    assert playback.wait_s(_frame(6, _PICTURES), 0.0, paused=False) == 0


def test_a_pipe_has_a_pace_and_no_other_place() -> None:
    playback = _played(replace(_VIDEO, seekable=False))
    assert _wait_s(playback, 1, 100.0) == pytest.approx(0.04)
    assert "pipe" in playback.press("left")
    assert (playback.press("."), playback.press("]")) == ("", "speed 2×")


def test_at_the_end_a_step_on_does_nothing() -> None:
    playback = _played(number=499)
    playback.at_end = True
    assert _target_s(playback, ".") is None
    sought = replace(_frame(374), sought=True)
    assert _target_s(playback, "left") == pytest.approx(14.96)
    assert not playback.at_end
    playback.shown(sought, 200.0)
    assert _wait_s(playback, 375, 200.0, paused=True) == math.inf
