"""A partial video → a whole one, packet by packet."""

import re
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer

from stream.errors import SinkError, SourceError
from stream.sinks.video.codecs import CONTAINERS
from stream.sinks.video.muxer import BEGINS_AT
from stream.sources.media import open_container


def write_video(partial: Path, target: Path) -> tuple[int, float]:
    """Copies what is whole of a partial video.

    Returns:
        The number of its pictures, and the time of the last one in the source, s.

    Raises:
        SourceError: it cannot be read, or has no picture.
        SinkError: the disk refuses.
    """
    kind = CONTAINERS[partial.suffix.lower()]
    with open_container(partial) as source:
        try:
            with av.open(f"file:{target}", "w", format=kind.format) as copy:
                frames, last_s = _copy(source, copy)
        except (av.error.FFmpegError, OSError) as error:
            raise SinkError(f"{target} cannot be written: {error.strerror}") from error
        tags = " ".join(source.metadata.values())  # Matroska writes their names in capitals
    start = re.search(rf"{BEGINS_AT} (-?[\d.]+) s", tags)
    if not frames:
        raise SourceError(f"{partial} holds no picture: nothing of it can be recovered")
    return frames, last_s + (float(start[1]) if start else 0.0)


def _copy(source: InputContainer, copy: OutputContainer) -> tuple[int, float]:
    """Copies all tracks; returns the number of pictures, and the time of the last one, s."""
    copy.metadata.update(source.metadata)
    tracks = [each for each in source.streams if each.type in ("video", "audio")]
    copies = {each.index: copy.add_stream_from_template(each, opaque=True) for each in tracks}
    frames, last_s = 0, 0.0
    packets = source.demux(tracks)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:  # the last one is not whole
            break
        if packet is None or packet.is_corrupt:
            break
        if packet.dts is None or packet.pts is None:  # the mark of a track's end
            continue
        if packet.stream.type == "video":
            frames += 1
            last_s = max(last_s, float(packet.pts * packet.time_base))
        packet.stream = copies[packet.stream_index]
        copy.mux_one(packet)
    return frames, last_s
