"""A partial video and its log → files with their final names, which end at the same frame."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from models.program.locks import LockedError
from stream.errors import ConfigError, SinkError
from stream.recovery.logs import write_log
from stream.recovery.videos import write_video
from stream.sinks.claims import LOG_SUFFIXES, claim_file
from stream.sinks.data.tables import tracks_path
from stream.sinks.paths import aside_path, final_path, partial_path
from stream.sinks.video.codecs import CONTAINERS


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of partial files.

    Attributes:
        files: those that are complete now.
        frames: pictures of the video; 0 where only a log was recovered.
    """

    files: tuple[Path, ...]
    frames: int


def recover(partial: Path, log: Path | None = None, *, overwrite: bool = False) -> Recovered:
    """Makes whole files of what a run that ended early could save; its partial files then go.

    1. A video takes its final name, and its logs end with its last picture.
    2. A log alone ends with its last whole line.

    Args:
        partial: the partial file, `NAME.part.mp4` or the like.
        log: its partial log; where none is named, those of the same name are taken: of `a.mp4`
            `a.jsonl`, and `a.mp4.jsonl` as a run of several sources names it.
        overwrite: files of the final names may be replaced.

    Raises:
        ConfigError: it is no such file, its run still goes on, or the final name is taken.
        SourceError: it holds nothing that could be recovered.
        SinkError: the disk refuses; the partial files stay as they are.
    """
    finals = [_final(partial, (*CONTAINERS, *LOG_SUFFIXES)), *_log_names(partial, log)]
    with ExitStack() as stack:
        for final in finals:
            try:
                stack.enter_context(claim_file(final))
            except LockedError as error:
                raise ConfigError(str(error)) from None
            if final.exists() and not overwrite:
                raise ConfigError(f"{final} exists: move it away, or give --overwrite")
        for final in finals:
            stack.callback(_remove, aside_path(final))
        frames, end_s = 0, None
        for final in finals:
            if final.suffix.lower() in CONTAINERS:
                frames, end_s = write_video(partial_path(final), aside_path(final))
            else:
                write_log(partial_path(final), aside_path(final), end_s)
        _put_in_place(finals)
    return Recovered(tuple(finals), frames)


def _final(partial: Path, suffixes: tuple[str, ...]) -> Path:
    """The final name of a partial file, of a kind that can be recovered."""
    final = final_path(partial)
    if final is None or partial.suffix.lower() not in suffixes:
        endings = ", ".join(suffixes)
        raise ConfigError(f"{partial}: give a file named NAME.part and one of {endings}")
    if not partial.is_file():
        raise ConfigError(f"{partial}: there is no such file")
    return final


def _log_names(partial: Path, log: Path | None) -> Iterator[Path]:
    """The final names of the partial logs that belong to a partial file."""
    if partial.suffix.lower() in LOG_SUFFIXES:
        if log is not None:
            raise ConfigError(f"--log is the log of a video, and {partial} is none")
        logs = [_final(partial, LOG_SUFFIXES)]
    elif log is not None:
        logs = [_final(log, LOG_SUFFIXES)]
    else:
        video = _final(partial, tuple(CONTAINERS))
        logs = [video.with_suffix(each) for each in LOG_SUFFIXES]
        logs += [video.with_name(video.name + each) for each in LOG_SUFFIXES]  # one of several
    for each in logs:
        if partial_path(each) != partial and partial_path(each).is_file():
            yield each
        if each.suffix.lower() == ".csv" and partial_path(tracks_path(each)).is_file():
            yield tracks_path(each)


def _put_in_place(finals: list[Path]) -> None:
    """Gives all files their final names, then removes the partial ones."""
    try:
        for final in finals:
            aside_path(final).replace(final)
        for final in finals:
            partial_path(final).unlink()
    except OSError as error:
        raise SinkError(f"{error.filename} cannot be put in place: {error.strerror}") from error


def _remove(aside: Path) -> None:
    with suppress(OSError):
        aside.unlink(missing_ok=True)
