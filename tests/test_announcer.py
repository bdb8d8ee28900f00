"""News for the pages that are open."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fakes import PATIENCE_S

from stream.page.announcer import Announcer


async def _next(told: AsyncIterator[bytes]) -> list[tuple[str, Any]]:
    """What a page is told next: topics with their values."""
    text = (await asyncio.wait_for(anext(told), PATIENCE_S)).decode()
    entries = [entry.split("\n", 1) for entry in text.split("\n\n") if entry.startswith("event: ")]
    return [
        (topic.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
        for topic, data in entries
    ]


def test_a_page_is_told_the_present_state_and_then_what_changes() -> None:
    state = {"frames": 1}

    async def work() -> None:
        announcer = Announcer(asyncio.get_running_loop(), {"sources": lambda: dict(state)})
        told = aiter(announcer.listen())
        assert await _next(told) == [("sources", {"frames": 1})]
        while (news := await _next(told)) == [("sources", {"frames": 1})]:
            state["frames"] = 2
        assert news == [("sources", {"frames": 2})]
        announcer.close()

    asyncio.run(work())


def test_all_events_are_told_and_of_other_topics_the_newest() -> None:
    async def work() -> None:
        announcer = Announcer(asyncio.get_running_loop(), {})
        told, other = aiter(announcer.listen()), aiter(announcer.listen(hidden=("settings",)))
        assert await _next(told) == await _next(other) == []
        for number in range(3):
            announcer.announce("person", number)
            announcer.announce("settings", number)
        await asyncio.sleep(0)
        events = [("person", number) for number in range(3)]
        assert await _next(told) == [*events, ("settings", 2)]
        assert await _next(other) == events
        announcer.close()

    asyncio.run(work())


def test_of_a_flood_of_events_the_last_wait_for_a_page_that_takes_none() -> None:
    async def work() -> None:
        announcer = Announcer(asyncio.get_running_loop(), {})
        told = aiter(announcer.listen())
        await _next(told)
        for number in range(1000):
            announcer.announce("person", number)
        await asyncio.sleep(0)
        assert await _next(told) == [("person", number) for number in range(800, 1000)]
        announcer.close()

    asyncio.run(work())


def test_the_end_reaches_all_who_listen() -> None:
    async def work() -> None:
        announcer = Announcer(asyncio.get_running_loop(), {"sources": dict})
        told = [aiter(announcer.listen()) for _ in range(3)]
        for each in told:
            await _next(each)
        announcer.close()
        announcer.close()
        for each in told:
            left = [part async for part in each]
            assert len(left) <= 1
        assert repr(announcer) == "Announcer(0 listen)"

    asyncio.run(work())
