"""Outputs claimed for one run: other runs are kept from them, and what is there is not lost."""

import logging
import shlex
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

from models.program.interrupts import unfinished
from models.program.locks import LockedError, is_lock, locked
from stream.errors import ConfigError, SinkError
from stream.frames import SourceInfo
from stream.settings import Config
from stream.sinks.outputs import Outputs, requested_targets
from stream.sinks.paths import dated_paths, is_taken, numbered_path, partial_path
from stream.sinks.publishing.destinations import PLAYLIST
from stream.sinks.publishing.opening import check_publishers
from stream.sinks.publishing.routes import segments_of
from stream.sinks.targets import Target
from stream.sinks.video.codecs import CONTAINERS

LOG_SUFFIXES = (".jsonl", ".csv")
"""How the names of logs end that hold what was written also where they are not complete."""

_log = logging.getLogger(__name__)


def check_outputs(outputs: Outputs, info: SourceInfo, config: Config | None = None) -> None:
    """Checks what `claim_outputs` checks but for other runs, and changes nothing: of a source whose
    turn comes later.

    Raises:
        ConfigError: an output fails a check; the first one found is named.
    """
    targets = requested_targets(outputs, info, config)
    if not outputs.overwrite:
        for target in targets:
            _check_free(target, targets)


@contextmanager
def claim_outputs(
    outputs: Outputs, info: SourceInfo, config: Config | None = None
) -> Iterator[None]:
    """Checks that all outputs may be written, and keeps other runs from them until its end.

    1. Each suits the source, as `requested_targets` says, and what it takes to send on is there.
    2. No other run writes one of them.
    3. None exists, nor what an earlier run could save of it, unless it may be replaced. What an
       earlier run could save is then kept under another name.

    Args:
        outputs: what was asked for.
        info: the source.
        config: how they would be written; the defaults without one.

    Raises:
        ConfigError: an output fails a check; the first one found is named, and nothing is changed.
        SinkError: an output cannot be locked.
    """
    targets = requested_targets(outputs, info, config)
    check_publishers(config or Config(), outputs)
    with ExitStack() as stack:
        for target in targets:
            for path in target.written:
                inside = target.is_folder and path == target.path
                try:
                    stack.enter_context(claim_file(path, inside=inside))
                except LockedError as error:
                    raise ConfigError(str(error)) from None
        # The files of segments have names that nothing has yet; what is locked is the name of all.
        whole = [each for each in targets if not each.is_divided]
        if not outputs.overwrite:
            for target in whole:
                _check_free(target, targets)
        for target in whole:
            for path in target.written:
                _keep_leftover(path)
        yield


@contextmanager
def claim_file(path: Path, *, inside: bool = False) -> Iterator[None]:
    """Keeps other runs from a file, or from what is `inside` a folder, until its end.

    Raises:
        LockedError: another run has it.
        SinkError: it cannot be locked.
    """
    lock = locked(path, inside=inside)
    try:
        lock.__enter__()
    except OSError as error:
        raise SinkError(f"{path} cannot be made: {error.strerror}") from error
    with ExitStack() as stack:
        stack.push(lock)
        unfinished.add(partial_path(path))
        stack.callback(unfinished.discard, partial_path(path))
        yield


@contextmanager
def claim_new_file(folder: Path, name: str, suffix: str) -> Iterator[Path]:
    """Claims a new file of the date and the time, which no other run has.

    Raises:
        SinkError: nothing can be written into the folder.
    """
    for path in dated_paths(folder, name, suffix):
        with ExitStack() as stack:
            try:
                stack.enter_context(claim_file(path))
            except LockedError:
                continue
            if not is_taken(path):  # its last owner may have completed it meanwhile
                yield path
                return


def _check_free(target: Target, targets: Sequence[Target]) -> None:
    """Checks that nothing is overwritten, nor what an earlier run could save."""
    path = target.path
    if target.is_folder:
        if path.is_dir() and any(not is_lock(each) for each in path.iterdir()):
            raise ConfigError(f"{path} is not empty: choose another folder, or give --overwrite")
        return
    if path.exists():
        raise ConfigError(f"{path} exists: choose another name, or give --overwrite")
    if path.suffix.lower() == PLAYLIST and (segments := segments_of(path)):
        raise ConfigError(f"{segments[0]} exists: choose another name, or give --overwrite")
    if partial_path(path).is_file():
        raise ConfigError(
            f"{partial_path(path)} is what a run that ended early could save: "
            f"{_what_to_do(path, targets)}, or give --overwrite, which keeps it under another name"
        )


def _what_to_do(path: Path, targets: Sequence[Target]) -> str:
    """What becomes of that which an earlier run could save of an output."""
    suffix = path.suffix.lower()
    if suffix not in (*CONTAINERS, *LOG_SUFFIXES):
        return "move it away"
    words = ["face-stream", "recover", str(partial_path(path))]
    logs = (each.path for each in targets if each.path.suffix.lower() in LOG_SUFFIXES)
    log = next((partial_path(each) for each in logs if partial_path(each).is_file()), None)
    if suffix in CONTAINERS and log is not None:
        words += ["--log", str(log)]
    return f"complete it with {shlex.join(words)}"


def _keep_leftover(path: Path) -> None:
    """Gives what an earlier run could save of an output another name, and says so."""
    partial = partial_path(path)
    if not partial.is_file():
        return
    kept = next(
        partial_path(each)
        for each in (numbered_path(path, number) for number in count(1))
        if not is_taken(each)
    )
    try:
        partial.rename(kept)
    except OSError as error:
        raise SinkError(f"{partial} cannot be kept as {kept}: {error.strerror}") from error
    _log.warning("%s, which a run that ended early left, is kept as %s", partial, kept)
