"""What keys ask for, and what the user is told of it."""

import pytest

from stream.controls import Controls


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
