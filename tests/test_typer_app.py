"""Both programs look alike: help, version, short options, completion, and errors in one line."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from stream.cli.app import app as stream_app
from training.commands.app import app as train_app

_APPS = {"face-stream": stream_app, "face-train": train_app}

pytestmark = pytest.mark.parametrize("program", _APPS)


def _commands(program: str) -> dict[str, Any]:
    group: Any = get_command(_APPS[program])
    return dict(group.commands)


def _helps(program: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """The help of the program and of each command, wide enough that nothing is broken."""
    monkeypatch.setenv("COLUMNS", "400")
    for words in ([], *([name] for name in _commands(program))):
        result = CliRunner().invoke(_APPS[program], [*words, "-h"])
        assert result.exit_code == 0
        yield " ".join([program, *words]), result.stdout


def test_no_help_has_types_between_brackets(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, said in _helps(program, monkeypatch):
        assert f"Usage: {name} [OPTIONS]" in said
        assert not re.search(r"<\w|[{}]", said.replace("<=x<=", ""))
        assert re.search(r"--help +-h +Show", said)


def test_each_option_that_takes_something_says_what(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    helps = dict(_helps(program, monkeypatch))
    for name, command in _commands(program).items():
        for option in (each for each in command.params if each.param_type_name == "option"):
            longest, said = max(option.opts, key=len), helps[f"{program} {name}"]
            (line,) = re.findall(rf"^[│ *]+{longest} .*$", said, re.M)
            words = re.split(r"  +", line.strip("│ *"))
            taken = [word for word in words[1:-1] if not word.startswith("-")]
            assert bool(taken) != option.is_flag, line


def test_each_option_is_explained_in_a_sentence(program: str) -> None:
    for command in _commands(program).values():
        for option in (each for each in command.params if each.param_type_name == "option"):
            assert re.fullmatch(r"\S.+\S\.", option.help), option.name


def test_the_help_is_that_of_the_long_option(program: str) -> None:
    short, long = (CliRunner().invoke(_APPS[program], [each]).stdout for each in ("-h", "--help"))
    assert short == long


def test_the_version(program: str) -> None:
    result = CliRunner().invoke(_APPS[program], ["--version"])
    said = f"{program} {version('face-stream')}\n"
    assert (result.exit_code, result.stdout, result.stderr) == (0, said, "")


def test_the_main_output_has_a_short_option(program: str) -> None:
    names = {"face-stream": ["--save", "--out"], "face-train": ["--out"]}[program]
    found = [each for command in _commands(program).values() for each in command.params]
    options = [each for each in found if not getattr(each, "is_flag", False)]
    outputs = [each for each in options if {*names} & {*each.opts}]
    assert len(outputs) > 1
    assert all("-o" in each.opts for each in outputs)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--nonsense"], "No such option: --nonsense ({} --help says what there is)"),
        (["nonsense"], "No such command 'nonsense' ({} --help says what there is)"),
        (
            ["bench", "--nonsense"],
            "No such option: --nonsense ({} bench --help says what there is)",
        ),
    ],
)
def test_what_cannot_be_parsed_is_one_line(words: list[str], said: str, program: str) -> None:
    result = CliRunner().invoke(_APPS[program], words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"{program}: {said.format(program)}")
    assert result.stderr.count("\n") == 1


def test_without_words_it_shows_its_help(program: str) -> None:
    result = CliRunner().invoke(_APPS[program], [])
    assert result.exit_code == 2
    assert f"Usage: {program} [OPTIONS] COMMAND" in result.output
    assert not re.search(rf"^{program}:", result.output, re.M)


def test_a_shell_completes_commands_and_options(program: str) -> None:
    module = {"face-stream": "stream", "face-train": "training"}[program]
    code = f"from {module}.{'cli' if module == 'stream' else 'commands'}.app import app\n"
    code += f"app(prog_name={program!r})"
    for typed, there in (("b", "bench"), ("bench --de", "--debug")):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ
            | {
                f"_{program.upper().replace('-', '_')}_COMPLETE": "complete_bash",
                "COMP_WORDS": f"{program} {typed}",
                "COMP_CWORD": str(len(typed.split())),
            },
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert there in done.stdout.split()
