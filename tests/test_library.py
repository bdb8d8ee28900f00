"""What `import stream` gives: the public names, their types, and nothing loaded before its time."""

import subprocess
import sys
from pathlib import Path

import stream

_CALLER = """
import stream

config: stream.Config = stream.load_config()
for frame, tracks in stream.annotate("clip.mp4", config):
    seen: stream.Frame = frame
    person: stream.Track = tracks[0]
    label: stream.Label = person.labels["gender"]
    arrays: stream.TrackArrays = stream.to_arrays(tracks)
    width: int = frame.size_wh[0]
    wrong: str = frame.index
"""


def test_every_public_name_is_there() -> None:
    for name in stream.__all__:
        public = getattr(stream, name)
        assert public.__name__ == name
        assert name in dir(stream)
        assert stream._MODULES[name] in (public.__module__, public.__module__.rpartition(".")[0])


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    assert not hasattr(stream, "anotate")


def test_an_import_loads_nothing_heavy() -> None:
    heavy = "{'cv2', 'av', 'numpy', 'onnxruntime', 'pydantic', 'scipy'}"
    check = f"import sys, stream; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"


def test_a_callers_types_are_checked_against_ours(tmp_path: Path) -> None:
    """The one mistake in it is found, and nothing else: the types are known outside as well."""
    (tmp_path / "caller.py").write_text(_CALLER)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "caller.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    error, total = done.stdout.splitlines()
    assert error.startswith("caller.py:11: error: Incompatible types in assignment")
    assert total == "Found 1 error in 1 file (checked 1 source file)"
