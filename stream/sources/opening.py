"""Opens whatever source the user names; the one place that knows every kind of source."""

import glob
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from models.pictures.files import is_picture, is_single_picture
from stream.addresses import PROTOCOLS, is_url, may_be_address, shown_address
from stream.errors import AbsentSourceError, ConfigError, SourceError
from stream.named_address import resolved
from stream.settings import Config
from stream.source_history import SourceHistory
from stream.sources.camera import CameraSource, camera_index
from stream.sources.contract import Source
from stream.sources.guarded import GuardedSource
from stream.sources.network import open_url
from stream.sources.pictures import (
    PictureSource,
    fixed_part,
    natural_order,
    not_written,
    pictures_in,
)
from stream.sources.pipe import STANDARD_INPUT, PipeSource
from stream.sources.reconnection import Reconnection
from stream.sources.span import WHOLE, Span, check_span
from stream.sources.stored import open_stored
from stream.sources.video import VideoSource
from stream.sources.video_pages import how_to_read_page, is_video_page
from stream.stores import is_stored, shown_stored

_DEVICES = "/dev/"
"""Folder of the devices: one that is not there may still be plugged in."""


def open_source(
    uri: str | int | os.PathLike[str],
    config: Config | None = None,
    span: Span = WHOLE,
    outputs: Sequence[Path] = (),
    history: SourceHistory | None = None,
) -> Source:
    """Opens what the user named. The first case that fits decides:

    1. a file that is no picture by its name, nor by how it begins, or that moves: a video
    2. `-`, or what is there but neither a file, a folder nor a camera: a pipe
    3. a protocol and an address: a video or a live stream of the network, or a video in a store
       that fsspec opens; the page of a site that shows videos is refused
    4. a folder: the pictures in it
    5. a file: one picture
    6. the number, device or name of a camera: that camera
    7. a glob: the pictures that it names

    Args:
        uri: the number, name or device of a camera, a video file, a picture, a folder or a glob of
            pictures, the address of a video or stream, `-` for standard input; or where that
            stands: `@FILE`, `$VARIABLE`.
        config: the settings; None for the defaults.
        span: the part of a video that is wanted.
        outputs: files and folders that are written meanwhile; pictures there are left out of a
            folder of pictures.
        history: takes when the source is waited for, from the first failure on; None for its own.

    What is not there yet is waited for where the settings ask for that.

    Raises:
        SourceError: no case fits, or the source cannot be opened.
        LostSourceError: it was waited for, and has not come in time.
        ConfigError: a part is asked for of a source that is not a video, or there is no name.
    """
    if not isinstance(uri, str | int | os.PathLike):
        raise ConfigError(
            f"a source is a path, an address or a camera's number; not of type {type(uri).__name__}"
        )
    check_span(span)
    if not isinstance(config, Config | None):
        raise ConfigError(f"settings are a Config, not of type {type(config).__name__}")
    config, uri, history = config or Config(), resolved(str(uri)), history or SourceHistory()
    arrival = Reconnection(_shown(uri), config.source.start_limit_s, history)
    source = arrival.first(lambda: _open(uri, config, span, outputs, history))
    if source.info.is_live or history.gaps:
        arrival.note_live()
    if not source.info.is_live or not config.run.stall_s:
        return source
    again = Reconnection(_shown(uri), config.source.lost_limit_s, history)
    reopen = partial(_open, uri, config, span, outputs, history)
    return GuardedSource(source, reopen, config.run.stall_s, again)


def _open(
    uri: str, config: Config, span: Span, outputs: Sequence[Path], history: SourceHistory
) -> Source:
    """Opens a source, once; see `open_source`."""
    path = Path(uri)
    # Unlike Path.is_file, os.path.isfile takes any text: too long a name names no file.
    if os.path.isfile(uri) and not is_single_picture(path):
        return VideoSource(path, span, config.source)
    if uri == STANDARD_INPUT or _is_pipe(uri):
        return PipeSource(uri, config.source, span)
    if is_video_page(uri):
        raise SourceError(
            f"{_shown(uri)} is a page that shows a video: pass the video on with "
            f"{how_to_read_page(uri)}"
        )
    if is_stored(uri):
        return open_stored(uri, config.source, span)
    if is_url(uri):
        return open_url(uri, config.source, span, history)
    open_untimed = _opener(uri, path, config, outputs, history)
    if span != WHOLE:
        raise ConfigError(f"--start and --end are for videos: {_shown(uri)} is none")
    return open_untimed()


def _is_pipe(uri: str) -> bool:
    """Whether something is there that is neither a file, a folder nor a camera."""
    is_other = os.path.exists(uri) and not os.path.isfile(uri) and not os.path.isdir(uri)
    return is_other and camera_index(uri) is None


def _opener(
    uri: str, path: Path, config: Config, outputs: Sequence[Path], history: SourceHistory
) -> Callable[[], Source]:
    """Cases 4 to 7, of which no part can be asked for: what opens the pictures or the camera."""
    limit = config.source.max_megapixels
    if uri and os.path.isdir(uri):
        found, left_out = (not_written(each, path, outputs) for each in pictures_in(path))
        return lambda: PictureSource(uri, found, left_out, limit)
    if os.path.isfile(uri):
        return lambda: PictureSource(uri, [path], max_megapixels=limit)
    if camera_index(uri) is not None:
        limit_s = config.source.lost_limit_s
        return lambda: CameraSource(uri, config.camera, limit_s, history)
    if glob.has_magic(uri):
        named = sorted(map(Path, glob.glob(uri, recursive=True)), key=natural_order)
        if not (named or is_picture(path) or may_be_address(uri)):
            raise SourceError(f"{uri}: no file has such a name")
        if named or not may_be_address(uri):
            wanted = not_written(named, fixed_part(path), outputs)
            return lambda: PictureSource(uri, wanted, max_megapixels=limit)
    if uri.startswith(_DEVICES):
        raise AbsentSourceError(f"{uri}: there is no such device: is it connected?")
    if may_be_address(uri):
        raise SourceError(
            f"{_shown(uri)}: no such file or folder, nor an address: one begins with "
            f"{'://, '.join(PROTOCOLS)}://"
        )
    camera = "number or name" if sys.platform == "linux" else "number (names only on Linux)"
    raise SourceError(
        f"{uri}: no such file or folder. Give a video, a picture, a folder of pictures, "
        f"an address, or a camera's {camera}; 0 is the first"
    )


def _shown(uri: str) -> str:
    """What the user named, as it may be shown: what is no file may be an address."""
    if is_stored(uri):
        return shown_stored(uri)
    return shown_address(uri) if may_be_address(uri) and not os.path.lexists(uri) else uri
