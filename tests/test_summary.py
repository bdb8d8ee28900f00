"""What a run came to, counted and said."""

from dataclasses import replace
from pathlib import Path

import pytest
from fakes import SIZE_WH, frame, label, track

from stream.frames import SourceInfo
from stream.summary import Summary

_LABELS = {"gender": label(), "race": label(None, 0.4)}


def _run(dropped: int = 0) -> Summary:
    """Three frames: two people, one of whom is only guessed at in the last, and a glimpse."""
    summary = Summary(SourceInfo("numbers", "video", SIZE_WH, 25.0))
    summary.start([], [])
    ann, bob = track(1, labels=_LABELS), track(2, labels=_LABELS)
    for number, tracks in enumerate([[ann, bob], [ann, bob, track(3)], [ann]]):
        lost = [replace(bob, missed_frames=1)] if number == 2 else []
        summary.add(frame(number), [*tracks, *lost])
    summary.finish(dropped)
    return summary


def test_faces_are_those_seen_and_people_are_counted_once() -> None:
    summary = _run(dropped=4)
    assert (summary.frames, summary.faces, summary.people) == (3, 6, 3)
    assert summary.dropped == 4
    assert summary.perceived == {"Female, race unsure": 2, "too small to say": 1}
    assert repr(summary) == "Summary(3 frames, 3 people)"


def test_who_is_gone_is_counted_while_it_runs() -> None:
    summary = Summary(SourceInfo("numbers", "video", SIZE_WH, 1.0))
    summary.start([], [])
    counts = []
    for number in range(8):  # five seconds of one frame each are waited for who may come back
        summary.add(frame(number), [track(1)] if number == 0 else [])
        counts.append(summary.people)
    assert counts == [0, 0, 0, 0, 0, 0, 1, 1]
    summary.finish(0)
    assert summary.people == 1


def test_the_rate_is_of_the_time_it_took() -> None:
    summary = _run()
    assert summary.elapsed_s > 0
    assert summary.fps * summary.elapsed_s == pytest.approx(3)


@pytest.mark.parametrize(
    ("dropped", "outputs", "rest"),
    [
        (0, [], "3 people"),
        (4, [], "and 4 dropped, 3 people"),
        (0, [Path("a.mp4"), Path("b.csv")], "3 people → a.mp4, b.csv"),
    ],
)
def test_all_in_one_line(dropped: int, outputs: list[Path], rest: str) -> None:
    summary = _run(dropped)
    summary.outputs = outputs
    took = f"3 frames in {summary.elapsed_s:.1f} s ({summary.fps:.1f} a second)"
    assert summary.line() == f"{took} {rest}"


def test_one_is_not_said_in_the_plural() -> None:
    summary = Summary(SourceInfo("numbers", "video", SIZE_WH, 25.0))
    summary.start([], [])
    summary.add(frame(0), [track()])
    summary.finish(0)
    assert summary.line().startswith("1 frame in ")
    assert summary.line().endswith(" 1 person")


def test_the_same_for_machines() -> None:
    summary, failures, outputs = _run(2), ["the disk is full"], [Path("a.mp4")]
    summary.failures, summary.outputs, summary.interrupted = failures, outputs, True
    said = summary.as_dict()
    assert said.pop("elapsed_s") == round(summary.elapsed_s, 3)
    assert said.pop("fps") == round(summary.fps, 2)
    assert said == {
        "frames": 3,
        "dropped": 2,
        "faces": 6,
        "people": 3,
        "perceived": {"Female, race unsure": 2, "too small to say": 1},
        "outputs": ["a.mp4"],
        "failures": ["the disk is full"],
        "interrupted": True,
    }


def test_what_goes_wrong_later_is_in_it_too() -> None:
    summary, failures, outputs = _run(), list[str](), list[Path]()
    summary.start(failures, outputs)
    failures.append("the disk is full")
    outputs.append(Path("a.mp4"))
    assert (summary.failures, summary.outputs) == (["the disk is full"], [Path("a.mp4")])


def test_why_a_run_ends_early_is_said_at_once(caplog: pytest.LogCaptureFixture) -> None:
    summary = _run()
    summary.fail("the tape is torn")
    assert summary.failures == ["the tape is torn"]
    assert caplog.messages == ["the tape is torn"]
    caplog.clear()


def test_a_run_without_a_frame_took_no_time() -> None:
    summary = Summary(SourceInfo("numbers", "video", SIZE_WH, 25.0))
    summary.start([], [])
    summary.finish(0)
    assert (summary.elapsed_s, summary.fps, summary.people) == (0, 0, 0)
    assert summary.line() == "0 frames in 0.0 s (0.0 a second) 0 people"
