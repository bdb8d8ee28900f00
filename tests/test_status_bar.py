"""What the window says: its bar, whatever its width, and the help over the picture."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fakes import frame

from models.faces import Image
from stream.controls import KEYS
from stream.drawing.text import Style, draw_text, text_width
from stream.frames import SourceInfo
from stream.sinks.window.status_bar import (
    Status,
    bar_height,
    draw_help,
    position_text,
    status_bar,
    time_text,
)

_FULL = Status(
    source_fps=30.0,
    shown_fps=24.8,
    latency_s=0.085,
    dropped=12,
    position="0:06 / 0:11",
    recorded_s=72.0,
    waiting="paused",
    notice="saved snapshot-20261124-031500.png",
    load_shedding="searching every 12 frames",
)
_BAR_PX = {  # its height under a picture of that size: 11 px of text at least, and 4 px three times
    (640, 360): 23,
    (1920, 1080): 48,
    (320, 180): 23,
    (360, 640): 23,
    (96, 64): 23,
    (17, 9): 23,
    (1, 1): 23,
}
_SIZES = list(_BAR_PX)
_GROUND, _AMBER, _RED = (28, 28, 28), (60, 190, 250), (64, 64, 235)


def _picture(width: int, height: int) -> Image:
    return np.full((height, width, 3), 120, np.uint8)


def _is(bar: Image, blue: int, green: int, red: int) -> int:
    """How many pixels have that colour."""
    return int((bar == (blue, green, red)).all(axis=2).sum())


# --- the bar ---


@pytest.mark.parametrize("size", _SIZES)
@pytest.mark.parametrize("status", [_FULL, Status()], ids=["full", "empty"])
def test_the_bar_is_as_wide_as_the_picture(size: tuple[int, int], status: Status) -> None:
    picture = _picture(*size)
    bar = status_bar(status, picture)
    assert bar.shape == (_BAR_PX[size], size[0], 3)
    assert bar.dtype == np.uint8
    assert bar_height(picture) == _BAR_PX[size]


def test_a_bar_that_says_nothing_is_grey() -> None:
    assert _is(status_bar(Status(), _picture(640, 360)), *_GROUND) == 640 * _BAR_PX[640, 360]


_WORDS = [
    ({"shown_fps": 24.84}, "24.8 fps"),
    ({"shown_fps": 24.84, "source_fps": 29.97}, "24.8 of 30 fps"),
    ({"source_fps": 29.97}, ""),  # it says nothing of how the run goes
    ({"latency_s": 0.0854}, "85 ms"),
    ({"dropped": 12}, "12 dropped"),
    ({"dropped": 0}, ""),
    ({"notice": "saved a.png"}, "saved a.png"),
    ({"speed": "2×"}, "2×"),
    ({"load_shedding": "searching every 12 frames"}, "searching every 12 frames"),
]


@pytest.mark.parametrize(("said", "text"), _WORDS, ids=str)
def test_each_figure_is_written_at_the_left(said: dict[str, Any], text: str) -> None:
    expected, style = _empty_bar(), Style.of(_LARGE)
    draw_text(expected, text, (2 * style.gap, _baseline(style)), style.text)
    assert np.array_equal(status_bar(Status(**said), _picture(*_LARGE)), expected)


def test_the_position_is_written_at_the_right() -> None:
    expected, style, text = _empty_bar(), Style.of(_LARGE), "0:03 / 1:22"
    left = _LARGE[0] - 2 * style.gap - text_width(text, style.text)
    draw_text(expected, text, (left, _baseline(style)), style.text)
    assert np.array_equal(status_bar(Status(position=text), _picture(*_LARGE)), expected)


_VIDEO = SourceInfo("clip.mp4", "video", (96, 64), 25.0, 2050)


@pytest.mark.parametrize(
    ("info", "text"),
    [
        (_VIDEO, "0:03 / 1:22"),
        (replace(_VIDEO, fps=None), "0:03 / 1:22"),
        (replace(_VIDEO, frame_count=None), "0:03"),
        (replace(_VIDEO, frame_count=25 * 7325), "0:03 / 2:02:05"),
        (replace(_VIDEO, start_s=2.0, frame_count=75), "0:03 / 0:05"),
        (replace(_VIDEO, kind="pictures", fps=None, frame_count=120), "76 / 120"),
        (replace(_VIDEO, kind="camera", frame_count=None), ""),
        (replace(_VIDEO, kind="stream", frame_count=None), ""),
    ],
    ids=str,
)
def test_a_file_has_places_and_a_live_source_has_none(info: SourceInfo, text: str) -> None:
    assert position_text(info, frame(75)) == text


@pytest.mark.parametrize(
    ("time_s", "text"),
    [(0, "0:00"), (2.9999, "0:03"), (59.9, "0:59"), (600, "10:00"), (3725, "1:02:05")],
)
def test_a_time_is_written_as_players_do(time_s: float, text: str) -> None:
    assert time_text(time_s) == text


@pytest.mark.parametrize(
    ("said", "text", "colour"),
    [
        ({"recorded_s": 72.9}, "1:12", _RED),
        ({"recorded_s": 3600.0}, "1:00:00", _RED),
        ({"waiting": "paused"}, "paused", _AMBER),
    ],
)
def test_a_mark_has_its_word_beside_it(
    said: dict[str, Any], text: str, colour: tuple[int, int, int]
) -> None:
    bar = status_bar(Status(**said), _picture(*_LARGE))
    marked = np.flatnonzero((bar == colour).all(axis=-1).any(axis=0))
    style = Style.of(_LARGE)
    assert 2 * style.gap <= marked.min() < 2 * style.gap + 2
    expected = _empty_bar()
    draw_text(expected, text, (100, _baseline(style)), style.text)
    assert np.array_equal(_ink(bar[:, marked.max() + 3 :]), _ink(expected))


def test_what_is_said_stands_in_the_order_of_its_weight() -> None:
    """What is written first has the room: the note about the search goes first."""
    style = Style.of(_LARGE)
    words = ["saved a.png", "24.8 of 30 fps", "85 ms", "12 dropped", "searching less"]
    expected, left = _empty_bar(), 2 * style.gap
    for text in words:
        draw_text(expected, text, (left, _baseline(style)), style.text)
        left += text_width(text, style.text) + 4 * style.gap
    said = replace(_FULL, notice=words[0], load_shedding=words[-1])
    said = replace(said, position="", recorded_s=None, waiting="")
    assert np.array_equal(status_bar(said, _picture(*_LARGE)), expected)


_LARGE = (1920, 1080)


def _empty_bar() -> Image:
    return np.full((_BAR_PX[_LARGE], _LARGE[0], 3), _GROUND, np.uint8)


def _baseline(style: Style) -> int:
    """Where text must begin so that its small letters stand in the middle of the bar."""
    return (_BAR_PX[_LARGE] + style.text) // 2 - style.gap // 4


def _ink(picture: Image) -> Image:
    """What is written on the ground, without what is empty around it."""
    inked = (picture != _GROUND).any(axis=-1)
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    return picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


@pytest.mark.parametrize("size", _SIZES[:4])
def test_a_recording_has_a_red_mark_and_a_pause_an_amber_one(size: tuple[int, int]) -> None:
    picture = _picture(*size)
    marked, plain = status_bar(_FULL, picture), status_bar(Status(shown_fps=25.0), picture)
    for colour in (_RED, _AMBER):
        assert _is(marked, *colour) >= 10
        assert _is(plain, *colour) == 0


def test_what_has_no_room_is_left_out_and_nothing_lies_over_the_position() -> None:
    picture = _picture(320, 180)
    only_position = status_bar(Status(position="0:06 / 0:11"), picture)
    crowded = status_bar(_FULL, picture)
    columns = np.flatnonzero((only_position != only_position[0, 0]).any(axis=(0, 2)))
    place = np.s_[:, columns.min() - 3 : columns.max() + 1]
    assert np.array_equal(crowded[place], only_position[place])


def test_a_notice_that_is_too_long_is_shortened_to_what_fits() -> None:
    picture, style = _picture(320, 180), Style.of((320, 180))
    room = 320 - 4 * style.gap
    whole = "saved snapshot-20261124-031500.png in a folder that has a long name"
    fitting = [f"{whole[:end]}…" for end in range(len(whole))]
    longest = [text for text in fitting if text_width(text, style.text) <= room][-1]
    bars = [status_bar(Status(notice=text), picture) for text in (whole, longest, longest[:-1])]
    assert np.array_equal(bars[0], bars[1])
    assert not np.array_equal(bars[0], bars[2])


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
