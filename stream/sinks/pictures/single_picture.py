"""One annotated picture, as the file that is named for it."""

from collections.abc import Sequence
from pathlib import Path

from models.faces import Image
from models.pictures.files import is_picture
from stream.frames import SourceInfo
from stream.people import Person
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.paths import partial_path
from stream.sinks.pictures.picture_file import write_picture


def is_single_picture_output(path: Path, info: SourceInfo) -> bool:
    """Whether an output is to be the copy of the one picture that the source is, by its name; of
    several pictures, and of one in a folder or by a pattern, the copies go into a folder."""
    is_named_alone = info.kind == "pictures" and Path(info.uri).is_file()
    return is_named_alone and is_picture(path) and not path.is_dir()


class SinglePicture:
    """Writes the picture of the only frame when the run ends, as a whole.

    Args:
        path: the file; its name says its kind.
    """

    quit_requested = False

    def __init__(self, path: Path) -> None:
        self.name = f"picture ({path.name})"
        self.output = path
        self._picture: Image | None = None

    def __repr__(self) -> str:
        return f"SinglePicture({self.output})"

    def write(self, annotated: AnnotatedFrame) -> None:
        """Takes the picture."""
        self._picture = annotated.picture

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Writes the picture, if there is one; of a run that failed under a partial name.

        Raises:
            SinkError: it cannot be written.
        """
        if self._picture is not None:
            path = self.output if complete else partial_path(self.output)
            write_picture(path, self._picture)
