"""Makes the README's picture, `picture.jpg`: `uv run --group dev python docs/picture.py`.

The picture shows one frame of `face-stream demo` three times: annotated, blurred, and as the log
has it. Everything in it comes from installed packages: the portrait is NASA's of the astronaut
Eileen Collins, in the public domain, which scikit-image installs; the typeface is matplotlib's
DejaVu.
"""

import json
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

import stream
from models.faces import Image
from stream.drawing.blur import blur_faces
from stream.sources.demo import DemoSource

PICTURE = Path(__file__).with_name("picture.jpg")
"""The file that is written."""

_FRAME = 31
"""Index of the frame of the demo that is shown: the face is largest there."""

_LARGE_WH = (864, 486)
"""Size of the annotated panel, px."""

_SMALL_WH = (416, 234)
"""Size of the blurred panel, px."""

_LARGE_SCALE = 1.7
"""Scale of the labels in the annotated panel, which is shrunk after they are drawn."""

_SMALL_SCALE = 2.4
"""Scale of the labels in the blurred panel, which is shrunk more."""

_GAP_PX = 16
"""Distance between the panels, px."""

_CAPTION_HEIGHT_PX = 34
"""Height above each panel for its caption, px."""

_CAPTION_FONT_PX = 17
"""Size of the captions, px."""

_LOG_FONT_PX = 15
"""Size of the log's text, px."""

_BACKGROUND = (33, 28, 24)
"""Colour around the panels, BGR."""

_LOG_BACKGROUND = (46, 39, 33)
"""Colour of the panel with the log, BGR."""

_LOG_COLOUR = (236, 231, 225)
"""Colour of the log's text, BGR."""

_CAPTION_COLOUR = (170, 160, 150)
"""Colour of the captions, BGR."""

_JPEG_QUALITY = 84
"""Quality of the file, 0 to 100: higher is larger."""


def picture() -> Image:
    """The README's picture, BGR `(height, width, 3)`."""
    frame, tracks = _annotated()
    annotated = _overlay(_LARGE_SCALE).draw(frame.image, tracks)
    hidden = blur_faces(frame.image, stream.to_arrays(tracks)["xyxy"])
    hidden = _overlay(_SMALL_SCALE).draw(hidden, tracks)
    width = 3 * _GAP_PX + _LARGE_WH[0] + _SMALL_WH[0]
    top = _GAP_PX + _CAPTION_HEIGHT_PX
    height = top + _LARGE_WH[1]
    page = np.full((height + _GAP_PX, width, 3), _BACKGROUND, dtype=np.uint8)
    right = 2 * _GAP_PX + _LARGE_WH[0]
    _add_panel(page, annotated, _LARGE_WH, (_GAP_PX, top), "face-stream run clip.mp4")
    _add_panel(page, hidden, _SMALL_WH, (right, top), "--blur")
    log_top = top + _SMALL_WH[1] + _GAP_PX + _CAPTION_HEIGHT_PX
    log = np.full((height - log_top, _SMALL_WH[0], 3), _LOG_BACKGROUND, dtype=np.uint8)
    for row, line in enumerate(_log_lines(tracks[0])):
        _write(log, line, (14, 26 + row * 20), _LOG_FONT_PX, _LOG_COLOUR)
    _add_panel(page, log, (log.shape[1], log.shape[0]), (right, log_top), "--log out.jsonl")
    return page


def _overlay(scale: float) -> stream.Overlay:
    """What draws the tracks, with labels of a scale."""
    return stream.Overlay(stream.load_config(overrides=[f"overlay.scale={scale}"]).overlay)


def _annotated() -> tuple[stream.Frame, tuple[stream.Track, ...]]:
    """The frame that is shown and the tracks in it, after all the frames before it."""
    source = DemoSource(frame_count=_FRAME + 1, size_wh=(1280, 720))
    *_, last = stream.annotate(source)
    return last


def _log_lines(track: stream.Track) -> list[str]:
    """The face's entry in the log, broken into lines that fit; … stands for what is left out."""
    entry = track.as_dict()
    lines = [f'{{"frame": {_FRAME}, …, "faces": [']
    lines += [f' {{"track": {entry["track"]},', f'  "box": {json.dumps(entry["box"])}, …,']
    lines.append('  "labels": {')
    for name, label in entry["labels"].items():
        lines.append(f'   "{name}": {{"label": "{label["label"]}",')
        lines.append(f'    "confidence": {label["confidence"]:.2f}, …}},')
    lines[-1] = lines[-1].removesuffix(",") + "}}]}"
    return lines


def _add_panel(
    page: Image, panel: Image, size_wh: tuple[int, int], corner_xy: tuple[int, int], caption: str
) -> None:
    """Draws a panel onto the page, with its caption above it."""
    (left, top), (width, height) = corner_xy, size_wh
    page[top : top + height, left : left + width] = cv2.resize(
        panel, size_wh, interpolation=cv2.INTER_AREA
    )
    _write(page, caption, (left + 2, top - 12), _CAPTION_FONT_PX, _CAPTION_COLOUR)


def _write(
    image: Image, text: str, origin_xy: tuple[int, int], font_px: int, colour: tuple[int, int, int]
) -> None:
    """Draws a line of text in DejaVu Sans Mono."""
    spec = find_spec("matplotlib")
    assert spec is not None and spec.origin is not None
    font = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSansMono.ttf"
    cv2.putText(image, text, origin_xy, colour, cv2.FontFace(str(font)), font_px)


if __name__ == "__main__":
    cv2.imwrite(str(PICTURE), picture(), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
