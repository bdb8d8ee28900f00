"""The figures of the status bar: rates and latency over the last seconds."""

import weakref
from dataclasses import replace

import pytest
from fakes import frame

from stream.frames import Frame
from stream.sinks.window.rate_meter import RateMeter


def _frame(number: int, captured_s: float) -> Frame:
    return replace(frame(0), index=number, captured_s=captured_s)


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


def test_frames_are_not_kept() -> None:
    meter, shown = RateMeter(), _frame(0, 1.0)
    pixels = weakref.ref(shown.image)
    meter.add(shown, 1.5)
    del shown
    assert pixels() is None
    assert meter.latency_s == 0.5
