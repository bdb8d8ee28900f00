"""A clock that is set on the way, and the end of summer time: only names change, and say so."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from fakes import numbered, stopped
from servers import http, mjpeg_page

_FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
_WAIT_S = 60.0  # for another process, on a machine that is busy
_SUMMER_ENDS = datetime(2026, 10, 25, 1, tzinfo=UTC)


@pytest.mark.skipif(_FAKETIME is None, reason="libfaketime is missing: install faketime")
def test_a_clock_that_is_set_changes_names_and_nothing_else(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    folder = tmp_path / "recorded"
    folder.mkdir()

    def set_clock(minutes: float) -> None:
        """Sets it to so long after the end of summer time."""
        later_s = _SUMMER_ENDS.timestamp() + 60 * minutes - time.time()
        aside = tmp_path / "aside"
        aside.write_text(f"{later_s:+.0f}\n")
        aside.replace(clock)

    set_clock(-30)
    pictures = (numbered(number % 256) for number in count())
    with http({"/": mjpeg_page(pictures)}) as server:
        words = f"run http://{server.address}/ --save a.mp4 --log a.jsonl --no-show --json-summary"
        settings = ("recorder.segment_s=1", "recorder.keep_days=300", "run.stall_s=20")
        program = subprocess.Popen(
            [
                *(sys.executable, "-m", "stream", *words.split()),
                *(word for each in settings for word in ("--set", each)),
            ],
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(Path(__file__).parents[1]),
                "TZ": "Europe/Berlin",
                "LD_PRELOAD": str(_FAKETIME),
                "FAKETIME_TIMESTAMP_FILE": str(clock),
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with program, stopped(program):
            for minutes, stamp in ((30, "20261025-023*+0200"), (-1440, "20261025-023*+0100")):
                assert _come(lambda stamp=stamp: any(folder.glob(f"a-{stamp}*.mp4"))), stamp
                set_clock(minutes)
            assert _come(lambda: any(folder.glob("a-20261024-03*+0200*.mp4")))
            program.send_signal(signal.SIGINT)
            said, warned = program.communicate(timeout=_WAIT_S)
    assert (program.returncode, warned) == (130, "")
    summary = json.loads(said)
    assert (summary["failures"], summary["gaps"], summary["segments"]["deleted"]) == ([], [], 0)
    assert 0 < summary["elapsed_s"] < 3 * _WAIT_S
    for log in folder.glob("a-*.jsonl"):
        lines = map(json.loads, log.read_text(encoding="utf-8").splitlines())
        times = [line["time_s"] for line in lines if "frame" in line]
        assert times == sorted(times)
        assert times[-1] - times[0] < 1.5  # no segment is longer, or torn to pieces
    assert len(list(folder.glob("a-*.jsonl"))) <= summary["frames"] / 2


def _come(true: Callable[[], bool]) -> bool:
    """Waits until something is true, but not for ever."""
    deadline_s = time.monotonic() + _WAIT_S
    while not true() and time.monotonic() < deadline_s:
        time.sleep(0.05)
    return true()
