"""Pictures as H.264 shows them, coded as most videos are."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
import numpy as np

from models.faces import Image

_X264_OPTIONS = {"preset": "veryfast", "tune": "zerolatency"}
"""Options of x264; `zerolatency` gives each picture at once, predicted from earlier ones alone."""


def coded_as_h264(
    pictures: Iterable[Image], crf: int, size_wh: tuple[int, int], fps: float
) -> Iterator[Image]:
    """The pictures of a video, each as soon as it is coded and decoded.

    Args:
        pictures: `(height, width, 3)` uint8 BGR, all of one size.
        crf: the constant rate factor, 0 to 51: 18 looks like the original, 28 is ordinary, 36 is
            coarse.
        size_wh: their size, px, both sides even.
        fps: their rate, frames a second.
    """
    encoder, decoder = av.CodecContext.create("libx264", "w"), av.CodecContext.create("h264", "r")
    encoder.width, encoder.height = size_wh
    encoder.pix_fmt, encoder.framerate = "yuv420p", Fraction(fps)
    encoder.options = {**_X264_OPTIONS, "crf": str(crf)}
    # More threads would divide a picture in other ways on other machines, and keep frames back.
    encoder.thread_count = decoder.thread_count = 1
    for picture in pictures:
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        yield from _decoded(decoder, encoder.encode(frame))
    yield from _decoded(decoder, (*encoder.encode(None), None))


def _decoded(
    decoder: av.VideoCodecContext, packets: Iterable["av.Packet[av.VideoStream] | None"]
) -> Iterator[Image]:
    for packet in packets:
        for frame in decoder.decode(packet):
            yield frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False)
