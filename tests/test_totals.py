"""What several sources came to, in one line and in one document."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import frame, label, person, track
from test_window import Clock

from stream.controls import RunReport
from stream.drawing.overlay import Overlay
from stream.several.listing import NamedSource
from stream.several.totals import Totals, of_source, without_name
from stream.sinks import AnnotatedFrame
from stream.summary import Summary


def _summary(frames: int, failure: str = "", people: int = 1) -> Summary:
    report = RunReport(dropped=2, skipped=Counter({".nef": 1}), outputs=[Path("out.mp4")])
    summary = Summary(report)
    summary.start()
    for number in range(frames):
        summary.write(AnnotatedFrame(frame(number), [track()], Overlay()))
    summary.close([person(each, {"gender": label()}) for each in range(people)], complete=True)
    summary.finish()
    if failure:
        report.failures.append(failure)
    return summary


@pytest.fixture
def totals() -> Totals:
    """Two of three sources are done, one of which failed on the way."""
    clock = Clock()
    totals = Totals(3, clock)
    totals.add_source(NamedSource("a.mp4", "file"), _summary(5))
    totals.add_source(NamedSource("b.mp4", "file"), _summary(3, "the tape is torn", people=2))
    clock.now_s += 4.0
    totals.finish()
    clock.now_s += 9.0
    return totals


def test_the_sum_in_one_line(totals: Totals) -> None:
    assert totals.line().startswith("2 of 3 sources, 1 failed: ")
    for words in ("8 frames in 4.0 s", "3 people: 3 female", "2 .nef"):
        assert words in totals.line()
    assert "out.mp4" not in totals.line()  # the line of each source has its own


def test_a_failure_says_of_which_source_it_is(totals: Totals) -> None:
    assert totals.failures == ["b.mp4: the tape is torn"]
    totals.add_source(NamedSource("c.mp4", "file"), _summary(0, "c.mp4 is not a video"))
    assert totals.failures[1:] == ["c.mp4 is not a video"]
    assert totals.line().startswith("3 sources, 2 failed: ")


def test_the_sum_in_one_document(totals: Totals) -> None:
    document = totals.as_dict()
    first, second = document.pop("sources")
    assert (first.pop("source"), second.pop("source")) == ("a.mp4", "b.mp4")
    assert first.keys() == second.keys() == document.keys()
    for key in ("frames", "faces", "people", "dropped"):
        assert document[key] == first[key] + second[key]
    assert document["skipped"] == {".nef": 2}
    assert document["perceived"] == {"Female": 3}
    assert document["outputs"] == [*first["outputs"], *second["outputs"]]
    assert document["elapsed_s"] == 4.0
    assert document["fps"] == 2.0


def test_outputs_are_those_of_all_sources_and_the_pictures_of_all(totals: Totals) -> None:
    totals.saved.append(Path("snapshot.png"))
    outputs = [Path("out.mp4"), Path("out.mp4"), Path("snapshot.png")]
    assert totals.outputs == outputs
    assert totals.as_dict()["outputs"] == list(map(str, outputs))
    assert totals.line().endswith("→ snapshot.png")


def test_gaps_and_segments_are_added_up(totals: Totals) -> None:
    for reason, complete in (("has fallen silent", 2), ("was unplugged", 3)):
        report = RunReport()
        report.history.note_waiting(reason)
        report.history.note_back()
        report.history.damaged_packets = 4
        report.segments.note_complete(0)
        report.segments.complete = complete
        totals.add_source(NamedSource("0", "live"), Summary(report))
    document = totals.as_dict()
    assert [gap["reason"] for gap in document["gaps"]] == ["has fallen silent", "was unplugged"]
    assert (document["reconnects"], document["damaged_packets"]) == (2, 8)
    assert document["segments"]["complete"] == 5
    assert "2 gaps of 0.0 s" in totals.line()


def test_what_goes_on_is_in_the_sum_so_far_too(totals: Totals) -> None:
    totals.failures.append("window: the screen is gone")
    going = _summary(7)
    going.report.further_failures = 3
    document = totals.so_far([(NamedSource("c.mp4", "file"), going)])
    assert document["frames"] == 15
    assert [each["source"] for each in document["sources"]] == ["a.mp4", "b.mp4", "c.mp4"]
    assert sorted(document["failures"]) == ["b.mp4: the tape is torn", "window: the screen is gone"]
    assert document["further_failures"] == 3
    assert totals.frames == 8  # of those that are done


def test_pictures_and_videos_together_are_frames() -> None:
    words = []
    for paths in ([Path("a.jpg"), Path("b.jpg")], [Path("a.jpg"), None]):
        totals = Totals(2)
        for path in paths:
            one = Summary(RunReport())
            one.write(AnnotatedFrame(replace(frame(0), path=path), [], Overlay()))
            totals.add_source(NamedSource("x", "file"), one)
        words.append("2 pictures" in totals.line())
    assert words == [True, False]


def test_one_that_was_interrupted_makes_all_interrupted(totals: Totals) -> None:
    assert not totals.interrupted
    stopped = _summary(1)
    stopped.interrupted = True
    totals.add_source(NamedSource("c.mp4", "file"), stopped)
    assert totals.interrupted


@pytest.mark.parametrize(
    ("name", "reason", "with_name", "bare"),
    [
        ("0", "no frame within 10 s", "0: no frame within 10 s", "no frame within 10 s"),
        ("0", "camera 0 is gone", "camera 0 is gone", "camera 0 is gone"),
        ("c", "cannot be opened", "c: cannot be opened", "cannot be opened"),
        ("rtsp://a/1", "rtsp://a/1: it is lost", "rtsp://a/1: it is lost", "it is lost"),
        ("a.mp4", "a.mp4 is not there", "a.mp4 is not there", "is not there"),
    ],
)
def test_a_reason_names_its_source_once(name: str, reason: str, with_name: str, bare: str) -> None:
    source = NamedSource(name, "file")
    assert of_source(source, reason) == with_name
    assert without_name(source, reason) == bare
