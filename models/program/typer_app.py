"""The Typer application that each of the two programs is: how its help and its errors look.

1. `-h` is `--help`, `--version` names the version, and shells complete words.
2. The help names what an option takes in one word, and of a flag nothing.
3. A command line that cannot be parsed is one line on standard error, as any other error is.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, TypeAlias

import typer
from typer.core import TyperCommand, TyperGroup

from models.program.command_line import CommandLine

_DISTRIBUTION = "face-stream"
"""What pip calls the package that both programs are of."""

_HELP_NAMES = ("-h", "--help")
"""The options that ask for help."""

_HELP_REQUEST = "NoArgsIsHelpError"
"""Name of the error, of a private class, by which Typer shows the help where no words are given."""

Command: TypeAlias = Callable[..., None]
"""What runs a command; its parameters say what the command takes."""


class _Command(TyperCommand):
    """A command."""

    def get_params(self, ctx: Any) -> Any:
        """The arguments and options, `--help` among them."""
        return _with_metavars(super().get_params(ctx), ctx)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The words of the line on usage; Typer has what must be given between braces."""
        return [
            piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)
        ]


class _Commands(TyperGroup):
    """The commands of a program."""

    command_line: CommandLine
    """What prints its errors."""

    @staticmethod
    def shown(message: str) -> str:
        """What may be shown of a message, which repeats words of the command line."""
        return message

    def get_params(self, ctx: Any) -> Any:
        """The options, `--help` among them."""
        return _with_metavars(super().get_params(ctx), ctx)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parses the options before the command."""
        with self._one_line_errors():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Runs the command that is named."""
        with self._one_line_errors():
            return super().invoke(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first words name: `batch status` before `batch`."""
        two_words = " ".join(args[:2])
        if len(args) > 1 and two_words in self.commands:
            return two_words, self.commands[two_words], args[2:]
        return super().resolve_command(ctx, args)

    @contextmanager
    def _one_line_errors(self) -> Iterator[None]:
        """Turns Typer's errors, which have a class of their own for each fault, into one line."""
        try:
            yield
        except Exception as error:
            message, context = getattr(error, "format_message", None), getattr(error, "ctx", None)
            if message is None or type(error).__name__ == _HELP_REQUEST:
                raise
            path = self.command_line.program if context is None else context.command_path
            line = f"{self.shown(message()).rstrip('.')} ({path} --help says what there is)"
            self.command_line.print_error(line)
            raise typer.Exit(getattr(error, "exit_code", 2)) from None


def typer_app(
    command_line: CommandLine,
    help_text: str,
    commands: Mapping[str, Command],
    shown: Callable[[str], str] = str,
) -> typer.Typer:
    """The application of a program.

    Args:
        command_line: what prints.
        help_text: what the program does, in a sentence.
        commands: its commands by name.
        shown: what may be shown of a message, which repeats words of the command line.
    """
    group = type(
        "Commands", (_Commands,), {"command_line": command_line, "shown": staticmethod(shown)}
    )
    app = typer.Typer(
        name=command_line.program,
        cls=group,
        help=help_text,
        no_args_is_help=True,
        context_settings={"help_option_names": list(_HELP_NAMES)},
        pretty_exceptions_enable=False,
    )

    def print_version(is_asked: bool) -> None:
        if is_asked:
            command_line.print_output(f"{command_line.program} {_version()}")
            raise typer.Exit

    @app.callback()
    def options(
        is_version_asked: Annotated[
            bool,
            typer.Option(
                "--version", callback=print_version, is_eager=True, help="Print the version."
            ),
        ] = False,
    ) -> None:
        """Takes the options before the command, each of which ends the program."""

    for name, command in commands.items():
        app.command(name, cls=_Command)(command)
    return app


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # takes as long as Typer does

    try:
        return version(_DISTRIBUTION)
    except PackageNotFoundError:
        return "of unknown version: it is not installed, but run from its folder"


def _with_metavars(parameters: list[Any], context: Any) -> list[Any]:
    """The parameters, each with a word for what it takes, where it has none of its own.

    1. Of a flag none.
    2. Of an option with a choice the choices; Typer has them between angle brackets.
    3. Of any other its name.
    """
    for each in parameters:
        if each.param_type_name == "argument":
            each.metavar = each.metavar or each.name.upper()
            each.display_type_rich = lambda ctx: None  # Typer adds the type, as in <str>
        elif getattr(each, "is_flag", False):
            each.metavar = ""
        elif each.metavar is None:
            choices = each.display_type_rich(ctx=context).strip("<>")
            each.metavar = choices if "|" in choices else max(each.opts, key=len)[2:].upper()
    return parameters
