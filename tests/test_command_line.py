"""How a program speaks: each error is one line and an exit code, a traceback only with --debug."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from models.errors import ModelError
from models.program.command_line import CommandLine

_LINE = CommandLine("face-test", {ModelError: 2, LookupError: 1})


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ModelError("the model is odd"), 2, "the model is odd"),
        (IndexError("of a base that is known"), 1, "of a base that is known"),
        (
            FileNotFoundError(2, "No such file or directory", "a\x1bb"),
            1,
            r"a\x1bb: No such file or",
        ),
        (OSError(36, "File name too long", "x" * 300), 2, f"{'x' * 60}…: File name too long"),
        (OSError("odd"), 1, "the system: odd"),
        (
            ZeroDivisionError("division\nby zero"),
            1,
            "a fault of this program, please report it with --debug: ZeroDivisionError: divi",
        ),
        (AssertionError(), 1, "please report it with --debug: AssertionError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_every_error_is_one_line(
    error: Exception, code: int, said: str, debug: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    line = CommandLine("face-test", {ModelError: 2, LookupError: 1})
    with pytest.raises(typer.Exit) as raised, line.one_line_errors(debug):
        raise error
    assert raised.value.exit_code == code
    *before, last = capsys.readouterr().err.splitlines()
    assert last.startswith("face-test: ") and said in last
    assert (before[:1] == ["Traceback (most recent call last):"]) == debug
    assert bool(before) == debug


def test_an_import_that_fails_is_left_to_the_program() -> None:
    with pytest.raises(ImportError, match="no such"), _LINE.one_line_errors(debug=False):
        raise ImportError("no such")


def test_an_exit_is_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as raised, _LINE.one_line_errors(debug=True):
        raise typer.Exit(7)
    assert raised.value.exit_code == 7
    assert capsys.readouterr() == ("", "")


def test_a_signal_ends_it_with_its_code() -> None:
    with pytest.raises(typer.Exit) as raised, _LINE.one_line_errors(debug=False):
        raise KeyboardInterrupt
    assert raised.value.exit_code == 130


_LOGGED = """
import logging, sys
from models.program.command_line import CommandLine
CommandLine("face-test", {}).start_logging(quiet=sys.argv[1] == "quiet")
logging.getLogger("models").warning("odd %s", "a\\x1bb")
logging.getLogger("models").error("worse")
logging.getLogger("models").info("fine")
"""


@pytest.mark.parametrize("how", ["quiet", "loud"])
def test_what_is_logged_is_a_line_each(how: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOGGED, how],
        cwd=Path(__file__).parents[1],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=120,
    )
    said = ["face-test: odd a\\x1bb", "face-test: worse"][how == "quiet" :]
    assert (done.stdout, done.stderr.splitlines()) == ("", said)
