"""The Typer application `face-stream`, which names the commands.

Its import is quick: each command imports what it needs when it runs.
"""

from typing import Any

import typer
from typer.core import TyperGroup

from stream.addresses import masked_words
from stream.cli.annotate import demo, render, run
from stream.cli.bench import bench
from stream.cli.inspect import doctor, show_settings
from stream.cli.recover import recover


class _Commands(TyperGroup):
    """The commands; what is wrong with a command line is said without the secrets in it."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command that is named."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            if isinstance(message := getattr(error, "message", None), str):
                vars(error)["message"] = masked_words(message)
            raise


app = typer.Typer(
    name="face-stream",
    cls=_Commands,
    help="Finds the faces in video and says what gender and race they are perceived as.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command()(run)
app.command()(render)
app.command()(demo)
app.command()(recover)
app.command()(bench)
app.command()(doctor)
app.command("config")(show_settings)
