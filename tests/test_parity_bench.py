"""The benchmark of parity: its counts and shares, its report, and one small run of it all."""

import json
from io import StringIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console

from models.faces import Image
from stream.benchmarks.parity import (
    BoxParity,
    ParityReport,
    StepTiming,
    compare_boxes,
    enlarged,
    measure_parity,
    render,
)
from stream.errors import SourceError

_BOXES = np.array([[0, 0, 100, 100], [200, 0, 300, 100]], dtype=np.float32)


def _shifted(*pixels: float) -> np.ndarray:  # type: ignore[type-arg]
    return (_BOXES[: len(pixels)] + np.array(pixels)[:, None]).astype(np.float32)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (_shifted(0, 0), BoxParity(2, 2, 2, 2)),
        (_shifted(2, -2), BoxParity(2, 2, 2, 2)),
        (_shifted(2.5, 0), BoxParity(2, 2, 2, 1)),
        (_shifted(60, 0), BoxParity(2, 2, 1, 1)),
        (_shifted(0), BoxParity(2, 1, 1, 1)),
        (_shifted(0, 0)[::-1], BoxParity(2, 2, 2, 2)),
        (np.repeat(_shifted(0), 3, axis=0), BoxParity(2, 3, 1, 1)),
        (_BOXES[:0], BoxParity(2, 0, 0, 0)),
    ],
)
def test_faces_are_paired_one_to_one(
    reference: np.ndarray,  # type: ignore[type-arg]
    expected: BoxParity,
) -> None:
    assert compare_boxes(_BOXES, reference) == expected


def test_shares() -> None:
    total = BoxParity(8, 10, 8, 6) + BoxParity(2, 0, 0, 0)
    assert total == BoxParity(10, 10, 8, 6)
    assert (total.matched_share, total.close_share) == (0.8, 0.75)
    assert (BoxParity().matched_share, BoxParity().close_share) == (1, 1)
    assert BoxParity(5, 0, 0, 0).matched_share == 0


def test_each_picture_at_both_sizes(astronaut: Image) -> None:
    shapes = [image.shape for image in enlarged([astronaut, astronaut[:100, :70]])]
    assert shapes == [(512, 512, 3), (1024, 1024, 3), (100, 70, 3), (200, 140, 3)]


def test_a_report_for_people_and_machines() -> None:
    timings = (StepTiming("embed 1 face", 5.0, 100.0),)
    report = ParityReport(3, 2, timings, BoxParity(99, 100, 98, 49), 99, 3e-7)
    Console(width=100, file=(written := StringIO())).print(render(report))
    table = written.getvalue()
    for figure in ("20.0× as fast", "98.0%", "50.0%", "3.0e-07", "3 picture(s)"):
        assert figure in table
    figures = json.loads(json.dumps(report.as_dict()))
    assert figures["timings"][0]["speedup"] == 20
    assert (figures["boxes"]["matched_share"], figures["boxes"]["close_share"]) == (0.98, 0.5)


def test_a_run_on_a_small_portrait(tmp_path: Path, astronaut: Image) -> None:
    picture = tmp_path / "portrait.png"
    head = cv2.resize(astronaut[:240, 100:340], None, fx=0.5, fy=0.5)
    assert cv2.imwrite(str(picture), head)
    report = measure_parity([picture], repeats=1)
    assert (report.pictures, report.cores >= 1) == (1, True)
    assert [each.step for each in report.timings][::2] == ["embed 1 face", "detect in 120×120"]
    assert all(each.engine_ms > 0 and each.reference_ms > 0 for each in report.timings)
    # Its face has 48 px: too few at 1×, enough at 2×.
    assert report.boxes == BoxParity(1, 1, 1, 1)
    assert report.embedded_faces == 1
    assert report.embedding_difference < 1e-4


def test_pictures_that_cannot_be_measured(tmp_path: Path) -> None:
    missing, blank = tmp_path / "missing.png", tmp_path / "blank.png"
    assert cv2.imwrite(str(blank), np.zeros((60, 60, 3), dtype=np.uint8))
    with pytest.raises(SourceError, match=r"missing\.png cannot be read as a picture"):
        measure_parity([blank, missing])
    with pytest.raises(SourceError, match="none of the pictures holds a face"):
        measure_parity([blank])
