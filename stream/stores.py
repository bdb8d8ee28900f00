"""Object stores and whatever else fsspec opens: s3://, gs://, sftp:// and the like.

What a protocol needs besides, as `s3fs`, fsspec imports when an address of it is opened.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from stream.addresses import PROTOCOLS, is_url, masked_words, shown_address
from stream.errors import SinkError, SourceError

T = TypeVar("T")
"""What a call into a store gives."""


def is_stored(uri: str) -> bool:
    """Whether an address is of a protocol that FFmpeg does not read, and fsspec does."""
    protocol = uri.partition("://")[0].lower()
    return is_url(uri) and protocol not in PROTOCOLS and protocol in _known_protocols()


def shown_stored(uri: str) -> str:
    """Such an address as it may be shown: with the whole path, but no user and no password."""
    try:
        parts = urlsplit(uri)
        is_plain = not (parts.query or parts.fragment or "@" in parts.path)
    except ValueError:
        is_plain = False
    if not is_plain:
        return shown_address(uri)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def file_system(uri: str) -> tuple[Any, str]:
    """The file system that an address is of, and its path there; `translated` calls it."""
    from fsspec.core import url_to_fs

    system, path = url_to_fs(uri)
    return system, str(path)


def put_stored(path: Path, uri: str, below: str) -> None:
    """Puts a file into a store, whole; what is there is replaced.

    Args:
        path: the file.
        uri: the address of a folder of the store.
        below: its name below that, which may be any name.

    Raises:
        SinkError: it cannot be put.
    """

    def put() -> None:
        system, folder = file_system(uri)
        place = f"{folder.rstrip('/')}/{below}"
        system.makedirs(place.rpartition("/")[0], exist_ok=True)
        system.put_file(str(path), place)

    translated(f"{shown_stored(uri)}/{below}", put, SinkError, "written")


def translated(
    name: str, call: Callable[[], T], family: type[SourceError | SinkError], done: str = "read"
) -> T:
    """What a call into a store gives.

    Args:
        name: of the file or folder, for people.
        call: the call.
        family: what is raised where it fails.
        done: what was to be done with it.

    Raises:
        SourceError, SinkError: it fails; each store has errors of its own.
    """
    try:
        return call()
    except FileNotFoundError:
        reason = "there is no such file"
    except ImportError as error:
        reason = f"a package is missing: {error}"
    except Exception as error:  # noqa: BLE001 - each store has errors of its own
        reason = f"cannot be {done}: {type(error).__name__} {masked_words(str(error))}".rstrip()
    raise family(f"{name}: {' '.join(reason.split())}")


def _known_protocols() -> frozenset[str]:
    """The protocols of fsspec; none where it is not installed."""
    try:
        from fsspec import available_protocols
    except ImportError:
        return frozenset()
    return frozenset(available_protocols())
