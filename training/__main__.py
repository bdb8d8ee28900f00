"""The command line: labelled pictures → features → a model folder → a report."""

from models.program.interrupts import handle_signals


def main() -> None:
    """The entry point of `face-train`."""
    handle_signals("face-train")  # before the imports, which take a moment
    from models.program.printable import escape_unencodable_output
    from models.program.system_libraries import import_errors_in_one_line

    escape_unencodable_output()
    remedy = 'install the extra train: uv run --extra train, or pip install ".[train]"'
    with import_errors_in_one_line("face-train", remedy):
        from training.commands.app import app

        app()


if __name__ == "__main__":
    main()
