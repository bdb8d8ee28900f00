"""The benchmark of detection: its judgement on boxes made up by hand, and beside another's."""

import csv
import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from models.faces import Image
from stream.benchmarks.faces.benchmark import FacesReport, measure_faces
from stream.benchmarks.faces.judgement import FaceJudgement, Tally, judge
from stream.benchmarks.faces.tables import render
from stream.benchmarks.faces.truth import UNNAMED_SET, TrueBox, TruePicture, read_truth
from stream.cli.app import app
from stream.errors import SourceError
from stream.settings import Config
from stream.settings.schema import DetectionSection

_WIDE = TrueBox((0, 0, 100, 100))
_SMALL = TrueBox((200, 0, 230, 30))
_HIDDEN = TrueBox((300, 0, 400, 100), ignored=True)
_PICTURE = TruePicture("a.jpg", (_WIDE, _SMALL, _HIDDEN))

_COLUMNS = "file,left,top,right,bottom,ignore,set,blur,illumination,occlusion,pose"

_QUICK_PICTURES = 8
"""Labelled pictures that the comparison with the other judgement takes, of each set."""


def _recall(judgement: FaceJudgement, set_name: str = UNNAMED_SET) -> dict[str, tuple[int, int]]:
    groups = judgement.recall[set_name]
    return {group: (each.count, each.total) for group, each in groups.items()}


def test_every_face_found_exactly() -> None:
    found = judge(_PICTURE, [face.box_xyxy for face in _PICTURE.faces])
    assert (found.pictures, found.faces) == (1, 2)
    assert _recall(found) == {"20-40": (1, 1), "80+": (1, 1), "40+": (1, 1)}
    assert found.precision == Tally(2, 2)  # the ignored one is right, too
    assert found.fit == 1
    assert (found.faceless, found.faceless_wrong) == (0, 0)


def test_nothing_found() -> None:
    found = judge(_PICTURE, [])
    assert _recall(found) == {"20-40": (0, 1), "80+": (0, 1), "40+": (0, 1)}
    assert (found.precision, found.precision.share, found.fit) == (Tally(), 0, 0)


@pytest.mark.parametrize(
    ("box", "is_found", "precision"),
    [
        ((0, 0, 100, 35), True, Tally(1, 1)),  # overlaps by .35
        ((0, 0, 100, 34), False, Tally(0, 1)),
        ((0, 0, 39, 100), True, Tally(0, 0)),  # under 40 px: neither right nor wrong
        ((300, 0, 400, 100), False, Tally(1, 1)),
        ((500, 0, 540, 40), False, Tally(0, 1)),
        ((500, 0, 539, 40), False, Tally(0, 0)),
    ],
)
def test_one_box(box: tuple[float, ...], is_found: bool, precision: Tally) -> None:
    found = judge(_PICTURE, [box])
    assert _recall(found)["80+"] == (int(is_found), 1)
    assert found.precision == precision


def test_a_second_box_of_a_face_is_neither_right_nor_wrong() -> None:
    found = judge(TruePicture("a.jpg", (_WIDE,)), [(0, 0, 100, 90), (0, 0, 100, 80)])
    assert found.precision == Tally(1, 1)
    assert found.fit == pytest.approx(0.9)  # the better one is taken


def test_the_pair_that_overlaps_most_comes_first() -> None:
    """One box between two faces, and one on the first of them: both faces are found."""
    faces = TrueBox((0, 0, 100, 100)), TrueBox((30, 0, 130, 100))
    found = judge(TruePicture("a.jpg", faces), [(20, 0, 120, 100), (0, 0, 100, 100)])
    assert _recall(found)["80+"] == (2, 2)
    assert found.overlaps == pytest.approx((1, 90 / 110))


def test_a_picture_without_a_face() -> None:
    found = judge(TruePicture("a.jpg"), [(0, 0, 12, 12), (0, 0, 60, 60)])
    assert (found.pictures, found.faces, found.faceless, found.faceless_wrong) == (1, 0, 1, 2)
    assert found.precision == Tally(0, 1)


def test_conditions_count_from_20_px_and_sets_apart() -> None:
    hard = frozenset({"occluded", "light"})
    faces = (
        TrueBox((0, 0, 20, 20), set_name="b", conditions=hard),
        TrueBox((50, 0, 69, 19), set_name="b", conditions=hard),
        TrueBox((100, 0, 109, 9), set_name="a"),
        TrueBox((150, 0, 160, 9), set_name="a"),
    )
    found = judge(TruePicture("a.jpg", faces), [faces[0].box_xyxy])
    assert list(found.recall) == ["a", "b"]
    assert _recall(found, "a") == {"10-20": (0, 1)}
    assert _recall(found, "b") == {
        "10-20": (0, 1),
        "20-40": (1, 1),
        "occluded": (1, 1),
        "light": (1, 1),
    }


def test_judgements_add_up() -> None:
    one, other = judge(_PICTURE, [(0, 0, 100, 50)]), judge(_PICTURE, [(0, 0, 100, 100)])
    total = one + other + judge(TruePicture("b.jpg"), [])
    assert (total.pictures, total.faces, total.faceless) == (3, 4, 1)
    assert _recall(total) == {"20-40": (0, 2), "80+": (2, 2), "40+": (2, 2)}
    assert (total.precision, total.fit) == (Tally(2, 2), pytest.approx(0.75))


def test_labels_are_read(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    rows = ("b/1.jpg,1,2,11.5,12,0,mask,,0,2,1", "a.jpg,,,,,,,,,,", "b/1.jpg,0,0,9,9,1,,1,1,0,0")
    path.write_text("\ufeff" + "\n".join((_COLUMNS, *rows)) + "\n", encoding="utf-8")
    first, second = read_truth(path)
    assert first == TruePicture("a.jpg")
    assert second.name == "b/1.jpg"
    assert second.faces == (
        TrueBox((1, 2, 11.5, 12), False, "mask", frozenset({"occluded", "turned"})),
        TrueBox((0, 0, 9, 9), True, UNNAMED_SET, frozenset({"light"})),
    )


def test_labels_with_boxes_only(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("bottom,right,top,left,file\n4,3,2,1,a.jpg\n")
    assert read_truth(tmp_path / "truth.csv") == [
        TruePicture("a.jpg", (TrueBox((1, 2, 3, 4)),)),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"truth\.csv has no column bottom, file, left, right, top"),
        ("file,left,top\n", r"has no column bottom, right"),
        ("file,left,top,right,bottom\n", "names no picture"),
        ("file,left,top,right,bottom\n,1,1,2,2\n", "line 2: `file` is empty"),
        ("file,left,top,right,bottom\na.jpg,1,1,2\n", "line 2: 1, 1, 2, None is no box"),
        ("file,left,top,right,bottom\na.jpg,1,1,x,2\n", "line 2: 1, 1, x, 2 is no box"),
        ("file,left,top,right,bottom\na.jpg,5,1,2,2\n", "line 2: 5, 1, 2, 2 is no box"),
        ("file,left,top,right,bottom\na.jpg,1,1,inf,2\n", "line 2: 1, 1, inf, 2 is no box"),
        ("file,left,top,right,bottom\na.jpg,1,1,2,2\na.jpg,,,,\n", "with a box and one without"),
    ],
)
def test_labels_that_are_none(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text(text)
    with pytest.raises(SourceError, match=message):
        read_truth(tmp_path / "truth.csv")


def test_labels_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceError, match="it is no table of text"):
        read_truth(tmp_path / "truth.csv")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("fifo", "it is a pipe or a device"), (".", "Is a directory"), ("missing", "No such file")],
)
def test_labels_in_what_is_no_file(name: str, reason: str, tmp_path: Path) -> None:
    """A pipe that nobody writes into is not waited for."""
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(SourceError, match=f"cannot be read: {reason}"):
        read_truth(tmp_path / name)


def test_a_report_for_people_and_machines() -> None:
    judgement = judge(_PICTURE, [(0, 0, 100, 50), (500, 0, 600, 100)])
    missing = tuple(f"\x1b{number}.jpg" for number in range(7))
    report = FacesReport(judgement, missing, DetectionSection(detector="hog"))
    Console(width=100, markup=False, file=(written := StringIO())).print(render(report))
    table = written.getvalue()
    for figure in ("2 labelled faces in 1 pictures, `hog`", "80+ px", "0.500", "and 2 more."):
        assert figure in table
    assert "\x1b" not in table
    figures = json.loads(json.dumps(report.as_dict()))
    assert figures["recall"][UNNAMED_SET]["80+"] == {"found": 1, "labelled": 1, "recall": 1}
    assert figures["precision"] == {"right": 1, "wrong": 1, "precision": 0.5}
    assert (figures["fit"], figures["faceless"]) == (0.5, {"pictures": 0, "wrong": 0})
    assert figures["missing"] == list(missing)
    assert figures["detection"]["detector"] == "hog"


def test_only_labelled_pictures_are_judged(astronaut: Image, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    (folder / "below").mkdir(parents=True)
    grey = np.full((80, 80, 3), 128, np.uint8)
    for name, image in (("below/a.png", astronaut), ("b.png", grey), ("other.png", astronaut)):
        assert cv2.imwrite(str(folder / name), image)
    (folder / "broken.png").write_bytes(b"not a picture")
    truth = tmp_path / "truth.csv"
    rows = ("below/a.png,175,70,271,166", "b.png,,,,", "missing.png,1,1,50,50", "broken.png,,,,")
    truth.write_text("\n".join(("file,left,top,right,bottom", *rows)) + "\n")
    result = CliRunner().invoke(app, ["bench", "--json", "--faces", str(folder), str(truth)])
    assert result.exit_code == 0
    figures = json.loads(result.stdout)
    assert (figures["pictures"], figures["faces"]) == (2, 1)
    assert figures["recall"][UNNAMED_SET]["80+"]["recall"] == 1
    assert figures["precision"] == {"right": 1, "wrong": 0, "precision": 1}
    assert figures["faceless"] == {"pictures": 1, "wrong": 0}
    assert figures["missing"] == ["broken.png", "missing.png"]


def test_labels_of_no_picture_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("file,left,top,right,bottom\na.jpg,,,,\n")
    with pytest.raises(SourceError, match="no pictures there"):
        measure_faces(tmp_path, tmp_path / "truth.csv", Config())


def test_the_same_figures_as_the_other_judgement(shared_data: Path, tmp_path: Path) -> None:
    """On the log of a run over the same pictures."""
    pictures, truth = tmp_path / "pictures", tmp_path / "truth.csv"
    pictures.mkdir()
    with (shared_data / "faces" / "truth.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    chosen = {
        name
        for set_name in ("wider", "mask")
        for name in sorted({row["file"] for row in rows if row["set"] == set_name})[
            :: 50 // _QUICK_PICTURES
        ][:_QUICK_PICTURES]
    }
    for name in chosen:
        (pictures / name).symlink_to(shared_data / "faces" / "pictures" / name)
    with truth.open("w", newline="") as lines:
        table = csv.DictWriter(lines, rows[0])
        table.writeheader()
        table.writerows(row for row in rows if row["file"] in chosen)
    log = tmp_path / "found.jsonl"
    arguments = ["run", str(pictures), "--log", str(log), "--no-show", "--quiet"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    tool = shared_data.parent / "tools" / "faces_found.py"
    done = subprocess.run(
        [sys.executable, tool, log, truth], capture_output=True, text=True, timeout=60, check=True
    )
    assert _as_the_tool_prints(measure_faces(pictures, truth, Config()).as_dict()) == done.stdout


def _as_the_tool_prints(figures: dict[str, Any]) -> str:
    """The figures in the words of the other judgement, to the digit."""
    printed = {"precision40+": "{precision:.3f}({wrong} wrong)".format(**figures["precision"])}
    printed["fit40+"] = f"{figures['fit']:.3f}"
    for set_name, groups in figures["recall"].items():
        for group, each in groups.items():
            name = group if set_name == "wider" else set_name + group
            if set_name == "wider" or group == "40+":
                printed[name] = f"{each['recall']:.3f}({each['labelled']})"
    words = (f"{name} {printed[name]}" for name in sorted(printed))
    return f"{figures['pictures']} pictures: {' '.join(words)}\n"
