"""The best view of each person as a picture of its own."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import SIZE_WH, fan_out, frame, label, numbered, track

from models.faces import Image
from stream.controls import Controls
from stream.drawing.overlay import Overlay
from stream.frames import Frame, SourceInfo
from stream.people import Settlement
from stream.sinks import Sinks
from stream.sinks.frame_assembler import FrameAssembler
from stream.sinks.people_ledger import face_crop
from stream.sinks.pictures.sheet import Sheet
from stream.sinks.pictures.snapshots import Snapshots

_INFO = SourceInfo("numbers.mp4", "video", SIZE_WH, 25.0)
_ATTRIBUTES = {"gender": ("Female", "Male")}
_LABELS = {"gender": label()}
_BOX = (20.0, 10.0, 60.0, 50.0)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _fed(sink: Snapshots, info: SourceInfo = _INFO) -> Sinks:
    return fan_out([sink], Overlay(), info, face_crops=True)


def _noise() -> Image:
    coarse = np.random.default_rng(1).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    return np.ascontiguousarray(coarse.repeat(8, axis=0).repeat(8, axis=1))


def test_pictures_of_an_earlier_run_go_and_nothing_else(tmp_path: Path) -> None:
    for name in ("person-0007.jpg", "person-12345.jpg", "person-2024-party.jpg", "other.jpg"):
        (tmp_path / name).touch()
    with _fed(Snapshots(tmp_path, _ATTRIBUTES)) as sinks:
        sinks.write(frame(0), [])
    assert _names(tmp_path) == ["other.jpg", "person-2024-party.jpg", "persons.csv"]


def test_the_best_view_with_a_margin_and_who_it_is(tmp_path: Path) -> None:
    with _fed(Snapshots(tmp_path / "faces", _ATTRIBUTES)) as sinks:
        for number, quality in enumerate([0.2, 0.8, 0.8]):
            sinks.write(frame(number), [replace(track(3, _BOX, _LABELS), quality=quality)])
        assert _names(tmp_path / "faces") == ["persons.part.csv"]
    assert _names(tmp_path / "faces") == ["person-0003.jpg", "persons.csv"]
    saved = cv2.imread(str(tmp_path / "faces" / "person-0003.jpg"))
    expected = face_crop(numbered(1), np.array(_BOX, np.float32))
    assert saved.shape == expected.shape == (64, 72, 3)
    assert np.abs(saved.astype(int) - expected).mean() < 3
    with (tmp_path / "faces" / "persons.csv").open(encoding="utf-8") as lines:
        (row,) = csv.DictReader(lines)
    assert (row["picture"], row["best_frame"], row["gender"]) == ("person-0003.jpg", "1", "Female")


def test_a_picture_is_there_as_soon_as_the_track_has_ended(tmp_path: Path) -> None:
    with _fed(Snapshots(tmp_path, _ATTRIBUTES), replace(_INFO, fps=2.0)) as sinks:
        sinks.write(frame(0), [track(1)])
        for number in range(1, 12):
            sinks.write(frame(number), [])
        assert _names(tmp_path) == ["person-0001.jpg", "persons.part.csv"]


def test_faces_of_pictures_too(tmp_path: Path) -> None:
    info = SourceInfo("in", "pictures", SIZE_WH)
    with _fed(Snapshots(tmp_path, _ATTRIBUTES), info) as sinks:
        for number in range(2):
            whole = Frame(numbered(number), number, float(number), 0.0, Path(f"in/{number}.png"))
            sinks.write(whole, [track(2 * number), track(2 * number + 1)])
    assert _names(tmp_path) == [*(f"person-000{n}.jpg" for n in range(4)), "persons.csv"]
    with (tmp_path / "persons.csv").open(encoding="utf-8") as lines:
        assert [row["file"] for row in csv.DictReader(lines)] == [
            str(Path("in", f"{n}.png")) for n in (0, 0, 1, 1)
        ]


@pytest.mark.parametrize("blur", [(False,), (True,), (False, True)])
def test_no_face_leaves_the_program_that_is_to_be_blurred(
    blur: Sequence[bool], tmp_path: Path
) -> None:
    """Also where it is asked for only after the best view had been taken."""
    face = face_crop(_noise(), np.array(_BOX, np.float32))
    controls = Controls()
    info = replace(_INFO, fps=0.2)
    snapshots = Snapshots(tmp_path / "faces", _ATTRIBUTES)
    sheet = Sheet(tmp_path / "sheet.png", SourceInfo("in", "pictures", SIZE_WH))
    with fan_out([snapshots, sheet], Overlay(), info, controls, face_crops=True) as sinks:
        for number, wanted in enumerate(blur):
            controls.blur = wanted
            sinks.write(Frame(_noise(), number, number / 25, 0.0), [track(1, _BOX, _LABELS)])
    saved = cv2.imread(str(tmp_path / "faces" / "person-0001.jpg"))
    inside = np.abs(saved.astype(int) - face)[10:50, 12:52].mean()
    assert inside > 25 if blur[-1] else inside < 10
    views = [person.best for *_, person in sheet._kept]
    assert [view.blurred for view in views] == [blur[-1]] * len(views)
    assert views[0].crop is not None
    size = views[0].crop.shape[1::-1]
    shown = np.abs(views[0].crop.astype(int) - cv2.resize(face[:, 4:68], size))[20:90, 20:90].mean()
    assert shown > 25 if blur[-1] else shown < 12


def test_a_person_of_several_tracks_has_the_best_picture_of_them(tmp_path: Path) -> None:
    """Under the number of the person; those of the other tracks are gone at the end."""
    snapshots = Snapshots(tmp_path, _ATTRIBUTES, has_persons=True)
    info = replace(_INFO, fps=0.2)  # a track ends with the first frame without it
    settled = Settlement({1: 1, 2: 2, 3: 1, 4: 1}, {1: {"gender": label("Male")}})
    frames = FrameAssembler(Overlay(), info, face_crops=True, settle=lambda: settled)
    with Sinks([snapshots], frames) as sinks:
        for number, quality in ((1, 0.3), (2, 0.9), (3, 0.8), (4, 0.5)):
            seen = replace(track(number, labels={"gender": label()}), quality=quality)
            plain = np.full((64, 96, 3), 50 * number, np.uint8)
            sinks.write(Frame(plain, number, float(number), 0.0), [seen])
    assert _names(tmp_path) == ["person-0001.jpg", "person-0002.jpg", "persons.csv"]
    saved = cv2.imread(str(tmp_path / "person-0001.jpg"))
    assert saved is not None
    assert saved.mean() == pytest.approx(150, abs=3)  # that of the third track
    with (tmp_path / "persons.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert [(row["picture"], row["tracks"], row["best_frame"], row["gender"]) for row in rows] == [
        ("person-0001.jpg", "1 3 4", "3", "Male"),
        ("person-0002.jpg", "2", "2", "Female"),
    ]
