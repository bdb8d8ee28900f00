"""The queue of one who watches: bounded, and the newest wins."""

import asyncio

from stream.page.viewers import Encoded, Viewer


def _take(viewer: Viewer, count: int) -> list[bytes]:
    async def take() -> list[bytes]:
        taken = [await viewer.next() for _ in range(count)]
        return [each.data for each in taken if each is not None]

    return asyncio.run(take())


def test_of_pictures_only_the_newest_waits() -> None:
    viewer = Viewer("jpeg")
    for number in range(5):
        viewer.offer(Encoded(bytes([number])))
    assert (_take(viewer, 1), viewer.dropped) == ([b"\4"], 4)


def test_a_video_begins_with_a_picture_that_needs_no_other() -> None:
    viewer = Viewer("h264")
    viewer.offer(Encoded(b"a", is_key=False))
    assert viewer.needs_key
    for data, is_key in ((b"b", True), (b"c", False)):
        viewer.offer(Encoded(data, is_key))
    assert _take(viewer, 2) == [b"b", b"c"]


def test_who_falls_behind_goes_on_with_the_next_picture_that_needs_no_other() -> None:
    viewer = Viewer("h264")
    viewer.offer(Encoded(b"key"))
    for _ in range(30):
        viewer.offer(Encoded(b"x", is_key=False))
    assert viewer.needs_key
    viewer.offer(Encoded(b"x", is_key=False))
    viewer.offer(Encoded(b"key 2"))
    viewer.offer(Encoded(b"y", is_key=False))
    assert _take(viewer, 2) == [b"key 2", b"y"]


def test_what_waits_is_bounded_however_much_comes() -> None:
    viewer = Viewer("h264")
    for number in range(1000):
        viewer.offer(Encoded(b"x", is_key=number % 10 == 0))
    viewer.end()

    async def rest() -> int:
        count = 0
        while await viewer.next() is not None:
            count += 1
        return count

    assert 0 < asyncio.run(rest()) <= 30


def test_the_end_arrives_where_one_waits() -> None:
    async def wait() -> Encoded | None:
        viewer = Viewer("jpeg")
        asyncio.get_running_loop().call_soon(viewer.end)
        async with asyncio.timeout(10):
            return await viewer.next()

    assert asyncio.run(wait()) is None
