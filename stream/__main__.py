"""The program `face-stream`: signals, the encoding of its output, then the command line."""

import sys
from io import TextIOWrapper

from models.interrupts import handle_signals


def main() -> None:
    """Runs the command line."""
    handle_signals("face-stream")  # before the imports, which take a moment
    from stream.cli.app import app
    from stream.cli.console import exit_at_once_if_blocked

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
