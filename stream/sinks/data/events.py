"""Events: what annotated frames say of people that is new, for whatever acts on it.

1. `appeared`: a face is seen for the first time.
2. `labelled`: what it is perceived as becomes sure, changes, or becomes unsure again.
3. `gone`: its track has ended, or the run has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stream.frames import Frame, SourceInfo
from stream.people import Person
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.data.json_log import place_of, times_of
from stream.tracks import Track, box_entry, label_entries

SCHEMA = "face-stream-event/1"
"""Name and version of the form of an event, which each of them has."""

Event: TypeAlias = dict[str, Any]
"""One event as JSON has it; `docs/usage.md` has the keys."""


@dataclass(slots=True, eq=False)
class _Known:
    """What was last said of a person in sight.

    Attributes:
        box_xyxy: `(4,)` float32 px, where the face was last seen.
        texts: the labels that were told, by attribute; None where unsure.
    """

    box_xyxy: NDArray[np.float32]
    texts: Mapping[str, str | None] = field(default_factory=dict)


class Events:
    """Turns the frames of a source, in their order, into events.

    Its memory is bounded by how many people are in sight at a time.

    Args:
        info: the source, which each event names.
    """

    def __init__(self, info: SourceInfo) -> None:
        self._source = info.uri
        self._known: dict[int, _Known] = {}
        self._last: Frame | None = None

    def __repr__(self) -> str:
        return f"Events({len(self._known)} in sight)"

    def of_frame(self, annotated: AnnotatedFrame) -> list[Event]:
        """What a frame brings: first who is gone, then by track what appeared and was labelled."""
        self._last = annotated.frame
        events = self._gone(annotated.frame, annotated.ended)
        for track in annotated.tracks:
            if not track.missed_frames:
                events += self._seen(annotated.frame, track)
        return events

    def of_end(self, present: Sequence[Person]) -> list[Event]:
        """The people who were still present when the last frame was given are gone."""
        return [] if self._last is None else self._gone(self._last, present)

    def _seen(self, frame: Frame, track: Track) -> list[Event]:
        """What is new of a face that is seen."""
        events = []
        known = self._known.get(track.track_id)
        if known is None:
            known = self._known[track.track_id] = _Known(track.box_xyxy)
            events.append(self._event("appeared", frame, track, track.box_xyxy))
        known.box_xyxy = track.box_xyxy
        texts = {name: label.text for name, label in track.labels.items()}
        if any(text != known.texts.get(name) for name, text in texts.items()):
            events.append(self._event("labelled", frame, track, track.box_xyxy))
        known.texts = {**known.texts, **texts}
        return events

    def _gone(self, frame: Frame, people: Sequence[Person]) -> list[Event]:
        """The events of people whose tracks have ended, noticed with a frame."""
        events = []
        for person in people:
            known = self._known.pop(person.track_id, None)
            box_xyxy = person.best.box_xyxy if known is None else known.box_xyxy
            event = self._event("gone", frame, person, box_xyxy)
            events.append({**event, **times_of(person), "frames": person.frames})
        return events

    def _event(
        self,
        name: str,
        frame: Frame,
        seen: Track | Person,
        box_xyxy: NDArray[np.float32],
    ) -> Event:
        """An event with what each has."""
        return {
            "schema": SCHEMA,
            "event": name,
            "source": self._source,
            "frame": frame.index,
            **place_of(frame),
            "track": seen.track_id,
            "person": seen.person_id,
            "box": box_entry(box_xyxy),
            "labels": {
                attribute: {key: value for key, value in entry.items() if key != "probabilities"}
                for attribute, entry in label_entries(seen.labels).items()
            },
        }
