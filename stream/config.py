"""Settings: defaults, `config.toml`, `--config`, the command line; each over the one before."""

import difflib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.engine import DetectionSettings, Runtime
from models.runtime import Device
from stream.errors import ConfigError
from stream.labels import LabelRule

DEFAULT_FILE = "config.toml"
DEFAULT_MIN_CONFIDENCE = 0.5

CodecName: TypeAlias = Literal["h264", "hevc", "vp9", "av1"]
Preset: TypeAlias = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow"
]

_Strict = ConfigDict(extra="forbid", frozen=True, strict=True)
_AutoInt = Literal["auto"] | Annotated[int, Field(ge=0, le=1000)]
_Share = Annotated[float, Field(ge=0, le=1)]
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

    def for_engine(self) -> DetectionSettings:
        """What the engine wants to know."""
        return DetectionSettings(**self.model_dump(exclude={"frame_skip"}))


class LabelSettings(BaseModel):
    """`[labels]`: what is said about a face, and how sure it must be."""

    model_config = _Strict

    attributes: tuple[str, ...] = Field(default=("gender", "race"), strict=False)
    min_confidence: _Share | dict[str, _Share] = DEFAULT_MIN_CONFIDENCE
    race_groups: dict[str, Annotated[tuple[str, ...], Field(strict=False)]] = Field(
        default_factory=dict
    )

    def rule_of(self, attribute: str) -> LabelRule:
        """How labels of that attribute are found."""
        threshold = self.min_confidence
        if isinstance(threshold, dict):
            threshold = threshold.get(attribute, DEFAULT_MIN_CONFIDENCE)
        return LabelRule(threshold, self.groups_of(attribute))

    def groups_of(self, attribute: str) -> Mapping[str, Sequence[str]]:
        """Which classes of an attribute are shown as one."""
        return self.race_groups if attribute == "race" else {}


class EngineSection(BaseModel):
    """`[engine]`: where and with what it runs."""

    model_config = _Strict

    runtime: Runtime = "onnx"
    device: Device = "auto"
    threads: Annotated[int, Field(ge=0, le=256)] = 0
    model: str = ""


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

    detection: DetectionSection = DetectionSection()
    labels: LabelSettings = LabelSettings()
    engine: EngineSection = EngineSection()
    recorder: RecorderSection = RecorderSection()
    overlay: OverlaySection = OverlaySection()


def load_config(
    file: Path | None = None, overrides: Iterable[str] = (), *, folder: Path | None = None
) -> Config:
    """The settings in force.

    Args:
        file: `--config`; it must exist.
        overrides: `section.key=value`, the value as TOML or a bare word.
        folder: where `config.toml` is looked for, the current one by default.

    Raises:
        ConfigError: a file cannot be read, or a setting is unknown or out of range.
    """
    merged: dict[str, Any] = {}
    default = (folder or Path.cwd()) / DEFAULT_FILE
    if default.is_file():
        _merge(merged, _read(default), str(default.name))
    if file is not None:
        _merge(merged, _read(file), str(file))
    for text in overrides:
        _merge(merged, _parse_override(text), f"--set {text}")
    return Config.model_validate(merged)


def _merge(into: dict[str, Any], layer: Mapping[str, Any], origin: str) -> None:
    """Lays one source of settings over the others, having checked it on its own."""
    try:
        Config.model_validate(layer)
    except ValidationError as error:
        raise ConfigError(f"{origin}: {_explain(error)}") from None
    for section, values in layer.items():
        into.setdefault(section, {}).update(values)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error


def _parse_override(text: str) -> dict[str, Any]:
    name, equals, value = text.partition("=")
    section, dot, key = name.strip().partition(".")
    if not (equals and dot and section and key):
        raise ConfigError(f"--set {text}: write it as section.key=value, as in labels.attributes")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value.strip()  # a bare word, as in detection.detector=hog
    return {section: {key: parsed}}


def _explain(error: ValidationError) -> str:
    """The first problem in one line, with the nearest known name for an unknown one."""
    problem = error.errors()[0]
    path = [str(part) for part in problem["loc"]]
    if problem["type"] != "extra_forbidden":
        # A union's member stands behind its field's name.
        return f"{'.'.join(path[:2])} = {problem['input']!r}: {_reason(error)}"
    known = _names(path[:-1])
    near = difflib.get_close_matches(path[-1], known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    return f"unknown setting {'.'.join(path)}: {hint}"


def _reason(error: ValidationError) -> str:
    """What is asked of the first wrong setting; of a choice of types, all."""
    first = error.errors()[0]["loc"][:2]
    reasons = [each["msg"] for each in error.errors() if each["loc"][:2] == first]
    return "; or ".join(dict.fromkeys(reasons)).replace("Input should", "it should")


def _names(path: Sequence[str]) -> list[str]:
    model: Any = Config
    for part in path:
        model = model.model_fields[part].annotation
    return list(model.model_fields)
