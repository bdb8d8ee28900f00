"""Nodes of a Ray cluster on this machine, each ended by the ids of its own processes."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

import psutil

_UP_S = 300.0
"""How long a node may take to be up, s: ten on an idle machine, two minutes on a busy one."""

_STARTS = 3
"""How often the start of a node is tried: another program may take one of its ports meanwhile."""

_PATIENT = {
    "RAY_raylet_start_wait_time_s": str(int(_UP_S)),
    "RAY_agent_register_timeout_ms": str(int(1000 * _UP_S)),
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""Variables by which Ray itself waits for so long, and tells nobody how it is used."""

_PORTS = (
    "node-manager-port",
    "object-manager-port",
    "metrics-export-port",
    "dashboard-agent-listen-port",
    "dashboard-agent-grpc-port",
    "runtime-env-agent-port",
)
"""The ports of a node, chosen here, so that they are known before its agents are up."""

_AGENT_FILES = {
    "runtime_env_agent_port": "runtime-env-agent-port",
    "metrics_agent_port": None,
    "metrics_export_port": None,
    "dashboard_agent_listen_port": None,
}
"""The files in which agents say their ports, and which of `_PORTS` each holds: none where Ray's
smallest installation has no such service, which the agent says by -1. A node of Ray aborts where
one is not there after fifteen seconds, as on a busy machine, so they are written for the agents."""

_STORE_BYTES = 80_000_000
"""Memory of a node's object store, bytes: about the least that Ray takes."""


class NoNodeError(Exception):
    """Ray itself has started no node in time."""


class Node:
    """A node, with an address of its own among those of the loopback interface.

    Args:
        folder: for its files; a short name, for sockets have names of at most 107 bytes.
        address: of the node, `127.0.0.N`.
        head: the head of the cluster that it joins; it is one itself without it.
        cpus: how many it says that it has.
        cores: the cores that it may use; None for all.
        path: where its processes find further modules, as in PYTHONPATH.
    """

    def __init__(
        self,
        folder: Path,
        address: str,
        head: "Node | None" = None,
        *,
        cpus: int = 1,
        cores: Sequence[int] | None = None,
        path: str = "",
    ) -> None:
        self.address = address
        self.folder = folder
        own, *ports = _free_ports(address, 1 + len(_PORTS))
        self._ports = dict(zip(_PORTS, ports, strict=True))
        self._id = token_hex(28)
        self.port = own if head is None else head.port
        self._log = folder / f"{address}.txt"
        words = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block"]
        if head is None:
            words += ["--head", f"--port={self.port}", "--include-dashboard=false"]
            words += ["--no-monitor"]  # the autoscaler
        else:
            words += [f"--address={head.head_address}"]
        words += [f"--temp-dir={folder / address}"]  # sockets of two nodes would meet in one
        words += [f"--{name}={port}" for name, port in self._ports.items()]
        words += [f"--node-ip-address={address}", f"--num-cpus={cpus}", "--disable-usage-stats"]
        words += [f"--object-store-memory={_STORE_BYTES}", "--include-log-monitor=false"]
        if cores is not None:
            words = ["taskset", "-c", ",".join(map(str, cores)), *words]
        with self._log.open("wb") as log:
            self._program = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={
                    **os.environ,
                    "PYTHONPATH": path,
                    "RAY_OVERRIDE_NODE_ID_FOR_TESTING": self._id,
                    **_PATIENT,
                },
                cwd=folder,
            )
        self._seen = {self._program.pid: psutil.Process(self._program.pid)}

    @property
    def head_address(self) -> str:
        """What others join."""
        return f"{self.address}:{self.port}"

    def wait_until_up(self) -> None:
        """Waits until it takes work.

        Raises:
            NoNodeError: it has ended, or has not come in time.
        """
        until_s, had_raylet = time.monotonic() + _UP_S, False
        while b"Ray runtime started" not in self._log.read_bytes():
            self._write_agent_files()
            # One whose raylet has died goes on waiting for it.
            has_raylet = any(_name(each) == "raylet" for each in self.processes())
            is_over = self._program.poll() is not None or (had_raylet and not has_raylet)
            if is_over or time.monotonic() > until_s:
                raise NoNodeError("Ray has started no node: the machine may be too busy for it")
            had_raylet = had_raylet or has_raylet
            time.sleep(0.1)

    def _write_agent_files(self) -> None:
        """Writes the files for which a node waits, once it has a folder for them."""
        for sockets in (self.folder / self.address).glob("session_2*/sockets"):
            for name, port in _AGENT_FILES.items():
                path = sockets.parent / f"{name}_{self._id}"
                if not path.exists():  # it is there whole, or not at all
                    part = self.folder / f"{name}.part"
                    part.write_text("-1" if port is None else str(self._ports[port]))
                    part.replace(path)

    def processes(self) -> list[psutil.Process]:
        """All of its processes, also those that have lost their parents since the last call."""
        for each in list(self._seen.values()):
            with suppress(psutil.NoSuchProcess):
                self._seen |= {child.pid: child for child in [each, *each.children(True)]}
        return [each for each in self._seen.values() if each.is_running()]

    def kill(self) -> None:
        """Ends all of its processes at once, as a power cut would; may be called twice."""
        for each in self.processes():
            with suppress(psutil.NoSuchProcess):
                each.suspend()  # so that none starts another meanwhile
        everything = self.processes()
        for each in everything:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        self._program.wait(30)
        psutil.wait_procs(everything, 30)


def started_node(folder: Path, address: str, head: Node | None = None, **how: Any) -> Node:
    """A node that is up; see `Node`.

    Ray looks for free ports and takes them later, when another program may have them.

    Raises:
        NoNodeError: Ray has started none, each time that it was tried.
    """
    for attempt in range(_STARTS):
        node = Node(folder, address, head, **how)
        try:
            node.wait_until_up()
        except BaseException as error:
            node.kill()
            if not isinstance(error, NoNodeError) or attempt == _STARTS - 1:
                raise
        else:
            return node
    raise AssertionError


@contextmanager
def cluster(folder: Path, nodes: int = 2, path: str = "") -> Iterator[list[Node]]:
    """A cluster of nodes on this machine, each of one CPU; yields them, the head first."""
    up: list[Node] = []
    try:
        for number in range(nodes):
            head = up[0] if up else None
            up.append(started_node(folder, f"127.0.0.{2 + number}", head, path=path))
        yield up
    finally:
        for each in reversed(up):
            each.kill()


def _name(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess):
        if process.status() != psutil.STATUS_ZOMBIE:
            return process.name()
    return ""


def _free_ports(address: str, count: int) -> list[int]:
    """So many ports that nothing has."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((address, 0))
        return [each.getsockname()[1] for each in sockets]
