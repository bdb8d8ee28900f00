"""The faces in view of one source, as the page and the API show them, and how many there were."""

import threading
from collections import Counter, deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import cv2

from models.faces import Image
from stream.people import Person
from stream.sinks import AnnotatedFrame
from stream.sinks.people_ledger import blurred_view
from stream.tracks import MAX_SHOWN_CONFIDENCE, Label

HISTORY_STEP_S = 5.0
"""Time between two entries of the counts over time, s; less is finer and sends more."""

_HISTORY_ENTRIES = 720
"""Entries of the counts over time that are kept: an hour."""

_THUMBNAIL_PX = 128
"""Longer side of a picture of a face, px."""

_THUMBNAIL_QUALITY = 85
"""JPEG quality of a picture of a face, 0 to 100."""

UNSURE = ""
"""What counts call a face whose label is unsure: no class has that name."""


class FacesInView:
    """Takes in the frames of one source, and says which faces are in view. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._present: list[Person] = []
        self._seen: set[int] = set()
        self._since: dict[int, datetime] = {}
        self._history: deque[dict[str, Any]] = deque(maxlen=_HISTORY_ENTRIES)
        self._sampled_s = -HISTORY_STEP_S

    def __repr__(self) -> str:
        return f"FacesInView({len(self._seen)} in view)"

    def update(self, annotated: AnnotatedFrame) -> None:
        """Takes in the next frame."""
        now = datetime.now(UTC)
        with self._lock:
            self._present = list(annotated.present)
            self._seen = {track.track_id for track in annotated.tracks}
            self._since = {
                person.track_id: self._since.get(person.track_id, now) for person in self._present
            }
            if annotated.frame.captured_s - self._sampled_s >= HISTORY_STEP_S:
                self._sampled_s = annotated.frame.captured_s
                self._history.append(self._sample(now))

    def leave(self) -> None:
        """The source has ended: nobody is in view."""
        with self._lock:
            self._present, self._seen, self._since = [], set(), {}

    def entries(self, source: int) -> list[dict[str, Any]]:
        """The people in view and those who left a moment ago, as JSON has them.

        Args:
            source: number of the source.
        """
        now = datetime.now(UTC)
        with self._lock:
            return [
                {
                    "source": source,
                    "track": person.track_id,
                    "labels": {name: _label(label) for name, label in person.labels.items()},
                    "since": self._since[person.track_id].isoformat(timespec="seconds"),
                    "seconds": round((now - self._since[person.track_id]).total_seconds()),
                    "in_view": person.track_id in self._seen,
                    "thumbnail": f"/api/people/{source}/{person.track_id}.jpg",
                }
                for person in self._present
            ]

    @property
    def count(self) -> int:
        """How many faces are in view."""
        with self._lock:
            return len(self._seen)

    def counts(self) -> dict[str, Counter[str]]:
        """How many faces in view are perceived as what, by attribute."""
        with self._lock:
            return self._counts()

    def history(self) -> list[dict[str, Any]]:
        """The counts over time, as JSON has them."""
        with self._lock:
            return list(self._history)

    def thumbnail(self, track_id: int, *, blur: bool) -> bytes | None:
        """The best view of a face as JPEG; None where there is none.

        Args:
            track_id: the track of the face.
            blur: whether the face is to be unrecognisable.
        """
        with self._lock:
            found = [each.best for each in self._present if each.track_id == track_id]
        if not found or found[0].crop is None:
            return None
        best = blurred_view(found[0]) if blur else found[0]
        return None if best.crop is None else _jpeg(best.crop)

    def _sample(self, now: datetime) -> dict[str, Any]:
        return {
            "time": now.isoformat(timespec="seconds"),
            "faces": len(self._seen),
            "counts": {name: dict(counts) for name, counts in self._counts().items()},
        }

    def _counts(self) -> dict[str, Counter[str]]:
        counts: dict[str, Counter[str]] = {}
        for person in self._present:
            if person.track_id in self._seen:
                for name, label in person.labels.items():
                    counts.setdefault(name, Counter())[label.text or UNSURE] += 1
        return counts


def add_counts(several: list[Mapping[str, Counter[str]]]) -> dict[str, dict[str, int]]:
    """The counts of several sources together."""
    total: dict[str, Counter[str]] = {}
    for counts in several:
        for name, counter in counts.items():
            total.setdefault(name, Counter()).update(counter)
    return {name: dict(counter) for name, counter in total.items()}


def _label(label: Label) -> dict[str, Any]:
    return {
        "text": label.text,
        "confidence": round(min(label.confidence, MAX_SHOWN_CONFIDENCE), 2),
    }


def _jpeg(crop: Image) -> bytes:
    shrunk = min(_THUMBNAIL_PX / max(crop.shape[:2]), 1.0)
    small = cv2.resize(crop, None, fx=shrunk, fy=shrunk, interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _THUMBNAIL_QUALITY])
    return jpeg.tobytes()
