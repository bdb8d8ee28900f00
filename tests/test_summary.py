"""What a run came to, counted and said."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import SIZE_WH, fan_out, frame, label, track

from stream.controls import RunReport
from stream.drawing.overlay import Overlay
from stream.frames import Frame, SourceInfo
from stream.summary import Summary
from stream.tracks import Label, Track

_INFO = SourceInfo("numbers", "video", SIZE_WH, 25.0)
_LABELS = {"gender": label(), "race": label(None, 0.4)}


def _summary(frames: Sequence[Sequence[Track]], report: RunReport | None = None) -> Summary:
    """Of a run through these frames."""
    summary = Summary(report or RunReport())
    with fan_out([], Overlay(), _INFO, summary=summary) as sinks:
        summary.start()
        for number, tracks in enumerate(frames):
            sinks.write(frame(number), tracks)
    summary.finish()
    return summary


def _run(report: RunReport | None = None) -> Summary:
    """Three frames: two people, one of whom is not found in the last, and one seen only once."""
    ann, bob = track(1, labels=_LABELS), track(2, labels=_LABELS)
    last = [ann, replace(bob, missed_frames=1)]
    return _summary([[ann, bob], [ann, bob, track(3)], last], report)


def test_faces_are_those_seen_and_people_are_counted_once() -> None:
    summary = _run(RunReport(dropped=4))
    assert (summary.frames, summary.faces, summary.people) == (3, 6, 3)
    assert summary.dropped == 4
    assert summary.perceived == {"Female, race unsure": 2, "too small to say": 1}
    assert repr(summary) == "Summary(3 frames, 3 people)"


def test_a_person_is_counted_when_the_track_has_ended() -> None:
    summary, counts = Summary(RunReport()), []
    with fan_out([], Overlay(), replace(_INFO, fps=1.0), summary=summary) as sinks:
        summary.start()
        for number in range(8):  # five seconds of one frame each are waited for a face to return
            sinks.write(frame(number), [track(1)] if number == 0 else [])
            counts.append(summary.people)
    assert counts == [0, 0, 0, 0, 0, 0, 1, 1]
    assert summary.people == 1


def test_the_rate_is_of_the_time_it_took() -> None:
    summary = _run()
    assert summary.elapsed_s > 0
    assert summary.fps * summary.elapsed_s == pytest.approx(3)


@pytest.mark.parametrize(
    ("report", "rest"),
    [
        (RunReport(), ""),
        (RunReport(dropped=4), ", 4 dropped"),
        (RunReport(skipped=Counter({".cr2": 2})), ", 2 .cr2 left out"),
        (RunReport(outputs=[Path("a.mp4"), Path("b.csv")]), " → a.mp4, b.csv"),
    ],
)
def test_all_in_one_line(report: RunReport, rest: str) -> None:
    summary = _run(report)
    people = "3 people: 2 female, 1 too small to say"
    assert summary.line() == f"{people} · 3 frames in {summary.elapsed_s:.1f} s{rest}"


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"gender": label(), "race": label("White")}, "female"),
        ({"gender": label(None, 0.6), "race": label("White")}, "unsure"),
        ({"race": label("East Asian")}, "East Asian"),
        ({"race": label("Latino_Hispanic")}, "Latino Hispanic"),
        ({"age": label("20-29")}, "age 20–29"),
        ({}, "too small to say"),
    ],
)
def test_people_are_counted_by_their_first_label(labels: dict[str, Label], said: str) -> None:
    assert _summary([[track(1, labels=labels)]]).line().startswith(f"1 person: 1 {said} · 1 frame ")


def test_who_may_be_anything_is_named_last() -> None:
    courses = [label("Male"), label("Male"), label("Female"), label(None), None, label(None)]
    tracks = [track(n, labels={"gender": each} if each else {}) for n, each in enumerate(courses)]
    said = "6 people: 1 female, 2 male, 2 unsure, 1 too small to say · "
    assert _summary([tracks]).line().startswith(said)


def test_pictures_are_pictures() -> None:
    info = SourceInfo("photos", "pictures", SIZE_WH)
    for count, said in ((1, "1 picture in "), (2, "2 pictures in ")):
        summary = Summary(RunReport())
        with fan_out([], Overlay(), info, summary=summary) as sinks:
            summary.start()
            for number in range(count):
                picture = frame(number).image
                sinks.write(Frame(picture, number, 0.0, 0.0, Path(f"{number}.png")), [])
        summary.finish()
        assert summary.line().startswith(f"0 people · {said}")


@pytest.mark.parametrize(
    ("report", "advice"),
    [
        (RunReport(), ""),
        (RunReport(smallest_face_px=5), "no face of 5 px and more was found"),
        (
            RunReport(smallest_face_px=40, finer_search="--set detection.upsample=2"),
            "no face of 40 px and more was found: --set detection.upsample=2 finds narrower ones",
        ),
    ],
)
def test_where_no_face_was_found_it_says_what_finds_more(report: RunReport, advice: str) -> None:
    assert _summary([[]], report).advice == advice
    assert _summary([[track()]], report).advice == ""


def test_one_is_not_said_in_the_plural() -> None:
    summary = _summary([[track()]])
    assert summary.line().startswith("1 person: 1 too small to say · 1 frame in ")


def test_the_same_for_machines() -> None:
    failures, outputs = ["the disk is full"], [Path("a.mp4")]
    skipped = Counter({".jpg": 1, ".heic": 2})
    summary = _run(RunReport(dropped=2, skipped=skipped, failures=failures, outputs=outputs))
    summary.interrupted = True
    said = summary.as_dict()
    assert said.pop("elapsed_s") == round(summary.elapsed_s, 3)
    assert said.pop("fps") == round(summary.fps, 2)
    assert said == {
        "frames": 3,
        "dropped": 2,
        "skipped": {".heic": 2, ".jpg": 1},
        "reconnects": 0,
        "gaps_s": 0.0,
        "gaps": [],
        "damaged_packets": 0,
        "faces": 6,
        "people": 3,
        "perceived": {"Female, race unsure": 2, "too small to say": 1},
        "outputs": ["a.mp4"],
        "segments": {"complete": 0, "deleted": 0, "deleted_bytes": 0},
        "deliveries": {},
        "failures": ["the disk is full"],
        "further_failures": 0,
        "interrupted": True,
    }


def test_what_goes_wrong_later_is_in_it_too() -> None:
    report = RunReport()
    summary = _run(report)
    report.failures.append("the disk is full")
    report.outputs.append(Path("a.mp4"))
    assert (summary.failures, summary.outputs) == (["the disk is full"], [Path("a.mp4")])


def test_why_a_run_ends_early_is_said_at_once(caplog: pytest.LogCaptureFixture) -> None:
    summary = _run()
    summary.fail("the tape is torn")
    assert summary.failures == ["the tape is torn"]
    assert caplog.messages == ["the tape is torn"]
    caplog.clear()


def test_a_run_without_a_frame_took_no_time() -> None:
    summary = _summary([])
    assert (summary.elapsed_s, summary.fps, summary.people) == (0, 0, 0)
    assert summary.line() == "0 people · 0 frames in 0.0 s"
