"""What the lines of a log in JSON Lines hold: the types and the ranges of each value."""

from collections.abc import Mapping
from typing import (
    Annotated,
    Any,
    NotRequired,  # pydantic wants these before Python 3.12
    Self,
)

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)
from typing_extensions import TypedDict

from models.classification.label_names import check_label_names, check_tree
from stream.sinks.data.json_log import SCHEMA

SCHEMAS = ("face-stream/1", SCHEMA)
"""The versions that are read; the first one knows no persons."""

_MAX_FACES = 10_000
"""Faces of a frame at most; more cannot be told apart on any screen."""

_MAX_PX = 100_000
"""How far a box may reach, px; the largest picture that is read has sides of 65,535."""

_MAX_NUMBER = 1 << 53
"""Largest number of a frame or a track; up to here a float64 holds whole numbers exactly."""

_MAX_TIME_S = 1e10
"""Latest time of a frame, s: 300 years."""

_FPS_RANGE = (1e-6, 1e6)
"""Frames a second, from one in twelve days to one a microsecond: in between, times and what they
add up to are numbers that can be computed with."""

SHOWN_LETTERS = 80
"""Letters of the place of a damage that a message shows; it may be a name from the log."""

_Px = Annotated[float, Field(ge=-_MAX_PX, le=_MAX_PX)]
_Side = Annotated[int, Field(ge=1, le=_MAX_PX)]
_Number = Annotated[int, Field(ge=0, le=_MAX_NUMBER)]
_Share = Annotated[float, Field(ge=0, le=1)]
_Time = Annotated[float, Field(ge=-_MAX_TIME_S, le=_MAX_TIME_S)]
_Rate = Annotated[float, Field(ge=_FPS_RANGE[0], le=_FPS_RANGE[1])]


_STRICT = ConfigDict(strict=True, allow_inf_nan=False)
"""Types are as they are; keys that are not known are passed over, for later versions write more."""


class LoggedLabel(TypedDict):
    """What a log says of one attribute of a face; `docs/usage.md` has the keys."""

    label: NotRequired[str | None]
    finest: NotRequired[str]
    confidence: NotRequired[_Share]
    probabilities: dict[str, _Share]


class LoggedFace(TypedDict):
    """One face of a frame."""

    track: _Number
    person: NotRequired[_Number]
    box: tuple[_Px, _Px, _Px, _Px]
    score: float
    missed: NotRequired[_Number]
    quality: NotRequired[_Share]
    labels: dict[str, LoggedLabel]


class LogEntry(TypedDict):
    """A line after the header: a frame with its faces, a whole track, or a person with its tracks;
    any other has none of these. `schema` has only the first line of a log.
    """

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    schema: NotRequired[object]
    frame: NotRequired[_Number]
    time_s: NotRequired[_Time]
    file: NotRequired[str]
    size: NotRequired[tuple[_Side, _Side]]
    blur: NotRequired[bool]
    faces: NotRequired[Annotated[list[LoggedFace], Field(max_length=_MAX_FACES)]]
    track: NotRequired[_Number | None]
    person: NotRequired[_Number]
    tracks: NotRequired[Annotated[list[_Number], Field(min_length=1)]]
    labels: NotRequired[dict[str, LoggedLabel]]


class LogHeader(BaseModel):
    """The first line."""

    model_config = _STRICT

    schema_name: str = Field(alias="schema", pattern=f"^({'|'.join(SCHEMAS)})$")
    source: str = ""
    model: str = ""
    size: tuple[_Side, _Side]
    fps: _Rate | None = None
    blur: bool = False
    attributes: dict[str, list[str]] = {}
    tree: dict[str, dict[str, list[str]]] = {}

    @field_validator("attributes")
    @classmethod
    def _have_names(cls, attributes: dict[str, list[str]]) -> dict[str, list[str]]:
        check_label_names(attributes.items())
        return attributes

    @model_validator(mode="after")
    def _has_known_words(self) -> Self:
        for attribute, words in self.tree.items():
            check_tree(attribute, self.attributes.get(attribute, ()), words)
        return self


LINE = TypeAdapter(LogEntry)
"""Validates a line; dictionaries take a third of the time of models."""


def checked_header(line: str | bytes) -> LogHeader:
    """The header that stands in another form of log, likewise.

    Raises:
        ValueError: it is none, or damaged.
    """
    try:
        return LogHeader.model_validate_json(line)
    except ValidationError as error:
        raise ValueError(f"its header is damaged: {first_reason(error)}") from error


def checked_entry(entry: Mapping[str, Any]) -> LogEntry:
    """A line as another form of log has it, held to the types and ranges of JSON Lines.

    Raises:
        ValueError: a type or a value is another.
    """
    try:
        checked = LINE.validate_python(entry)
    except ValidationError as error:
        raise ValueError(first_reason(error)) from error
    for face in checked.get("faces", ()):
        if reason := box_fault(face):
            raise ValueError(reason)
    return checked


def box_fault(face: LoggedFace) -> str:
    """What is wrong with the box of a face; empty where nothing is."""
    left, top, right, bottom = face["box"]
    if right < left or bottom < top:
        return f"the box {list(face['box'])} ends before it begins"
    return ""


def first_reason(error: ValidationError) -> str:
    """The first problem, and where in the line it is."""
    problem: Any = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, problem["loc"]))[:SHOWN_LETTERS]
    words = problem["msg"].removeprefix("Value error, ")
    return f"{place}: {words}" if place else words
