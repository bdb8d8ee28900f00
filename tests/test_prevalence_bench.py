"""`bench --report` on the first faces of FairFace."""

import io
from pathlib import Path

from rich.console import Console

from stream.benchmarks.prevalence import measure_prevalence, render
from stream.settings import Config


def test_shares_of_labelled_faces_are_corrected(shared_data: Path) -> None:
    report = measure_prevalence(shared_data / "fairface", Config(), count=420, draws=9)
    assert report.faces == 420
    gender = report.corrections["gender"]
    assert gender is not None
    (view,) = gender.test["views"]
    assert view["faces"] == 210 and view["draws"] == 9
    assert 0 < view["corrected_error"] < 0.2
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(render(report))
    assert "gender" in console.export_text()
