"""Waits for what blocks, such as the opening of a source, so that a signal ends the wait."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

_POLL_S = 0.1
"""Time after which a signal that comes just before a wait is noticed, s."""

_END_S = 1.0
"""How long the end of an interrupted call is waited for, s."""

Result = TypeVar("Result")


def _nothing() -> None:
    """The call ends by itself."""


def call_in_thread(call: Callable[[], Result], interrupt: Callable[[], None] = _nothing) -> Result:
    """What `call` returns, made in a thread of its own: Ctrl-C does not interrupt FFmpeg.

    Args:
        call: may block.
        interrupt: ends the call early, where that is possible; called when a signal ends the wait.
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            future.set_exception(error)

    threading.Thread(target=run, name="connect", daemon=True).start()
    try:
        # In steps: a signal that comes just before a wait begins is not noticed until it ends.
        while not future.done():
            wait([future], _POLL_S)
    except BaseException:
        interrupt()
        wait([future], _END_S)
        raise
    return future.result()
