"""What a run is compared with: no annotation, and what people write with face_recognition."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from models.faces import Image
from stream.errors import SourceError
from stream.frames import ASSUMED_FPS
from stream.settings.schema import RecorderSection
from stream.sinks.video.video_file import VideoFile
from stream.sources.decoding import Decoder
from stream.sources.media_clock import MediaClock, start_time_s
from stream.sources.video import VideoSource, open_container

_Box = tuple[int, int, int, int]
_COLOUR = (0, 0, 255)
_CODEC = cv2.VideoWriter.fourcc(*"mp4v")
_SHRUNK, _EVERY = 4, 2  # the faster recipe: a quarter of the size, every other frame


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a recipe took for some frames of a clip.

    Attributes:
        faces: found in each of them, by index.
        frame_s: the mean time of a frame.
    """

    faces: Mapping[int, int]
    frame_s: float


def transcode_s(path: Path, out: Path, settings: RecorderSection, frames: int) -> float:
    """How long it takes to decode so many frames and to encode them as a recording, untouched.

    Raises:
        SourceError: it is not a video.
        SinkError: the recording cannot be made.
    """
    source = VideoSource(path)
    info = source.info
    source.close()
    with open_container(path) as container:
        decoder = Decoder(container, str(path))
        context = decoder.stream.codec_context
        stored = replace(info, size_wh=(context.width, context.height))
        clock = MediaClock(start_time_s(container), 1 / (decoder.fps or ASSUMED_FPS))
        start_s = time.perf_counter()
        with VideoFile(out, stored, settings) as film:
            for frame in islice(decoder.frames(), frames):
                film.add_decoded(frame, clock.time_s(frame.time))
        return time.perf_counter() - start_s


def plain_recipe(path: Path, out: Path, places: Iterable[int]) -> Recipe:
    """face_recognition on each frame: HOG in the picture at twice its size, and encodings.

    Args:
        path: the clip.
        out: where what is drawn is written.
        places: the indices of the frames that are done.

    Raises:
        SourceError: OpenCV cannot read the clip.
    """
    from models.reference import locate_and_encode

    return _cook(path, out, {place: 0 for place in places}, locate_and_encode)


def faster_recipe(path: Path, out: Path, places: Iterable[int]) -> Recipe:
    """As in face_recognition's own example `facerec_from_webcam_faster.py`: at a quarter of the
    size, every other frame; what was found is drawn in the next frame too.

    Args:
        path: the clip.
        out: where what is drawn is written.
        places: the indices of the frames that are looked at, no two of them neighbours; those
            after them are done too.

    Raises:
        SourceError: OpenCV cannot read the clip.
    """
    from models.reference import locate_and_encode

    def look(image: Image) -> list[_Box]:
        small = cv2.resize(image, None, fx=1 / _SHRUNK, fy=1 / _SHRUNK)
        found = np.array(locate_and_encode(small.astype(np.uint8, copy=False))).reshape(-1, 4)
        return [(each[0], each[1], each[2], each[3]) for each in (found * _SHRUNK).tolist()]

    turns = {place + turn: turn for place in places for turn in range(_EVERY)}
    return _cook(path, out, turns, look)


def _cook(
    path: Path, out: Path, turns: Mapping[int, int], look: Callable[[Image], list[_Box]]
) -> Recipe:
    """Reads, looks at, draws and writes the frames named; those between are passed over.

    At turn 0 a frame is looked at, at any other what was found last is drawn.
    """
    reader, writer = cv2.VideoCapture(str(path)), cv2.VideoWriter()
    fps = reader.get(cv2.CAP_PROP_FPS) or ASSUMED_FPS
    faces, boxes, spent_s = dict[int, int](), list[_Box](), 0.0
    try:
        for index in range(max(turns) + 1):
            start_s = time.perf_counter()
            there, image = reader.read()
            if not there or index not in turns:
                continue
            boxes = look(np.asarray(image, np.uint8)) if turns[index] == 0 else boxes
            for left, top, right, bottom in boxes:
                cv2.rectangle(image, (left, top), (right, bottom), _COLOUR, 2)
            if not writer.isOpened():
                writer.open(str(out), _CODEC, fps, (image.shape[1], image.shape[0]))
            writer.write(image)
            spent_s += time.perf_counter() - start_s
            faces[index] = len(boxes)
    finally:
        reader.release()
        writer.release()
    if not faces:
        raise SourceError(f"OpenCV reads no frame of {path}")
    return Recipe(faces, spent_s / len(faces))
