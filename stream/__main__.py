"""The program `face-stream`: signals, the encoding of its output, then the command line."""

from models.interrupts import handle_signals


def main() -> None:
    """Runs the command line."""
    handle_signals("face-stream")  # before the imports, which take a moment
    from models.printable import escape_unencodable_output
    from models.system_libraries import import_errors_in_one_line

    escape_unencodable_output()
    with import_errors_in_one_line("face-stream", "install face-stream again"):
        from stream.cli.app import app
        from stream.cli.console import exit_at_once_if_blocked

        try:
            app()
        except SystemExit as exit_request:
            exit_at_once_if_blocked(exit_request.code)
            raise


if __name__ == "__main__":
    main()
