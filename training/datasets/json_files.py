"""JSON from programs in which people label pictures, read within bounds and validated."""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from models.program.printable import shortened
from models.safe_files import UnfitFileError, open_regular, parse_json, read_regular
from training.errors import DatasetError

_MAX_BYTES = 1 << 30
"""Size of a file at most, bytes; a million faces as Label Studio exports them have 800 MB."""

_Read = TypeVar("_Read")


def read_json(path: Path, form: TypeAdapter[_Read], hint: str) -> _Read:
    """What a file says, of which only the keys of the form are looked at.

    Args:
        path: the file.
        form: what is expected.
        hint: what may help where that is not there.

    Raises:
        DatasetError: it is no JSON, or not of that form.
    """
    try:
        data = read_regular(path, _MAX_BYTES)
    except UnfitFileError as error:
        raise DatasetError(f"{path} {error}") from error
    try:
        content: Any = parse_json(data)
    except UnfitFileError as error:
        raise DatasetError(f"{path} cannot be read: {error}; {hint}") from error
    try:
        return form.validate_python(content)
    except ValidationError as error:
        problem: Any = error.errors(include_url=False, include_input=False)[0]
        place = shortened(".".join(map(str, problem["loc"])))
        reason = f"{place}: {problem['msg']}" if place else problem["msg"]
        raise DatasetError(f"{path} cannot be read: {reason}; {hint}") from error


def begins_with(path: Path, letter: bytes) -> bool:
    """Whether a `.json` file is a list (`[`) or an object (`{`)."""
    if path.suffix.lower() != ".json":
        return False
    try:
        with open_regular(path) as file:
            return file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(letter)
    except (UnfitFileError, OSError):
        return False
