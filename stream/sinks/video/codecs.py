"""Containers and codecs: what a video may be written as, and with which options of FFmpeg."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av

from stream.errors import ConfigError
from stream.settings.schema import CodecName, Preset

_FRAGMENT_MS = 250
"""How much of a video waits in memory until it is written as a fragment, ms; more is lost with a
kill, less makes a file of low quality larger by the headers of its fragments."""

_FLUSHED = {"flush_packets": "1", "max_interleave_delta": f"{1000 * _FRAGMENT_MS}"}
"""Options of any muxer: a fragment reaches the disk at once, and pictures do not wait ten seconds,
which is FFmpeg's default, for sound that has ended."""

_FRAGMENTS = _FLUSHED | {
    "movflags": "hybrid_fragmented+default_base_moof+delay_moov",
    "frag_duration": f"{1000 * _FRAGMENT_MS}",
}
"""Options of MP4 and QuickTime: fragments by time, whatever the rate."""

_CLUSTERS = _FLUSHED | {"cluster_time_limit": f"{_FRAGMENT_MS}"}
"""Options of Matroska and WebM for the same, where a fragment is a cluster."""


@dataclass(frozen=True, slots=True)
class VideoCodec:
    """A codec of video, and its encoder.

    Attributes:
        encoder: FFmpeg's name of the encoder.
        title: name of the codec, for messages.
        worst: the largest rate factor, of the worst quality; 0 is the best.
        quality: the rate factor of quality 0, and how much it rises with one step of quality;
            measured as PSNR of luma on three clips at 18 to 28.
        speed: name of the option that sets the speed, and its value for each preset.
        options: further options of the encoder, with which it holds no picture back: those that
            it looks ahead at would be lost with a kill, at two pictures a second five seconds.
        tag: the code of four letters that players expect, where FFmpeg's default is another.
        frame_threads: how many pictures are encoded at the same time at most, where all but one of
            them may be held back.
        may_hang: the encoder has been seen to wait for ever.
    """

    encoder: str
    title: str
    worst: int
    quality: tuple[float, float]
    speed: tuple[str, Mapping[Preset, str]]
    options: Mapping[str, str]
    tag: str | None = None
    frame_threads: int = 1
    may_hang: bool = False

    def settings(self, quality: int, preset: Preset) -> dict[str, str]:
        """The encoder's options.

        Args:
            quality: 0 to 51; each step is one of H.264's constant rate factor, and 0 is the best
                that the codec has: H.264 then loses nothing.
            preset: speed against size.
        """
        offset, steps = self.quality
        factor = min(round(offset + steps * quality), self.worst) if quality else 0
        name, values = self.speed
        return {**self.options, "crf": str(factor), name: values[preset]}

    @property
    def is_there(self) -> bool:
        """Whether this FFmpeg was built with the encoder."""
        try:
            av.Codec(self.encoder, "w")
        except av.codec.codec.UnknownCodecError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class ContainerFormat:
    """A kind of video file.

    Attributes:
        format: FFmpeg's name for it.
        codecs: those it can hold; the setting "auto" stands for the first.
        sound: the encoder of sound that it cannot hold as it is.
        options: of its muxer, with which it plays also after a kill.
    """

    format: str
    codecs: tuple[CodecName, ...]
    sound: Literal["aac", "libopus"]
    options: dict[str, str]


def _steps(*values: int) -> dict[Preset, str]:
    """A value for each preset, from the fastest on."""
    names: tuple[Preset, ...] = (
        "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow",
    )  # fmt: skip
    return {name: str(value) for name, value in zip(names, values, strict=True)}


_PRESET_NAMES: dict[Preset, str] = {name: name for name in _steps(*range(7))}
"""The presets of x264 and x265, whose names the settings have taken."""

CODECS: dict[CodecName, VideoCodec] = {
    "h264": VideoCodec(
        "libx264",
        "H.264",
        51,
        (2, 1),
        ("preset", _PRESET_NAMES),
        {"tune": "zerolatency"},
        # Of several slices a picture is as late as the slowest: 17 % slower at 720p on two cores.
        frame_threads=4,
    ),
    "hevc": VideoCodec(
        "libx265",
        "HEVC",
        51,
        (5, 1),
        ("preset", _PRESET_NAMES),
        {"tune": "zerolatency", "x265-params": "log-level=none"},
        tag="hvc1",
    ),
    "vp9": VideoCodec(
        "libvpx-vp9",
        "VP9",
        63,
        (0, 1.5),
        ("cpu-used", _steps(8, 8, 8, 7, 6, 5, 4)),
        {"b": "0", "deadline": "realtime", "row-mt": "1", "lag-in-frames": "0"},
    ),
    "av1": VideoCodec(
        "libsvtav1",
        "AV1",
        63,
        (0, 1.5),
        ("preset", _steps(12, 11, 10, 9, 8, 7, 6)),
        {"svtav1-params": "pred-struct=1"},
        may_hang=True,
    ),
}
"""The codecs, by their names in the settings."""

CONTAINERS: dict[str, ContainerFormat] = {
    ".mp4": ContainerFormat("mp4", ("h264", "hevc", "vp9", "av1"), "aac", _FRAGMENTS),
    ".mov": ContainerFormat("mov", ("h264", "hevc"), "aac", _FRAGMENTS),
    ".mkv": ContainerFormat("matroska", ("h264", "hevc", "vp9", "av1"), "aac", _CLUSTERS),
    ".webm": ContainerFormat("webm", ("vp9", "av1"), "libopus", _CLUSTERS),
}
"""The containers, by the ending of the file's name."""


STREAMED: dict[str, ContainerFormat] = {
    "flv": ContainerFormat(
        "flv", ("h264",), "aac", _FLUSHED | {"flvflags": "no_duration_filesize"}
    ),
    "mpegts": ContainerFormat("mpegts", ("h264", "hevc"), "aac", _FLUSHED),
    "matroska": ContainerFormat(
        "matroska",
        ("h264", "hevc", "vp9", "av1"),
        "aac",
        _FLUSHED | {"live": "1", "cluster_time_limit": "1"},
    ),
}
"""The formats that video is sent in while it comes, by FFmpeg's names."""


def codec_for(
    path: Path, wanted: CodecName | Literal["auto"], codecs: Mapping[CodecName, VideoCodec] = CODECS
) -> VideoCodec:
    """The codec that the pictures of a file are encoded with.

    Args:
        path: ends in one of `CONTAINERS`.
        wanted: the setting.
        codecs: to choose from, by name.

    Raises:
        ConfigError: the container cannot hold it, or this FFmpeg was built without it.
    """
    kind = CONTAINERS[path.suffix.lower()]
    return codec_in(kind, path.suffix, wanted, codecs, ", or name the file otherwise")


def codec_in(
    kind: ContainerFormat,
    name: str,
    wanted: CodecName | Literal["auto"],
    codecs: Mapping[CodecName, VideoCodec] = CODECS,
    hint: str = "",
) -> VideoCodec:
    """The codec that the pictures in a container are encoded with.

    Args:
        kind: the container.
        name: what it is called, for messages.
        wanted: the setting.
        codecs: to choose from, by name.
        hint: what else can be done where the container cannot hold the codec.

    Raises:
        ConfigError: the container cannot hold it, or this FFmpeg was built without it.
    """
    held = kind.codecs
    if wanted != "auto" and wanted not in held:
        raise ConfigError(
            f"recorder.codec = {wanted!r}: {name} cannot hold it; it holds {', '.join(held)}{hint}"
        )
    chosen = held[0] if wanted == "auto" else wanted
    codec = codecs[chosen]
    if not codec.is_there:
        others = [each for each in held if each != chosen and codecs[each].is_there]
        hint = f"choose {' or '.join(others)}" if others else "install av from PyPI, which has it"
        raise ConfigError(
            f"recorder.codec = {wanted!r}: this FFmpeg has no {codec.encoder}, which writes "
            f"{codec.title}; {hint}"
        )
    return codec
