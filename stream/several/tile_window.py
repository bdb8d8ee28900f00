"""The window of several sources: their tiles as one picture, and the keys that concern all."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from models.faces import Image
from stream.controls import Controls
from stream.drawing.text import Style, draw_text
from stream.errors import SinkError
from stream.several.mosaic import mosaic, shortened_to
from stream.several.tile import Tile
from stream.sinks.claims import claim_new_file
from stream.sinks.pictures.picture_file import write_picture
from stream.sinks.window.screen import Screen

KEYS = (
    ("1 to 9, 0", "one source alone, all"),
    ("Space", "pause"),
    ("S", "save the picture"),
    ("R", "record all"),
    ("B", "blur faces"),
    ("H", "this help"),
    ("Q, Esc", "quit"),
)
"""The keys of the window of several sources, and what each does."""

_WAIT_MS = 40
"""How long a key is waited for between two pictures, ms: as long as a picture of most cameras."""

_NOTICE_S = 4.0
"""How long a notice is shown, s."""

_FIRST_NOTICE = "H shows the keys"
"""The notice when the window opens."""

_GROUND = 28
"""Grey of the bar, 0 to 255."""

_TEXT_PX = 15
"""Height of the text of the bar, px."""


class TileWindow:
    """Shows all tiles, and does what keys ask for.

    Args:
        tiles: of the sources.
        screen: shows the pictures and reads the keys.
        controls: what the user wishes of all sources; the tiles pass it on.
        saved: takes the pictures that are saved.
        recording_refusal: why keys cannot start recordings; empty where they can.
        folder: where pictures are saved.
        clock: the monotonic clock, s.
    """

    def __init__(
        self,
        tiles: Sequence[Tile],
        screen: Screen,
        controls: Controls,
        saved: list[Path],
        *,
        recording_refusal: str = "",
        folder: Path = Path(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._saved = saved
        self._tiles = tiles
        self._shown_tiles = tiles
        self._screen = screen
        self._controls = controls
        self._recording_refusal = recording_refusal
        self._folder = folder
        self._clock = clock
        self._notice, self._notice_ends_s = _FIRST_NOTICE, clock() + _NOTICE_S

    def __repr__(self) -> str:
        return f"TileWindow({len(self._tiles)} tiles)"

    @property
    def quit_requested(self) -> bool:
        """Whether the user asked for the end, by a key or by closing the window."""
        return self._controls.quit_requested

    def refresh(self) -> None:
        """Shows the tiles as they are, and does what a key asks for.

        Raises:
            SinkError: the screen is gone.
        """
        picture = mosaic([tile.view(len(self._shown_tiles)) for tile in self._shown_tiles])
        self._screen.show(np.concatenate([picture, self._bar(picture.shape[1])]))
        key = self._screen.key(_WAIT_MS)
        if key.isdecimal() and int(key) <= len(self._tiles):
            number = int(key)
            self._shown_tiles = self._tiles[number - 1 : number] if number else self._tiles
            return
        if notice := self._controls.press(key, self._recording_refusal):
            self._say(notice)
        if not self._screen.is_open:
            self._controls.quit_requested = True
        if self._controls.snapshot:
            self._controls.snapshot = False
            self._save(picture)
        if key or self._controls.quit_requested:
            for tile in self._tiles:
                tile.wish(self._controls)

    def close(self) -> None:
        """Takes the window away."""
        self._screen.close()

    def _bar(self, width: int) -> Image:
        """The bar under the tiles: the keys, a pause, or the last notice."""
        style = Style.of_text(_TEXT_PX)
        bar = np.full((style.text + 3 * style.gap, width, 3), _GROUND, np.uint8)
        text = self._notice if self._clock() < self._notice_ends_s else ""
        if self._controls.paused:
            text = "paused: Space goes on"
        if self._controls.help:
            text = "   ".join(f"{key}: {meaning}" for key, meaning in KEYS)
        text = shortened_to(text, width - 4 * style.gap, style.text)
        draw_text(bar, text, (2 * style.gap, style.text + style.gap), style.text)
        return bar

    def _say(self, notice: str) -> None:
        self._notice, self._notice_ends_s = notice, self._clock() + _NOTICE_S

    def _save(self, picture: Image) -> None:
        """Saves the tiles as they are shown."""
        try:
            with claim_new_file(self._folder, "snapshot", ".png") as path:
                write_picture(path, picture)
        except SinkError as error:
            self._say(str(error))
        else:
            self._saved.append(path)
            self._say(f"saved {path}")
