"""The pictures of a source that are handed to all who watch it."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import av
import cv2
import numpy as np
import pytest
from fakes import PATIENCE_S, SIZE_WH, frame, number_of, numbered
from starlette.websockets import WebSocket

from models.faces import Image
from stream.controls import Controls, RunReport
from stream.drawing.overlay import Overlay
from stream.errors import SourceError
from stream.frames import Frame, SourceInfo
from stream.page.broadcast import Broadcast
from stream.page.page import Page
from stream.page.page_sink import PageSink
from stream.page.painter import Painted, Painter
from stream.page.rendition import KEY_STEP_S, Rendition
from stream.page.routes_sources import SourceRoutes
from stream.page.viewers import MOST_PX, Encoded, Form, Viewer
from stream.settings.schema import OverlaySection
from stream.sinks import AnnotatedFrame

_BARE = OverlaySection(labels=False)
_FPS = 60.0
_SPIN_S = 0.5  # for which a thread is looked at that has nothing to do


def _annotated(number: int, size_wh: tuple[int, int] = SIZE_WH) -> AnnotatedFrame:
    return AnnotatedFrame(frame(number, size_wh), [], Overlay(_BARE), np.zeros((0, 4), np.float32))


def _unreadable() -> Image:
    raise SourceError("the picture cannot be converted")


def _empty() -> Image:
    return np.zeros((0, 0, 3), np.uint8)


def _sink() -> PageSink:
    sink = PageSink(Controls(), RunReport(), is_paced=False)
    sink.begin(SourceInfo("numbers", "stream", SIZE_WH, 25.0))
    return sink


class _CountingPainter(Painter):
    """Counts the pictures that are drawn."""

    drawn = 0

    def has_drawn(self, count: int) -> bool:
        """Whether so many were drawn."""
        return self.drawn >= count

    def _paint(self, annotated: AnnotatedFrame) -> Painted:
        self.drawn += 1
        return super()._paint(annotated)


@contextmanager
def _broadcast(sink: PageSink, *painters: Painter) -> Iterator[Broadcast]:
    """A broadcast whose viewers wait in a loop of a thread."""
    painters = painters or (Painter(Overlay(_BARE), 1000),)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    broadcast = Broadcast(sink, [Rendition(each, _FPS) for each in painters], _FPS, "test")
    broadcast.start(loop)
    try:
        yield broadcast
    finally:
        broadcast.close()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _in_loop(broadcast: Broadcast, form: Form, shown_px: int = MOST_PX) -> Viewer:
    return _added(broadcast, Viewer(form), shown_px)


def _added(broadcast: Broadcast, viewer: Viewer, shown_px: int) -> Viewer:
    async def add() -> None:
        viewer.shown_px = shown_px
        broadcast.add(viewer)

    assert broadcast._loop is not None
    asyncio.run_coroutine_threadsafe(add(), broadcast._loop).result(PATIENCE_S)
    return viewer


def _next(broadcast: Broadcast, viewer: Viewer) -> Encoded | None:
    assert broadcast._loop is not None
    return asyncio.run_coroutine_threadsafe(viewer.next(), broadcast._loop).result(PATIENCE_S)


def test_a_picture_is_encoded_once_for_all_who_watch() -> None:
    sink, painter = _sink(), _CountingPainter(Overlay(_BARE), 1000)
    with _broadcast(sink, painter) as broadcast:
        sink.write(_annotated(5))
        viewers = [_in_loop(broadcast, "jpeg") for _ in range(20)]
        pictures = {id(encoded.data) for each in viewers if (encoded := _next(broadcast, each))}
    assert painter.drawn == 1
    assert len(pictures) == 1


def test_nothing_is_drawn_while_no_one_watches() -> None:
    sink, painter = _sink(), _CountingPainter(Overlay(_BARE), 1000)
    with _broadcast(sink, painter):
        for number in range(10):
            sink.write(_annotated(number))
    assert painter.drawn == 0


@pytest.mark.parametrize("form", ["jpeg", "h264"])
def test_who_comes_while_nothing_moves_sees_the_last_picture(form: Form) -> None:
    sink = _sink()
    with _broadcast(sink) as broadcast:
        sink.write(_annotated(9))
        for _ in range(3):
            encoded = _next(broadcast, _in_loop(broadcast, form))
            assert encoded is not None
            assert encoded.is_key
            if form == "jpeg":
                decoded = cv2.imdecode(np.frombuffer(encoded.data, np.uint8), cv2.IMREAD_COLOR)
                assert decoded is not None
                assert number_of(decoded.astype(np.uint8)) == 9


def test_a_change_of_size_begins_another_video() -> None:
    sink = _sink()
    with _broadcast(sink) as broadcast:
        viewer = _in_loop(broadcast, "h264")
        sizes = []
        for size_wh in ((96, 64), (64, 48)):
            annotated = _annotated(1)
            sink.write(replace(annotated, frame=frame(1, size_wh)))
            encoded = _next(broadcast, viewer)
            assert encoded is not None and encoded.head is not None
            assert encoded.is_key
            sizes.append(encoded.head.size_wh)
    assert sizes == [(96, 64), (64, 48)]


def test_a_change_of_colours_begins_another_video() -> None:
    sink = _sink()
    with _broadcast(sink) as broadcast:
        viewer = _in_loop(broadcast, "h264")
        heads = []
        for number, matrix in enumerate((1, 1, 5)):
            coded = av.VideoFrame.from_ndarray(numbered(number), "bgr24").reformat(format="yuv420p")
            coded.colorspace, coded.color_range = matrix, 1
            annotated = _annotated(number)
            sink.write(replace(annotated, frame=replace(annotated.frame, coded=coded)))
            encoded = _next(broadcast, viewer)
            assert encoded is not None
            heads.append(encoded.head)
    assert heads[0] is heads[1] is not heads[2]


def test_who_changes_the_width_again_and_again_makes_few_keyframes_for_the_others() -> None:
    now_s = 0.0
    rendition = Rendition(Painter(Overlay(_BARE), 1000), 20.0, clock=lambda: now_s)
    rendition.add(Viewer("h264"))
    restless = Viewer("h264")
    keys_s, waited_s = [], []
    for number in range(100):  # 5 s of 20 pictures a second
        rendition.remove(restless)
        restless.begin()
        rendition.add(restless)
        for form, encoded in rendition.encode(_annotated(number)):
            rendition.offer(form, encoded)
            if encoded.is_key:
                keys_s.append(now_s)
                assert not restless.needs_key
        waited_s.append(now_s - keys_s[-1])
        now_s += 0.05
    rendition.rest()
    assert len(keys_s) == pytest.approx(5 / KEY_STEP_S, abs=2)
    assert max(waited_s) < KEY_STEP_S + 0.05


def test_the_end_of_a_broadcast_reaches_all_who_watch() -> None:
    sink = _sink()
    with _broadcast(sink) as broadcast:
        viewers = [_in_loop(broadcast, form) for form in ("jpeg", "h264")]
        broadcast.close()
        assert [_next(broadcast, each) for each in viewers] == [None, None]
        assert _next(broadcast, _in_loop(broadcast, "jpeg")) is None, "who comes later, too"


class _WatchedSink(PageSink):
    """Notes when it was asked to wait more often than a thread would that waits for something."""

    def __init__(self) -> None:
        super().__init__(Controls(), RunReport(), is_paced=False)
        self.spins = threading.Event()
        self._waits = 0

    def wait(self, is_wanted: Callable[[int], bool], timeout_s: float) -> None:
        self._waits += 1
        if self._waits > 20:
            self.spins.set()
        super().wait(is_wanted, timeout_s)


def test_no_frame_wakes_the_thread_while_no_one_watches() -> None:
    sink = _WatchedSink()
    with _broadcast(sink):
        for number in range(50):
            sink.write(_annotated(number))
        assert not sink.spins.wait(_SPIN_S)


def test_who_watches_before_the_first_frame_wakes_no_thread_again_and_again() -> None:
    sink = _WatchedSink()
    with _broadcast(sink) as broadcast:
        viewer = _in_loop(broadcast, "h264")
        assert not sink.spins.wait(_SPIN_S)
        sink.write(_annotated(3))
        encoded = _next(broadcast, viewer)
    assert encoded is not None and encoded.is_key


@pytest.mark.parametrize("pixels", [_unreadable, _empty])
@pytest.mark.parametrize("form", ["jpeg", "h264"])
def test_a_picture_that_cannot_be_shown_is_left_out_and_said_once(
    pixels: Callable[[], Image], form: Form, caplog: pytest.LogCaptureFixture
) -> None:
    sink, painter = _sink(), _CountingPainter(Overlay(_BARE), 1000)
    with _broadcast(sink, painter) as broadcast:
        viewer = _in_loop(broadcast, form)
        for tried in (1, 2):
            sink.write(replace(_annotated(0), frame=Frame(pixels, 0, 0.0, 0.0)))
            _until(partial(painter.has_drawn, tried))
        sink.write(_annotated(1))
        encoded = _next(broadcast, viewer)
    assert encoded is not None and encoded.is_key
    assert ["cannot be shown" in each.message for each in caplog.records] == [True]


def _until(holds: Callable[[], bool]) -> None:
    """Waits until something holds."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline_s, "that never came"
        threading.Event().wait(0.01)


def test_each_gets_the_smallest_picture_that_is_large_enough_and_may_change_it() -> None:
    sink = _sink()
    sink.begin(SourceInfo("numbers", "stream", (96, 64), 25.0))
    small, large = (_CountingPainter(Overlay(_BARE), width) for width in (48, 96))
    with _broadcast(sink, small, large) as broadcast:
        sink.write(_annotated(1))
        viewer = _in_loop(broadcast, "h264", 40)
        for shown_px, size_wh in ((40, (48, 32)), (48, (48, 32)), (50, (96, 64)), (9, (48, 32))):
            _added(broadcast, viewer, shown_px)
            sink.write(_annotated(1))
            while (encoded := _next(broadcast, viewer)) is not None and encoded.head is not None:
                if encoded.head.size_wh == size_wh:
                    break
        assert broadcast.watching == 1
        assert (small.drawn > 0, large.drawn > 0) == (True, True)


def test_a_source_no_wider_than_the_small_pictures_is_encoded_once() -> None:
    sink = _sink()
    small, large = (_CountingPainter(Overlay(_BARE), width) for width in (96, 500))
    with _broadcast(sink, small, large) as broadcast:
        viewers = [_in_loop(broadcast, "jpeg", shown_px) for shown_px in (10, 400)]
        sink.write(_annotated(1))
        assert all(_next(broadcast, each) is not None for each in viewers)
    assert (small.drawn, large.drawn) == (1, 0)


def test_a_width_that_is_sent_at_the_end_leaves_no_viewer_behind() -> None:
    broadcast = Broadcast(_sink(), [Rendition(Painter(Overlay(_BARE), 1000), _FPS)], _FPS, "test")
    served = SimpleNamespace(broadcast=broadcast)
    limits = SimpleNamespace(max_viewers=1)
    page = cast(Page, SimpleNamespace(watching=0, settings=limits, hub={0: served}))

    async def watch() -> None:
        broadcast.start(asyncio.get_running_loop())
        closed = asyncio.Event()
        said = iter([{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "300"}])

        async def receive() -> Any:
            message = next(said, None)
            if message is None:
                await asyncio.Event().wait()
            elif "text" in message:
                asyncio.get_running_loop().run_in_executor(None, broadcast.close)
                await closed.wait()
            return message

        async def send(message: Any) -> None:
            if message["type"] == "websocket.close":
                closed.set()

        scope = {
            **{"type": "websocket", "path_params": {"number": 0}},
            **{"query_string": b"", "headers": []},
        }
        await SourceRoutes(page).video(WebSocket(scope, receive, send))

    asyncio.run(watch())
    assert broadcast.watching == 0
