"""The sink of the page, and the pictures that are drawn of its frames."""

import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from fakes import PATIENCE_S, SIZE_WH, frame, label, number_of, person, track

from stream.controls import Controls, RunReport
from stream.drawing.overlay import Overlay
from stream.frames import SourceInfo
from stream.page.metrics import metrics
from stream.page.page import Page
from stream.page.page_sink import PageSink
from stream.page.painter import Painter
from stream.settings.schema import OverlaySection
from stream.sinks import AnnotatedFrame
from stream.source_history import SourceHistory

_STATED = ("frames", "dropped", "people", "faces", "shown_fps", "source_fps", "watching", "state")

_BARE = OverlaySection(labels=False)


def _annotated(number: int, *, faces: bool = False) -> AnnotatedFrame:
    tracks = [track()] if faces else []
    boxes = np.array([each.box_xyxy for each in tracks], np.float32).reshape(-1, 4)
    return AnnotatedFrame(frame(number), tracks, Overlay(_BARE), boxes)


def _sink(*, is_paced: bool = False, kind: str = "stream") -> PageSink:
    sink = PageSink(Controls(), RunReport(), is_paced=is_paced)
    sink.begin(SourceInfo("numbers", kind, SIZE_WH, 25.0))  # type: ignore[arg-type]
    return sink


def test_a_class_called_unsure_is_not_counted_with_those_that_are_unsure() -> None:
    sink = _sink()
    labels = [label("unsure"), label(None), label(None), label("yes")]
    tracks = [track(number) for number, _ in enumerate(labels)]
    present = [person(number, {"glasses": each}) for number, each in enumerate(labels)]
    sink.write(replace(_annotated(0), tracks=tracks, present=present))
    assert sink.faces.counts() == {"glasses": {"unsure": 1, "": 2, "yes": 1}}
    report = SimpleNamespace(frames=1, dropped=0, people=0, history=SourceHistory())
    served = SimpleNamespace(
        number=0,
        sink=sink,
        member=SimpleNamespace(summary=report),
        broadcast=SimpleNamespace(encoded_bytes={}),
        as_dict=lambda: {**dict.fromkeys(_STATED), "latency_ms": {"p50": None, "p95": None}},
    )
    text = metrics(cast(Page, SimpleNamespace(hub=SimpleNamespace(sources=[served]))))
    said = sorted(line for line in text.splitlines() if line.startswith("face_stream_perceived{"))
    of = 'face_stream_perceived{source="0",attribute="glasses"'
    assert said == [
        f'{of},label="unsure",sure="no"}} 2',
        f'{of},label="unsure",sure="yes"}} 1',
        f'{of},label="yes",sure="yes"}} 1',
    ]


def test_the_newest_frame_is_kept_and_counted() -> None:
    sink = _sink()
    assert sink.newest() is None
    for number in range(3):
        sink.write(_annotated(number))
    newest = sink.newest()
    assert newest is not None
    assert (newest[0], newest[1].frame.index) == (3, 2)


def test_what_is_to_be_blurred_is_blurred_also_where_no_frame_follows() -> None:
    sink = _sink()
    sink.write(_annotated(0b10101010, faces=True))
    plain = sink.newest()
    sink.change(blur=True)
    blurred = sink.newest()
    assert plain is not None and blurred is not None
    painter = Painter(Overlay(_BARE), 1000)
    before, after = painter.draw(plain[1]), painter.draw(blurred[1])
    assert not np.array_equal(before, after)
    face = after[20:40, 30:50].reshape(-1, 3)
    assert (
        len(np.unique(face, axis=0))
        < len(np.unique(before[20:40, 30:50].reshape(-1, 3), axis=0)) + 9
    )
    assert np.array_equal(painter.draw(plain[1]), before)


def test_a_paused_source_waits_and_goes_on() -> None:
    sink = _sink()
    sink.change(paused=True)
    writing = threading.Thread(target=sink.write, args=(_annotated(1),))
    writing.start()
    sink.wait(lambda number: number > 0, PATIENCE_S)
    assert sink.newest() is not None, "the frame is seen while the source waits"
    assert writing.is_alive()
    sink.change(paused=False)
    writing.join(PATIENCE_S)
    assert not writing.is_alive()


@pytest.mark.parametrize("wish", ["quit", "go on"])
def test_a_pause_ends_with_the_run(wish: str) -> None:
    sink = _sink()
    sink.change(paused=True)
    writing = threading.Thread(target=sink.write, args=(_annotated(1),))
    writing.start()
    if wish == "quit":
        sink.wish(Controls(quit_requested=True))
    else:
        sink.change(paused=False)
    writing.join(PATIENCE_S)
    assert not writing.is_alive()


def test_a_file_is_shown_at_its_own_pace_and_a_live_source_as_it_comes() -> None:
    now_s = [100.0]

    def clock() -> float:
        now_s[0] += 0.01
        return now_s[0]

    for kind, most_s in (("video", 0.5), ("stream", 0.15)):
        sink = PageSink(Controls(), RunReport(), is_paced=True, clock=clock)
        sink.begin(SourceInfo("numbers", kind, SIZE_WH, 25.0))  # type: ignore[arg-type]
        begun_s = now_s[0]
        for number in range(5):  # 0.16 s of media time; waits end early, for the clock is a count
            sink.write(_annotated(number))
        passed_s = now_s[0] - begun_s
        assert (0.16 <= passed_s <= most_s) if kind == "video" else passed_s <= most_s


def test_it_says_why_the_source_ended_and_keeps_the_last_picture() -> None:
    sink = _sink()
    sink.write(_annotated(7, faces=True))
    assert sink.faces.count == 1
    sink.close(complete=True)
    sink.end("the camera is gone")
    assert (sink.ended, sink.faces.count) == ("the camera is gone", 0)
    newest = sink.newest()
    assert newest is not None
    assert number_of(newest[1].frame.image) == 7


def test_events_of_people_are_told() -> None:
    told: list[str] = []
    sink = PageSink(
        Controls(), RunReport(), is_paced=False, on_event=lambda event: told.append(event["event"])
    )
    sink.begin(SourceInfo("numbers", "stream", SIZE_WH, 25.0))
    sink.write(_annotated(0, faces=True))
    assert told == ["appeared"]


def test_pictures_are_shrunk_to_the_width_of_the_page_with_their_marks() -> None:
    annotated = _annotated(3, faces=True)
    small = Painter(Overlay(), 48).draw(annotated)
    assert small.shape == (32, 48, 3)
    assert Painter(Overlay(), 1000).draw(annotated).shape == (64, 96, 3)
    assert not np.array_equal(small, Painter(Overlay(_BARE), 48).draw(annotated))
