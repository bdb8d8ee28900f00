"""The schema of the settings: each with its type, range and default."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator

from models.classification.bundle import DEFAULT_FOLDER, DLIB_FOLDER
from models.detection.names import DEFAULT_DETECTOR, DetectorName
from models.engine import DetectionSettings, Runtime
from models.networks.runtime import Device
from models.pictures.size import MAX_MEGAPIXELS
from stream.addresses import SECRET_PLACE, is_telling, shown_address
from stream.settings.publish_section import PublishSection
from stream.settings.serve_section import ServeSection

_MIN_CONFIDENCE = 0.5
"""Default probability under which a label is unsure; more makes more labels unsure."""

CodecName: TypeAlias = Literal["h264", "hevc", "vp9", "av1"]
"""The codecs of a recording."""

Preset: TypeAlias = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow"
]
"""The speed of the encoder, by x264's names; slower makes smaller files."""

BY_PERSON = "person"
"""The value of `overlay.colours` by which each person has a colour."""

_AUTO_RECONNECT_S = 60.0
"""For how long a source that is lost is waited for by default, s: longer than a camera restarts."""

MAX_UPSAMPLE = 4.0
"""By how much a picture may be enlarged for the search at most: 16 times the pixels."""

_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)
"""Unknown names and values of another type are errors."""

_FrameSkip: TypeAlias = Literal["auto"] | Annotated[int, Field(ge=0, le=1000)]
_Downscale: TypeAlias = Literal["auto"] | Annotated[float, Field(ge=1, le=16)]
_Probability: TypeAlias = Annotated[float, Field(ge=0, le=1)]
_SidePx: TypeAlias = Annotated[int, Field(ge=1, le=16_384)]
_TrackNumber: TypeAlias = Literal["auto"] | Annotated[int, Field(ge=1, le=1000)]
_SidePxOrZero: TypeAlias = Annotated[int, Field(ge=0, le=16_384)]


class DetectionSection(BaseModel):
    """`[detection]`: how faces are searched for; see `models.engine.DetectionSettings`."""

    model_config = _STRICT

    detector: DetectorName = DEFAULT_DETECTOR
    downscale: _Downscale = "auto"
    upsample: Annotated[float, Field(ge=1, le=MAX_UPSAMPLE)] = 1.0
    threshold: Literal["auto"] | Annotated[float, Field(ge=-1, le=2)] = "auto"
    min_face_px: Annotated[float, Field(ge=10, le=1000)] = 40.0
    frame_skip: _FrameSkip = "auto"
    max_staleness: Annotated[float, Field(ge=0.05, le=60)] = 0.5

    def for_engine(self) -> DetectionSettings:
        """The settings that the engine takes."""
        return DetectionSettings(**self.model_dump(exclude={"frame_skip", "max_staleness"}))


class LabelSettings(BaseModel):
    """`[labels]`: the attributes of a face that are labelled, and how sure a label must be."""

    model_config = _STRICT

    attributes: Literal["auto"] | Annotated[tuple[str, ...], Field(strict=False)] = "auto"
    min_confidence: _Probability | dict[str, _Probability] = _MIN_CONFIDENCE
    groups: dict[str, dict[str, Annotated[tuple[str, ...], Field(strict=False)]]] = Field(
        default_factory=dict
    )
    coarser: bool = True
    across_shots: Literal["auto"] | bool = "auto"

    @field_validator("attributes")
    @classmethod
    def _without_duplicates(
        cls, attributes: Literal["auto"] | tuple[str, ...]
    ) -> Literal["auto"] | tuple[str, ...]:
        if attributes == "auto":
            return attributes
        if duplicates := [name for name in attributes if attributes.count(name) > 1]:
            raise ValueError(f"{duplicates[0]} stands there twice")
        return attributes

    def of(self, known: Iterable[str]) -> tuple[str, ...]:
        """Those of the attributes that are known which are labelled; by "auto" all of them."""
        return tuple(name for name in known if self.attributes == "auto" or name in self.attributes)

    def min_confidence_of(self, attribute: str) -> float:
        """The probability under which a label of that attribute is unsure."""
        if isinstance(self.min_confidence, dict):
            return self.min_confidence.get(attribute, _MIN_CONFIDENCE)
        return self.min_confidence

    def groups_of(self, attribute: str) -> Mapping[str, Sequence[str]]:
        """The classes of an attribute that are shown as one, by the name of their group."""
        return self.groups.get(attribute, {})

    @property
    def group_names(self) -> tuple[str, ...]:
        """The names of all groups."""
        return tuple(dict.fromkeys(name for groups in self.groups.values() for name in groups))


class RawVideo(BaseModel):
    """The format of raw frames in a pipe, whose size is 0 × 0 where a pipe has a container; and the
    rate of a stream that has no times, in a pipe or a file.
    """

    model_config = _STRICT

    size: tuple[_SidePxOrZero, _SidePxOrZero] = Field(default=(0, 0), strict=False)
    pixel_format: str = "bgr24"
    fps: Literal["auto"] | Annotated[float, Field(gt=0, le=1000)] = "auto"


class SourceSection(BaseModel):
    """`[source]`: which one, size of pictures, tracks, streams of the network, and pipes."""

    model_config = _STRICT

    address: str = ""
    timeout_s: Annotated[float, Field(ge=0.1, le=300)] = 10.0
    reconnect_s: Literal["auto", "forever"] | Annotated[float, Field(ge=0, le=86_400)] = "auto"
    rtsp_transport: Literal["tcp", "udp"] = "tcp"
    video_track: _TrackNumber = "auto"
    sound_track: _TrackNumber = "auto"
    raw: RawVideo = RawVideo()
    max_megapixels: Annotated[int, Field(ge=1, le=1000)] = MAX_MEGAPIXELS
    redirects: bool = True

    @property
    def lost_limit_s(self) -> float:
        """For how long a source that is lost is waited for, s; infinity for ever."""
        return _AUTO_RECONNECT_S if self.reconnect_s == "auto" else self.start_limit_s

    @property
    def start_limit_s(self) -> float:
        """For how long a source that is not there at the start is waited for, s; not at all unless
        that was asked for.
        """
        if isinstance(self.reconnect_s, str):
            return math.inf if self.reconnect_s == "forever" else 0.0
        return self.reconnect_s

    @field_validator("address")
    @classmethod
    def _without_secrets(cls, address: str) -> str:
        """Settings are printed, so they must not hold a password, nor a mistyped address one."""
        if is_telling(address) and shown_address(address) != address:
            raise ValueError(f"it holds a secret: {SECRET_PLACE}")
        return address


class CameraSection(BaseModel):
    """`[camera]`: what a camera is asked for, and how the window shows it."""

    model_config = _STRICT

    size: Literal["auto"] | Annotated[tuple[_SidePx, _SidePx], Field(strict=False)] = "auto"
    fps: Literal["auto"] | Annotated[float, Field(gt=0, le=1000)] = "auto"
    pixel_format: Literal["auto"] | Annotated[str, Field(pattern="^[ -~]{4}$")] = "auto"
    backend: Literal["auto", "v4l2", "gstreamer", "dshow", "msmf", "avfoundation"] = "auto"
    mirror: bool = True
    virtual_device: str = "auto"


class EngineSection(BaseModel):
    """`[engine]`: the runtime, the precision, the device and the model."""

    model_config = _STRICT

    runtime: Runtime = "onnx"
    precision: Literal["auto", "int8", "float"] = "auto"
    device: Device = "auto"
    threads: Annotated[int, Field(ge=0, le=256)] = 0
    embedder: Literal["finetuned", "dlib"] = "finetuned"
    model: str = ""

    @property
    def model_folder(self) -> Path:
        """The folder that the classifier is read from."""
        if self.model:
            return Path(self.model)
        return DLIB_FOLDER if self.embedder == "dlib" else DEFAULT_FOLDER


class RecorderSection(BaseModel):
    """`[recorder]`: how an annotated video is written."""

    model_config = _STRICT

    codec: Literal["auto"] | CodecName = "auto"
    quality: Annotated[int, Field(ge=0, le=51)] = 23
    preset: Preset = "veryfast"
    sound: bool = True
    segment_s: Literal[0] | Annotated[float, Field(ge=1, le=86_400)] = 0
    only_with_faces: bool = False
    before_s: Annotated[float, Field(ge=0, le=60)] = 5.0
    after_s: Annotated[float, Field(ge=0, le=3600)] = 10.0
    keep_days: Annotated[float, Field(ge=0, le=36_500)] = 0.0
    keep_gb: Annotated[float, Field(ge=0, le=100_000)] = 0.0

    @property
    def is_divided(self) -> bool:
        """Whether a recording is more than one file from beginning to end."""
        return self.segment_s > 0 or self.only_with_faces


class RunSection(BaseModel):
    """`[run]`: when a run of a live source is taken to hang."""

    model_config = _STRICT

    stall_s: Literal[0] | Annotated[float, Field(ge=1, le=3600)] = 20.0

    def output_limit_s(self, *, is_live: bool) -> float:
        """After how long an output hangs, s; 0 for never: what is not live can wait for it."""
        return self.stall_s if is_live else 0


class OutputsSection(BaseModel):
    """`[outputs]`: the form of outputs of which only the folder is named."""

    model_config = _STRICT

    video: Literal["auto", "mp4", "mov", "mkv", "webm"] = "auto"
    log: Literal["jsonl", "csv", "parquet"] = "jsonl"
    sheet: Literal["png", "jpg"] = "png"
    subtitles: Literal["ass", "vtt", "srt"] = "ass"


class OverlaySection(BaseModel):
    """`[overlay]`: what is drawn on pictures, in which colours, and how large."""

    model_config = _STRICT

    scale: Annotated[float, Field(ge=0.3, le=5)] = 1.0
    labels: bool = True
    confidence: bool = True
    colours: Annotated[str, Field(min_length=1)] = BY_PERSON
    legend: bool = True
    blur: bool = False

    @field_validator("colours")
    @classmethod
    def _is_colour(cls, colours: str) -> str:
        if colours.startswith("#") and not re.fullmatch(r"#[0-9a-fA-F]{6}", colours):
            raise ValueError("a colour is written as #rrggbb, such as #40c0ff")
        return colours


class Config(BaseModel):
    """All settings; `config.toml` lists them with unit, range and default."""

    model_config = _STRICT

    source: SourceSection = SourceSection()
    camera: CameraSection = CameraSection()
    detection: DetectionSection = DetectionSection()
    labels: LabelSettings = LabelSettings()
    engine: EngineSection = EngineSection()
    recorder: RecorderSection = RecorderSection()
    outputs: OutputsSection = OutputsSection()
    publish: PublishSection = PublishSection()
    overlay: OverlaySection = OverlaySection()
    run: RunSection = RunSection()
    serve: ServeSection = ServeSection()
