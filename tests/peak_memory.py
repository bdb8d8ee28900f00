"""Runs a program and measures its peak memory, as Linux states it."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_WATCHER = """
import resource, subprocess, sys
code = subprocess.run([sys.executable, *sys.argv[2:]]).returncode
with open(sys.argv[1], "w") as file:
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=file)
sys.exit(code)
"""
"""A small program in between: what the system counts for a child begins with the memory of the
program that starts it, which for the tests themselves is a lot."""


@dataclass(frozen=True)
class Measured:
    """How a program ended, what it wrote, and the most memory it took, MB."""

    returncode: int
    stdout: str
    stderr: str
    peak_mb: float


def run_measured(
    arguments: Sequence[str], folder: Path, *, stdin: BinaryIO | None = None, timeout_s: float = 200
) -> Measured:
    """Runs Python with those arguments in a folder."""
    with tempfile.NamedTemporaryFile() as peak:
        program = subprocess.run(
            [sys.executable, "-c", _WATCHER, peak.name, *arguments],
            cwd=folder,
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )
        peak_mb = int(Path(peak.name).read_text()) / 1024
    return Measured(program.returncode, program.stdout, program.stderr, peak_mb)
