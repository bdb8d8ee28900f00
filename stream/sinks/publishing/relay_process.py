"""The program that sends video to an address, which the other one starts.

FFmpeg connects and writes to most addresses without a limit, and what it waits for no thread can
end: here it is this process, which can be killed. It is run as a file and imports nothing of
`stream`. Standard input has a line of JSON that says where to, then the video in FFmpeg's container
NUT, whose packets are passed on as they are. It answers with a line once it is connected, and with
one that says why where that fails.
"""

import io
import json
import os
import signal
import socket
import threading
import time
from typing import Any

CONNECTED = b"+\n"
"""What is answered once the other side has taken the head of the video."""

_NOT_FOR_THIS = ("SIGINT", "SIGTERM", "SIGUSR1")
"""Signals for the program that started this one, which a service manager sends to both."""

_LOOK_S = 0.5
"""Time between two looks whether the program that started this one is still there, s."""

_SEND_BUFFER_BYTES = 1 << 17
"""What the system keeps of a connection until the other side has it, bytes: a quarter of a second
of full HD. More shows a slow side older frames; less slows one that is far away."""

_DESCRIPTORS = "/proc/self/fd"
"""Folder of what this process has open, on Linux."""

_BUFFER_BYTES = 4096
"""How much of standard input is asked for at once, bytes; what is there is taken."""


def main() -> None:
    """Passes the video on until its end."""
    for name in _NOT_FOR_THIS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    import av

    with io.FileIO(0, "r", closefd=False) as pipe:
        order = json.loads(_line(pipe))
        try:
            _relay(pipe, order)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            os.write(1, f"{reason}\n".encode(errors="backslashreplace"))
            os._exit(1)
    os._exit(0)


def _relay(pipe: io.FileIO, order: dict[str, Any]) -> None:
    """Passes packets on."""
    import av

    # The first packet has to do: the next one comes when this has connected.
    options = {"probesize": "32", "fpsprobesize": "0", "fflags": "nobuffer"}
    source = av.open(pipe, "r", format="nut", options=options, buffer_size=_BUFFER_BYTES)
    target = av.open(
        order["uri"],
        "w",
        format=order["format"],
        options=order["options"],
        buffer_size=order["packet_bytes"],
    )
    tracks = {}
    for stream in source.streams:
        tracks[stream.index] = target.add_stream_from_template(stream, opaque=True)
    target.start_encoding()
    _bound_buffers()
    os.write(1, CONNECTED)
    for packet in source.demux():
        if packet.dts is None:
            continue  # the mark of the end
        packet.stream = tracks[packet.stream.index]
        target.mux_one(packet)
    target.close()


def _bound_buffers() -> None:
    """Bounds what the system keeps for the other side. It would keep many seconds of video for a
    slow one, which then sees only what is old; so the newest frame waits for it instead.
    """
    for name in os.listdir(_DESCRIPTORS) if os.path.isdir(_DESCRIPTORS) else ():
        try:
            copy = socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue  # it is none of a socket
        with copy:
            if copy.type == socket.SOCK_STREAM:
                copy.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)


def _line(pipe: io.FileIO) -> bytes:
    """The first line, and nothing of what follows it."""
    line = b""
    while not line.endswith(b"\n"):
        byte = pipe.read(1)
        if not byte:
            os._exit(0)
        line += byte
    return line


def _end_with(parent: int) -> None:
    """Ends this process when the one that started it has ended, even where FFmpeg hangs."""
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)


if __name__ == "__main__":
    main()
