"""What flows between the batch, its ledger and the engines that run its inputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from stream.batch.copies import Copies
from stream.labelling.track_faces import TrackFace
from stream.people import Person
from stream.several.listing import NamedSource
from stream.sinks import Outputs
from stream.sources import WHOLE, Span

State = Literal["waiting", "running", "done", "failed", "skipped"]
"""Where an input stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input of a batch: a video, or the pictures of one folder.

    Attributes:
        name: what it is called in the ledger and in the tables: its path below the folder that the
            user named, unlike that of any other input.
        source: what is opened.
        outputs: what is written of it, each a path of its own.
        columns: what the user's list says of it beside its file, by column.
    """

    name: str
    source: NamedSource
    outputs: Outputs
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a worker is given at a time: an input, or a span of a long one. It can be pickled.

    Attributes:
        key: the row of the ledger.
        source: what is opened.
        outputs: what is written; of a span, files of its own.
        span: the part that is wanted.
        lead_in_s: media time before the span from which tracks are followed but not written, s.
        gives_seam: whether the result says which tracks there were around the ends of the span.
        longest_s: a longer video is not annotated, s: the result says where it can be cut into
            spans; 0 for any length.
        copies: where the outputs are put too; None for nowhere. Those of a span are put by none.
    """

    key: int
    source: NamedSource
    outputs: Outputs
    span: Span = WHOLE
    lead_in_s: float = 0.0
    gives_seam: bool = False
    longest_s: float = 0.0
    copies: Copies | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a task came to; it crosses from the worker to the batch in memory.

    Attributes:
        key: the row of the ledger.
        worker: which worker it was, for people.
        summary: `Summary.as_dict()`; empty where the input could not be begun.
        error: why it failed, a line; empty where it did not.
        media_s: how much of the video was read, s; 0 for pictures.
        elapsed_s: how long it took, s.
        people: everyone who was seen, without crops.
        seam: the tracks around the ends of a span, with embeddings. It is kept in memory alone.
        faces: of the tracks of a span, with embeddings; None where tracks are not joined across
            shots. They are kept in memory alone.
        cuts_s: media times at which the video can be cut, s, as it is longer than it may be; it was
            not annotated.
    """

    key: int
    worker: str
    summary: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    media_s: float = 0.0
    elapsed_s: float = 0.0
    people: Sequence[Person] = ()
    seam: Any = None
    faces: Sequence[TrackFace] | None = None
    cuts_s: Sequence[float] = ()


class Engine(Protocol):
    """Runs tasks in processes of this machine or of a cluster.

    A task whose process dies, takes too much memory or too long has a result that says so; the
    engine goes on with another process.
    """

    @property
    def capacity(self) -> int:
        """How many tasks run at the same time now; nodes may join and leave."""

    def submit(self, task: Task) -> None:
        """Begins a task; there are fewer than `capacity` that go on."""

    def finished(self, timeout_s: float) -> Sequence[Result]:
        """The results that have come, after waiting for the first for so long at most."""

    def close(self) -> None:
        """Ends all processes; tasks that go on are given up. What they have is left as it is."""
