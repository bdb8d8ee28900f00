"""The import law: stream → models ← training, the order of the rooms inside each of them, and who
alone may import what."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]
_ROOMS = ("stream", "models", "training")
_MAY_IMPORT = {"stream": {"models"}, "training": {"models"}, "models": set[str]()}
_FLOORS = (  # of `stream`, from the top down: a room imports only from floors below its own
    {"__main__"},
    {"cli"},
    {"benchmarks", "doctor"},
    {"batch", "export", "page", "report"},
    {"short_forms"},
    {"session"},
    {"several"},
    {"run"},
    {"watchdog"},
    {"assembly", "summary", "own_loop"},
    {"annotator", "picture_annotator", "replay", "arrays", "recovery"},
    {"sources", "sinks", "results"},
    {"following", "labelling", "drawing"},
    {"settings"},
    {"people", "controls"},
    {"playback"},
    {"tracks", "frames", "media_tracks", "stores", "named_address"},
    {
        *("addresses", "backoff", "coded", "deliveries", "errors", "service", "source_history"),
        *("stalls", "stopwatch"),
    },
)
_EXCEPTIONS = {  # CONTRIBUTING.md says why
    ("stream.sinks.files", "stream.sources.pictures"),
    ("stream.sinks.video.sound", "stream.sources.media_clock"),
}
_TRAINING_FLOORS = (  # of `training`, likewise
    {"__main__"},
    {"commands"},
    {"finetune"},
    {"evaluation"},
    {"fitting"},
    {"features"},
    {"datasets", "filming"},
    {"outputs"},
    {"errors"},
)
_MODELS_FLOORS = (  # of `models`, likewise
    {"engine"},
    {"reference"},
    {"embedder", "detection", "prevalence"},
    {"aligner", "classification"},
    {"networks"},
    {"cluster", "pictures"},
    {"program", "digests", "safe_files", "annotation_files"},
    {"faces", "errors", "shadowing"},
)
_ONLY_IN = {
    "face_recognition": "models/reference.py",
    "fsspec": "stream/stores.py",
    "ray": "models/cluster/",
    "torch": "training/finetune/",
}


def _modules(room: str) -> list[Path]:
    return sorted((_ROOT / room).rglob("*.py"))


def _imported(path: Path, root: Path = _ROOT) -> Iterator[tuple[str, str]]:
    """Top-level package and whole name of every import, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = _resolved(path.relative_to(root), node)
            # `from stream import x` may name a room as well as a public name.
            rooms = [f"{module}.{alias.name}" for alias in node.names]
            names = rooms if module in _ROOMS else [module]
        else:
            continue
        for name in names:
            yield name.split(".")[0], name


def _resolved(path: Path, node: ast.ImportFrom) -> str:
    """The module that is imported from; `from .. import x` counts from the importer's folder."""
    above = path.parts[: -node.level] if node.level else ()
    return ".".join([*above, *([node.module] if node.module else [])])


@pytest.mark.parametrize("room", _ROOMS)
def test_rooms_import_only_what_they_may(room: str) -> None:
    assert _modules(room), f"no modules in {room}"
    wrong = [
        f"{path.relative_to(_ROOT)} imports {name}"
        for path in _modules(room)
        for package, name in _imported(path)
        if package in _ROOMS and package != room and package not in _MAY_IMPORT[room]
    ]
    assert not wrong


def _room(module: str) -> str:
    return module.split(".")[1]


@pytest.mark.parametrize(
    ("package", "floors", "exceptions"),
    [
        ("stream", _FLOORS, _EXCEPTIONS),
        ("models", _MODELS_FLOORS, set()),
        ("training", _TRAINING_FLOORS, set()),
    ],
)
def test_a_room_imports_only_what_lies_below_it(
    package: str, floors: Sequence[set[str]], exceptions: set[tuple[str, str]]
) -> None:
    floor_of = {room: floor for floor, rooms in enumerate(floors) for room in rooms}
    wrong, used = [], set()
    for path in _modules(package):
        module = ".".join(path.relative_to(_ROOT).with_suffix("").parts).removesuffix(".__init__")
        if module == package:  # the package itself only names what others define
            continue
        assert _room(module) in floor_of, f"{module} has no floor: name its room above"
        for root, name in _imported(path):
            if root != package or _room(name) == _room(module):
                continue
            if (module, name) in exceptions:
                used.add((module, name))
            elif floor_of[_room(name)] <= floor_of[_room(module)]:
                wrong.append(f"{module} imports {name}")
    assert not wrong
    assert used == exceptions, "an exception that nothing uses"


@pytest.mark.parametrize(("package", "owner"), _ONLY_IN.items())
def test_costly_packages_have_one_door(package: str, owner: str) -> None:
    importers = [
        path.relative_to(_ROOT).as_posix()
        for room in _ROOMS
        for path in _modules(room)
        if package in {imported for imported, _ in _imported(path)}
    ]
    assert not [path for path in importers if not path.startswith(owner)]


def test_the_reader_of_imports_sees_them_all(tmp_path: Path) -> None:
    lines = ["import a.b as c, d", "from e.f import g", "from stream import k"]
    lines += ["def h():", "    from ..i import j"]
    path = tmp_path / "stream" / "sinks" / "module.py"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines))
    names = [name for _, name in _imported(path, tmp_path)]
    assert names == ["a.b", "d", "e.f", "stream.k", "stream.i"]
