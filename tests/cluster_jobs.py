"""Jobs for the processes of a cluster in the tests; its nodes find this file on their path."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from models.cluster.process import Place, UnfitNodeError


def begin(place: Place) -> Callable[[tuple[str, Any]], Any]:
    """Makes what does the jobs, each of which is a word and a value."""

    def do(job: tuple[str, Any]) -> Any:
        word, value = job
        if word == "raise":
            raise ValueError(value)
        if word == "unfit" and value == place.node:
            raise UnfitNodeError("it has no model")
        if word == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "bytes":
            return os.urandom(value)
        if word == "wait for":
            until_s = time.monotonic() + 60
            while not os.path.exists(value) and time.monotonic() < until_s:
                time.sleep(0.05)
        return place.node

    return do


def begin_nowhere(place: Place) -> Callable[[Any], Any]:
    """Finds every node unfit."""
    raise UnfitNodeError("it has no model")
