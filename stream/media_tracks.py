"""Which of its video tracks and which of its sound tracks is taken of a container."""

import logging
from collections.abc import Sequence
from typing import Literal, TypeVar

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from stream.errors import SourceError

_log = logging.getLogger(__name__)

_Track = TypeVar("_Track", VideoStream, AudioStream)

TrackNumber = Literal["auto"] | int
"""A number from 1 on, in the order of the container, or "auto": the default track."""


def video_track(container: InputContainer, name: str, wanted: TrackNumber = "auto") -> VideoStream:
    """The video track that is read.

    Raises:
        SourceError: there is none, none that can be decoded, or none of that number.
    """
    return _chosen(_videos(container), "video", name, wanted)


def sound_track(container: InputContainer, name: str, wanted: TrackNumber = "auto") -> AudioStream:
    """The sound track that is recorded.

    Raises:
        SourceError: there is none, none that can be decoded, or none of that number.
    """
    return _chosen(container.streams.audio, "sound", name, wanted)


def warn_of_others(
    container: InputContainer, taken: VideoStream | AudioStream, name: str, wanted: TrackNumber
) -> None:
    """Says which track is taken, where there are several of its kind and none was asked for."""
    is_video = isinstance(taken, VideoStream)
    tracks = _videos(container) if is_video else container.streams.audio
    if len(tracks) > 1 and wanted == "auto":
        kind = "video" if is_video else "sound"
        _log.warning(
            "%s has %d %s tracks: number %d%s is taken; source.%s_track chooses another",
            name,
            len(tracks),
            kind,
            1 + [track.index for track in tracks].index(taken.index),
            _description(taken),
            kind,
        )


def _videos(container: InputContainer) -> Sequence[VideoStream]:
    """The video tracks without the attached pictures, such as covers."""
    return [
        track
        for track in container.streams.video
        if not Disposition.attached_pic & track.disposition
    ]


def _chosen(
    tracks: Sequence[_Track], kind: Literal["video", "sound"], name: str, wanted: TrackNumber
) -> _Track:
    """One of the tracks of a kind.

    1. The one of the number that is wanted.
    2. The first that can be decoded, of those that the container marks as default.
    3. The first that can be decoded.
    """
    if wanted != "auto":
        if wanted > len(tracks):
            raise SourceError(
                f"source.{kind}_track = {wanted}: {name} has "
                f"{len(tracks) or 'no'} {kind} track{'' if len(tracks) == 1 else 's'}"
            )
        tracks = tracks[wanted - 1 : wanted]
    if not tracks:
        raise SourceError(_NONE_THERE[kind].format(name))
    decodable = [track for track in tracks if _is_decodable(track)]
    if not decodable:
        raise SourceError(f"the {kind} of {name} is in a format that cannot be decoded here")
    return next(
        (each for each in decodable if each.disposition & Disposition.default), decodable[0]
    )


_NONE_THERE = {
    "video": "{} has no pictures in it, only sound or data",
    "sound": "{} has no sound in it",
}
"""What is said of a container without a track, by kind."""


def _is_decodable(track: VideoStream | AudioStream) -> bool:
    """Whether there is a decoder, and of sound whether its rate and channels are known."""
    if track.codec_context is None:
        return False
    if isinstance(track, VideoStream):
        return True
    return bool(track.codec_context.sample_rate and track.codec_context.layout.nb_channels)


def _description(track: VideoStream | AudioStream) -> str:
    """Language and title of a track in brackets, where it has them."""
    language = track.metadata.get("language", "und")
    words = ["" if language == "und" else language, track.metadata.get("title", "")]
    return f" ({', '.join(filter(None, words))})" if any(words) else ""
