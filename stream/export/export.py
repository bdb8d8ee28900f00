"""A log and its video → a folder of pictures, and a file of the faces marked in them."""

import re
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from models.annotation_files import PICTURES_FOLDER
from models.program.locks import LockedError, is_lock
from stream.errors import ConfigError, SourceError
from stream.export.coco_form import coco_files
from stream.export.csv_form import csv_files
from stream.export.frames import REFUSAL, WantedFrames, picked_entries
from stream.export.label_studio_form import label_studio_files
from stream.export.logs import ExportedLog, open_log
from stream.export.marks import MarkedPicture, MarkedPictures, marked_faces
from stream.settings import Config
from stream.several.preparation import made_folders
from stream.sinks.claims import claim_file
from stream.sinks.data.log_lines import LogEntry
from stream.sinks.paths import short_name, write_whole
from stream.sinks.pictures.picture_file import write_picture
from stream.sources import Source, open_source

_Files: TypeAlias = dict[str, bytes]

FORMS: Mapping[str, Callable[[MarkedPictures, str], _Files]] = {
    "labelstudio": label_studio_files,
    "coco": lambda marked, _: coco_files(marked),
    "csv": lambda marked, _: csv_files(marked),
}
"""What makes the files beside the pictures, that of the marks first, by the name of the form."""

_UNFIT = re.compile(r"[^\w.-]+")
"""What of the name of a video is no part of the names of its pictures, which stand in addresses."""

_STEM_BYTES = 100
"""Length of the name of a video in the names of its pictures at most, bytes."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What came of an export: how many pictures and faces, and the file that marks them."""

    pictures: int
    faces: int
    file: Path


def export(
    log: Path,
    video: str,
    folder: Path,
    form: str,
    every_s: float = 1.0,
    config: Config | None = None,
    progress: Callable[[int], None] = lambda pictures: None,
) -> Exported:
    """Writes frames of a video as pictures, and the faces that a log has in them as marks.

    The file of marks comes last: a folder without it is not complete.

    Args:
        log: JSON Lines or Parquet, of a run without blurred faces.
        video: what the log is of.
        folder: new or empty; what people have corrected is never overwritten.
        form: one of `FORMS`.
        every_s: a frame each so many seconds.
        config: how the video is read.
        progress: is told how many pictures are written.

    Raises:
        ConfigError: the folder is not empty, or the log is of a run that blurred faces.
        SourceError: the log or the video cannot be read, or they do not belong together.
        SinkError: the disk refuses.
    """
    opened = open_log(log)
    if opened.header.blur:
        raise ConfigError(f"faces were blurred in the run that wrote {log}: {REFUSAL}")
    entries = list(picked_entries(opened, every_s))
    if not entries:
        raise SourceError(f"{log} has no face in any frame that would be taken")
    _check_folder(folder)
    with made_folders([folder]), ExitStack() as stack:
        source = stack.enter_context(closing(open_source(video, config)))
        if source.info.kind != "video":
            raise ConfigError(f"{video} is no video: give the one that {log} was written of")
        try:
            stack.enter_context(claim_file(folder, inside=True))
        except LockedError as error:
            raise ConfigError(str(error)) from None
        marked = _written(entries, opened, source, folder, progress)
        files = FORMS[form](marked, folder.absolute().name)
        for name, content in reversed(files.items()):
            write_whole(folder / name, content)
    faces = sum(len(each.faces) for each in marked.pictures)
    return Exported(len(marked.pictures), faces, folder / next(iter(files)))


def _written(
    entries: list[LogEntry],
    log: ExportedLog,
    source: Source,
    folder: Path,
    progress: Callable[[int], None],
) -> MarkedPictures:
    """Writes the pictures of these entries; returns what is marked in them."""
    header, frames, pictures = log.header, WantedFrames(source), []
    title = Path(source.info.name).stem
    beginning = short_name(_UNFIT.sub("-", title), "", _STEM_BYTES)
    for entry in entries:
        frame = frames.at(entry["time_s"])
        size_wh = entry.get("size", header.size)
        if frame.size_wh != size_wh:
            raise SourceError(
                f"{log} was written of frames of {list(size_wh)} px, these have "
                f"{list(frame.size_wh)}: give the video it was written of"
            )
        name = f"{beginning}-{entry['frame']:06}.jpg"
        write_picture(folder / PICTURES_FOLDER / name, frame.image)
        faces = marked_faces(entry, size_wh, header.attributes, title, log.persons)
        pictures.append(MarkedPicture(name, size_wh, faces))
        progress(len(pictures))
    return MarkedPictures(title, header.model, header.attributes, pictures)


def _check_folder(folder: Path) -> None:
    """Checks that nothing is in the folder, which may hold what people have corrected."""
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"--out {folder} is a file: name a folder")
    if folder.is_dir() and any(not is_lock(each) for each in folder.iterdir()):
        raise ConfigError(f"--out {folder} is not empty: name a new folder")
