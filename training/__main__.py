"""The command line: labelled pictures → features → a model folder → a report."""

from models.interrupts import handle_signals


def main() -> None:
    """The entry point of `face-train`."""
    handle_signals("face-train")  # before the imports, which take a moment
    from training.commands.app import app

    app()


if __name__ == "__main__":
    main()
