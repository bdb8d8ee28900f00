"""Checks of what is installed: this program, Python, the packages; and of the machine."""

import os
import platform
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType

from models.program.system_libraries import INSTALL_REFERENCE, import_remedy, missing_reference
from stream.doctor.findings import Check, Finding, State

_GIB = 2**30
"""Bytes in a GiB."""

_MIN_MEMORY_BYTES = _GIB
"""Memory of the machine under which a note says that it is little: the demo takes 450 MB, beside
what the system needs."""

PACKAGES = [
    ("NumPy", "numpy", "numpy", False),
    ("OpenCV", "cv2", "opencv-python", False),
    ("PyAV", "av", "av", False),
    ("ONNX", "onnx", "onnx", False),
    ("ONNX Runtime", "onnxruntime", "onnxruntime", False),
    ("dlib", "dlib", "dlib-bin", False),
    ("SciPy", "scipy", "scipy", False),
    ("pydantic", "pydantic", "pydantic", False),
    ("imutils", "imutils", "imutils", False),
    ("pyarrow", "pyarrow", "pyarrow", False),
    ("scikit-image", "skimage", "scikit-image", True),
]
"""Each package by its name, its module, what pip calls it, and whether `face-stream run` works
without it."""


_REFERENCE = "reference"
"""Name of the check of the packages that run dlib's networks in dlib itself."""


def package_checks() -> list[Check]:
    """A check for each package, which imports it."""
    return [Check(each[0], partial(package, *each), "") for each in PACKAGES]


def package(
    name: str,
    module: str,
    distribution: str,
    is_optional: bool,
    load: Callable[[str], ModuleType] = import_module,
) -> Finding:
    """Whether a package can be imported, and which version it is.

    Args:
        name: the package's name.
        module: the module that is imported.
        distribution: what pip calls the package.
        is_optional: whether `face-stream run` works without it.
        load: imports a module.
    """
    try:
        loaded = load(module)
    except Exception as error:  # noqa: BLE001 - a library that does not fit the machine raises any
        message = " ".join(str(error).split())
        remedy = f"install it again: pip install --force-reinstall {distribution}"
        if isinstance(error, ImportError):
            remedy = import_remedy(error, remedy)
        state: State = "note" if is_optional else "broken"
        return Finding(name, state, f"cannot be imported: {message}", remedy)
    found = str(getattr(loaded, "__version__", "of unknown version"))
    if ffmpeg := getattr(loaded, "ffmpeg_version_info", None):
        found += f", with FFmpeg {ffmpeg}"
    return Finding(name, "ok", found)


def reference(missing: Callable[[], str] = missing_reference) -> Finding:
    """Whether face_recognition is installed, an extra that `face-stream run` does not need.

    Args:
        missing: gives the modules that it wants and that are not there.
    """
    use = "engine.runtime = dlib and comparisons with dlib need it"
    if names := missing():
        return Finding(_REFERENCE, "note", f"{names} not installed; {use}", INSTALL_REFERENCE)
    return Finding(_REFERENCE, "ok", f"face_recognition is installed; {use}")


def program() -> Finding:
    """The version of this program and of Python."""
    python = f"Python {platform.python_version()} on {platform.platform()}"
    try:
        return Finding("face-stream", "ok", f"{version('face-stream')}, {python}")
    except PackageNotFoundError:
        return Finding(
            "face-stream",
            "note",
            f"not installed, run from its folder; {python}",
            "install it: uv sync in its folder",
        )


def machine(
    cores: Callable[[], int] | None = None, memory_bytes: Callable[[], int | None] | None = None
) -> Finding:
    """The cores that this process may use, and the machine's memory."""
    from models.networks.runtime import available_cores

    count = (cores or available_cores)()
    size = (memory_bytes or _memory_bytes)()
    found = f"{count} {'core' if count == 1 else 'cores'}"
    if size is None:
        return Finding("machine", "ok", found)
    found += f", {size / _GIB:.1f} GiB of memory"
    if size < _MIN_MEMORY_BYTES:
        remedy = "close other programs, and search smaller pictures: --set detection.downscale=2"
        return Finding("machine", "note", f"{found}, which is little", remedy)
    return Finding("machine", "ok", found)


def _memory_bytes() -> int | None:
    """Memory of the machine; None where the system does not tell it."""
    if sys.platform == "win32":
        return None
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
