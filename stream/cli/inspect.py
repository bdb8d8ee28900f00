"""The commands that say what is here: `doctor` and `config`."""

import json

import typer
from rich.console import Console

from stream.cli import options
from stream.cli.console import EXIT_FAILURE, exit_on_error, print_output


def doctor(
    config: options.ConfigFile = None,
    model: options.Model = None,
    settings: options.Settings = None,
    as_json: options.Json = False,
) -> None:
    """Say what is here, what is missing and how to mend it; label a face as a proof."""
    from stream.doctor import examination

    findings = []
    out = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)
    for finding in examination.examine(config, [*(settings or []), *options.model_setting(model)]):
        findings.append(finding)
        if not as_json:
            out.print(examination.as_lines(finding))
    print_output(json.dumps(examination.as_dict(findings)) if as_json else examination.verdict(findings))
    if any(finding.state == "broken" for finding in findings):
        raise typer.Exit(EXIT_FAILURE)


def show_settings(
    config: options.ConfigFile = None,
    model: options.Model = None,
    settings: options.Settings = None,
    as_json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Print the settings in force, each with where it is from."""
    from stream.settings import load_settings

    in_force = exit_on_error(
        lambda: load_settings(config, [*(settings or []), *options.model_setting(model)]), debug
    )
    print_output(json.dumps(in_force.as_dict()) if as_json else in_force.as_toml())
