"""What people read is true where a program can tell: links, options, keys, settings, columns."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from stream.cli.app import app as stream_app
from stream.controls import KEYS
from stream.settings import Config
from stream.sinks.data.tables import face_columns, track_columns
from training.__main__ import app as train_app

_ROOT = Path(__file__).parents[1]
_PAGES = [_ROOT / "README.md", _ROOT / "CONTRIBUTING.md", *sorted((_ROOT / "docs").glob("*.md"))]
_MOST_LINES = 150


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _links(page: Path) -> list[str]:
    return [link for link in re.findall(r"\]\(([^)]+)\)", _text(page)) if "://" not in link]


def _anchors(page: Path) -> set[str]:
    """What a heading is called in a link."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", _text(page), flags=re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in _links(page):
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def test_the_readme_is_short_and_its_links_work_outside_the_repository() -> None:
    readme = _ROOT / "README.md"
    assert len(_text(readme).splitlines()) <= _MOST_LINES
    assert _links(readme) == ["docs/picture.jpg"]  # other files are named in plain text
    for name in re.findall(r"`((?:docs|models)/[^`]+|[A-Z]+\.md)`", _text(readme)):
        assert (_ROOT / name).exists(), name


def _commands(app: typer.Typer) -> dict[str, Any]:
    """By name; each has `params`."""
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


@pytest.mark.parametrize(
    ("app", "name"),
    [(app, name) for app in (stream_app, train_app) for name in _commands(app)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_option_is_explained(app: typer.Typer, name: str) -> None:
    """Of `bench` on the page that tells of measuring, of all others on that of usage."""
    measures = app is stream_app and name == "bench"
    page = _ROOT / "docs" / ("performance.md" if measures else "usage.md")
    explained = set(re.findall(r"[` ](--[a-z-]+)", _text(page)))
    for parameter in _commands(app)[name].params:
        options = {
            each for each in (*parameter.opts, *parameter.secondary_opts) if each[:2] == "--"
        }
        assert options <= explained | {"--help", "--debug"}


def test_each_command_is_named() -> None:
    usage = _text(_ROOT / "docs" / "usage.md")
    for name in _commands(stream_app):
        assert f"`face-stream {name}" in usage
    for name in _commands(train_app):
        assert f"face-train {name}" in usage


def test_each_key_is_explained() -> None:
    usage = _text(_ROOT / "docs" / "usage.md")
    for key, _ in KEYS:
        assert f"\n| {key} | " in usage, key


def test_each_setting_that_is_named_is_there() -> None:
    known = {f"{name}.{key}" for name, keys in Config().model_dump().items() for key in keys}
    sections = "|".join(Config().model_dump())
    for page in _PAGES:
        named = re.findall(rf"[` ]((?:{sections})\.[a-z_]+)[`= ]", _text(page))
        assert set(named) <= known, page.name


def test_each_column_of_the_tables_is_named() -> None:
    tables = _text(_ROOT / "docs" / "usage.md").split("\n## Tables\n")[1].split("\n## ")[0]
    attributes = {"gender": ("Female", "Male")}
    for column in (*face_columns(attributes), *track_columns(attributes)):
        assert f"`{column}`" in tables, column
