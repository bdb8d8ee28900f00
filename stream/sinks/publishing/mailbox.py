"""What passes from the loop to a thread that sends: where that is slower, the newest win."""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import sleep
from typing import Generic, TypeVar

_TICK_S = 0.01
"""Time between two looks for room, s; more lets the sender run idle, less costs more."""

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """A bounded queue between two threads, which Ctrl-C may interrupt at any step.

    Args:
        room: how many may wait.

    Attributes:
        is_ended: nothing follows any more.
    """

    def __init__(self, room: int) -> None:
        self.is_ended = False
        self._room = room
        self._items: deque[Item] = deque()
        # One for each item, and some more: a SimpleQueue cannot be interrupted half-way.
        self._wakes: SimpleQueue[None] = SimpleQueue()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item) -> int:
        """Adds one; how many of the oldest gave way to it."""
        replaced = 0
        while len(self._items) >= self._room:
            with suppress(IndexError):  # the other thread was faster
                self._items.popleft()
                replaced += 1
        self._items.append(item)
        self._wakes.put(None)
        return replaced

    def await_room(self, is_over: Callable[[], bool]) -> None:
        """Waits until one more can be added without loss, or it is over."""
        while len(self._items) >= self._room and not is_over():
            sleep(_TICK_S)

    def take(self, timeout_s: float) -> Item | None:
        """The oldest; None where none has come in time, where something else is to be looked at,
        and at the end.
        """
        if not self._items and not self.is_ended:
            with suppress(Empty):
                self._wakes.get(timeout=timeout_s)
        with suppress(IndexError):
            return self._items.popleft()
        return None

    def end(self) -> None:
        """Nothing follows."""
        self.is_ended = True
        self._wakes.put(None)
