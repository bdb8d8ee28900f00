"""The settings, each with its default and range; `layers` gathers their values."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator

from models.bundle import DEFAULT_FOLDER, DLIB_FOLDER
from models.engine import DetectionSettings, Runtime
from models.runtime import Device

DEFAULT_ATTRIBUTES = ("gender", "race")
DEFAULT_MIN_CONFIDENCE = 0.5

CodecName: TypeAlias = Literal["h264", "hevc", "vp9", "av1"]
Preset: TypeAlias = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow"
]

_Strict = ConfigDict(extra="forbid", frozen=True, strict=True)
_AutoInt = Literal["auto"] | Annotated[int, Field(ge=0, le=1000)]
_Share = Annotated[float, Field(ge=0, le=1)]
_Side = Annotated[int, Field(ge=1, le=16_384)]
_SideOrNone = Annotated[int, Field(ge=0, le=16_384)]
_AutoFloat = Literal["auto"] | Annotated[float, Field(ge=1, le=16)]


class DetectionSection(BaseModel):
    """`[detection]`: how faces are searched for; see `models.engine.DetectionSettings`."""

    model_config = _Strict

    detector: Literal["cnn", "hog"] = "cnn"
    downscale: _AutoFloat = "auto"
    upsample: Annotated[float, Field(ge=1, le=4)] = 1.0
    threshold: Annotated[float, Field(ge=-1, le=2)] = 0.0
    min_face_px: Annotated[float, Field(ge=10, le=1000)] = 40.0
    frame_skip: _AutoInt = "auto"
    max_staleness: Annotated[float, Field(ge=0.05, le=60)] = 0.5

    def for_engine(self) -> DetectionSettings:
        """What the engine wants to know."""
        return DetectionSettings(**self.model_dump(exclude={"frame_skip", "max_staleness"}))


class LabelSettings(BaseModel):
    """`[labels]`: what is said about a face, and how sure it must be."""

    model_config = _Strict

    attributes: tuple[str, ...] = Field(default=DEFAULT_ATTRIBUTES, strict=False)
    min_confidence: _Share | dict[str, _Share] = DEFAULT_MIN_CONFIDENCE
    race_groups: dict[str, Annotated[tuple[str, ...], Field(strict=False)]] = Field(
        default_factory=dict
    )

    @field_validator("attributes")
    @classmethod
    def _each_once(cls, attributes: tuple[str, ...]) -> tuple[str, ...]:
        if twice := [name for name in attributes if attributes.count(name) > 1]:
            raise ValueError(f"{twice[0]} stands there twice")
        return attributes

    def min_confidence_of(self, attribute: str) -> float:
        """The probability under which a label of that attribute says unsure."""
        if isinstance(self.min_confidence, dict):
            return self.min_confidence.get(attribute, DEFAULT_MIN_CONFIDENCE)
        return self.min_confidence

    def groups_of(self, attribute: str) -> Mapping[str, Sequence[str]]:
        """Which classes of an attribute are shown as one."""
        return self.race_groups if attribute == "race" else {}


class RawVideo(BaseModel):
    """How raw frames on standard input lie there; a size of nought where they are not raw."""

    model_config = _Strict

    size: tuple[_SideOrNone, _SideOrNone] = Field(default=(0, 0), strict=False)
    pixel_format: str = "bgr24"
    fps: Annotated[float, Field(gt=0, le=1000)] = 25.0


class SourceSection(BaseModel):
    """`[source]`: streams of the network, and standard input."""

    model_config = _Strict

    timeout_s: Annotated[float, Field(ge=0.1, le=300)] = 10.0
    reconnect_s: Annotated[float, Field(ge=0, le=86_400)] = 60.0
    rtsp_transport: Literal["tcp", "udp"] = "tcp"
    raw: RawVideo = RawVideo()


class CameraSection(BaseModel):
    """`[camera]`: what a camera is asked for."""

    model_config = _Strict

    size: Literal["auto"] | Annotated[tuple[_Side, _Side], Field(strict=False)] = "auto"
    fps: Literal["auto"] | Annotated[float, Field(gt=0, le=1000)] = "auto"
    pixel_format: Literal["auto"] | Annotated[str, Field(pattern="^[ -~]{4}$")] = "auto"
    backend: Literal["auto", "v4l2", "gstreamer", "dshow", "msmf", "avfoundation"] = "auto"


class EngineSection(BaseModel):
    """`[engine]`: where and with what it runs."""

    model_config = _Strict

    runtime: Runtime = "onnx"
    precision: Literal["auto", "int8", "float"] = "auto"
    device: Device = "auto"
    threads: Annotated[int, Field(ge=0, le=256)] = 0
    embedder: Literal["finetuned", "dlib"] = "finetuned"
    model: str = ""

    @property
    def model_folder(self) -> Path:
        """Where the classifier is read from."""
        if self.model:
            return Path(self.model)
        return DLIB_FOLDER if self.embedder == "dlib" else DEFAULT_FOLDER


class RecorderSection(BaseModel):
    """`[recorder]`: how an annotated video is written."""

    model_config = _Strict

    codec: Literal["auto"] | CodecName = "auto"
    quality: Annotated[int, Field(ge=0, le=51)] = 23
    preset: Preset = "veryfast"
    sound: bool = True


class OverlaySection(BaseModel):
    """`[overlay]`: what is drawn."""

    model_config = _Strict

    scale: Annotated[float, Field(ge=0.3, le=5)] = 1.0
    labels: bool = True
    confidence: bool = True
    legend: bool = True
    blur: bool = False


class Config(BaseModel):
    """All settings; `config.toml` lists them with unit, range and default."""

    model_config = _Strict

    source: SourceSection = SourceSection()
    camera: CameraSection = CameraSection()
    detection: DetectionSection = DetectionSection()
    labels: LabelSettings = LabelSettings()
    engine: EngineSection = EngineSection()
    recorder: RecorderSection = RecorderSection()
    overlay: OverlaySection = OverlaySection()
