"""The Typer application `face-train`, which names the commands."""

import typer

from training.commands.bench import bench
from training.commands.evaluate import evaluate
from training.commands.features import features
from training.commands.finetune import finetune
from training.commands.fit import fit

app = typer.Typer(
    help="Trains and evaluates the classifier on labelled faces.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for command in (finetune, features, fit, evaluate, bench):
    app.command()(command)
