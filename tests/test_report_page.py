"""The report as people get it: the command, the page, the table, pictures of persons."""

import base64
import csv
import json
import re
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import test_report
from typer.testing import CliRunner

from stream.cli.app import app
from stream.report.charts import Bar, bars
from stream.report.csv_table import COLUMNS
from stream.report.report import SCHEMA

_ROOT = Path(__file__).parents[1]
_HOSTILE = '<script>alert("1")</script>\x1b[31m'


def _report(*words: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["report", *map(str, words)])
    return result.exit_code, result.output


def _log(folder: Path, count: int = 30, **header: Any) -> Path:
    """A log of the model that ships, of as many persons."""
    path = folder / "clip.jsonl"
    faces = [test_report._face(n, side=70.0) for n in range(count)]
    lines: Sequence[Mapping[str, Any]] = [
        {**test_report._HEADER, "model": "default", **header},
        test_report._frame(0, *faces),
        *(test_report._track(n, test_report._HER) for n in range(count)),
    ]
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    return path


class _Page(HTMLParser):
    """The tags of a page that are open at its end, and what each names outside of it."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img", "rect", "path", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            assert self.open.pop() == tag


def _page(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def test_a_report_is_a_page_figures_and_a_table(tmp_path: Path) -> None:
    out = tmp_path / "report"
    code, printed = _report(_log(tmp_path), "--out", out)
    assert code == 0, printed
    figures = json.loads((out / "report.json").read_text())
    assert figures["schema"] == SCHEMA
    page = _page(out / "report.html")
    assert not page.open and not page.links and "script" not in page.tags
    text = (out / "report.html").read_text()
    assert "30 persons in 1 log" in text and "95 % interval" in text
    with (out / "report.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    her = next(row for row in rows if row["scope"] == "overall" and row["label"] == "Female")
    group = figures["overall"]["video"]["attributes"]["gender"]["groups"][0]
    assert float(her["corrected_low"]) == group["corrected"]["persons_share"]["low"]
    assert int(her["persons"]) == group["persons"] == 30


def test_names_are_text(tmp_path: Path) -> None:
    classes = {"gender": [_HOSTILE, "Male"]}
    labels = {
        "gender": {"label": _HOSTILE, "confidence": 0.9, "probabilities": {_HOSTILE: 1, "Male": 0}}
    }
    path = tmp_path / "<b>clip.jsonl"
    lines = [
        {**test_report._HEADER, "attributes": classes, "source": _HOSTILE},
        test_report._frame(0, test_report._face(1)),
        test_report._track(1, labels),
    ]
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    code, printed = _report(path, "--out", tmp_path / "report")
    assert code == 0, printed
    page = _page(tmp_path / "report" / "report.html")
    assert not {"script", "b"} & page.tags and not page.open
    for file in (tmp_path / "report").iterdir():
        assert "\x1b" not in file.read_text()
    assert "\x1b" not in printed


@pytest.mark.parametrize("blur", [False, True])
def test_pictures_are_shown_where_they_were_kept(blur: bool, tmp_path: Path) -> None:
    path = _log(tmp_path, count=2)
    folder = tmp_path / "clip.people"
    folder.mkdir()
    picture = np.zeros((60, 60, 3), np.uint8)
    picture[::2] = 255
    cv2.imwrite(str(folder / "person-0001.jpg"), picture)
    (folder / "person-0000.jpg").write_bytes(b"none")
    code, printed = _report(path, "-o", tmp_path / "out", *(["--blur"] if blur else []))
    assert code == 0, printed
    (link,) = _page(tmp_path / "out" / "report.html").links
    data = np.frombuffer(base64.b64decode(link.split(",")[1]), np.uint8)
    shown = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    assert shown is not None
    assert (shown.std() < 40) == blur  # stripes, unless they were averaged


def test_a_report_is_not_overwritten_unless_told(tmp_path: Path) -> None:
    path, out = _log(tmp_path, count=1), tmp_path / "out"
    assert _report(path, "-o", out)[0] == 0
    code, printed = _report(path, "-o", out)
    assert code == 2 and "--overwrite" in printed
    assert _report(path, "-o", out, "--overwrite")[0] == 0
    (tmp_path / "file").write_text("")
    assert _report(path, "-o", tmp_path / "file")[0] == 2


def test_exit_codes_tell_what_was_left_out(tmp_path: Path) -> None:
    good, bad = _log(tmp_path, count=1), tmp_path / "bad.jsonl"
    bad.write_text("{")
    code, printed = _report(good, bad, "-o", tmp_path / "one")
    assert code == 1 and "bad.jsonl" in printed and (tmp_path / "one" / "report.html").exists()
    code, printed = _report(bad, "-o", tmp_path / "two")
    assert code == 2 and not (tmp_path / "two" / "report.html").exists()
    assert _report(tmp_path / "none.jsonl", "-o", tmp_path / "three")[0] == 2


def test_a_log_without_faces_has_a_report(tmp_path: Path) -> None:
    path = test_report._write(tmp_path, *(test_report._frame(i) for i in range(3)))
    code, printed = _report(path, "-o", tmp_path / "out")
    assert code == 0 and "no face counts" in printed


def test_faces_that_are_all_too_small_for_a_label_have_a_report(tmp_path: Path) -> None:
    small = [test_report._frame(i, test_report._face(1)) for i in range(3)]
    path = test_report._write(tmp_path, *small, test_report._track(1, {}))
    code, printed = _report(path, "-o", tmp_path / "out")
    assert code == 0 and "In 1 log there is 1 person, none large enough for a label." in printed
    assert "too small" in (tmp_path / "out" / "report.html").read_text()


def test_the_headline_says_of_whom_how_sure_and_when_not_to_rely_on_it(tmp_path: Path) -> None:
    path = _log(tmp_path, count=30)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    tracks = [
        {**line, "labels": {} if line["track"] < 5 else line["labels"]}
        for line in lines
        if "track" in line
    ]
    path.write_text("".join(json.dumps(each) + "\n" for each in [*lines[:2], *tracks]))
    said = " ".join(_report(path, "-o", tmp_path / "out")[1].split())
    assert re.match(
        r"Of the 25 persons \(of 30 in 1 log\) large enough for a label, an estimated \d+ % are "
        r"perceived as Female \(95 % interval \d+ to \d+ %\) and \d+ % as Male \(\d+ to \d+ %\), "
        r"corrected for the model's known error\. →",
        said,
    )
    few = " ".join(_report(_log(tmp_path, count=3), "-o", tmp_path / "few")[1].split())
    assert "Of 3 persons in 1 log, an estimated" in few
    assert "Under 20 persons, shares are not to be relied on." in few


def test_bars_are_as_long_as_their_values_and_show_intervals() -> None:
    chart = bars([Bar("a", 0.5, 0.25, 1.0, raw=0.75), Bar("b", 0.0)], "title")
    widths = [float(each) for each in re.findall(r'<rect [^>]*width="([\d.]+)"', chart)]
    low, high = map(float, re.findall(r'd="M([\d.]+) [\d.]+H([\d.]+)', chart)[0])
    assert widths[1] == 0 and (high - low) / widths[0] == pytest.approx(1.5, abs=0.01)


def test_each_key_and_column_is_documented() -> None:
    page = (_ROOT / "docs" / "report.md").read_text()
    for column in COLUMNS:
        assert f"`{column}`" in page, column


def _log_of(path: Path, attributes: Sequence[str], classes: tuple[str, str], count: int) -> None:
    """A log of as many persons, all of the first class of each attribute."""
    sure = {"label": classes[0], "probabilities": {classes[0]: 0.8, classes[1]: 0.2}}
    lines: Sequence[Mapping[str, Any]] = [
        {**test_report._HEADER, "attributes": dict.fromkeys(attributes, classes)},
        test_report._frame(0, *(test_report._face(n) for n in range(count))),
        *(test_report._track(n, dict.fromkeys(attributes, sure)) for n in range(count)),
    ]
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))


def test_shares_stand_under_the_attribute_that_they_are_of(tmp_path: Path) -> None:
    """Logs of several models of a user, whose attributes have classes of one name."""
    _log_of(tmp_path / "a.jsonl", ["glasses"], ("yes", "unsure"), 3)
    _log_of(tmp_path / "b.jsonl", ["hat"], ("red", "blue"), 5)
    _log_of(tmp_path / "c.jsonl", ["glasses", "mask"], ("yes", "unsure"), 2)
    code, printed = _report(tmp_path, "-o", tmp_path / "out")
    assert code == 0
    said = "Of the 5 persons (of 10 in 3 logs) whose logs have glasses, 100 % are perceived as yes"
    assert said in " ".join(printed.split())
    page = (tmp_path / "out" / "report.html").read_text()
    by_log = page[page.index("<h2>By log") :]
    assert re.findall("<th>([^<]*)</th>", by_log)[3:5] == ["hat: red", "hat: blue"]
    shares = re.findall("<td>([^<]*)</td>", by_log)
    assert [shares[place : place + 5][3:] for place in (0, 5, 10)] == [
        ["100 %", "0 %"],
        ["–", "–"],
        ["–", "–"],
    ]
    assert "<div>glasses: yes, mask: yes</div>" in page
    assert "model is unsure of" not in page, "its class of that name is none"


def test_a_report_of_pictures_speaks_of_faces(tmp_path: Path) -> None:
    unsure = {"gender": {"label": None, "probabilities": {"Female": 0.5, "Male": 0.5}}}
    lines: Sequence[Mapping[str, Any]] = [
        {**test_report._HEADER, "model": "default"},
        *(
            {"frame": n, "file": f"{n}.jpg", "faces": [test_report._face(n, labels=unsure)]}
            for n in range(3)
        ),
    ]
    path = tmp_path / "pictures.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    assert _report(path, "-o", tmp_path / "out")[0] == 0
    page = (tmp_path / "out" / "report.html").read_text()
    assert "the model is unsure of 3 faces" in page and "there are too few faces" in page
    told, _, _ = page.partition("<h2>How it was measured")
    assert "person" not in told.lower().partition("<body>")[2]
