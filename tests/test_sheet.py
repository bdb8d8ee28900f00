"""All people on one picture: who is on it, who is not, and that it can be looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import SIZE_WH, fan_out, frame, label, numbered, track

from models.faces import Image
from stream.drawing.colours import ColourScheme
from stream.drawing.overlay import Overlay
from stream.frames import Frame, SourceInfo
from stream.people import Person, Settlement
from stream.sinks import Sinks
from stream.sinks.frame_assembler import FrameAssembler
from stream.sinks.pictures import sheet_drawing
from stream.sinks.pictures.sheet import Sheet
from stream.sinks.pictures.sheet_drawing import SheetRow
from stream.tracks import Label

_INFO = SourceInfo("numbers.mp4", "video", SIZE_WH, 25.0)
_LABELS = {"gender": label(), "race": label(None, 0.4)}


class _OpenSheet(Sheet):
    """Says what it draws."""

    def drawn(self) -> tuple[list[int], str]:
        return self._drawn

    def _shown(self) -> list[Person]:
        shown = super()._shown()
        self._drawn = [person.track_id for person in shown], self._left_out()
        self.rows = [SheetRow.of(person, ColourScheme()) for person in shown]
        return shown


def _sheet(
    folder: Path, lengths: Mapping[int, int], labels: Mapping[str, Label] = _LABELS
) -> _OpenSheet:
    """Of people by id, each seen in so many frames."""
    sheet = _OpenSheet(folder / "sheet.png", _INFO)
    with _fed(sheet) as sinks:
        for number in range(max(lengths.values(), default=0)):
            people = [
                track(each, labels=labels) for each, count in lengths.items() if number < count
            ]
            sinks.write(frame(number), people)
    return sheet


def _fed(sheet: Sheet, info: SourceInfo = _INFO) -> Sinks:
    return fan_out([sheet], Overlay(), info, face_crops=True)


def _read(path: Path) -> Image:
    picture = cv2.imread(str(path))
    assert picture is not None
    return picture.astype(np.uint8)


def test_everybody_seen_well_enough_has_a_row(tmp_path: Path) -> None:
    sheet = _sheet(tmp_path, {1: 3, 2: 2, 3: 10})
    assert sheet.drawn() == (
        [1, 3],
        "Left out: 1 seen in fewer than 3 frames, or too small to say.",
    )
    picture = _read(tmp_path / "sheet.png")
    assert picture.shape[1] > picture.shape[0]


def test_the_rows_have_the_colours_of_the_boxes(tmp_path: Path) -> None:
    people = [track(1, labels=_LABELS), track(2, (90, 60, 130, 100), labels=_LABELS)]
    for colours, alike in (("person", False), ("gender", True), ("#102030", True)):
        scheme = ColourScheme(colours)
        sheet = _OpenSheet(tmp_path / f"{colours}.png", _INFO, scheme)
        with _fed(sheet) as sinks:
            for number in range(3):
                sinks.write(frame(number), people)
        one, other = (scheme.of(each.track_id, each.labels) for each in people)
        assert (one == other) is alike
        picture = _read(sheet.output)
        assert (picture == one).all(axis=-1).any()


def test_a_face_too_small_for_labels_is_left_out(tmp_path: Path) -> None:
    sheet = _sheet(tmp_path, {1: 30}, labels={})
    assert sheet.drawn() == ([], "Left out: 1 seen in fewer than 3 frames, or too small to say.")
    assert _read(tmp_path / "sheet.png").size


def test_the_face_is_on_it_in_its_own_colours(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "sheet.png", _INFO)
    green = np.full((64, 96, 3), (20, 200, 40), dtype=np.uint8)
    with _fed(sheet) as sinks:
        for number in range(3):
            sinks.write(Frame(green, number, number / 25, 0.0), [track(labels=_LABELS)])
    picture = _read(tmp_path / "sheet.png")
    assert (picture == (20, 200, 40)).all(axis=-1).sum() == 116 * 116


def test_more_people_than_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = {each: 3 + each % 7 for each in range(1, 131)}
    sheet = _sheet(tmp_path, lengths)
    ids, left_out = sheet.drawn()
    assert len(ids) == 100
    assert left_out == "Left out: 30 more who were seen for less long."
    assert min(lengths[each] for each in ids) >= max(
        lengths[each] for each in lengths if each not in ids
    )
    height, width = _read(tmp_path / "sheet.png").shape[:2]
    assert max(height, width) < 4000


@pytest.mark.parametrize("count", [1, 12, 13, 26, 100])
def test_rows_do_not_overlap_and_all_fit(count: int, tmp_path: Path) -> None:
    _sheet(tmp_path, {each: 3 for each in range(1, count + 1)})
    picture = _read(tmp_path / "sheet.png")
    band = (picture == sheet_drawing._ROW_GROUND).all(axis=-1)
    ends = band & ~np.pad(band, ((0, 0), (0, 1)))[:, 1:]  # a row's last pixels, at the right
    rows, _ = cv2.connectedComponents(ends.astype(np.uint8))
    assert rows - 1 >= count
    assert not band[:, -1].any()


def test_of_pictures_each_face_counts_and_its_file_is_named(tmp_path: Path) -> None:
    info = SourceInfo("in", "pictures", SIZE_WH)
    sheet = _OpenSheet(tmp_path / "sheet.jpg", info)
    with _fed(sheet, info) as sinks:
        for number in range(2):
            path = Path(f"in/{number}.png")
            whole = Frame(numbered(number), number, float(number), 0.0, path)
            sinks.write(whole, [track(number + 1, labels=_LABELS)])
    assert sheet.drawn() == ([1, 2], "")
    assert [row.sightings[0] for row in sheet.rows] == ["0.png", "1.png"]
    assert _read(tmp_path / "sheet.jpg").size


def test_of_a_video_it_says_from_when_to_when_and_where_the_face_is_from(tmp_path: Path) -> None:
    sheet = _OpenSheet(tmp_path / "sheet.png", _INFO)
    with _fed(sheet) as sinks:
        for number, quality in ((50, 0.25), (75, 0.75), (100, 0.5)):
            sinks.write(frame(number), [replace(track(4, labels=_LABELS), quality=quality)])
    (row,) = sheet.rows
    assert row.track_id == 4
    assert row.sightings == ["0:02.0 – 0:04.0", "2.0 s, 3 frames", "here at 0:03.0"]
    assert row.labels == [("Female 90%", True), ("race unsure", False)]


@pytest.mark.parametrize(
    ("time_s", "text"), [(0, "0:00.0"), (59.96, "1:00.0"), (75.25, "1:15.2"), (3661, "1:01:01.0")]
)
def test_times_are_written_as_on_a_player(time_s: float, text: str) -> None:
    assert sheet_drawing._clock(time_s) == text


def test_what_does_not_fit_is_cut(tmp_path: Path) -> None:
    texts: Sequence[str] = ["short", "W" * 500, ""]
    for text in texts:
        fitted = sheet_drawing._fitted(text, 16, 100)
        assert sheet_drawing.text_width(fitted, 16) <= 100
    labels = {f"attribute {n}": label("a long name of a class " * 5) for n in range(9)}
    info = replace(_INFO, uri="a name " * 100)
    sheet = Sheet(tmp_path / "sheet.png", info)
    with _fed(sheet, info) as sinks:
        for number in range(3):
            sinks.write(frame(number), [track(labels=labels)])
    assert _read(tmp_path / "sheet.png").shape[0] > 9 * 30


def test_a_person_of_several_tracks_is_one_row_with_the_best_face(tmp_path: Path) -> None:
    sheet = _OpenSheet(tmp_path / "sheet.png", _INFO)
    settled = Settlement({1: 1, 2: 2, 3: 1}, {1: {"gender": label("Male")}})
    frames = FrameAssembler(Overlay(), _INFO, face_crops=True, settle=lambda: settled)
    with Sinks([sheet], frames) as sinks:
        for number in range(300):
            grey = np.full((64, 96, 3), 40 + 40 * (number // 100), np.uint8)
            seen = replace(
                track(1 + number // 100, labels=_LABELS), quality=(0.9, 0.4, 0.5)[number // 100]
            )
            sinks.write(Frame(grey, number, number / 25, 0.0), [seen] if number % 100 < 50 else [])
    one, other = sheet.rows
    assert (one.track_id, other.track_id) == (1, 2)
    assert one.labels == [("Male 90%", True)]
    assert one.sightings[:2] == ["0:00.0 – 0:10.0", "4.0 s, 100 frames"]
    assert (one.face == 40).all()
    assert sheet.drawn()[1] == ""
