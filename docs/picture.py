"""Makes `picture.jpg`, the README's picture, anew: `uv run --group dev python docs/picture.py`.

It shows one frame of `face-stream demo` three times: annotated, blurred, and as the log has it.
Everything in it comes from installed packages: the portrait is NASA's of the astronaut Eileen
Collins, in the public domain, which scikit-image installs; the typeface is matplotlib's DejaVu.
"""

import json
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

import stream
from models.faces import Image
from stream.drawing.blur import blur_faces
from stream.sinks.data.json_log import face_entry
from stream.sources.demo import DemoSource

PICTURE = Path(__file__).with_name("picture.jpg")

_FRAME = 31  # of the demo, where the face is largest
_LARGE_SCALE, _SMALL_SCALE = 1.7, 2.4  # of labels, which are read after the panels are shrunk
_LARGE_WH, _SMALL_WH = (864, 486), (416, 234)
_GAP, _BAR = 16, 34  # px around the panels, and above each for its caption
_GROUND, _PAPER, _INK, _PALE = (33, 28, 24), (46, 39, 33), (236, 231, 225), (170, 160, 150)
_CAPTION_PX, _LOG_PX = 17, 15
_JPEG_QUALITY = 84


def picture() -> Image:
    """The README's picture, BGR `(height, width, 3)`."""
    frame, tracks = _annotated()
    drawn = _overlay(_LARGE_SCALE).draw(frame.image, tracks)
    hidden = blur_faces(frame.image, stream.to_arrays(tracks)["xyxy"])
    hidden = _overlay(_SMALL_SCALE).draw(hidden, tracks)
    width = 3 * _GAP + _LARGE_WH[0] + _SMALL_WH[0]
    height = _GAP + _BAR + _LARGE_WH[1]
    sheet = np.full((height + _GAP, width, 3), _GROUND, dtype=np.uint8)
    right = 2 * _GAP + _LARGE_WH[0]
    _put(sheet, drawn, _LARGE_WH, (_GAP, _GAP + _BAR), "face-stream run clip.mp4")
    _put(sheet, hidden, _SMALL_WH, (right, _GAP + _BAR), "--blur")
    top = _GAP + 2 * _BAR + _SMALL_WH[1] + _GAP
    log = np.full((height - top, _SMALL_WH[0], 3), _PAPER, dtype=np.uint8)
    for row, line in enumerate(_log_lines(tracks[0])):
        _write(log, line, (14, 26 + row * 20), _LOG_PX, _INK)
    _put(sheet, log, (log.shape[1], log.shape[0]), (right, top), "--log out.jsonl")
    return sheet


def _overlay(scale: float) -> stream.Overlay:
    return stream.Overlay(stream.load_config(overrides=[f"overlay.scale={scale}"]).overlay)


def _annotated() -> tuple[stream.Frame, tuple[stream.Track, ...]]:
    """The frame that is shown and the tracks in it, after all the frames before it."""
    source = DemoSource(frame_count=_FRAME + 1, size_wh=(1280, 720))
    *_, last = stream.annotate(source)
    return last


def _log_lines(track: stream.Track) -> list[str]:
    """The face's entry in the log, broken into lines that fit; … stands for what is left out."""
    entry = face_entry(track)
    lines = [f'{{"frame": {_FRAME}, …, "faces": [']
    lines += [f' {{"track": {entry["track"]},', f'  "box": {json.dumps(entry["box"])}, …,']
    lines.append('  "labels": {')
    for name, label in entry["labels"].items():
        lines.append(f'   "{name}": {{"label": "{label["label"]}",')
        lines.append(f'    "confidence": {label["confidence"]:.2f}, …}},')
    lines[-1] = lines[-1].removesuffix(",") + "}}]}"
    return lines


def _put(
    sheet: Image, panel: Image, size_wh: tuple[int, int], corner_xy: tuple[int, int], caption: str
) -> None:
    """Puts a panel on the sheet, with its caption above it."""
    (left, top), (width, height) = corner_xy, size_wh
    sheet[top : top + height, left : left + width] = cv2.resize(
        panel, size_wh, interpolation=cv2.INTER_AREA
    )
    _write(sheet, caption, (left + 2, top - 12), _CAPTION_PX, _PALE)


def _write(
    image: Image, text: str, origin_xy: tuple[int, int], size: int, colour: tuple[int, int, int]
) -> None:
    spec = find_spec("matplotlib")
    assert spec is not None and spec.origin is not None
    font = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSansMono.ttf"
    cv2.putText(image, text, origin_xy, colour, cv2.FontFace(str(font)), size)


if __name__ == "__main__":
    cv2.imwrite(str(PICTURE), picture(), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
