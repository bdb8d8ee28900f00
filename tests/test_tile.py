"""Tiles of several sources: their pictures, their states, and the keys of their window."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import PATIENCE_S, frame, track
from test_window import Clock, FakeScreen

from models.faces import Image
from stream.controls import Controls, RunReport
from stream.drawing.overlay import Overlay
from stream.errors import SinkError
from stream.settings.schema import OverlaySection
from stream.several.mosaic import (
    TileView,
    columns_of,
    fitted_wh,
    mosaic,
    picture_wh,
    shortened_to,
    wrapped,
)
from stream.several.tile import Tile
from stream.several.tile_window import KEYS, TileWindow
from stream.sinks import AnnotatedFrame

_WHITE_WH = (320, 180)


def _tile(
    count: int = 2,
    controls: Controls | None = None,
    report: RunReport | None = None,
    clock: Callable[[], float] | None = None,
    settings: OverlaySection | None = None,
) -> Tile:
    overlay = Overlay(settings or OverlaySection(labels=False, legend=False))
    controls, report = controls or Controls(), report or RunReport()
    return Tile("camera 0", count, overlay, controls, report, clock or Clock())


def _annotated(number: int = 0b01010101) -> AnnotatedFrame:
    someone = track()
    return AnnotatedFrame(frame(number), [someone], Overlay(), someone.box_xyxy[None])


def _view(name: str = "camera 0", grey: int | None = 255, **words: str) -> TileView:
    picture = None if grey is None else np.full((*_WHITE_WH[::-1], 3), grey, np.uint8)
    return TileView(name, picture, **words)


@pytest.mark.parametrize(
    ("count", "columns"), [(1, 1), (2, 2), (3, 2), (4, 2), (5, 3), (9, 3), (10, 4), (16, 4)]
)
def test_tiles_stand_side_by_side_in_rows(count: int, columns: int) -> None:
    assert columns_of(count) == columns
    width, height = picture_wh(count)
    picture = mosaic([_view(f"camera {number}") for number in range(count)])
    assert picture.shape[1] == columns * width
    assert picture.shape[0] > -(-count // columns) * height


@pytest.mark.parametrize(
    ("size_wh", "fitted"), [((1920, 1080), (640, 360)), ((72, 128), (202, 360))]
)
def test_a_picture_fits_its_tile_in_its_own_shape(
    size_wh: tuple[int, int], fitted: tuple[int, int]
) -> None:
    assert fitted_wh(size_wh, 4) == fitted
    narrow = np.full((*size_wh[::-1], 3), 255, np.uint8)
    row = mosaic([TileView("a", narrow), _view("b", None)])[180]
    white = np.flatnonzero(row[:, 0] == 255)
    assert len(white) == fitted[0]
    assert abs(int(white[0] + white[-1]) + 1 - 640) <= 1  # in the middle of the first tile


def test_a_source_without_a_picture_of_now_is_dark_and_says_why() -> None:
    live, lost = _view(), _view(state="no picture for 5 s")
    picture = mosaic([live, lost])[: picture_wh(2)[1]]
    left, right = np.hsplit(picture, 2)
    assert (left == 255).all()
    assert right.mean() < 100
    amber = (right[..., 2] > 200) & (right[..., 0] < 120)
    assert amber.sum() > 50


def test_name_figures_and_the_mark_of_a_recording_stand_under_the_picture() -> None:
    def bar(**words: str) -> Image:
        return mosaic([_view(**words), _view()])[picture_wh(2)[1] :, :640]

    def recorded() -> Image:
        view = TileView("camera 0", is_recorded=True)
        return mosaic([view, _view()])[picture_wh(2)[1] :, :640]

    plain, figures = bar(), bar(figures="25 fps")
    assert plain[:, :320].max() > 200
    assert np.array_equal(plain[:, :320], figures[:, :320])
    assert figures[:, 320:].max() > 200 > plain[:, 320:].max()
    red = (recorded()[..., 2] > 200) & (recorded()[..., 0] < 100)
    assert red.sum() > 20
    assert bar(name="x" * 500, figures="25 fps").shape == plain.shape


def test_long_texts_are_shortened_or_broken_between_words() -> None:
    assert shortened_to("camera", 500, 15) == "camera"
    assert shortened_to("camera" * 20, 100, 15).endswith("…")
    text = "the camera at the door cannot be read: connection refused"
    lines = wrapped(text, 150, 15)
    assert len(lines) > 1
    assert " ".join(lines) == text


def test_a_tile_shows_the_newest_picture_in_its_own_size() -> None:
    tile = _tile()
    assert tile.view(2).picture is None
    tile.write(_annotated())
    shown = tile.view(2).picture
    assert shown is not None
    assert shown.shape[:2] == fitted_wh((96, 64), 2)[::-1]


def test_labels_keep_their_size_in_small_tiles() -> None:
    large, small = (_tile(count, settings=OverlaySection(legend=False)) for count in (1, 9))
    lines = []
    for tile, count in ((large, 1), (small, 9)):
        tile.write(_annotated())
        picture = tile.view(count).picture
        assert picture is not None
        plain = cv2.resize(frame(1).image, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        rows = np.flatnonzero((picture != plain).any(axis=(1, 2)))
        lines.append((rows[-1] - rows[0]) / picture.shape[0])  # the box, in heights of the picture
    assert lines[0] == pytest.approx(lines[1], abs=0.05)


def test_a_picture_that_nobody_has_seen_yet_is_not_replaced() -> None:
    tile = _tile()
    tile.write(_annotated(1))
    tile.write(_annotated(2))
    first = tile.view(2).picture
    tile.write(_annotated(3))
    second = tile.view(2).picture
    assert first is not None
    assert second is not None
    assert not np.array_equal(first, second)


def test_a_tile_says_what_state_its_source_is_in() -> None:
    clock, report = Clock(), RunReport(dropped=7)
    tile = _tile(clock=clock, report=report)
    assert tile.view(2).state == "opening …"
    tile.write(_annotated(0))
    clock.now_s += 1.0
    tile.write(_annotated(1))
    assert tile.view(2).state == ""
    assert tile.view(2).figures.startswith("1 of ")
    assert tile.view(2).figures.endswith("7 dropped")
    clock.now_s += 5.2
    assert tile.view(2).state == "no picture for 5 s"
    report.recording = Path("out.mp4")
    assert tile.view(2).is_recorded
    tile.end("was lost")
    view = tile.view(2)
    assert (view.state, view.figures, view.is_recorded) == ("was lost", "", False)


def test_in_a_pause_a_source_waits_and_its_picture_follows_the_keys() -> None:
    controls = Controls(paused=True)
    tile = _tile(controls=controls)
    source = threading.Thread(target=tile.write, args=(_annotated(),))
    source.start()
    try:
        sharp = _picture_that(tile, 2, lambda picture: True)
        tile.wish(Controls(paused=True, blur=True))
        _picture_that(tile, 2, lambda picture: not np.array_equal(picture, sharp))
        large = fitted_wh((96, 64), 1)[::-1]
        _picture_that(tile, 1, lambda picture: picture.shape[:2] == large)
        assert source.is_alive()
    finally:
        tile.wish(Controls())
        source.join(PATIENCE_S)
    assert not source.is_alive()


def test_who_quits_in_a_pause_does_not_wait() -> None:
    tile = _tile(controls=Controls(paused=True, quit_requested=True))
    tile.write(_annotated())
    assert tile.quit_requested


def _picture_that(tile: Tile, count: int, is_right: Callable[[Image], bool]) -> Image:
    """Waits for a picture in a tile that another thread draws."""
    until_s = time.monotonic() + PATIENCE_S
    while (picture := tile.view(count).picture) is None or not is_right(picture):
        assert time.monotonic() < until_s, "the picture does not come"
        time.sleep(0.01)
    return picture


def _window(
    screen: FakeScreen,
    controls: Controls | None = None,
    folder: Path = Path(),
    clock: Callable[[], float] | None = None,
    refusal: str = "",
) -> tuple[TileWindow, list[Tile], list[Controls], list[Path]]:
    """A window of two tiles, the controls of each, and what is saved."""
    each, saved = [Controls(), Controls()], list[Path]()
    tiles = [_tile(controls=own) for own in each]
    for tile in tiles:
        tile.write(_annotated())
    window = TileWindow(
        tiles,
        screen,
        controls or Controls(),
        saved,
        recording_refusal=refusal,
        folder=folder,
        clock=clock or Clock(),
    )
    return window, tiles, each, saved


def test_the_window_shows_all_tiles_and_a_bar_under_them() -> None:
    screen = FakeScreen()
    window, tiles, _, _ = _window(screen)
    window.refresh()
    window.close()
    picture = mosaic([tile.view(2) for tile in tiles])
    (shown,) = screen.shown
    assert np.array_equal(shown[: picture.shape[0]], picture)
    assert shown.shape[0] > picture.shape[0]
    assert screen.closed == 1


def test_keys_concern_all_sources() -> None:
    controls = Controls()
    window, _, each, _ = _window(FakeScreen("b", "r", "space", "space", "b", "q"), controls)
    seen = []
    for _ in range(6):
        window.refresh()
        assert each[0] == each[1]
        seen.append((each[0].blur, each[0].record, each[0].paused, each[0].quit_requested))
    assert seen == [
        (True, False, False, False),
        (True, True, False, False),
        (True, True, True, False),
        (True, True, False, False),
        (False, True, False, False),
        (False, True, False, True),
    ]
    assert window.quit_requested


def test_a_number_shows_one_source_alone_and_0_all() -> None:
    screen = FakeScreen("2", "", "9", "0", "")
    window, _, each, _ = _window(screen)
    for _ in range(5):
        window.refresh()
    heights = [picture.shape[0] for picture in screen.shown]
    assert heights[0] == heights[4]
    assert heights[1] == heights[2] == heights[3]  # there is no ninth
    assert heights[1] > heights[0]
    assert not any(own.quit_requested for own in each)


def test_s_saves_what_is_shown_without_the_bar(tmp_path: Path) -> None:
    screen = FakeScreen("s")
    window, _, _, saved = _window(screen, folder=tmp_path)
    window.refresh()
    (path,) = saved
    written = cv2.imread(str(path))
    assert np.array_equal(np.asarray(written), screen.shown[0][: np.shape(written)[0]])


def test_notices_stay_for_a_while_and_the_help_until_it_is_not_wanted() -> None:
    clock, screen = Clock(), FakeScreen("", "r", "h", "h", "")
    window, _, each, _ = _window(screen, clock=clock, refusal="everything is recorded into out")

    def bar(wait_s: float) -> Image:
        clock.now_s += wait_s
        window.refresh()
        return screen.shown[-1][mosaic([_view(), _view()]).shape[0] :]

    first, empty = bar(0.0), bar(5.0)  # then R is pressed
    notice, keys, last = bar(1.0), bar(5.0), bar(0.0)
    assert first.max() > 200
    assert empty.max() < 100
    assert notice.max() > 200
    assert keys.max() > 200
    assert np.array_equal(last, empty)
    assert not each[0].record


def test_its_button_ends_all() -> None:
    window, _, each, _ = _window(FakeScreen(closed_after=1))
    window.refresh()
    assert window.quit_requested
    assert all(own.quit_requested for own in each)


def test_a_screen_that_is_gone_is_an_error() -> None:
    class Gone(FakeScreen):
        def show(self, picture: Image) -> None:
            raise SinkError("the screen is gone")

    window, _, _, _ = _window(Gone())
    with pytest.raises(SinkError, match="gone"):
        window.refresh()


def test_each_key_is_explained() -> None:
    usage = (Path(__file__).parents[1] / "docs" / "usage.md").read_text(encoding="utf-8")
    tiles = usage.split("are tiles of one window")[1].split("\n## ")[0]
    assert KEYS[0][0] == "1 to 9, 0"
    assert "1 to 9" in tiles
