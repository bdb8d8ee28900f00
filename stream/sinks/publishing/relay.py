"""Video on its way to an address, through a process of its own that can be ended at any time."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from errno import ECONNABORTED, ETIMEDOUT
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl

import av

from stream.addresses import masked_words
from stream.errors import ConfigError
from stream.sinks.publishing.destinations import VideoDestination
from stream.sinks.publishing.pipe_writer import END_LIMIT_S, PipeWriter
from stream.sinks.publishing.relay_process import CONNECTED

_PROGRAM = Path(__file__).with_name("relay_process.py")
"""The program that sends."""

_KILL_LIMIT_S = 1.0
"""How long the end of a process that was killed is waited for, s."""

_ANSWER_BYTES = 1 << 12
"""How much of what the process says is kept, bytes."""

_DATAGRAM_BYTES = 1316
"""Largest packet of UDP, bytes: seven packets of MPEG-TS, which fit into a frame of Ethernet."""

_FFMPEG = "ffmpeg"
"""The program that is used where PyAV does not know a protocol."""

_PROGRESS = b"progress="
"""What that program says once it sends."""

_ACCOUNT = re.compile(r"\w+=.*|\s*")
"""A line of the accounts that it gives."""

_FORMATS = {"rtmp": "flv", "rtsp": "rtsp", "srt": "mpegts", "udp": "mpegts"}
"""FFmpeg's formats, by how video is sent."""


class Relay:
    """Sends what is written to its container to an address.

    Args:
        destination: where to.
        timeout_s: for how long the other side may not answer, or take nothing, s.

    Raises:
        OSError: the process cannot be started.
    """

    def __init__(self, destination: VideoDestination, timeout_s: float) -> None:
        self._destination, self._timeout_s = destination, timeout_s
        self._limit_s = timeout_s
        self._started_s = time.monotonic()
        self._said = b""
        self._is_connected = False
        is_ours = knows_protocol(destination.protocol)
        self.answers_late = not is_ours
        self._process = _our_process() if is_ours else _their_process(destination)
        stdin = self._process.stdin
        assert stdin is not None and self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        self._writer = PipeWriter(os.dup(stdin.fileno()), str(destination), lambda: self._limit_s)
        stdin.close()
        try:
            if is_ours:
                self._writer.write(_order(destination))
            options = {"flush_packets": "1", "write_index": "0"}
            self.container = av.open(self._writer, "w", format="nut", options=options)
        except BaseException:
            self.close(0)
            raise

    def __repr__(self) -> str:
        return f"Relay({self._destination})"

    def is_connected(self) -> bool:
        """Whether the other side takes the video by now.

        Raises:
            OSError: it refuses, or does not answer.
        """
        if self._is_connected:
            return True
        self._listen()
        if self._said.startswith(CONNECTED) or _PROGRESS in self._said:
            self._is_connected = True
        elif self._process.poll() is not None:
            raise OSError(ECONNABORTED, "refuses")
        elif time.monotonic() - self._started_s > self._timeout_s:
            raise TimeoutError(ETIMEDOUT, f"does not answer within {self._timeout_s:g} s")
        return self._is_connected

    def reason(self, error: Exception) -> str:
        """Why a write failed, in words: the process's own, if it has ended."""
        if not isinstance(error, TimeoutError):
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(END_LIMIT_S)
            self._listen()
            lines = self._said.removeprefix(CONNECTED).decode(errors="replace").splitlines()
            if said := [each for each in lines if not _ACCOUNT.fullmatch(each)]:
                return masked_words(said[-1])
        return masked_words(getattr(error, "strerror", None) or str(error))

    def hurry(self) -> None:
        """No write waits for long any more."""
        self._limit_s = END_LIMIT_S

    def cut(self) -> None:
        """Ends the process, and with it what waits for it; the pipe stays open for its thread."""
        self._process.kill()

    def close(self, limit_s: float) -> None:
        """Ends the process, which may first send what it has."""
        self._writer.close()
        try:
            self._process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_KILL_LIMIT_S)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _listen(self) -> None:
        """Takes what the process has said."""
        pipe = self._process.stdout
        if pipe is None or pipe.closed:
            return
        with suppress(OSError):
            while said := pipe.read(_ANSWER_BYTES):
                self._said = (self._said + said)[-_ANSWER_BYTES:]


@cache
def knows_protocol(protocol: str) -> bool:
    """Whether the FFmpeg that PyAV brings knows a protocol."""
    try:
        av.open(f"{protocol}://127.0.0.1:1", timeout=0.01).close()
    except av.error.ProtocolNotFoundError:
        return False
    except (av.error.FFmpegError, OSError):
        pass
    return True


def check_protocol(destination: VideoDestination) -> None:
    """Checks that something here knows the protocol of an address.

    Raises:
        ConfigError: nothing does.
    """
    protocol = destination.protocol
    if destination.kind in _FORMATS and not knows_protocol(protocol) and not shutil.which(_FFMPEG):
        raise ConfigError(
            f"--save {destination}: the FFmpeg in PyAV was built without {protocol}; "
            "install the program ffmpeg, which is then used for it"
        )


def _order(destination: VideoDestination) -> bytes:
    """What our program is told: where to, and how."""
    uri, options, packet_bytes = destination.uri, {}, 1 << 15
    if destination.kind == "rtsp":
        options["rtsp_transport"] = "tcp"
    if destination.kind == "udp":
        packet_bytes = _DATAGRAM_BYTES
        if "pkt_size=" not in uri:
            uri += f"{'&' if '?' in uri else '?'}pkt_size={_DATAGRAM_BYTES}"
    order = {
        "uri": uri,
        "format": _FORMATS[destination.kind],
        "options": {"flush_packets": "1", **options},
        "packet_bytes": packet_bytes,
    }
    return json.dumps(order).encode() + b"\n"


def _our_process() -> "subprocess.Popen[bytes]":
    """The program of ours that sends, with PyAV."""
    return _started([sys.executable, "-P", str(_PROGRAM)])


def _their_process(destination: VideoDestination) -> "subprocess.Popen[bytes]":
    """The program ffmpeg where it knows what PyAV does not, as SRT.

    Parameters of the address may be secrets, and the list of processes shows its arguments: they
    pass through a file of options, which is a pipe.
    """
    address, _, query = destination.uri.partition("?")
    read, write = os.pipe()
    with os.fdopen(write, "w", encoding="utf-8") as presets:
        for name, value in parse_qsl(query, keep_blank_values=True):
            presets.write(f"{name}={' '.join(value.splitlines())}\n")
    command = [_FFMPEG, "-hide_banner", "-nostdin", "-loglevel", "error", "-progress", "pipe:1"]
    command += ["-stats_period", "0.2"]
    command += [
        "-probesize",
        "32",
        "-fpsprobesize",
        "0",
        "-fflags",
        "nobuffer",
        "-f",
        "nut",
        "-i",
        "pipe:0",
        "-c",
        "copy",
    ]
    command += ["-fpre", f"/dev/fd/{read}", "-f", _FORMATS[destination.kind], address]
    try:
        return _started(command, pass_fds=(read,))
    finally:
        os.close(read)


def _started(command: Sequence[str], pass_fds: Sequence[int] = ()) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if command[0] == _FFMPEG else subprocess.DEVNULL,
        bufsize=0,
        pass_fds=pass_fds,
        start_new_session=True,  # Ctrl-C in the terminal is not for it
    )
