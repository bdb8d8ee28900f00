"""Interlaced pictures made whole: two fields of different moments become one picture."""

import logging
from collections.abc import Iterable, Iterator

import av
from av.filter import Graph
from av.video.frame import VideoFrame

from stream.stopwatch import stage

_log = logging.getLogger(__name__)


class Deinterlacer:
    """Deinterlaces by FFmpeg's `bwdif`, a picture for each picture at its own time, and says so.

    Args:
        name: of the source, as messages print it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._said = False

    def __repr__(self) -> str:
        return f"Deinterlacer({self._name})"

    def frames(self, decoded: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
        """The frames of one reading.

        1. Those before the first interlaced one pass as they are.
        2. All others go through the filter, which changes those that are interlaced. It holds one
           back, for it looks at the next one too.

        Raises:
            FFmpegError: what reading raises; the frame that was held back comes first.
        """
        graph: Graph | None = None
        form: tuple[object, ...] = ()
        try:
            for frame in decoded:
                if graph is None and not frame.interlaced_frame:
                    yield frame
                    continue
                self._say()
                if form != (form := _form_of(frame)):
                    yield from _filtered(graph, None)
                    graph = _graph_for(frame)
                yield from _filtered(graph, frame)
        except av.error.FFmpegError:
            yield from _filtered(graph, None)
            raise
        yield from _filtered(graph, None)

    def _say(self) -> None:
        if not self._said:
            self._said = True
            _log.warning("%s is interlaced: its pictures are deinterlaced", self._name)


def _form_of(frame: VideoFrame) -> tuple[object, ...]:
    """What a filter is made for."""
    return frame.width, frame.height, frame.format.name, frame.time_base, *_colours_of(frame)


def _colours_of(frame: VideoFrame) -> tuple[int, ...]:
    return frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc


@stage("decode")
def _filtered(graph: Graph | None, frame: VideoFrame | None) -> list[VideoFrame]:
    """What comes out of the filter once it has that frame; None for the end."""
    frames: list[VideoFrame] = []
    if graph is None:
        return frames
    try:
        graph.vpush(frame)
        while True:
            frames.append(graph.vpull())
    except (av.error.BlockingIOError, av.error.EOFError):
        return frames


def _graph_for(frame: VideoFrame) -> Graph:
    """The filter for frames of that form."""
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
    )
    bwdif = graph.add("bwdif", "mode=send_frame:deint=interlaced")
    graph.link_nodes(source, bwdif, graph.add("buffersink")).configure()
    return graph
