"""The entry point of `face-stream`."""

import signal
import sys
from io import TextIOWrapper

from stream.cli.app import app
from stream.cli.console import leave


def main() -> None:
    """The entry point of `face-stream`."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as cleanly as Ctrl-C
    for text in (sys.stdout, sys.stderr):
        if isinstance(text, TextIOWrapper):  # a name that the terminal cannot show is no error
            text.reconfigure(errors="backslashreplace")
    try:
        app()
    except SystemExit as end:
        leave(end.code)
        raise


if __name__ == "__main__":
    main()
