"""What a run is compared with: transcoding alone, and the two usual loops with face_recognition."""

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
from stream.sources.media import open_container
from stream.sources.media_clock import MediaClock, start_time_s
from stream.sources.video import VideoSource

_Box = tuple[int, int, int, int]
"""Left, top, right, bottom, px."""

_COLOUR = (0, 0, 255)
"""Colour of the boxes that are drawn, BGR: red, as in face_recognition's examples."""

_CODEC = cv2.VideoWriter.fourcc(*"mp4v")
"""Codec of the files that the loops write: MPEG-4 Part 2."""

_SHRINK = 4
"""Factor by which the faster loop shrinks a frame, from `facerec_from_webcam_faster.py`."""

_EVERY = 2
"""Of how many frames the faster loop searches one, from `facerec_from_webcam_faster.py`."""


@dataclass(frozen=True, slots=True)
class BaselineRun:
    """What a loop took for some frames of a clip.

    Attributes:
        faces: how many were found in each frame, by index.
        frame_s: mean time of a frame, s.
    """

    faces: Mapping[int, int]
    frame_s: float


def transcode_s(path: Path, out: Path, settings: RecorderSection, frames: int) -> float:
    """The time to decode so many frames and to encode them as a recording, not annotated, s.

    Raises:
        SourceError: the file is not a video.
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


def every_frame_loop(path: Path, out: Path, indices: Iterable[int]) -> BaselineRun:
    """face_recognition on each frame: HOG in the picture at twice its size, and encodings.

    Args:
        path: the clip.
        out: the file that the drawn frames are written to.
        indices: the indices of the frames that are done.

    Raises:
        SourceError: OpenCV cannot read the clip.
    """
    from models.reference import locate_and_encode

    return _timed_loop(path, out, {index: 0 for index in indices}, locate_and_encode)


def faster_loop(path: Path, out: Path, indices: Iterable[int]) -> BaselineRun:
    """As in face_recognition's own example `facerec_from_webcam_faster.py`: a quarter of the size,
    every other frame; the boxes found are drawn in the next frame too.

    Args:
        path: the clip.
        out: the file that the drawn frames are written to.
        indices: the indices of the frames that are searched, no two of them neighbours; the frames
            after them are done too.

    Raises:
        SourceError: OpenCV cannot read the clip.
    """
    from models.reference import locate_and_encode

    def search(image: Image) -> list[_Box]:
        small = cv2.resize(image, None, fx=1 / _SHRINK, fy=1 / _SHRINK)
        found = np.array(locate_and_encode(small.astype(np.uint8, copy=False))).reshape(-1, 4)
        return [(each[0], each[1], each[2], each[3]) for each in (found * _SHRINK).tolist()]

    turns = {index + turn: turn for index in indices for turn in range(_EVERY)}
    return _timed_loop(path, out, turns, search)


def _timed_loop(
    path: Path, out: Path, turns: Mapping[int, int], search: Callable[[Image], list[_Box]]
) -> BaselineRun:
    """Reads, searches, draws and writes the frames of `turns`; other frames are skipped.

    A frame of turn 0 is searched; in any other the boxes found last are drawn.
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
            boxes = search(np.asarray(image, np.uint8)) if turns[index] == 0 else boxes
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
    return BaselineRun(faces, spent_s / len(faces))
