"""What to install where a package cannot be imported, or is an extra that is not there."""

import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from models.errors import ModelError
from models.program.interrupts import exit_code
from models.program.printable import printable

_MISSING = re.compile(r"(lib[\w+.-]*?\.so[\w.]*): cannot open shared object file")
"""What the dynamic linker of Linux says of a library that is not there."""

_DEBIAN_PACKAGES = {
    "libGL": "libgl1",
    "libEGL": "libegl1",
    "libSM": "libsm6",
    "libICE": "libice6",
    "libX11": "libx11-6",
    "libXext": "libxext6",
    "libXrender": "libxrender1",
    "libxcb": "libxcb1",
    "libglib-2": "libglib2.0-0",
    "libgthread-2": "libglib2.0-0",
    "libgomp": "libgomp1",
    "libstdc++": "libstdc++6",
    "libgcc_s": "libgcc-s1",
    "libz": "zlib1g",
}
"""Debian's package of each library that OpenCV, dlib, PyAV and ONNX Runtime may want."""

_OPENCV_LIBRARIES = ("libxcb.so.1", "libGL.so.1", "libgthread-2.0.so.0")
"""What the wheel `opencv-python` loads and a bare system lacks: those that are missing are named at
once, rather than the next one when the first is there."""

_REFERENCE_MODULES = ("face_recognition", "pkg_resources")
"""What the reference imports besides what every installation has; `pkg_resources` is of setuptools,
and face_recognition ends the program where it is missing."""

INSTALL_REFERENCE = (
    "uv sync in face-stream's folder, elsewhere pip install --no-deps face_recognition "
    '"setuptools<81"'
)
"""What installs them without compiling anything: the module dlib, which face_recognition asks for
by another name, is there already."""


def check_reference() -> None:
    """Checks that the reference can be imported, without importing it, which takes seconds.

    Raises:
        ModelError: `face_recognition` is not installed, or not what it imports.
    """
    if missing := missing_reference():
        raise ModelError(
            f"{missing}: not installed, but needed to run dlib's networks in dlib itself; install "
            f"with {INSTALL_REFERENCE}"
        )


def missing_reference() -> str:
    """The modules that the reference wants and that are not there; empty where all are."""
    return " and ".join(name for name in _REFERENCE_MODULES if find_spec(name) is None)


@contextmanager
def import_errors_in_one_line(program: str, remedy: str) -> Iterator[None]:
    """Turns a failed import in the body into one line and exit code 1, for a traceback `--debug`.

    Args:
        program: its name, for the line.
        remedy: what to do where it is no library of the system that is missing.
    """
    try:
        yield
    except ImportError as error:
        if exit_code(0):  # a signal that comes during the import of an extension takes that form
            sys.exit(exit_code())
        lines = traceback.format_exc().splitlines() if "--debug" in sys.argv else []
        lines.append(
            f"{program}: {import_fault(error)}: {import_remedy(error, remedy)}; "
            "face-stream doctor says what else is missing"
        )
        sys.stderr.write("".join(f"{printable(line)}\n" for line in lines))
        sys.exit(1)


def import_fault(error: ImportError) -> str:
    """What is missing, in a few words."""
    library = _library(error)
    if library:
        return f"{library} is missing"
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"the package {error.name} is not installed"
    reason = " ".join(str(error).split()) or type(error).__name__
    return f"a package cannot be imported: {reason}"


def import_remedy(
    error: ImportError, otherwise: str, loads: Callable[[str], bool] | None = None
) -> str:
    """What to do where an import failed.

    Args:
        error: says why.
        otherwise: what to do unless a library of the system is missing.
        loads: whether the system has a library.
    """
    library = _library(error)
    if not library:
        return otherwise
    if library.split(".")[0] not in _DEBIAN_PACKAGES:
        search = f"apt-file search {library}"
        return f"install the system's {library} (on Debian {search} names its package)"
    missing, has = [library], loads or _loads
    if library in _OPENCV_LIBRARIES:
        missing += [each for each in _OPENCV_LIBRARIES if each != library and not has(each)]
    packages = " ".join(dict.fromkeys(_DEBIAN_PACKAGES[each.split(".")[0]] for each in missing))
    return f"install the system's {' and '.join(missing)} (on Debian: apt-get install {packages})"


def _loads(library: str) -> bool:
    """Whether the system has a library."""
    import ctypes

    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _library(error: ImportError) -> str:
    """The library that an error, or one that led to it, says is missing; empty where none does."""
    fault: BaseException | None = error
    while fault is not None:
        if found := _MISSING.search(str(fault)):
            return found[1]
        fault = fault.__cause__ or fault.__context__
    return ""
