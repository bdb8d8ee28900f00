"""A JSON Lines log read back, each line validated: a log may come from anywhere."""

from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import (
    Annotated,
    Any,
    BinaryIO,
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

from models.label_names import check_label_names, check_tree
from models.safe_files import UnfitFileError, open_regular
from stream.errors import SourceError
from stream.sinks.data.json_log import SCHEMA

_SCHEMAS = ("face-stream/1", SCHEMA)
"""The versions that are read; the first one knows no persons."""

_MAX_LINE_BYTES = 16 << 20
"""Length of a line at most, bytes; a frame of 10,000 faces with the model that ships has 6 MB."""

_MAX_FACES = 10_000
"""Faces of a frame at most; more cannot be told apart on any screen."""

_MAX_BRACKETS = 300_000
"""Lists and objects of a line at most; 10,000 faces with ten labels have 230,000. Each takes some
300 bytes of memory before anything is known of it."""

_MAX_COMMAS = 2_000_000
"""Values of a line at most; 10,000 faces with the model that ships have 350,000."""

_MAX_PX = 100_000
"""How far a box may reach, px; the largest picture that is read has sides of 65,535."""

_MAX_NUMBER = 1 << 53
"""Largest number of a frame or a track; up to here a float64 holds whole numbers exactly."""

_MAX_TIME_S = 1e10
"""Latest time of a frame, s: 300 years."""

_SHOWN_LETTERS = 80
"""Letters of the place of a damage that a message shows; it may be a name from the log."""

_CUT_SHORT = "EOF while parsing"
"""What pydantic says of JSON that ends too early."""

_Px = Annotated[float, Field(ge=-_MAX_PX, le=_MAX_PX)]
_Side = Annotated[int, Field(ge=1, le=_MAX_PX)]
_Number = Annotated[int, Field(ge=0, le=_MAX_NUMBER)]
_Share = Annotated[float, Field(ge=0, le=1)]
_Time = Annotated[float, Field(ge=-_MAX_TIME_S, le=_MAX_TIME_S)]


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
    any other has none of these.
    """

    __pydantic_config__ = _STRICT  # type: ignore[misc]
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

    schema_name: str = Field(alias="schema", pattern=f"^({'|'.join(_SCHEMAS)})$")
    source: str = ""
    model: str = ""
    size: tuple[_Side, _Side]
    fps: Annotated[float, Field(gt=0)] | None = None
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


_ENTRY = TypeAdapter(LogEntry)
"""Validates a line; dictionaries take a third of the time of models."""


class LogReader:
    """Reads a log twice: first all of it is validated, so that nothing is done with a bad one.

    A last line that is cut short, as a killed run leaves it, is passed over.

    Args:
        path: the log.
        look: is given each line after the header once it is validated.

    Attributes:
        header: the first line.
        is_cut_short: whether the last line is.

    Raises:
        SourceError: it is not a log of this program, or damaged.
    """

    def __init__(self, path: Path, look: Callable[[LogEntry], None] = lambda entry: None) -> None:
        self._path = path
        self.is_cut_short = False
        with self._open() as file:
            self.header = self._header(file)
            self._classes = {name: frozenset(each) for name, each in self.header.attributes.items()}
            for entry in self._entries(file):
                look(entry)

    def __repr__(self) -> str:
        return f"LogReader({self._path})"

    def __str__(self) -> str:
        return str(self._path)

    def entries(self) -> Generator[LogEntry, None, None]:
        """The lines after the header, in order.

        Raises:
            SourceError: the log was changed meanwhile, or cannot be read.
        """
        with self._open() as file:
            self._line(file, 1)
            yield from self._entries(file)

    def _open(self) -> BinaryIO:
        try:
            return open_regular(self._path)
        except UnfitFileError as error:
            raise SourceError(f"{self._path} {error}") from error

    def _header(self, file: BinaryIO) -> LogHeader:
        line = self._line(file, 1)
        try:
            return LogHeader.model_validate_json(line)
        except ValidationError as error:
            if any(f'"{schema}"'.encode() in line[:100] for schema in _SCHEMAS):
                raise self._damage(1, _reason(error)) from error
            raise SourceError(
                f"{self._path} is not a log of {SCHEMA}: give a .jsonl that --log wrote"
            ) from error

    def _entries(self, file: BinaryIO) -> Iterator[LogEntry]:
        number, before = 1, (-1.0, -_MAX_TIME_S)
        while line := self._line(file, number := number + 1):
            if line.isspace():
                continue
            try:
                entry = _ENTRY.validate_json(line)
            except ValidationError as error:
                reason = _reason(error)
                if _CUT_SHORT in reason and not line.endswith(b"\n"):
                    self.is_cut_short = True
                    return
                raise self._damage(number, reason) from error
            if reason := self._fault(entry):
                raise self._damage(number, reason)
            if "frame" in entry:
                place = entry["frame"], entry.get("time_s", before[1])
                if place[0] <= before[0] or place[1] < before[1]:
                    raise self._damage(
                        number, "its frame or its time is before that of an earlier line"
                    )
                before = place
            yield entry

    def _line(self, file: BinaryIO, number: int) -> bytes:
        """The next line; empty at the end."""
        try:
            line = file.readline(_MAX_LINE_BYTES + 1)
        except OSError as error:
            raise SourceError(f"{self._path} cannot be read: {error.strerror}") from error
        if len(line) > _MAX_LINE_BYTES:
            raise self._damage(number, f"it is longer than {_MAX_LINE_BYTES >> 20} MB")
        brackets = line.count(b"[") + line.count(b"{")
        if brackets > _MAX_BRACKETS or line.count(b",") > _MAX_COMMAS:
            raise self._damage(number, "it holds more than any frame")
        return line

    def _fault(self, entry: LogEntry) -> str:
        """What is wrong with a line that types and ranges do not say; empty where nothing is."""
        if "frame" in entry and not ("faces" in entry and {"time_s", "file"} & entry.keys()):
            return "a frame has faces, and time_s or file"
        if "tracks" in entry and "person" not in entry:
            return "tracks are those of a person"
        for face in entry.get("faces", ()):
            if reason := _box_fault(face) or self._label_fault(face["labels"]):
                return reason
        return self._label_fault(entry.get("labels", {}))

    def _label_fault(self, labels: Mapping[str, LoggedLabel]) -> str:
        """What is wrong with labels, likewise."""
        for attribute, label in labels.items():
            probabilities = label["probabilities"]
            shown = attribute[:_SHOWN_LETTERS]
            if foreign := probabilities.keys() - self._classes.get(attribute, frozenset()):
                return f"{min(foreign)[:_SHOWN_LETTERS]!a} is no class of {shown!a} in its header"
            if not sum(probabilities.values()) > 0:
                return f"the probabilities of {shown!a} add up to nothing"
        return ""

    def _damage(self, number: int, reason: str) -> SourceError:
        return SourceError(f"{self._path} is damaged in line {number}: {reason}")


def checked_entry(entry: Mapping[str, Any]) -> LogEntry:
    """A line as another form of log has it, held to the types and ranges of JSON Lines.

    Raises:
        ValueError: a type or a value is another.
    """
    try:
        checked = _ENTRY.validate_python(entry)
    except ValidationError as error:
        raise ValueError(_reason(error)) from error
    for face in checked.get("faces", ()):
        if reason := _box_fault(face):
            raise ValueError(reason)
    return checked


def _box_fault(face: LoggedFace) -> str:
    """What is wrong with the box of a face, likewise."""
    left, top, right, bottom = face["box"]
    if right < left or bottom < top:
        return f"the box {list(face['box'])} ends before it begins"
    return ""


def _reason(error: ValidationError) -> str:
    """The first problem, and where in the line it is."""
    problem: Any = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, problem["loc"]))[:_SHOWN_LETTERS]
    words = problem["msg"].removeprefix("Value error, ")
    return f"{place}: {words}" if place else words
