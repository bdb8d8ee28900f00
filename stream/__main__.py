"""The program `face-stream`: signals, the encoding of its output, then the command line."""

import gc

from models.interrupts import handle_signals

_COLLECTED_FROM = 50_000
"""New objects from which Python looks for cycles among them; Python's own figure is 700. While the
program starts it makes ten thousands, which all stay: looking took a tenth of the time."""


def main() -> None:
    """Runs the command line."""
    handle_signals("face-stream")  # before the imports, which take a moment
    gc.set_threshold(_COLLECTED_FROM)
    from models.printable import escape_unencodable_output
    from models.system_libraries import import_errors_in_one_line

    escape_unencodable_output()
    with import_errors_in_one_line("face-stream", "install face-stream again"):
        from stream.cli.app import app
        from stream.cli.console import exit_at_once

        try:
            app()
        except SystemExit as exit_request:
            exit_at_once(exit_request.code)
            raise


if __name__ == "__main__":
    main()
