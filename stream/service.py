"""What a service manager is told: that the program is ready, and that it is alive (sd_notify)."""

import os
import socket
from contextlib import suppress

_ADDRESS = "NOTIFY_SOCKET"
"""The variable in which systemd names the socket that it listens at."""


def tell_service_manager(state: str) -> None:
    """Sends a state, such as `READY=1` or `WATCHDOG=1`; without a service manager nothing is done.

    One that does not listen is no reason to stop: it ends the program itself if it hears nothing.
    """
    address = os.environ.get(_ADDRESS, "")
    if not address or not hasattr(socket, "AF_UNIX"):
        return
    if address.startswith("@"):
        address = f"\0{address[1:]}"  # in Linux's namespace without files
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto(state.encode(), address)
