"""How a program joins a Ray cluster that somebody has started; with `cluster`, the one door to Ray.

Ray itself prints on standard output, takes the handler of SIGTERM, and waits for minutes for a
cluster that is gone. None of that is left to it here.
"""

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from models.program.interrupts import claiming

AUTO = "auto"
"""The address of whichever cluster this machine is a node of."""

_ANSWER_S = 5.0
"""How long the head of a cluster may take to answer, s; Ray would wait for minutes."""

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_SCHEDULER_EVENTS": "0",
}
"""Variables by which Ray tells nobody how it is used, and prints neither advice nor events."""


class ClusterError(Exception):
    """A cluster that cannot be used; it says what to do."""


def import_ray() -> ModuleType:
    """Ray, which is an extra.

    Raises:
        ClusterError: it is not installed.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise ClusterError(
            "--engine ray needs the extra `cluster`: install face-stream[cluster]"
        ) from None
    # Begun by `uv run`, it would copy all of the current folder to each node.
    ray._private.ray_constants.RAY_ENABLE_UV_RUN_RUNTIME_ENV = False
    return ray


@contextmanager
def connected(address: str) -> Iterator[ModuleType]:
    """Joins a cluster until the end of the body; yields Ray.

    Args:
        address: `HOST:PORT` of its head, or `AUTO`.

    Raises:
        ClusterError: there is none, it does not answer, it is of another version, or this machine
            is no node of it.
    """
    ray = import_ray()
    if ray.is_initialized():
        raise ClusterError("this process is connected to a Ray cluster already: disconnect it")
    found = _answering(_found(ray) if address == AUTO else address)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with claiming():
            try:
                _join(ray, found)
            finally:
                if threading.current_thread() is threading.main_thread():
                    for number, handler in handlers.items():
                        signal.signal(number, handler)
        yield ray
    finally:
        ray.shutdown()


def _found(ray: ModuleType) -> str:
    """The address of the cluster that this machine is a node of.

    Raises:
        ClusterError: there is none.
    """
    from ray._private.services import canonicalize_bootstrap_address_or_die

    try:
        return str(canonicalize_bootstrap_address_or_die(AUTO))
    except ConnectionError:
        raise ClusterError(
            "no Ray cluster runs on this machine: start a node with `ray start`, "
            "or name the cluster with --address HOST:PORT"
        ) from None


def _answering(address: str) -> str:
    """An address at which something listens.

    Raises:
        ClusterError: it is no address, or nothing does.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not host or "/" in host or not port.isdecimal() or int(port) > 0xFFFF:
        raise ClusterError(f"--address {address}: give HOST:PORT of the cluster's head, or {AUTO}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER_S).close()
    except OSError as error:
        raise ClusterError(
            f"the Ray cluster at {address} does not answer ({error.strerror or error}): "
            "is its head running?"
        ) from None
    return address


def _join(ray: ModuleType, address: str) -> None:
    """Makes this process a driver of the cluster."""
    try:
        ray.init(
            address=address,
            log_to_driver=False,
            configure_logging=False,
            logging_level=logging.CRITICAL,
        )
    except (ConnectionError, RuntimeError, OSError, ValueError) as error:
        raise ClusterError(f"the Ray cluster at {address} {_refusal(str(error))}") from None
    driver = ray._private.worker.global_worker
    driver.threads_stopped.set()  # else it prints the cluster's errors on standard output
    driver.gcs_error_subscriber.close()


def _refusal(message: str) -> str:
    """Why a cluster cannot be joined, in words that follow its name."""
    words = message.split()
    if "mismatch" in message:
        versions = [words[index + 1] for index, word in enumerate(words) if word == "Ray:"]
        pythons = [words[index + 1] for index, word in enumerate(words) if word == "Python:"]
        if len(versions) == len(pythons) == 2:
            return (
                f"runs Ray {versions[0]} on Python {pythons[0]}, this program Ray {versions[1]} "
                f"on Python {pythons[1]}: install the same versions on both"
            )
    return f"cannot be joined: {' '.join(words)}"
