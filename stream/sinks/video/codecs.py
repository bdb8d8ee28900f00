"""What a video may be written as: containers, the codecs each can hold, and how each is set."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av

from stream.errors import ConfigError
from stream.settings.schema import CodecName, Preset

# What is written reaches the disk each second, so that a kill costs no more: else a quiet scene
# stays in memory for many.
_FRAGMENTS = {
    "flush_packets": "1",
    "movflags": "hybrid_fragmented+frag_keyframe+default_base_moof+delay_moov",
}
_CLUSTERS = {"flush_packets": "1", "cluster_time_limit": "1000"}  # ms


@dataclass(frozen=True, slots=True)
class Codec:
    """A way of encoding pictures.

    Attributes:
        encoder: FFmpeg's name for who does it.
        title: how people call it.
        worst: the end of its scale of quality; 0 is the best.
        quality: what looks like H.264's 0, and how many steps one of H.264's is here. Measured
            as PSNR of luma on three clips at 18 to 28.
        speed: what its setting of speed is called, and its value for each preset.
        options: what else it is told.
        tag: the four letters that players want to see, where FFmpeg's own choice is another.
    """

    encoder: str
    title: str
    worst: int
    quality: tuple[float, float]
    speed: tuple[str, Mapping[Preset, str]]
    options: Mapping[str, str]
    tag: str | None = None

    def settings(self, quality: int, preset: Preset) -> dict[str, str]:
        """The encoder's options.

        Args:
            quality: 0 to 51, on the scale of H.264's constant rate factor.
            preset: speed against size.
        """
        offset, steps = self.quality
        factor = min(round(offset + steps * quality), self.worst)
        name, values = self.speed
        return {**self.options, "crf": str(factor), name: values[preset]}

    @property
    def is_there(self) -> bool:
        """Whether this FFmpeg was built with it."""
        try:
            av.Codec(self.encoder, "w")
        except av.codec.codec.UnknownCodecError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Container:
    """A kind of file.

    Attributes:
        format: FFmpeg's name for it.
        codecs: what it can hold; the first is what "auto" stands for.
        sound: the codec of sound that it cannot hold as it is.
        options: how it is written so that it plays after a kill.
    """

    format: str
    codecs: tuple[CodecName, ...]
    sound: Literal["aac", "libopus"]
    options: dict[str, str]


def _steps(*values: int) -> dict[Preset, str]:
    names: tuple[Preset, ...] = (
        "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow",
    )  # fmt: skip
    return {name: str(value) for name, value in zip(names, values, strict=True)}


_BY_NAME: dict[Preset, str] = {name: name for name in _steps(*range(7))}

CODECS: dict[CodecName, Codec] = {
    "h264": Codec("libx264", "H.264", 51, (0, 1), ("preset", _BY_NAME), {}),
    "hevc": Codec(
        "libx265",
        "HEVC",
        51,
        (3, 1),
        ("preset", _BY_NAME),
        {"x265-params": "log-level=none"},
        tag="hvc1",
    ),
    "vp9": Codec(
        "libvpx-vp9",
        "VP9",
        63,
        (0, 1.5),
        ("cpu-used", _steps(8, 8, 8, 7, 6, 5, 4)),
        {"b": "0", "deadline": "realtime", "row-mt": "1", "lag-in-frames": "0"},
    ),
    "av1": Codec("libsvtav1", "AV1", 63, (0, 1.5), ("preset", _steps(12, 11, 10, 9, 8, 7, 6)), {}),
}

CONTAINERS: dict[str, Container] = {
    ".mp4": Container("mp4", ("h264", "hevc", "vp9", "av1"), "aac", _FRAGMENTS),
    ".mov": Container("mov", ("h264", "hevc"), "aac", _FRAGMENTS),
    ".mkv": Container("matroska", ("h264", "hevc", "vp9", "av1"), "aac", _CLUSTERS),
    ".webm": Container("webm", ("vp9", "av1"), "libopus", _CLUSTERS),
}
"""By the ending of the file's name."""


def codec_for(
    path: Path, wanted: CodecName | Literal["auto"], codecs: Mapping[CodecName, Codec] = CODECS
) -> Codec:
    """How the pictures of that file are encoded.

    Args:
        path: ends in one of `CONTAINERS`.
        wanted: the setting.
        codecs: those there are.

    Raises:
        ConfigError: the container cannot hold it, or this FFmpeg was built without it.
    """
    held = CONTAINERS[path.suffix.lower()].codecs
    if wanted != "auto" and wanted not in held:
        raise ConfigError(
            f"recorder.codec = {wanted!r}: {path.suffix} cannot hold it; it holds "
            f"{', '.join(held)}, or name the file otherwise"
        )
    name = held[0] if wanted == "auto" else wanted
    codec = codecs[name]
    if not codec.is_there:
        others = [each for each in held if each != name and codecs[each].is_there]
        hint = f"choose {' or '.join(others)}" if others else "install av from PyPI, which has it"
        raise ConfigError(
            f"recorder.codec = {wanted!r}: this FFmpeg has no {codec.encoder}, which writes "
            f"{codec.title}; {hint}"
        )
    return codec
