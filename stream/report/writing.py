"""The three files of a report, in a folder."""

import json
from pathlib import Path

from stream.errors import ConfigError
from stream.report.csv_table import report_csv
from stream.report.figures import Figures
from stream.report.page import render_page
from stream.report.pictures import person_pictures
from stream.sinks.paths import write_whole

HTML_FILE, JSON_FILE, CSV_FILE = "report.html", "report.json", "report.csv"
"""The page for people, and the figures for programs and for spreadsheets."""


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """Checks that a report may be written, before a log is read.

    Raises:
        ConfigError: it is no folder, or has a report that may not be replaced.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is no folder: name one with --out")
    for name in (HTML_FILE, JSON_FILE, CSV_FILE):
        if (folder / name).exists() and not overwrite:
            raise ConfigError(
                f"{folder / name} exists: name another folder, or replace it with --overwrite"
            )


def write_report(folder: Path, report: Figures, *, blur: bool = False) -> list[Path]:
    """Writes a report into a folder, which is made where it is missing.

    Args:
        folder: where to.
        report: as `make_report` gives it.
        blur: make the faces on the page unrecognisable.

    Returns:
        What was written.

    Raises:
        SinkError: the disk refuses.
    """
    text = json.dumps(report, ensure_ascii=False, allow_nan=False, indent=1)
    files = {
        HTML_FILE: render_page(report, person_pictures(report, blur=blur)),
        JSON_FILE: text + "\n",
        CSV_FILE: report_csv(report),
    }
    for name, content in files.items():
        write_whole(folder / name, content.encode(errors="backslashreplace"))
    return [folder / name for name in files]
