"""The command `batch`: many files, and a ledger by which it goes on where it ended."""

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

import typer

from models.program.command_line import EXIT_FAILURE
from models.program.interrupts import exit_code
from models.program.printable import printable
from stream.cli import batch_options, options
from stream.cli.batch_options import LogForm, SubtitleForm
from stream.cli.console import (
    command_line,
    exit_on_error,
    print_message,
    print_output,
    start_logging,
    stderr_console,
)

if TYPE_CHECKING:
    from pathlib import Path

    from stream.batch.copies import Copies
    from stream.batch.ledger import Enrolment, Ledger
    from stream.batch.progress import Account
    from stream.batch.standing import Standing
    from stream.settings import Config, Settings


def batch(
    sources: batch_options.Sources,
    out: batch_options.Out,
    copy_to: batch_options.CopyTo = None,
    save: batch_options.Save = False,
    log: batch_options.Log = None,
    snapshots: batch_options.Snapshots = False,
    sheet: batch_options.Sheet = False,
    subtitles: batch_options.Subtitles = None,
    blur: options.Blur = False,
    overwrite: options.Overwrite = False,
    retries: batch_options.Retries = 1,
    limit: batch_options.Limit = None,
    shard: batch_options.ShardName = None,
    engine: batch_options.EngineChoice = "local",
    address: batch_options.ClusterAddress = None,
    workers: batch_options.Workers = 0,
    memory_mb: batch_options.MemoryMb = 0,
    timeout_s: batch_options.TimeoutS = 0.0,
    span_s: batch_options.SpanS = 600.0,
    nice: batch_options.Nice = 0,
    dry_run: batch_options.DryRun = False,
    config: options.ConfigFile = None,
    model: options.Model = None,
    settings: options.Overrides = None,
    quiet: options.Quiet = False,
    json_summary: options.JsonSummary = False,
    debug: options.Debug = False,
) -> None:
    """Annotate many files; started again it goes on where it ended."""

    def work() -> "tuple[Account, Standing, list[Path]] | None":
        from stream.batch.batch import Batch
        from stream.batch.copies import Copies
        from stream.batch.division import Division
        from stream.batch.engines import EngineOrder
        from stream.batch.opening import Order, opened_batch
        from stream.batch.progress import Account, ProgressLine
        from stream.batch.shards import Shard
        from stream.batch.standing import Standing
        from stream.settings import load_settings
        from stream.sinks import Outputs

        overrides = [*(settings or []), *options.model_setting(model), *options.blur_setting(blur)]
        settled = _with_forms(load_settings(config, overrides), log, subtitles)
        wanted = EngineOrder(
            kind=engine,
            address=address,
            workers=workers,
            memory_mb=memory_mb,
            timeout_s=timeout_s,
            nice=nice,
        )
        part = Shard.parse(shard)
        copies = None if copy_to is None else Copies.ordered(copy_to, out)
        outputs = Outputs(
            save=out if save else None,
            log=None if log == LogForm.NONE else out,
            snapshots=out if snapshots else None,
            sheet=out if sheet else None,
            subtitles=out if subtitles else None,
            overwrite=overwrite,
        )
        order = Order(
            named=sources,
            folder=out,
            config=settled,
            outputs=outputs,
            shard=part,
            limit=limit,
            copies=copies,
        )
        with opened_batch(order, is_trial=dry_run) as (ledger, enrolment):
            if not is_silent:
                _print_enrolment(out, ledger, enrolment)
            if dry_run:
                _print_waiting(ledger)
                return None
            account = Account(ledger.to_do)
            division = Division(settled, span_s, copies)
            doing = Batch(ledger, wanted.open(settled, out), division, account, retries=retries)
            with ProgressLine(account, stderr_console, quiet=is_silent) as progress:
                doing.run(progress.refresh)
            tables = _written_tables(ledger, part.suffix, copies)
            return account, Standing.of([ledger]), tables

    is_silent = quiet or json_summary
    start_logging(quiet)
    outcome = exit_on_error(work, debug)
    if outcome is None:
        return
    account, standing, tables = outcome
    if json_summary:
        print_output(json.dumps(_as_dict(account, standing, tables)))
    elif not quiet:
        _print_outcome(out, account, standing)
    if account.interrupted:
        raise typer.Exit(exit_code())
    if standing.failures or not tables:
        raise typer.Exit(EXIT_FAILURE)


def _written_tables(ledger: "Ledger", suffix: str, copies: "Copies | None") -> "list[Path]":
    """The tables of the batch, put where its results are put; where they cannot be written that is
    said, and there is none: the inputs are done.
    """
    from stream.batch.tables import write_tables
    from stream.errors import SinkError

    try:
        tables = write_tables(ledger, suffix)
        if copies is not None:
            copies.put(tables)
        return tables
    except SinkError as error:
        command_line.print_error(f"{error}; the next start writes it")
        return []


def _with_forms(
    settings: "Settings", log: LogForm | None, subtitles: SubtitleForm | None
) -> "Config":
    """The settings, whose logs have the form of `--log`, Parquet where no one chose any, and whose
    subtitles that of `--subtitles`."""
    from stream.settings.layers import DEFAULT_ORIGIN

    is_chosen = settings.origins["outputs", "log"] != DEFAULT_ORIGIN
    form = settings.config.outputs.log if is_chosen else "parquet"
    chosen = form if log in (None, LogForm.NONE) else str(log)
    forms = {"log": chosen} | ({} if subtitles is None else {"subtitles": str(subtitles)})
    outputs = settings.config.outputs.model_copy(update=forms)
    return settings.config.model_copy(update={"outputs": outputs})


def _print_enrolment(out: "Path", ledger: "Ledger", enrolment: "Enrolment") -> None:
    """Says what becomes of the inputs."""
    words = [
        f"{number:,} {what}"
        for number, what in (
            (enrolment.new, "new"),
            (enrolment.changed, "changed, which are done again"),
            (enrolment.waiting, "that waited"),
            (enrolment.done, "done already"),
            (enrolment.failed, f"that failed, which `face-stream batch retry {out}` sets free"),
        )
        if number
    ]
    counts = ledger.counts()
    absent = counts.unnamed + counts.states["skipped"]
    if absent:
        words.append(f"{absent:,} of earlier starts that are no longer named")
    print_message(f"inputs: {', '.join(words) or 'none is of this shard'}")


def _print_waiting(ledger: "Ledger") -> None:
    """Prints what would be done, a name a line."""
    names = [row.name for row in islice(ledger.rows("waiting"), ledger.to_do)]
    if names:
        print_output("\n".join(map(printable, names)))


def _print_outcome(out: "Path", account: "Account", standing: "Standing") -> None:
    """Says what was done now, and where the batch stands."""
    print_message(account.line())
    for line in standing.lines():
        print_message(line)
    if standing.failures:
        print_message(
            f"face-stream batch status {out} names those that failed, face-stream batch retry "
            f"{out} sets them free"
        )


def _as_dict(account: "Account", standing: "Standing", tables: "list[Path]") -> dict[str, Any]:
    """The same as JSON has it."""
    outputs = list(map(str, tables))
    return {**account.as_dict(), "outputs": outputs, "ledger": standing.as_dict()}
