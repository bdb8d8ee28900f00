"""What keys ask for, and what the user is told of it."""

import pytest

from stream.controls import Controls
from stream.frames import SourceInfo
from stream.playback import Playback


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("space", "paused"),
        ("r", "record"),
        ("b", "blur"),
        ("h", "help"),
        ("f", "full_screen"),
    ],
)
def test_a_key_that_turns_something_on_and_off(key: str, field: str) -> None:
    controls = Controls()
    for expected in (True, False, True):
        controls.press(key)
        assert getattr(controls, field) is expected
    controls.press(key)
    assert controls == Controls()


@pytest.mark.parametrize(
    ("key", "field"), [("q", "quit_requested"), ("escape", "quit_requested"), ("s", "snapshot")]
)
def test_a_key_that_asks_once(key: str, field: str) -> None:
    controls = Controls()
    controls.press(key)
    controls.press(key)
    assert getattr(controls, field)


@pytest.mark.parametrize("key", ["", "x", "\x00", "ß", "1", "other"])
def test_other_keys_do_nothing(key: str) -> None:
    controls = Controls()
    assert controls.press(key) == ""
    assert controls == Controls()


def test_what_cannot_be_recorded_is_said() -> None:
    controls = Controls()
    assert controls.press("r", "pictures are not recorded") == "pictures are not recorded"
    assert not controls.record


def test_what_a_picture_does_not_show_is_said() -> None:
    controls = Controls()
    said = [controls.press(key) for key in ("r", "r", "b", "b", "h")]
    recording = ["recording begins", "recording ends"]
    assert said == [*recording, "faces are blurred", "faces are shown", ""]


def _playing() -> Controls:
    info = SourceInfo("clip.mp4", "video", (96, 64), 25.0, 500, seekable=True)
    return Controls(playback=Playback.of(info, recorded=False))


def test_escape_leaves_the_full_screen_before_the_run() -> None:
    controls = Controls(full_screen=True)
    controls.press("escape")
    assert (controls.full_screen, controls.quit_requested) == (False, False)
    controls.press("escape")
    assert controls.quit_requested


@pytest.mark.parametrize("key", [",", "."])
def test_to_step_is_to_pause(key: str) -> None:
    controls = _playing()
    controls.playback.position_s = 4.0
    assert controls.press(key) == ""
    assert controls.paused


@pytest.mark.parametrize("key", ["left", "right", "home", "]"])
def test_who_goes_to_another_place_goes_on_from_there(key: str) -> None:
    controls = _playing()
    controls.press(key)
    assert not controls.paused


@pytest.mark.parametrize("key", ["left", "right", "home", ","])
def test_a_recording_gets_no_gap(key: str) -> None:
    controls = _playing()
    controls.playback.position_s = 4.0
    controls.press("r")
    assert "R ends the recording" in controls.press(key)
    assert not controls.playback.is_sought
    controls.press("r")
    assert controls.press(key) == ""
    assert controls.playback.is_sought


@pytest.mark.parametrize(
    ("key", "ends_all"),
    [("space", False), ("x", False), ("\r", False), ("q", True), ("escape", True)],
)
def test_at_the_end_any_character_without_another_meaning_ends_the_source(
    key: str, ends_all: bool
) -> None:
    controls = _playing()
    controls.playback.at_end = True
    controls.press("")
    assert not (controls.quit_requested or controls.next_requested)
    controls.press(key)
    assert (controls.quit_requested, controls.next_requested) == (ends_all, not ends_all)


@pytest.mark.parametrize("key", ["left", "home", "s", "h", "f", "b", "]", ".", "other"])
def test_at_the_end_the_other_keys_do_what_they_do(key: str) -> None:
    controls = _playing()
    controls.playback.position_s, controls.playback.at_end = 19.96, True
    controls.press(key)
    assert not controls.quit_requested
