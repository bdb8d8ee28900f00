"""The program `face-stream`: signals, the encoding of its output, then the command line."""

import signal
import sys
from io import TextIOWrapper

from stream.cli.app import app
from stream.cli.console import exit_at_once_if_blocked


def main() -> None:
    """Runs the command line."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as cleanly as Ctrl-C
    for text in (sys.stdout, sys.stderr):
        if isinstance(text, TextIOWrapper):  # names that the terminal cannot show are escaped
            text.reconfigure(errors="backslashreplace")
    try:
        app()
    except SystemExit as exit_request:
        exit_at_once_if_blocked(exit_request.code)
        raise


if __name__ == "__main__":
    main()
