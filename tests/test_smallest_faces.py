"""How small faces may be, and what is said where that is not as small as asked for."""

import pytest
from fakes import FakeActors

from models.engine import DetectionSettings, Engine
from stream.controls import RunReport
from stream.following.smallest_faces import finer_search, note_smallest


@pytest.mark.parametrize(
    ("settings", "factor", "option"),
    [
        (DetectionSettings(), 2, "upsample=2"),
        (DetectionSettings(upsample=2), 1.5, "upsample=3"),
        (DetectionSettings(upsample=2), 8, "upsample=4"),
        (DetectionSettings(downscale=1), 2, "upsample=2"),
        (DetectionSettings(downscale=16), 8, "downscale=2"),
        (DetectionSettings(downscale=16, upsample=4), 4, "downscale=4"),
        (DetectionSettings(downscale=1.5), 4, "downscale=1"),
    ],
)
def test_the_option_that_makes_a_search_finer_is_one_that_may_be_set(
    settings: DetectionSettings, factor: float, option: str
) -> None:
    assert finer_search(settings, factor) == f"--set detection.{option}"


@pytest.mark.parametrize("downscale", ["auto", 1])
def test_nothing_is_finer_than_the_largest_picture(downscale: float) -> None:
    assert finer_search(DetectionSettings(downscale=downscale, upsample=4), 2) == ""


def _engine(**settings: float) -> Engine:
    """One whose detector finds faces of 20 px and more at scale 1."""
    actors = FakeActors(lambda number: {})
    return Engine(actors, actors, actors, DetectionSettings(**settings))  # type: ignore[arg-type]


def test_that_a_search_is_too_coarse_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    report, engine = RunReport(), _engine(downscale=16, min_face_px=40)
    for size_wh in ((640, 480), (640, 480), (1280, 720)):
        note_smallest(engine, size_wh, report)
    assert report.smallest_face_px == 320
    assert report.finer_search == "--set detection.downscale=8"
    assert caplog.messages == [
        "640×480 is searched for faces of 320 px and more, not of detection.min_face_px = 40: "
        "--set detection.downscale=2 searches finer, and longer"
    ]


def test_a_search_as_fine_as_asked_for_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    report = RunReport()
    note_smallest(_engine(downscale=2, min_face_px=38), (640, 480), report)
    assert (report.smallest_face_px, caplog.messages) == (40, [])


def test_the_finest_search_names_no_setting(caplog: pytest.LogCaptureFixture) -> None:
    note_smallest(_engine(upsample=4, downscale=1, min_face_px=4), (640, 480), RunReport())
    assert caplog.messages == [
        "640×480 is searched for faces of 5 px and more, not of detection.min_face_px = 4"
    ]
