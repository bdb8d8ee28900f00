"""What `import stream` gives: the public names, their types, and nothing loaded before its time."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import stream

_CALLER = """
import stream

model: stream.Model = stream.load(stream.load_config({"labels": {"min_confidence": 0.8}}))
faces: stream.Results[stream.Face] = model.analyze("photo.jpg")
first: stream.Face = faces[0]
some: stream.Results[stream.Face] = faces[:3]
own: stream.Results[stream.Track] = model.track(faces.draw(), 0.5)
summary: stream.Summary = stream.process("clip.mp4", save="out.mp4")
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
    assert dir(stream) == stream.__all__ == sorted(stream.__all__)
    for name in [name for name in stream.__all__ if name != "__version__"]:
        public = getattr(stream, name)
        assert public.__name__ == name
        assert stream._MODULES[name] in (public.__module__, public.__module__.rpartition(".")[0])


def test_the_version_is_that_of_the_package() -> None:
    assert stream.__version__ == version("face-stream")


def test_a_star_import_takes_the_public_names() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from stream import *; print(load.__name__, Face, __version__)"],
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    assert done.stdout == f"load <class 'stream.tracks.Face'> {stream.__version__}\n"


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
    assert error.startswith("caller.py:17: error: Incompatible types in assignment")
    assert total == "Found 1 error in 1 file (checked 1 source file)"
