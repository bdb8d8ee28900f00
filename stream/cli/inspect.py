"""The commands that inspect an installation: `doctor` and `config`."""

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from models.program.command_line import EXIT_FAILURE
from stream.cli import options
from stream.cli.console import exit_on_error, print_output

if TYPE_CHECKING:
    from stream.settings import Settings


def doctor(
    config: options.ConfigFile = None,
    model: options.Model = None,
    settings: options.Overrides = None,
    as_json: options.Json = False,
) -> None:
    """Say what is here, what is missing and how to mend it; label a face as a proof."""
    from stream.doctor import diagnosis

    findings = []
    stdout = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)
    for finding in diagnosis.diagnose(partial(_load, config, model, settings)):
        findings.append(finding)
        if not as_json:
            stdout.print(diagnosis.as_lines(finding))
    text = json.dumps(diagnosis.as_dict(findings)) if as_json else diagnosis.conclusion(findings)
    print_output(text)
    if any(finding.state == "broken" for finding in findings):
        raise typer.Exit(EXIT_FAILURE)


def show_settings(
    config: options.ConfigFile = None,
    model: options.Model = None,
    settings: options.Overrides = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print above each setting what it does.")
    ] = False,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Print the settings in force, each with where it is from."""

    def work() -> str:
        from stream.errors import ConfigError
        from stream.settings.explained import explained

        if explain and as_json:
            raise ConfigError("--explain and --json are two forms: ask for one of them")
        in_force = _load(config, model, settings)
        if explain:
            return explained(in_force)
        return json.dumps(in_force.as_dict()) if as_json else in_force.as_toml()

    print_output(exit_on_error(work, debug))


def _load(file: Path | None, model: Path | None, settings: list[str] | None) -> "Settings":
    """The settings that the options of a command ask for."""
    from stream.settings import load_settings

    return load_settings(file, [*(settings or []), *options.model_setting(model)])
