"""The application `face-train`, which names the commands."""

from models.program.typer_app import Command, typer_app
from training.commands.bench import bench
from training.commands.console import command_line
from training.commands.evaluate import evaluate
from training.commands.features import features
from training.commands.finetune import finetune
from training.commands.fit import fit

_COMMANDS: dict[str, Command] = {
    "finetune": finetune,
    "features": features,
    "fit": fit,
    "evaluate": evaluate,
    "bench": bench,
}
"""The commands, in the order of the help."""

app = typer_app(command_line, "Trains and evaluates the classifier on labelled faces.", _COMMANDS)
