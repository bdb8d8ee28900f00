"""The Typer application `face-stream`, which names the commands.

Its import is quick: each command imports what it needs when it runs.
"""

import typer

from stream.cli.annotate import demo, render, run
from stream.cli.bench import bench
from stream.cli.inspect import doctor, show_settings
from stream.cli.recover import recover

app = typer.Typer(
    name="face-stream",
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
