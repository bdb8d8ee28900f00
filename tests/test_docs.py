"""The pages are true where a program can tell: links, options, keys, settings, columns, files."""

import re
from pathlib import Path
from typing import Any

import pytest
import test_layers
import typer

from stream.cli.app import app as stream_app
from stream.controls import KEYS
from stream.settings import Config
from stream.sinks.data.tables import face_columns, track_columns
from training.commands.app import app as train_app

_ROOT = Path(__file__).parents[1]
_SUFFIXES = (".py", ".html", ".css", ".js", ".svg")  # of files that are listed
_PAGES = [_ROOT / "README.md", _ROOT / "CONTRIBUTING.md", *sorted((_ROOT / "docs").glob("*.md"))]
_MOST_LINES = 150


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _links(page: Path) -> list[str]:
    return [link for link in re.findall(r"\]\(([^)]+)\)", _text(page)) if "://" not in link]


def _anchors(page: Path) -> set[str]:
    """The anchors of the headings of a page."""
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
    """The commands by name; each has `params`."""
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


@pytest.mark.parametrize(
    ("app", "program", "name"),
    [
        (app, program, name)
        for app, program in ((stream_app, "face-stream"), (train_app, "face-train"))
        for name in _commands(app)
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_option_of_a_command_is_explained(app: typer.Typer, program: str, name: str) -> None:
    """What the pages say of a command are its options, and no others."""
    taken = _options(app, name)
    explained = _explained(program, name)
    if program == "face-stream" and name == "render":
        explained = _explained(program, "run") - explained  # "the options of `run` but"
    assert explained - {"--debug"} == taken - {"--debug"}


def _options(app: typer.Typer, name: str) -> set[str]:
    params = _commands(app)[name].params
    options = {each for param in params for each in (*param.opts, *param.secondary_opts)}
    return {each for each in options if each.startswith("--")} - {"--help"}


def _explained(program: str, name: str) -> set[str]:
    """The options in the section or the rows of the tables that are about a command.

    1. `run`, `batch`, and `bench` of `face-stream`, have a section of their own.
    2. The row of another command begins with it.
    3. An option of training names its commands in the second cell of its row.
    4. The table of the options of `finetune` alone says so in its heading.
    """
    usage = _text(_ROOT / "docs" / "usage.md")
    if program == "face-stream" and name in ("run", "batch"):
        return _named_options(usage.split(f"\n## `face-stream {name}`\n")[1].split("\n```")[0])
    if (program, name) == ("face-stream", "bench"):
        measuring = _text(_ROOT / "docs" / "performance.md").split("\n## Measure it yourself\n")[1]
        return _named_options(re.sub(r"^.*face-train.*$", "", measuring, flags=re.M))
    rows = _table(usage)
    chosen = [row for row in rows if row[0].startswith(f"`{program} {name}")]
    if program == "face-train":
        chosen += [row[:1] for row in rows if len(row) == 3 and f"`{name}`" in row[1]]
    own = usage.split("\n| option of `finetune` | effect |\n")[1].split("\n\n")[0]
    found = _named_options(" ".join(cell for row in chosen for cell in row))
    return found | (_named_options(own) if name == "finetune" else set())


def _named_options(text: str) -> set[str]:
    return set(re.findall(r"[` ](--[a-z][a-z-]*)", text))


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
        named = re.findall(rf"[` ]((?:{sections})\.(?!(?:py|csv)`)[a-z_]+)[`= ]", _text(page))
        assert set(named) <= known, page.name


def test_each_column_of_the_tables_is_named() -> None:
    tables = _text(_ROOT / "docs" / "usage.md").split("\n## Tables\n")[1].split("\n## ")[0]
    attributes = {"gender": ("Female", "Male")}
    for column in (*face_columns(attributes), *track_columns(attributes)):
        assert f"`{column}`" in tables, column


def _table(text: str) -> list[list[str]]:
    """The cells of the rows of the tables of a text, their headings included."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [row for row in rows if not set(row[0]) <= set("- ")]


def test_the_order_of_the_rooms_is_the_one_that_is_tested() -> None:
    law = _text(_ROOT / "CONTRIBUTING.md").split("\n## The import law\n")[1].split("\n## ")[0]
    blocks = re.findall(r"```text\n(.*?)```", law, re.S)[1:]
    floors = [tuple(set(line.split(", ")) for line in block.splitlines()) for block in blocks]
    tested = [test_layers._FLOORS, test_layers._MODELS_FLOORS, test_layers._TRAINING_FLOORS]
    assert floors == tested
    exceptions = {(row[0].strip("`"), row[1].strip("`")) for row in _table(law)[1:]}
    assert exceptions == test_layers._EXCEPTIONS


def test_each_file_that_a_page_names_is_there() -> None:
    for page in _PAGES:
        for name in re.findall(
            r"`((?:stream|models|training|tests|docs)/[\w/]+\.\w+)`", _text(page)
        ):
            assert (_ROOT / name).exists(), f"{page.name}: {name}"


def test_each_test_that_a_page_names_is_there() -> None:
    for page in _PAGES:
        for file, name in re.findall(r"`(tests/\w+\.py)(?:::(\w+))?`", _text(page)):
            assert (_ROOT / file).exists(), f"{page.name}: {file}"
            assert not name or f"def {name}(" in _text(_ROOT / file), f"{page.name}: {file}::{name}"


def test_each_fault_has_a_test() -> None:
    rows = _table(_text(_ROOT / "docs" / "reliability.md"))
    tables = _text(_ROOT / "docs" / "reliability.md").split("| fault | what happens | test |")[1:]
    rows = [row for table in tables for row in _table(table.split("\n\n")[0])]
    assert len(rows) > 80
    for fault, _, test in rows:
        assert re.fullmatch(r"`tests/\w+\.py::\w+`", test), fault


def _rooms() -> dict[str, str]:
    """The rooms of which the page on architecture lists the files, each with its section."""
    pieces = re.split(r"^#{2,3} (.+)$", _text(_ROOT / "docs" / "architecture.md"), flags=re.M)
    sections = zip(pieces[1::2], pieces[2::2], strict=True)
    return {title.strip("`"): text for title, text in sections if title.endswith("/`")}


def test_each_room_is_listed() -> None:
    inits = [*_ROOT.glob("models/*/__init__.py"), *_ROOT.glob("training/*/__init__.py")]
    packages = {path.parent.relative_to(_ROOT) for path in inits}
    assert {f"{each.as_posix()}/" for each in packages} | {"models/", "training/"} <= set(_rooms())


@pytest.mark.parametrize("room", _rooms())
def test_each_file_of_a_room_is_listed(room: str) -> None:
    cells = [row[0] for row in _table(_rooms()[room])[1:]]
    names = {name for cell in cells for name in re.findall(r"`([\w/.]+)`", cell)}
    folders = tuple(name for name in names if name.endswith("/"))
    assert all((_ROOT / room / folder).is_dir() for folder in folders)
    found = [path for path in (_ROOT / room).rglob("*") if path.suffix in _SUFFIXES]
    paths = {path.relative_to(_ROOT / room).as_posix() for path in found}
    files = {path for path in paths if not path.endswith("__init__.py")}
    assert {path for path in files if not path.startswith(folders)} == names - set(folders)
