"""The window: on a screen of the test's own, without one, and on a real one with real keys."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import cv2
import numpy as np
import pytest
from fakes import (
    SIZE_WH,
    PacedSource,
    frame,
    label,
    log_lines,
    number_of,
    numbered,
    times_s,
    track,
    write_clip,
    write_numbers,
)

from models.faces import Image
from stream.controls import Controls, RunReport
from stream.drawing.blur import blur_faces
from stream.drawing.overlay import Overlay
from stream.errors import SinkError
from stream.frames import Frame, SourceInfo, SourceKind
from stream.playback import Playback
from stream.settings import Config
from stream.settings.schema import OverlaySection
from stream.sinks import AnnotatedFrame, Outputs, opening_window
from stream.sinks.window.screen import OpenCvScreen, _key_name, has_display
from stream.sinks.window.status_bar import bar_height
from stream.sinks.window.window import Window
from stream.sources.capture import Capture
from stream.sources.demo import portrait

_WAIT_S = 60.0
_SLOW = "--set detection.frame_skip=0 --set detection.upsample=3"  # it is not to end by itself
_LINUX = sys.platform.startswith("linux")


# --- on a screen of the test's own ---


class FakeScreen:
    """Remembers what it showed, and presses the keys it was given, one each time it is asked: an
    empty one is a moment without a key. It may move a clock by the time that it is waited for.
    """

    def __init__(
        self, *keys: str, closed_after: int | None = None, clock: "Clock | None" = None
    ) -> None:
        self.shown: list[Image] = []
        self.shown_s: list[float] = []
        self.filled: list[bool] = []
        self.asked = 0
        self.closed = 0
        self._keys = list(keys)
        self._closed_after = closed_after
        self._clock = clock

    def press(self, *keys: str) -> None:
        """The user presses further keys."""
        self._keys += keys

    def show(self, picture: Image) -> None:
        self.shown.append(picture)
        self.shown_s.append(0.0 if self._clock is None else self._clock())

    def key(self, wait_ms: int) -> str:
        assert 0 < wait_ms < 100
        self.asked += 1
        assert self.asked < 1000, "it waits for a key that nobody presses"
        key = self._keys.pop(0) if self._keys else ""
        if self._clock is not None and not key:
            self._clock.now_s += wait_ms / 1000
        return key

    def fill(self, *, full: bool) -> None:
        self.filled.append(full)

    @property
    def is_open(self) -> bool:
        return self._closed_after is None or self.asked < self._closed_after

    def close(self) -> None:
        self.closed += 1


class Clock:
    """Stands still unless it is moved."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def _window(
    fake: FakeScreen,
    controls: Controls | None = None,
    report: RunReport | None = None,
    *,
    kind: SourceKind = "video",
    folder: Path = Path(),
    mirror: bool = False,
    clock: Callable[[], float] | None = None,
) -> Window:
    info = SourceInfo("numbers", kind, SIZE_WH, 25.0, 10)
    return Window(
        info,
        controls or Controls(),
        report or RunReport(),
        fake,
        folder=folder,
        mirror=mirror,
        clock=clock or Clock(),
    )


def _annotated(number: int = 0) -> AnnotatedFrame:
    someone = track()
    return AnnotatedFrame(frame(number), [someone], Overlay(), someone.box_xyxy[None])


def _bars(shown: Sequence[Image]) -> list[bytes]:
    return [picture[SIZE_WH[1] :].tobytes() for picture in shown]


def test_the_picture_is_shown_with_a_bar_under_it_and_stays_as_it_is() -> None:
    fake = FakeScreen("h")
    window, annotated = _window(fake), _annotated()
    before = annotated.picture.copy()
    window.write(annotated)
    window.close(complete=True)
    first, second = fake.shown
    assert np.array_equal(first[: SIZE_WH[1]], before)
    assert first.shape[0] == SIZE_WH[1] + bar_height(before)
    assert not np.array_equal(second[: SIZE_WH[1]], before)  # the keys are over it
    assert np.array_equal(annotated.picture, before)
    assert fake.closed == 1


@pytest.mark.parametrize("key", ["q", "escape"])
def test_a_key_asks_for_the_end(key: str) -> None:
    window = _window(FakeScreen("x", "", key))
    window.write(_annotated())
    assert not window.quit_requested
    window.write(_annotated())
    assert window.quit_requested


def test_its_button_asks_for_the_end() -> None:
    window = _window(FakeScreen(closed_after=2))
    window.write(_annotated())
    assert not window.quit_requested
    window.write(_annotated())
    assert window.quit_requested


def test_a_pause_lasts_until_space_is_pressed_again() -> None:
    controls = Controls()
    fake = FakeScreen("space", "", "", "", "space")
    window = _window(fake, controls)
    window.write(_annotated())
    assert fake.asked == 6
    assert not controls.paused
    window.write(_annotated())
    assert fake.asked == 7


@pytest.mark.parametrize(
    "fake", [FakeScreen("space", "", "q"), FakeScreen("space", closed_after=4)]
)
def test_who_pauses_may_quit(fake: FakeScreen) -> None:
    window = _window(fake)
    window.write(_annotated())
    assert window.quit_requested
    assert fake.asked == 4


def test_while_it_pauses_keys_work_and_show_at_once(tmp_path: Path) -> None:
    controls, report = Controls(), RunReport()
    fake = FakeScreen("space", "", "b", "", "s", "", "h", "", "r", "", "space")
    annotated = _annotated(0b10101010)
    _window(fake, controls, report, folder=tmp_path).write(annotated)
    plain, paused, hidden, _saved, helped, _recording, _on = fake.shown
    expected = Overlay().draw(
        blur_faces(annotated.frame.image, annotated.faces_xyxy), annotated.tracks
    )
    assert _bars([plain]) != _bars([paused])
    assert np.array_equal(paused[: SIZE_WH[1]], annotated.picture)
    assert np.array_equal(hidden[: SIZE_WH[1]], expected)
    assert not np.array_equal(helped[: SIZE_WH[1]], expected)
    assert controls.record
    (snapshot,) = report.outputs
    assert np.array_equal(cv2.imread(str(snapshot)), expected)  # neither bar nor keys, but blurred


def test_every_snapshot_has_a_name_of_its_own(tmp_path: Path) -> None:
    report = RunReport()
    window = _window(FakeScreen("s", "", "s", "", "s"), report=report, folder=tmp_path)
    pictures = [_annotated(number) for number in (1, 2, 3)]
    for each in pictures:
        window.write(each)
    assert len(set(report.outputs)) == 3
    assert sorted(tmp_path.iterdir()) == sorted(report.outputs)
    for path, each in zip(report.outputs, pictures, strict=True):
        assert path.name.startswith("snapshot-")
        assert np.array_equal(cv2.imread(str(path)), each.picture)


def test_a_snapshot_that_cannot_be_saved_is_said_and_it_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    report, fake = RunReport(), FakeScreen("s")
    window = _window(fake, report=report, kind="pictures", folder=tmp_path / "file")
    window.write(_annotated())
    window.write(_annotated())
    assert report.outputs == []
    first, said, again = _bars(fake.shown)
    assert first != said == again


# --- what it plays ---


def _playing(kind: SourceKind = "video", count: int = 500) -> Controls:
    info = SourceInfo("numbers", kind, SIZE_WH, 25.0, count, seekable=True)
    return Controls(playback=Playback.of(info, recorded=False))


def _write_all(window: Window, numbers: Iterable[int]) -> None:
    for number in numbers:
        window.write(AnnotatedFrame(frame(number), [], Overlay()))


def test_a_video_is_shown_at_its_own_pace() -> None:
    clock, controls = Clock(), _playing()
    fake = FakeScreen(clock=clock)
    _write_all(_window(fake, controls, clock=clock), range(51))
    first_s = fake.shown_s[0]
    pictures_s = {number_of(shown[: SIZE_WH[1]]): time_s for shown, time_s in _shown(fake)}
    for number in (1, 10, 50):
        assert pictures_s[number] - first_s == pytest.approx(number / 25, abs=0.002)
    assert controls.playback.position_s == 2.0


def _shown(fake: FakeScreen) -> list[tuple[Image, float]]:
    """What was shown and since when, latest first."""
    return list(zip(fake.shown, fake.shown_s, strict=True))[::-1]


def test_a_pause_keeps_the_picture_and_the_clock_goes_on_from_there() -> None:
    clock, controls = Clock(), _playing()
    fake = FakeScreen(*[""] * 20, "space", *[""] * 100, "space", clock=clock)
    _write_all(_window(fake, controls, clock=clock), range(26))
    paused_s = 100 * 0.03
    assert fake.shown_s[-1] - fake.shown_s[0] == pytest.approx(1.0 + paused_s, abs=0.1)


def test_a_full_stop_shows_the_next_frame_and_pauses() -> None:
    clock, controls = Clock(), _playing()
    fake = FakeScreen(".", ".", *[""] * 30, "q", clock=clock)
    window = _window(fake, controls, clock=clock)
    _write_all(window, range(4))
    assert controls.paused and window.quit_requested
    assert number_of(fake.shown[-1][: SIZE_WH[1]]) == 2


def test_a_frame_that_waits_is_not_shown_where_the_user_goes_elsewhere() -> None:
    clock, controls = Clock(), _playing()
    fake = FakeScreen("", "", "right", clock=clock)
    window = _window(fake, controls, clock=clock)
    _write_all(window, range(2))
    assert controls.playback.take_target() == 5.0
    assert {number_of(shown[: SIZE_WH[1]]) for shown in fake.shown} == {0}


def test_the_next_picture_is_there_when_it_is_wanted() -> None:
    """It has been searched by then: the window has it, and waits for the key."""
    clock, controls = Clock(), _playing("pictures", 8)
    fake = FakeScreen(*[""] * 50, clock=clock)
    window = _window(fake, controls, kind="pictures", clock=clock)
    _write_all(window, [0])
    asked = fake.asked
    assert asked < 5  # it does not keep the loop from searching the next
    fake.press(*[""] * 50, "right")
    _write_all(window, [1])
    assert fake.asked > asked + 50
    assert number_of(fake.shown[-1][: SIZE_WH[1]]) == 1


@pytest.mark.parametrize("keys", [("left",), (",",)])
def test_of_pictures_the_one_before_is_asked_for(keys: tuple[str, ...]) -> None:
    clock, controls = Clock(), _playing("pictures", 8)
    fake = FakeScreen(clock=clock)
    window = _window(fake, controls, kind="pictures", clock=clock)
    for number in (0, 1):
        fake.press("", "space" if number else "")
        window.write(AnnotatedFrame(replace(frame(number), time_s=float(number)), [], Overlay()))
    fake.press("", *keys)
    window.write(AnnotatedFrame(replace(frame(2), time_s=2.0), [], Overlay()))
    assert controls.playback.take_target() == 0.0


def test_keys_pressed_quickly_all_count() -> None:
    """Three seconds go by between two frames, as where they are annotated slowly."""
    controls = _playing()
    fake = FakeScreen("right", "right", "]", "b", "h")
    window = _window(fake, controls)
    _write_all(window, [0])
    assert controls.playback.take_target() == 10.0
    assert (controls.playback.speed, controls.blur, controls.help) == (2.0, True, True)


def test_f_fills_the_screen_and_escape_leaves_it() -> None:
    fake = FakeScreen("f", "", "escape", "", "escape")
    window = _window(fake)
    _write_all(window, range(2))
    assert fake.filled == [True, False]
    assert not window.quit_requested
    _write_all(window, [2])
    assert window.quit_requested


# --- before the first frame is annotated ---


def test_the_first_frame_is_shown_as_it_is_while_the_model_loads() -> None:
    fake, report = FakeScreen(), RunReport()
    window = _window(fake, report=report, kind="pictures")
    window.preview(frame(5))
    window.write(_annotated(5))
    raw, annotated = fake.shown[0], fake.shown[1]
    assert np.array_equal(raw[: SIZE_WH[1]], frame(5).image)
    assert not np.array_equal(annotated[: SIZE_WH[1]], frame(5).image)
    assert _bars([raw]) != _bars([annotated])


@contextmanager
def _opening(
    screen: Callable[[], FakeScreen],
    config: Config | None = None,
    kind: SourceKind = "video",
    controls: Controls | None = None,
    *,
    show: bool = True,
) -> Iterator[Window | None]:
    """A window that opens with the picture of number 0b11110000."""
    info = SourceInfo("numbers", kind, SIZE_WH, 25.0)
    controls, outputs = controls or Controls(), Outputs(show=show)
    with opening_window(
        config or Config(), info, outputs, controls, RunReport(), lambda _: frame(240), screen
    ) as window:
        yield window


def test_the_window_opens_with_the_first_frame_in_it() -> None:
    fake = FakeScreen()
    with _opening(lambda: fake) as window:
        assert window is not None
        assert number_of(fake.shown[0][: SIZE_WH[1]]) == 0b11110000  # the model is still to load
        assert fake.closed == 0
    assert fake.closed == 1


def test_an_error_meanwhile_closes_the_window() -> None:
    fake = FakeScreen()
    with pytest.raises(ZeroDivisionError), _opening(lambda: fake):
        raise ZeroDivisionError
    assert fake.closed == 1


def test_where_there_is_no_screen_it_is_said_and_nothing_waits_for_keys(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> FakeScreen:
        raise SinkError("no screen to show the window on")

    controls = _playing()
    with _opening(fail, controls=controls) as window:
        assert window is None
    assert controls.playback.mode == "free"
    assert controls.lacks_screen
    assert caplog.messages == ["no screen to show the window on: going on without"]


def test_a_window_that_nobody_asked_for_is_not_opened() -> None:
    with _opening(lambda: pytest.fail("it opens a screen"), show=False) as window:
        assert window is None


@pytest.mark.parametrize(
    ("kind", "mirror", "shown"),
    [
        ("camera", True, 0b00001111),
        ("camera", False, 0b11110000),
        ("stream", True, 0b11110000),
        ("video", True, 0b11110000),
    ],
)
def test_cameras_are_mirrored_and_nothing_else(kind: SourceKind, mirror: bool, shown: int) -> None:
    fake, config = FakeScreen(), Config.model_validate({"camera": {"mirror": mirror}})
    with _opening(lambda: fake, config, kind):
        pass
    assert number_of(fake.shown[0][: SIZE_WH[1]]) == shown


def test_no_face_is_seen_before_it_can_be_blurred() -> None:
    fake = FakeScreen()
    window = _window(fake, Controls(blur=True))
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3)).astype(np.uint8)
    window.preview(replace(frame(0), pixels=picture))
    shown = fake.shown[0][: SIZE_WH[1]]
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) <= 36  # a mosaic of few cells


# --- mirrored ---


def test_a_mirrored_picture_has_boxes_where_the_faces_are_and_labels_that_can_be_read() -> None:
    fake = FakeScreen()
    labels = {"gender": label("Female")}
    image = np.ascontiguousarray(np.broadcast_to(np.arange(240, dtype=np.uint8), (160, 240)))
    picture = Frame(np.dstack([image] * 3), 0, 0.0, 0.0)
    left, right = track(1, (20, 60, 60, 100), labels), track(1, (180, 60, 220, 100), labels)
    annotated = AnnotatedFrame(picture, [left], Overlay(), left.box_xyxy[None])
    window = _window(fake, mirror=True)
    window.write(annotated)
    flipped = np.ascontiguousarray(picture.image[:, ::-1])
    assert np.array_equal(fake.shown[0][:160], Overlay().draw(flipped, [right]))


def test_what_is_saved_of_a_mirrored_picture_is_as_the_camera_sees(tmp_path: Path) -> None:
    fake, report = FakeScreen("s"), RunReport()
    annotated = _annotated(0b11110000)
    _window(fake, report=report, folder=tmp_path, mirror=True).write(annotated)
    (path,) = report.outputs
    expected = Overlay().draw(annotated.frame.image, annotated.tracks)
    assert np.array_equal(cv2.imread(str(path)), expected)
    assert number_of(fake.shown[0][: SIZE_WH[1]]) == 0b00001111


def test_mirrored_faces_are_blurred_where_they_are() -> None:
    fake = FakeScreen()
    bare = Overlay(OverlaySection(labels=False))
    annotated = replace(_annotated(0b10101010), overlay=bare, blur=True)
    _window(fake, Controls(blur=True), mirror=True).write(annotated)
    image = annotated.frame.image
    expected = (annotated.picture != image).any(axis=-1)
    blurred = (fake.shown[0][: SIZE_WH[1], ::-1] != image).any(axis=-1)
    assert expected.any()
    assert (blurred == expected).mean() > 0.98  # edges of cells may lie a pixel aside


def test_the_bar_is_written_twice_a_second() -> None:
    clock, fake = Clock(), FakeScreen()
    window = _window(fake, kind="pictures", clock=clock)
    for number in range(100):
        clock.now_s += 0.03125
        window.write(_annotated(number))
    bars = _bars(fake.shown)
    changes = sum(before != after for before, after in pairwise(bars))
    assert 5 <= changes <= 7  # in three seconds


def test_a_notice_goes_after_a_while() -> None:
    clock, fake, report = Clock(), FakeScreen(), RunReport()
    window = _window(fake, report=report, kind="pictures", clock=clock)
    report.notice = "saved"
    for _ in range(10):
        clock.now_s += 1.0
        window.write(_annotated())
    bars = _bars(fake.shown)
    assert bars[0] == bars[3] != bars[6] == bars[9]


def test_latency_is_measured_when_the_picture_is_on_the_screen() -> None:
    class SlowScreen(FakeScreen):
        def show(self, picture: Image) -> None:
            super().show(picture)
            clock.now_s += 0.25

    clock = Clock()
    window = _window(SlowScreen(), clock=clock)
    picture = frame(0)
    clock.now_s = picture.captured_s
    window.write(AnnotatedFrame(picture, [], Overlay()))
    assert window._view.rates.latency_s == pytest.approx(0.25)


def test_a_picture_of_another_size_gets_a_bar_of_its_own() -> None:
    fake = FakeScreen()
    window = _window(fake)
    for size in ((96, 64), (128, 64), (64, 96)):
        window.write(AnnotatedFrame(frame(0, size), [], Overlay()))
    assert [picture.shape[1] for picture in fake.shown] == [96, 128, 64]


def test_a_user_who_waits_for_a_frame_may_quit() -> None:
    source, controls = PacedSource(), Controls()
    fake = FakeScreen("", "", "", "q")
    window = _window(fake, controls)
    with Capture(source, controls) as capture:
        source.allow()
        for each in capture:  # a second frame never comes
            window.write(AnnotatedFrame(each, [], Overlay()))
        assert controls.quit_requested
        source.end()


def test_what_passes_while_it_pauses_is_not_counted_as_dropped() -> None:
    source, controls = PacedSource(), Controls()
    with Capture(source, controls) as capture:
        frames = iter(capture)
        source.give(1)
        assert next(frames).index == 0
        controls.paused = True
        source.give(5)
        controls.paused = False
        assert next(frames).index == 5  # the newest
        assert capture.dropped == 0
        source.give(3)
        assert next(frames).index == 8
        assert capture.dropped == 2
        source.end()


# --- without one ---


@pytest.mark.skipif(not _LINUX, reason="elsewhere there is always a screen")
@pytest.mark.parametrize("display", [None, "", ":9999"])
def test_without_a_screen(display: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    if display is not None:
        monkeypatch.setenv("DISPLAY", display)
    assert not has_display()
    with pytest.raises(SinkError, match="no screen to show the window on"):
        OpenCvScreen()


@pytest.mark.skipif(not _LINUX, reason="elsewhere there is always a screen")
def test_an_opencv_without_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":9999")
    monkeypatch.setattr(cv2, "currentUIFramework", lambda: "")  # as opencv-python-headless answers
    assert not has_display()
    with pytest.raises(SinkError, match=r"shows no windows, .*opencv-python in its place does"):
        OpenCvScreen()


# --- keys by their codes ---


@pytest.mark.parametrize(
    ("code", "name"),
    [
        *[(code, "left") for code in (0xFF51, 0xFF96, 0x10FF51, 0x250000, 0xF702)],
        *[(code, "right") for code in (0xFF53, 0xFF98, 0x270000, 0xF703)],
        *[(code, "home") for code in (0xFF50, 0xFF95, 0x240000, 0xF729)],
        *[(0x20, "space"), (0x1B, "escape"), (0x53, "s"), (0x73, "s"), (0x100073, "s")],
        *[(0x2C, ","), (0x5D, "]"), (0xFFE1, "other"), (0xFFE9, "other"), (0x260000, "other")],
    ],
)
def test_keys_have_the_same_names_on_every_system(code: int, name: str) -> None:
    assert _key_name(code) == name


# --- on a real one ---


class Display(NamedTuple):
    """A screen that nobody looks at, and the environment that leads to it."""

    server: subprocess.Popen[str]
    environment: dict[str, str]
    memory: Path

    def picture(self) -> Image:
        """What is on the screen, height × width × 3, BGR.

        The server's memory is a file of the form XWD: a head of big-endian words of 4 bytes, whose
        first is its size, the colours of 12 bytes each, and the pixels.
        """
        data = self.memory.read_bytes()
        words = np.frombuffer(data[:100], ">u4").astype(int)
        size, width, height, line_size, colours = words[[0, 4, 5, 12, 19]]
        pixels = np.frombuffer(data, np.uint8, offset=size + 12 * colours)
        lines = pixels[: height * line_size].reshape(height, line_size // 4, 4)
        return lines[:, :width, :3]


@pytest.fixture
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Display]:
    for tool in ("Xvfb", "xdotool"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed: no screen, or no keys to press")
    folder = tmp_path_factory.mktemp("display")
    size = ["-screen", "0", "1024x768x24"]
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", *size, "-nolisten", "tcp", "-fbdir", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    try:
        number = server.stdout.readline().strip()
        assert number, "Xvfb does not start"
        kept = {name: value for name, value in os.environ.items() if name != "WAYLAND_DISPLAY"}
        yield Display(server, kept | {"DISPLAY": f":{number}"}, folder / "Xvfb_screen0")
    finally:
        server.terminate()
        server.communicate(timeout=_WAIT_S)


@pytest.fixture
def screen(display: Display) -> dict[str, str]:
    """The environment that leads to the screen."""
    return display.environment


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("window") / "clip.mp4", 400, (320, 180))


class Program:
    """The program, its window, and a user who presses keys and looks."""

    def __init__(self, words: str, screen: dict[str, str], folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "stream", *words.split(), "--json-summary"],
            cwd=folder,
            env=screen,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._screen = screen
        self._folder = folder
        self.window = 0

    def find_window(self) -> None:
        found = self._xdotool("search --sync --onlyvisible --name ^face-stream$")
        self.window = int(found.split()[0])
        # With the first key of a virtual keyboard the toolkit reads its layout, and for that time
        # hears the last key only.
        self.press("Shift_L")

    def press(self, *keys: str) -> None:
        """Keys, as fast as people press them: they wait until the program asks for them."""
        self._xdotool(f"windowfocus --sync {self.window} key --delay 200 {' '.join(keys)}")

    def snapshot(self) -> Image:
        """What the window shows, as it saves it."""
        before = self._snapshots()
        self.press("s")
        self.until(lambda: len(self._snapshots()) > len(before))
        (new,) = self._snapshots() - before
        return np.asarray(cv2.imread(str(new)))

    def until_shown(self, number: int) -> None:
        """Waits until the numbered picture is shown."""
        self.until(lambda: number_of(self.snapshot()) == number)

    def _snapshots(self) -> set[Path]:
        return set(self._folder.glob("snapshot-*.png"))

    def close_window(self) -> None:
        command = [sys.executable, "-c", _CLOSE, str(self.window)]
        subprocess.run(command, env=self._screen, check=True, timeout=_WAIT_S)

    def until(self, condition: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + _WAIT_S
        while not condition():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline_s, "it does not get there"
            time.sleep(0.05)

    def summary(self) -> dict[str, Any]:
        """What it says at the end, which was a good one."""
        out, errors = self.process.communicate(timeout=_WAIT_S)
        assert (self.process.returncode, errors) == (0, "")
        summary: dict[str, Any] = json.loads(out)
        assert summary["failures"] == []
        return summary

    def _xdotool(self, words: str) -> str:
        done = subprocess.run(
            ["xdotool", *words.split()],
            env=self._screen,
            check=True,
            stdout=subprocess.PIPE,
            timeout=_WAIT_S,
        )
        return done.stdout.decode()


Start: TypeAlias = Callable[[str], Program]


@pytest.fixture
def start(screen: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts the program, once, and waits for its window."""
    started: list[Program] = []

    def begin(words: str) -> Program:
        started.append(Program(words, screen, tmp_path))
        started[0].find_window()
        return started[0]

    try:
        yield begin
    finally:
        for each in started:
            if each.process.poll() is None:
                each.process.kill()
            each.process.communicate()


def test_keys_wait_in_order_until_they_are_asked_for(screen: dict[str, str]) -> None:
    """As while a frame is annotated for seconds."""

    def xdotool(words: str) -> str:
        command = ["xdotool", *words.split()]
        done = subprocess.run(
            command, env=screen, check=True, capture_output=True, text=True, timeout=_WAIT_S
        )
        return done.stdout

    shown = OpenCvScreen(screen)
    try:
        shown.show(numbered(1))
        window = xdotool("search --sync --onlyvisible --name ^face-stream$").split()[0]
        deadline_s = time.monotonic() + _WAIT_S
        while not shown.key(50):  # until it has the focus, and the layout of the keyboard
            assert time.monotonic() < deadline_s
            xdotool(f"windowfocus --sync {window} key Shift_L")
        xdotool("key --delay 200 a Left b Home comma f")
        heard: list[str] = []
        while "f" not in heard:
            assert time.monotonic() < deadline_s
            heard += filter(None, [shown.key(50)])
        assert [key for key in heard if key != "other"] == ["a", "left", "b", "home", ",", "f"]
    finally:
        shown.close()


def test_every_window_that_opens_is_seen(display: Display) -> None:
    """The toolkit draws nothing in a window of which it has missed that it is on the screen."""
    blue = np.full((240, 320, 3), (250, 0, 0), np.uint8)
    for _ in range(10):
        shown = OpenCvScreen(display.environment)
        try:
            shown.show(blue)
            deadline_s = time.monotonic() + 10
            while (display.picture() == (250, 0, 0)).all(axis=2).sum() < blue.size / 3:
                assert time.monotonic() < deadline_s, "nothing is drawn in the window"
                shown.key(50)
        finally:
            shown.close()


def test_a_display_that_hangs_is_lost(display: Display) -> None:
    shown = OpenCvScreen(display.environment, patience_s=10.0)
    shown.show(np.full((240, 320, 3), (250, 0, 0), np.uint8))
    deadline_s = time.monotonic() + _WAIT_S
    while not (display.picture() == (250, 0, 0)).all(axis=2).any():
        assert time.monotonic() < deadline_s
        shown.key(50)
    display.server.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(SinkError, match="the window has taken nothing for 10 s"):
            deadline_s = time.monotonic() + 60
            while time.monotonic() < deadline_s:
                shown.show(numbered(2, (1920, 1080)))
    finally:
        display.server.send_signal(signal.SIGCONT)
        shown.close()


def _ended_with_complete_files(program: Program, folder: Path) -> None:
    summary = program.summary()
    assert 0 < summary["frames"] < 400
    assert len(times_s(folder / "out.mp4")) == summary["frames"]
    assert len(log_lines(folder / "out.jsonl")) == 1 + summary["frames"]


def _is_lost(display: Display) -> None:
    display.server.kill()
    display.server.wait()


def test_a_run_goes_on_without_its_window_when_the_display_dies(
    start: Start, display: Display, clip: Path, tmp_path: Path
) -> None:
    program = start(f"run {clip} --save out.mp4 --log out.jsonl")
    program.press("space")  # nothing goes on while it waits for a key
    _is_lost(display)
    out, errors = program.process.communicate(timeout=2 * _WAIT_S)
    assert errors == "face-stream: window failed: the screen is gone\n"
    assert program.process.returncode == 1
    summary = json.loads(out)
    assert summary["failures"] == ["window: the screen is gone"]
    assert set(summary["outputs"]) == {"out.jsonl", "out.mp4"}
    assert len(times_s(tmp_path / "out.mp4")) == summary["frames"] == 400


def test_a_run_of_nothing_but_a_window_ends_as_a_whole_when_the_display_dies(
    start: Start, display: Display, clip: Path, tmp_path: Path
) -> None:
    program = start(f"run {clip} {_SLOW}")
    program.press("r")
    program.until(lambda: any(tmp_path.glob("recording-*.part.mp4")))
    _is_lost(display)
    out, errors = program.process.communicate(timeout=_WAIT_S)
    assert "window failed: the screen is gone\n" in errors
    assert program.process.returncode == 1
    (recording,) = tmp_path.iterdir()  # complete, without locks
    assert json.loads(out)["outputs"] == [recording.name]
    assert 0 < len(times_s(recording)) < 400


def test_a_display_that_dies_at_the_end_of_a_video_is_said(
    start: Start, display: Display, tmp_path: Path
) -> None:
    program = start(f"run {write_numbers(tmp_path / 'short.mp4', 5)}")
    program.until_shown(4)
    _is_lost(display)
    _, errors = program.process.communicate(timeout=_WAIT_S)
    assert errors == "face-stream: window failed: the screen is gone\n"
    assert program.process.returncode == 1


@pytest.mark.parametrize("end", ["q", "Escape", "its button"])
def test_its_end_can_be_asked_for(end: str, start: Start, clip: Path, tmp_path: Path) -> None:
    program = start(f"run {clip} --save out.mp4 --log out.jsonl {_SLOW}")
    if end == "its button":
        program.close_window()
    else:
        program.press(end)
    _ended_with_complete_files(program, tmp_path)


def test_every_key_does_what_it_says(start: Start, clip: Path, tmp_path: Path) -> None:
    program = start(f"run {clip} --log out.jsonl {_SLOW}")

    def takes() -> list[str]:
        return [path.name.split(".", 1)[1] for path in tmp_path.glob("recording-*")]

    program.press("space")
    plain = program.snapshot()
    assert plain.shape == (180, 320, 3)
    program.press("h")
    assert np.array_equal(program.snapshot(), plain)  # it pauses, and the keys are not saved
    program.press("b")
    assert not np.array_equal(program.snapshot(), plain)
    program.press("r")
    assert takes() == []  # nothing comes that could be recorded
    program.press("space")
    program.until(lambda: takes() == ["part.mp4"])
    program.press("r")
    program.until(lambda: takes() == ["mp4"])
    program.press("q")
    (take,) = tmp_path.glob("recording-*.mp4")
    assert times_s(take)[0] == 0
    saved = {Path(each).name for each in program.summary()["outputs"]}
    assert saved == {path.name for path in tmp_path.iterdir()}
    assert len(saved) == 5  # log, recording, three pictures


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds of numbered pictures, without faces."""
    return write_numbers(tmp_path_factory.mktemp("numbers") / "numbers.mp4", 250)


def test_a_video_is_gone_through_by_keys(start: Start, numbers: Path) -> None:
    program = start(f"run {numbers}")
    program.press("space", "Home")
    for keys, number in (
        ((), 0),
        (("Right",), 125),
        (("Right", "comma"), 248),
        (("Right", "Left", "period", "period"), 126),
        (("comma", "comma", "comma"), 123),
        (("Home",), 0),
    ):
        if keys:
            program.press(*keys)
        program.until_shown(number)
    program.press("q")
    assert program.summary()["people"] == 0


def test_the_last_frame_of_a_video_stays_until_a_key(start: Start, numbers: Path) -> None:
    program = start(f"run {numbers} --start 8.0")
    program.until_shown(249)
    program.press("Left")  # to the beginning of the part
    assert number_of(program.snapshot()) < 249
    program.until_shown(249)
    assert program.process.poll() is None
    program.press("x")
    assert program.summary()["frames"] > 50


def test_pictures_are_gone_through_to_and_fro(start: Start, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for number in range(1, 5):
        cv2.imwrite(str(tmp_path / "photos" / f"{number}.png"), numbered(number))
    program = start("run photos")
    program.until_shown(1)
    for key, number in (("Right", 2), ("space", 3), ("Left", 2), ("Home", 1)):
        program.press(key)
        program.until_shown(number)
    for _ in range(4):
        program.press("space")
    assert program.summary()["skipped"] == {}


def test_a_single_picture_stays_until_it_is_enough(start: Start, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "one.png"), portrait())
    program = start("run one.png")
    assert np.array_equal(program.snapshot(), program.snapshot())
    assert program.process.poll() is None
    program.press("space")
    assert program.summary()["frames"] == 1


# What a window manager sends when the button is pressed (ICCCM 4.2.8.1): WM_DELETE_WINDOW.
_CLOSE = """
import ctypes, sys

class Message(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("sent", ctypes.c_int),
        ("display", ctypes.c_void_p), ("window", ctypes.c_ulong), ("kind", ctypes.c_ulong),
        ("format", ctypes.c_int), ("data", ctypes.c_long * 5), ("rest", ctypes.c_long * 24),
    ]

x11 = ctypes.CDLL("libX11.so.6")
x11.XOpenDisplay.restype = ctypes.c_void_p
x11.XInternAtom.restype = ctypes.c_ulong
display = ctypes.c_void_p(x11.XOpenDisplay(None))
window = int(sys.argv[1])
message = Message(type=33, window=window, kind=x11.XInternAtom(display, b"WM_PROTOCOLS", 0))
message.format, message.data[0] = 32, x11.XInternAtom(display, b"WM_DELETE_WINDOW", 0)
x11.XSendEvent(display, ctypes.c_ulong(window), 0, 0, ctypes.byref(message))
x11.XCloseDisplay(display)
"""
