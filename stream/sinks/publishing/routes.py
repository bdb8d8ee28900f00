"""How video gets to where it is sent: into standard output, into the files of HLS, or through a
process of its own to an address.
"""

import os
import sys
from pathlib import Path
from typing import Protocol

import av
from av.container import OutputContainer

from stream.addresses import masked_words
from stream.settings.publish_section import PublishSection
from stream.sinks.publishing.destinations import VideoDestination
from stream.sinks.publishing.pipe_writer import END_LIMIT_S, PipeWriter
from stream.sinks.publishing.relay import Relay
from stream.sinks.video.codecs import STREAMED


class Route(Protocol):
    """An open way to a destination.

    Attributes:
        container: what is written to.
        answers_late: the other side says only after some frames that it takes them.
    """

    container: OutputContainer
    answers_late: bool

    def is_connected(self) -> bool:
        """Whether the other side takes the video by now.

        Raises:
            OSError: it refuses.
        """

    def reason(self, error: Exception) -> str:
        """Why a write failed, in words."""

    def hurry(self) -> None:
        """The run ends: no write waits for long any more; called by another thread."""

    def cut(self) -> None:
        """Ends a write that waits; called by another thread."""

    def close(self, limit_s: float) -> None:
        """Leaves the way, whose container is closed; may be called twice.

        Args:
            limit_s: for how long the other side is waited for, s.
        """


def open_route(
    destination: VideoDestination,
    settings: PublishSection,
    *,
    is_live: bool,
    is_again: bool,
) -> Route:
    """Opens the way to a destination.

    Args:
        destination: where to.
        settings: how.
        is_live: whether the source has no end, so that old segments of HLS are deleted.
        is_again: whether this run has had a way there before.

    Raises:
        OSError, FFmpegError: there is none.
    """
    match destination.kind:
        case "pipe":
            return StandardOutput(settings.pipe)
        case "hls":
            return Playlist(Path(destination.uri), settings, is_live=is_live, is_again=is_again)
        case _:
            return Relay(destination, settings.timeout_s)


class StandardOutput:
    """Video on standard output.

    Args:
        container_format: FFmpeg's name of the container.

    Raises:
        OSError: standard output is closed.
    """

    answers_late = False

    def __init__(self, container_format: str) -> None:
        if sys.__stdout__ is None:
            raise OSError("it is closed")
        self._limit_s = float("inf")
        descriptor = os.dup(sys.__stdout__.fileno())
        self._writer = PipeWriter(descriptor, "standard output", lambda: self._limit_s)
        options = STREAMED[container_format].options
        self.container = av.open(self._writer, "w", format=container_format, options=options)

    def __repr__(self) -> str:
        return f"StandardOutput({self.container.format.name})"

    def is_connected(self) -> bool:
        """It always is; a reader that has left is an error.

        Raises:
            BrokenPipeError: the reader has left.
        """
        if self._writer.reader_left():
            raise BrokenPipeError
        return True

    def reason(self, error: Exception) -> str:
        """Why a write failed, in words."""
        return getattr(error, "strerror", None) or str(error)

    def hurry(self) -> None:
        """No write waits for long any more."""
        self._limit_s = END_LIMIT_S

    def cut(self) -> None:
        """No write waits any more."""
        self._limit_s = 0

    def close(self, limit_s: float) -> None:
        """Leaves standard output."""
        self._writer.close()


class Playlist:
    """A playlist of HLS, and its segments beside it. Of a live source the newest are kept.

    Args:
        path: the playlist.
        settings: how long segments are, and how many are kept.
        is_live: whether old segments are deleted.
        is_again: whether it goes on with those that are there.
    """

    answers_late = False

    def __init__(
        self, path: Path, settings: PublishSection, *, is_live: bool, is_again: bool
    ) -> None:
        flags = ["temp_file", "independent_segments"]
        if not is_again:
            for segment in segments_of(path):
                segment.unlink(missing_ok=True)
        else:
            flags += ["append_list", "discont_start"]
        options = {
            "hls_time": f"{settings.hls_segment_s:g}",
            "hls_segment_filename": f"{str(path.with_suffix('')).replace('%', '%%')}-%05d.ts",
            "hls_list_size": "0",
            "hls_playlist_type": "event",
        }
        if is_live and settings.hls_segments:
            del options["hls_playlist_type"]
            options |= {"hls_list_size": str(settings.hls_segments), "hls_delete_threshold": "1"}
            flags.append("delete_segments")
        options["hls_flags"] = "+".join(flags)
        self._path = path
        self.container = av.open(str(path), "w", format="hls", options=options)

    def __repr__(self) -> str:
        return f"Playlist({self._path})"

    def is_connected(self) -> bool:
        """It always is."""
        return True

    def reason(self, error: Exception) -> str:
        """Why a write failed, in words."""
        return masked_words(getattr(error, "strerror", None) or str(error))

    def hurry(self) -> None:
        """A disk is never waited for."""

    def cut(self) -> None:
        """Nothing ends what waits for a disk."""

    def close(self, limit_s: float) -> None:
        """The files are closed with the container."""


def segments_of(playlist: Path) -> list[Path]:
    """The segments of a playlist that are there."""
    stem = playlist.with_suffix("").name
    digits = "[0-9]" * 5
    return sorted(
        each
        for each in playlist.absolute().parent.glob(f"*-{digits}.ts")
        if each.name[: -len("-00000.ts")] == stem
    )
