"""What to install where a package cannot be imported, or is an extra that is not there."""

import re
from importlib.util import find_spec

from models.errors import ModelError

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
    """Checks that `face_recognition` can be imported, without importing it, which takes seconds.

    Raises:
        ModelError: it is not installed, or not what it imports.
    """
    missing = [name for name in _REFERENCE_MODULES if find_spec(name) is None]
    if missing:
        raise ModelError(
            f"to run dlib's networks in dlib itself, {' and '.join(missing)} is missing: "
            f"install it with {INSTALL_REFERENCE}"
        )


def import_fault(error: ImportError) -> str:
    """What is missing, in a few words."""
    library = _library(error)
    if library:
        return f"{library} is missing"
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"the package {error.name} is not installed"
    reason = " ".join(str(error).split()) or type(error).__name__
    return f"a package cannot be imported: {reason}"


def import_remedy(error: ImportError, otherwise: str) -> str:
    """What to do where a library of the system is missing; `otherwise` for any other fault."""
    library = _library(error)
    if not library:
        return otherwise
    if package := _DEBIAN_PACKAGES.get(library.split(".")[0]):
        return f"install the system's {library} (on Debian: apt-get install {package})"
    return f"install the system's {library} (on Debian apt-file search {library} names its package)"


def _library(error: ImportError) -> str:
    """The library that an error, or one that led to it, says is missing; empty where none does."""
    fault: BaseException | None = error
    while fault is not None:
        if found := _MISSING.search(str(fault)):
            return found[1]
        fault = fault.__cause__ or fault.__context__
    return ""
