"""The application `face-stream`, which names the commands.

Its import is quick: each command imports what it needs when it runs.
"""

from models.program.typer_app import Command, typer_app
from stream.addresses import masked_words
from stream.cli.annotate import demo, render, run
from stream.cli.batch import batch
from stream.cli.batch_ledger import retry, status
from stream.cli.bench import bench
from stream.cli.console import command_line
from stream.cli.export import export
from stream.cli.inspect import doctor, show_settings
from stream.cli.recover import recover
from stream.cli.report import report
from stream.cli.serve import serve

_COMMANDS: dict[str, Command] = {
    "run": run,
    "render": render,
    "demo": demo,
    "batch": batch,
    "batch status": status,
    "batch retry": retry,
    "export": export,
    "report": report,
    "serve": serve,
    "recover": recover,
    "bench": bench,
    "doctor": doctor,
    "config": show_settings,
}
"""The commands, in the order of the help."""

app = typer_app(
    command_line,
    "Finds the faces in video and says what gender and race they are perceived as.",
    _COMMANDS,
    masked_words,
)
