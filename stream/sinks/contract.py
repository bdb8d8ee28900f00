"""The contract of sinks: what each is given, and what it answers to."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from stream.drawing.blur import blur_faces, blurred_boxes
from stream.drawing.canvas import Canvas
from stream.drawing.overlay import Overlay
from stream.frames import Frame
from stream.people import Person
from stream.sinks.segments import WHOLE, Placement
from stream.tracks import Track


@dataclass(slots=True, eq=False)
class AnnotatedFrame:
    """A frame and the faces in it; its picture is drawn once, when a sink first asks for it.

    What can be seen is made from `picture`, `canvas` or `shown`, never from the frame alone, whose
    faces are recognisable also where they are to be blurred.

    Attributes:
        frame: as it was captured.
        tracks: the faces in it.
        overlay: draws them.
        faces_xyxy: `(n, 4)` px, where faces are, those too that were lost a moment ago.
        blur: these places are to be unrecognisable.
        ended: the people whose tracks have ended with this frame, by id.
        present: the people whose tracks have not, likewise.
        place: the segment that it belongs to, where a run is divided.
    """

    frame: Frame
    tracks: Sequence[Track]
    overlay: Overlay
    faces_xyxy: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    blur: bool = False
    ended: Sequence[Person] = ()
    present: Sequence[Person] = ()
    place: Placement = WHOLE
    _shown: Image | None = field(default=None, init=False)
    _canvas: Canvas | None = field(default=None, init=False)

    @property
    def shown(self) -> Image:
        """The frame without boxes and labels, its faces blurred if asked for. Not to be written to.

        Snapshots and crops of faces are taken from here.
        """
        if self._shown is None:
            image = self.frame.image
            self._shown = blur_faces(image, self.faces_xyxy) if self._is_blurred else image
        return self._shown

    @property
    def canvas(self) -> Canvas:
        """What is drawn on what is shown, and where that differs from what was captured."""
        if self._canvas is None:
            frame, size_wh = self.frame, self.frame.size_wh
            marks = self.overlay.marks(size_wh, self.tracks)
            if self._is_blurred:
                places = blurred_boxes(size_wh, self.faces_xyxy)
                shown = self.shown
                self._canvas = Canvas(lambda: shown, marks, places)
            else:
                self._canvas = Canvas(lambda: frame.image, marks)
        return self._canvas

    @property
    def picture(self) -> Image:
        """What is shown, with boxes and labels if asked for. Not to be written to."""
        return self.canvas.picture

    def without_pixels(self) -> "AnnotatedFrame":
        """The same for what looks at no pixels, such as a log: it takes little memory."""
        width, height = self.frame.size_wh
        nothing = np.broadcast_to(np.uint8(0), (height, width, 3))
        bare = replace(self.frame, pixels=nothing, coded=None)
        return AnnotatedFrame(
            bare, self.tracks, self.overlay, blur=self.blur, ended=self.ended, place=self.place
        )

    @property
    def _is_blurred(self) -> bool:
        return self.blur and len(self.faces_xyxy) > 0


class Sink(Protocol):
    """Writes, shows or counts annotated frames; it owns the resource it does this with."""

    name: str
    """How messages call it."""

    @property
    def output(self) -> Path | None:
        """Where the result stands once it is complete; None where nothing is kept."""

    @property
    def quit_requested(self) -> bool:
        """Whether the user asked this sink for the end of the run."""

    def write(self, annotated: AnnotatedFrame) -> None:
        """Takes the next frame.

        Raises:
            SinkError: it cannot, and will not be asked again.
        """

    def close(self, present: Sequence[Person] = (), *, complete: bool) -> None:
        """Adds the people who are still present, and releases the resource; once.

        Args:
            present: the people whose tracks had not ended when this sink took its last frame.
            complete: every frame was written, so that the result takes its final name. What is not
                complete keeps its partial name, or is removed where it holds no frame.

        Raises:
            SinkError: the end of the output could not be written.
        """


@runtime_checkable
class PersonSink(Sink, Protocol):
    """A sink that tells persons, whose tracks are joined once all frames of a file were seen."""

    def settle(self, persons: Sequence[Person]) -> None:
        """Takes the persons of the file, without crops, just before it is closed.

        It is not called where tracks are not joined: then each track is a person of its own. What
        can fail is left to `close`.
        """


@runtime_checkable
class SendingSink(Sink, Protocol):
    """A sink whose end takes its time in a thread of its own: all of them take it together."""

    def begin_end(self, present: Sequence[Person]) -> None:
        """Begins to send the rest, without waiting; called on all sinks before one is closed.

        It is not called where the sink alone is closed. What can fail is left to `close`.

        Args:
            present: those that `close` is given.
        """
