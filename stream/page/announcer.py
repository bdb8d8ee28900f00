"""News for the pages that are open: each topic's newest state, sent as server-sent events.

All of it but `announce` belongs to the thread of the server's event loop.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Container, Mapping
from contextlib import suppress
from typing import Any

_STEP_S = 1.0
"""Time between two looks at what has changed, s; less tells sooner and costs more."""

_BEAT_S = 15.0
"""Time without news after which a line without meaning is sent, s: it shows who has left."""

_BEAT = b":\n\n"
"""That line."""

_MOST_EVENTS = 200
"""Events of people that wait for one page; older ones are dropped."""


class _Listener:
    """What is yet to be told to one page: the newest of each topic, and the last events."""

    def __init__(self) -> None:
        self.newest: dict[str, str] = {}
        self.events: deque[str] = deque(maxlen=_MOST_EVENTS)
        self.changed = asyncio.Event()


class Announcer:
    """Tells all open pages what has changed.

    Args:
        loop: the event loop.
        states: by topic, what gives its state as JSON has it; looked at once a second.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, states: Mapping[str, Callable[[], Any]]
    ) -> None:
        self._loop = loop
        self._states = states
        self._listeners: set[_Listener] = set()
        self._last: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    def __repr__(self) -> str:
        return f"Announcer({len(self._listeners)} listen)"

    def announce(self, topic: str, value: Any) -> None:
        """Tells something at once; from any thread. Of `person` every event is told."""
        if self._listeners:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._tell, topic, _message(topic, value))

    def close(self) -> None:
        """Ends all that listen; from any thread, and more than once."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._end)

    async def listen(self, hidden: Container[str] = ()) -> AsyncIterator[bytes]:
        """What one page is told, from the present state on.

        Args:
            hidden: topics that it is not told of.
        """
        listener = _Listener()
        listener.newest = {topic: _message(topic, get()) for topic, get in self._states.items()}
        listener.changed.set()
        self._listeners.add(listener)
        if self._task is None:
            self._task = asyncio.create_task(self._look())
        try:
            while not self._is_closed:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_BEAT_S):
                        await listener.changed.wait()
                listener.changed.clear()
                shown = [text for topic, text in listener.newest.items() if topic not in hidden]
                told = [*listener.events, *shown]
                listener.events.clear()
                listener.newest = {}
                yield "".join(told).encode() or _BEAT
        finally:
            self._listeners.discard(listener)

    async def _look(self) -> None:
        """Looks at all states while anyone listens."""
        while self._listeners:
            await asyncio.sleep(_STEP_S)
            for topic, get in self._states.items():
                self._tell(topic, _message(topic, get()))
        self._task = None

    def _tell(self, topic: str, message: str) -> None:
        if topic != "person":
            if self._last.get(topic) == message:
                return
            self._last[topic] = message
        for listener in self._listeners:
            if topic == "person":
                listener.events.append(message)
            else:
                listener.newest[topic] = message
            listener.changed.set()

    def _end(self) -> None:
        self._is_closed = True
        if self._task is not None:
            self._task.cancel()
            self._task = None
        for listener in self._listeners:
            listener.changed.set()


def _message(topic: str, value: Any) -> str:
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"event: {topic}\ndata: {data}\n\n"
