"""What the window says: its bar, whatever its width, the keys, and the figures behind it."""

from dataclasses import replace

import numpy as np
import pytest
from fakes import frame

from models.faces import Image
from stream.controls import KEYS, Controls
from stream.frames import Frame
from stream.sinks.window.rate_meter import RateMeter
from stream.sinks.window.status_bar import Status, bar_height, draw_help, status_bar

_FULL = Status(
    source_fps=30.0,
    shown_fps=24.8,
    latency_s=0.085,
    dropped=12,
    position=(151, 275),
    recorded_s=72.0,
    waiting="paused",
    notice="saved snapshot-20261124-031500.png",
    note="searching every 12 frames",
)
_SIZES = [(640, 360), (1920, 1080), (320, 180), (360, 640), (96, 64), (17, 9), (1, 1)]


def _picture(width: int, height: int) -> Image:
    return np.full((height, width, 3), 120, np.uint8)


def _is(bar: Image, blue: int, green: int, red: int) -> int:
    """How many pixels have that colour."""
    return int((bar == (blue, green, red)).all(axis=2).sum())


def _frame(number: int, captured_s: float) -> Frame:
    return replace(frame(0), index=number, captured_s=captured_s)


# --- the bar ---


@pytest.mark.parametrize("size", _SIZES)
@pytest.mark.parametrize("status", [_FULL, Status()], ids=["full", "empty"])
def test_the_bar_is_as_wide_as_the_picture(size: tuple[int, int], status: Status) -> None:
    picture = _picture(*size)
    bar = status_bar(status, picture)
    assert bar.shape == (bar_height(picture), size[0], 3)
    assert bar.dtype == np.uint8
    assert np.array_equal(bar, status_bar(status, picture))
    np.concatenate([picture, bar])


def test_the_bar_grows_with_the_picture() -> None:
    heights = [bar_height(_picture(*size)) for size in _SIZES[:2]]
    assert heights[0] < heights[1] < 1080 / 15


@pytest.mark.parametrize(
    "field", ["shown_fps", "latency_s", "dropped", "notice", "note", "waiting"]
)
def test_each_figure_is_written(field: str) -> None:
    picture = _picture(1920, 1080)
    empty = status_bar(Status(), picture)
    said = status_bar(replace(Status(), **{field: getattr(_FULL, field)}), picture)
    assert (said != empty).any()


@pytest.mark.parametrize("size", _SIZES[:4])
def test_a_recording_has_a_red_mark_and_a_pause_an_amber_one(size: tuple[int, int]) -> None:
    picture = _picture(*size)
    marked, plain = status_bar(_FULL, picture), status_bar(Status(shown_fps=25.0), picture)
    for colour in ((64, 64, 235), (60, 190, 250)):
        assert _is(marked, *colour) >= 10
        assert _is(plain, *colour) == 0


def test_what_has_no_room_is_left_out_and_nothing_lies_over_the_position() -> None:
    picture = _picture(320, 180)
    only_position = status_bar(Status(position=(151, 275)), picture)
    crowded = status_bar(_FULL, picture)
    columns = np.flatnonzero((only_position != only_position[0, 0]).any(axis=(0, 2)))
    place = np.s_[:, columns.min() - 3 : columns.max() + 1]
    assert np.array_equal(crowded[place], only_position[place])


def test_a_notice_that_is_too_long_is_shortened() -> None:
    picture = _picture(320, 180)
    long = status_bar(Status(notice="saved " + "snapshot" * 20), picture)
    assert (long[:, :300] != long[0, 0]).any()
    assert np.array_equal(long, status_bar(Status(notice="saved " + "snapshot" * 30), picture))


def test_the_time_of_a_recording_goes_on() -> None:
    picture = _picture(640, 360)
    bars = [status_bar(Status(recorded_s=time_s), picture) for time_s in (0.0, 0.9, 1.0, 3600.0)]
    assert np.array_equal(bars[0], bars[1])
    assert not np.array_equal(bars[1], bars[2])
    assert not np.array_equal(bars[2], bars[3])


# --- the keys ---


@pytest.mark.parametrize("size", _SIZES)
def test_the_keys_stand_inside_of_any_picture(size: tuple[int, int]) -> None:
    picture = _picture(*size)
    draw_help(picture)
    assert (picture != 120).any()
    if min(size) >= 180:
        assert (picture[0] == 120).all() and (picture[-1] == 120).all()
        assert (picture[:, 0] == 120).all() and (picture[:, -1] == 120).all()


def test_the_keys_can_be_read() -> None:
    picture = _picture(640, 360)
    draw_help(picture)
    assert _is(picture, 255, 255, 255) > 40 * len(KEYS)


# --- the figures ---


def test_rates_and_latency_are_of_the_last_seconds() -> None:
    meter = RateMeter()
    assert (meter.shown_fps, meter.captured_fps, meter.latency_s) == (None, None, None)
    for number in range(100):  # every third frame of a camera of 30 a second is shown
        meter.add(_frame(3 * number, 0.1 * number), 0.1 * number + 0.05)
    assert meter.shown_fps == pytest.approx(10.0)
    assert meter.captured_fps == pytest.approx(30.0)
    assert meter.latency_s == pytest.approx(0.05)
    for number in range(100, 150):  # it slows down: two seconds later only that counts
        meter.add(_frame(3 * number, 0.2 * number), 0.2 * number + 0.3)
    assert meter.shown_fps == pytest.approx(5.0)
    assert meter.latency_s == pytest.approx(0.3)


def test_after_a_pause_it_begins_anew() -> None:
    meter = RateMeter()
    for number in range(5):
        meter.add(_frame(number, number), number)
    meter.clear()
    assert meter.latency_s is None
    meter.add(_frame(99, 99.0), 99.5)
    assert (meter.shown_fps, meter.latency_s) == (None, 0.5)


def test_frames_of_one_moment_have_no_rate() -> None:
    meter = RateMeter()
    meter.add(_frame(0, 1.0), 2.0)
    meter.add(_frame(1, 1.0), 2.0)
    assert (meter.shown_fps, meter.captured_fps) == (None, None)


# --- what keys ask for ---


@pytest.mark.parametrize(
    ("key", "field"),
    [("space", "paused"), ("r", "record"), ("b", "blur"), ("h", "help")],
)
def test_a_key_that_turns_something_on_and_off(key: str, field: str) -> None:
    controls = Controls()
    for expected in (True, False, True):
        controls.press(key)
        assert getattr(controls, field) is expected
    controls.press(key)
    controls.notice = ""
    assert controls == Controls()


@pytest.mark.parametrize(
    ("key", "field"), [("q", "quit_requested"), ("escape", "quit_requested"), ("s", "snapshot")]
)
def test_a_key_that_asks_once(key: str, field: str) -> None:
    controls = Controls()
    controls.press(key)
    controls.press(key)
    assert getattr(controls, field)


@pytest.mark.parametrize("key", ["", "x", "\x00", "ß", "1"])
def test_other_keys_do_nothing(key: str) -> None:
    controls = Controls()
    controls.press(key)
    assert controls == Controls()


def test_what_cannot_be_recorded_is_said() -> None:
    controls = Controls(bar_recording="pictures are not recorded")
    controls.press("r")
    assert (controls.record, controls.notice) == (False, "pictures are not recorded")
