"""The command line: labelled pictures → features → a model folder → a report."""

from models.interrupts import handle_signals


def main() -> None:
    """The entry point of `face-train`."""
    handle_signals("face-train")  # before the imports, which take a moment
    from models.printable import escape_unencodable_output
    from training.commands.app import app

    escape_unencodable_output()
    app()


if __name__ == "__main__":
    main()
