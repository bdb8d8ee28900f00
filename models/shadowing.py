"""What is said where another module named `models` is found before this program's package.

Python looks first in the folder of the script, then in those of PYTHONPATH: a `models.py` of the
user's there hides the installed package. `stream` and `training` run this file, which they find by
its place rather than by its name, before they import anything from `models`.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

_PROGRAMS = {"stream": "face-stream", "training": "face-train"}
"""The programs by their packages: their errors are one line; any other is given an exception."""


def refuse_other_models(folder: Path) -> None:
    """Checks that `models` is the package in that folder.

    Raises:
        ImportError: it is another; in the programs SystemExit instead, unless for `--debug`.
    """
    place = _place_of_models()
    if place and os.path.exists(place) and os.path.samefile(place, folder / "__init__.py"):
        return
    message = (
        f"{place or 'another module'} is imported as models, in the place of face-stream's own "
        "package of that name: rename it, or leave its folder out of Python's path (PYTHONPATH; "
        "the folder of a script is left out by python -P)"
    )
    program = _program()
    if program and "--debug" not in sys.argv:
        raise SystemExit(f"{program}: {message}")
    raise ImportError(message, name="models", path=place)


def _program() -> str | None:
    """Which of the programs is being started, as a script or by `python -m`; None for neither."""
    started = Path(sys.argv[0]).stem if sys.argv else ""
    if started == "-m":  # what Python puts there until it has found the module
        return _PROGRAMS.get(sys.orig_argv[sys.orig_argv.index("-m") + 1])
    return started if started in _PROGRAMS.values() else None


def _place_of_models() -> str | None:
    """The file that `import models` gives; None where it cannot be told."""
    try:
        spec = find_spec("models")
    except ValueError:  # a module made by hand
        return None
    return spec.origin if spec else None
