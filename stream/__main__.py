"""The program `face-stream`: signals, the encoding of its output, then the command line."""

import gc

from models.program.interrupts import handle_signals

_START_OBJECTS = 120_000
"""New objects before Python first looks for garbage among them, rather than each 700 (2,000 from
3.13 on): a start makes 114,000, which all stay, and looking took a tenth of its time."""


def main() -> None:
    """Runs the command line."""
    handle_signals("face-stream")  # before the imports, which take a moment
    _put_off_garbage_collection()
    from models.program.printable import escape_unencodable_output
    from models.program.system_libraries import import_errors_in_one_line

    escape_unencodable_output()
    with import_errors_in_one_line("face-stream", "install face-stream again"):
        from stream.cli.app import app
        from stream.cli.console import exit_at_once

        try:
            app()
        except SystemExit as exit_request:
            exit_at_once(exit_request.code)
            raise


def _put_off_garbage_collection() -> None:
    """Lets the first collection wait for the end of the start; those after it come as usual."""
    usual = gc.get_threshold()

    def restore(phase: str, info: dict[str, int]) -> None:
        gc.set_threshold(*usual)
        gc.callbacks.remove(restore)

    gc.callbacks.append(restore)
    gc.set_threshold(_START_OBJECTS)


if __name__ == "__main__":
    main()
