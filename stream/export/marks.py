"""What is exported: pictures, the faces marked in each, and what each face is labelled as."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stream.sinks.data.log_lines import LogEntry, LoggedFace


@dataclass(frozen=True, slots=True)
class MarkedFace:
    """One face in one picture.

    Attributes:
        box_xyxy: inside the picture, px.
        identity: the same for the faces of one person.
        classes: by attribute; an attribute of which the log is unsure has none.
        confidences: how sure the log is of each of them, 0 to 1.
        score: the detector's confidence.
    """

    box_xyxy: tuple[float, float, float, float]
    identity: str
    classes: Mapping[str, str]
    confidences: Mapping[str, float]
    score: float


@dataclass(frozen=True, slots=True)
class MarkedPicture:
    """One frame as a picture.

    Attributes:
        name: of its file.
        size_wh: px.
        faces: those in it.
    """

    name: str
    size_wh: tuple[int, int]
    faces: tuple[MarkedFace, ...]


@dataclass(frozen=True, slots=True)
class MarkedPictures:
    """All that is exported.

    Attributes:
        title: of the video.
        model: name of the classifier that labelled the faces.
        attributes: the classes of each attribute, of which people choose.
        pictures: in their order.
    """

    title: str
    model: str
    attributes: Mapping[str, Sequence[str]]
    pictures: Sequence[MarkedPicture]


def marked_faces(
    entry: LogEntry,
    size_wh: tuple[int, int],
    attributes: Mapping[str, Sequence[str]],
    title: str,
    persons: Mapping[int, int],
) -> tuple[MarkedFace, ...]:
    """The faces that an entry of a log says were seen in its frame, by the person that each track
    is of.

    A face that is only supposed to be there has no place that could be corrected. A label that is
    a group of classes is no class, and so left to people.
    """
    marked = (
        _marked(face, size_wh, attributes, f"{title} {persons.get(face['track'], face['track'])}")
        for face in entry["faces"]
        if not face.get("missed")
    )
    return tuple(face for face in marked if face is not None)


def _marked(
    face: LoggedFace,
    size_wh: tuple[int, int],
    attributes: Mapping[str, Sequence[str]],
    identity: str,
) -> MarkedFace | None:
    """The face, cut off where the picture ends; None where nothing of it is inside."""
    width, height = size_wh
    left, top, right, bottom = face["box"]
    left, right = (min(max(edge, 0), width) for edge in (left, right))
    top, bottom = (min(max(edge, 0), height) for edge in (top, bottom))
    if right - left < 1 or bottom - top < 1:
        return None
    classes = {
        name: text
        for name, label in face["labels"].items()
        if (text := label.get("label")) is not None and text in attributes.get(name, ())
    }
    confidences = {name: face["labels"][name].get("confidence", 0.0) for name in classes}
    return MarkedFace((left, top, right, bottom), identity, classes, confidences, face["score"])
