"""How the outputs of several sources are named: after the sources, and never two alike."""

import os
from itertools import chain
from pathlib import Path

import cv2
import pytest
from fakes import numbered
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import ConfigError
from stream.settings import Config
from stream.settings.schema import OutputsSection, RecorderSection
from stream.several.listing import NamedSource, list_sources
from stream.several.naming import name_outputs
from stream.sinks import Outputs

_OUT = Path("out")
_ALL = Outputs(save=_OUT, log=_OUT, snapshots=_OUT, sheet=_OUT, subtitles=_OUT)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _videos(*names: str) -> list[NamedSource]:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    return list_sources(names)


def _saved(outputs: list[Outputs]) -> list[str]:
    return [str(each.save) for each in outputs]


def test_each_output_is_named_after_its_source() -> None:
    first, _ = name_outputs(_ALL, _videos("a.mp4", "b.mp4"), Config())
    assert first.paths == tuple(
        _OUT / name for name in ("a.mp4", "a.mp4.jsonl", "a.mp4.people", "a.mp4.png", "a.mp4.ass")
    )


@pytest.mark.parametrize(
    ("names", "saved"),
    [
        (["clip.mp4", "clip.mkv"], ["out/clip.mp4", "out/clip.mkv"]),
        (["clip.avi", "clip.MP4"], ["out/clip.avi.mp4", "out/clip.MP4"]),
        (["clips/c.mp4", "d.mp4"], ["out/c.mp4", "out/d.mp4"]),
        (["a/x.mp4", "b/x.mp4", "b/y.mp4"], ["out/a/x.mp4", "out/b/x.mp4", "out/b/y.mp4"]),
        (["v/a/x.mp4", "v/x.mp4"], ["out/a/x.mp4", "out/x.mp4"]),
        (["clip.avi", "clip.avi.mp4"], ["out/clip.avi.mp4", "out/clip.avi-2.mp4"]),
        (["clip.mp4", "clip.part.mp4"], ["out/clip.mp4", "out/clip.part-2.mp4"]),
        (["clip.mp4", "CLIP.mp4"], ["out/clip.mp4", "out/CLIP-2.mp4"]),
        (["é.mp4", "e\u0301.mp4"], ["out/é.mp4", "out/e\u0301-2.mp4"]),
    ],
)
def test_no_two_sources_meet(names: list[str], saved: list[str]) -> None:
    outputs = Outputs(save=_OUT, log=_OUT)
    assert _saved(name_outputs(outputs, _videos(*names), Config())) == saved


def test_a_pattern_keeps_the_folders_below_its_fixed_part() -> None:
    _videos("clips/a.mp4", "clips/deep/a.mp4")
    sources = list_sources(["clips/**/*.mp4"])
    assert _saved(name_outputs(_ALL, sources, Config())) == ["out/a.mp4", "out/deep/a.mp4"]


@given(
    st.lists(
        st.lists(st.sampled_from(["a", "A", "x.avi", "x.mp4", "x-2.mp4"]), min_size=1, max_size=3),
        min_size=2,
        max_size=5,
        unique_by=tuple,
    )
)
def test_no_output_is_that_of_another_source(parts: list[list[str]]) -> None:
    sources = [NamedSource(str(Path("in", *each)), "file") for each in parts]
    named = name_outputs(Outputs(save=_OUT, log=_OUT, snapshots=_OUT), sources, Config())
    paths = list(chain(*(each.paths for each in named)))
    assert len({str(path).casefold() for path in paths}) == len(paths)
    assert all(path.is_relative_to(_OUT) and ".." not in path.parts for path in paths)


@pytest.mark.parametrize(
    ("forms", "codec", "saved", "log", "sheet"),
    [
        (OutputsSection(), "auto", "out/a.webm", "out/a.webm.jsonl", "out/a.webm.png"),
        (OutputsSection(), "h264", "out/a.webm.mp4", "out/a.webm.jsonl", "out/a.webm.png"),
        (
            OutputsSection(video="mkv", log="csv", sheet="jpg"),
            "auto",
            "out/a.webm.mkv",
            "out/a.webm.csv",
            "out/a.webm.jpg",
        ),
    ],
)
def test_the_forms_are_settings(
    forms: OutputsSection, codec: str, saved: str, log: str, sheet: str
) -> None:
    config = Config(outputs=forms, recorder=RecorderSection.model_validate({"codec": codec}))
    first, _ = name_outputs(_ALL, _videos("a.webm", "b.mp4"), config)
    assert (str(first.save), str(first.log), str(first.sheet)) == (saved, log, sheet)


def test_pictures_go_into_a_folder() -> None:
    Path("photos").mkdir()
    cv2.imwrite("one.png", numbered(1))
    cv2.imwrite("two.png", numbered(2))
    _videos("a.mp4")
    sources = list_sources(["one.png", "two.png", "photos", "a.mp4"])
    named = name_outputs(Outputs(save=_OUT, log=_OUT), sources, Config())
    assert _saved(named) == ["out/pictures", "out/photos", "out/a.mp4"]
    assert str(named[0].log) == "out/pictures.jsonl"


def test_what_has_no_file_is_named_by_its_address_without_secrets(tmp_path: Path) -> None:
    Path("door.txt").write_text("rtsp://anna:S3cret@host/1")
    names = ["0", "rtsp://anna:S3cret@host:554/live/main", "@door.txt", "-"]
    sources = [*list_sources(names), NamedSource("HD Webcam", "camera", shown="HD Webcam")]
    assert _saved(name_outputs(Outputs(save=_OUT), sources, Config())) == [
        "out/camera-0.mp4",
        "out/host-554-live-main.mp4",
        "out/door.mp4",
        "out/standard-input.mp4",
        "out/HD-Webcam.mp4",
    ]


def test_long_names_are_shortened_and_stay_apart() -> None:
    sources = _videos(*("x" * 240 + end for end in ("1.mp4", "2.mp4")))
    named = name_outputs(_ALL, sources, Config())
    names = [path.name for each in named for path in each.paths]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 200


@pytest.mark.parametrize(
    ("option", "name"),
    [("save", "o.mp4"), ("save", "o.jpg"), ("save", "o.avi"), ("log", "o.csv"), ("sheet", "o.PNG")],
)
def test_one_file_for_several_sources_is_refused(option: str, name: str) -> None:
    sources = _videos("a.mp4", "b.mp4")
    asked = Outputs(**{option: Path(name)})
    with pytest.raises(
        ConfigError, match=f"--{option} {name} is one file, and there are 2 sources"
    ):
        name_outputs(asked, sources, Config())
    Path(name).mkdir()
    first, _ = name_outputs(asked, sources, Config())
    assert first.paths[0].parent == Path(name)


def test_the_outputs_of_one_source_are_those_that_are_named() -> None:
    outputs = Outputs(Path("o.mp4"), Path("o.csv"), Path("people"), Path("o.png"))
    assert name_outputs(outputs, _videos("a.mp4"), Config()) == [outputs]


def test_in_a_folder_that_is_there_one_source_is_named_too(folder: Path) -> None:
    _OUT.mkdir()
    (own,) = name_outputs(_ALL, _videos("a.mp4"), Config())
    files = [_OUT / f"a.mp4{ending}" for ending in ("", ".jsonl", ".png", ".ass")]
    assert own.paths == (*files[:2], _OUT, *files[2:])
    cv2.imwrite("one.png", numbered(1))
    (own,) = name_outputs(Outputs(save=_OUT, log=_OUT), list_sources(["one.png"]), Config())
    assert own.paths == (_OUT, _OUT / "one.png.jsonl")


def test_what_is_no_file_takes_what_is_written_of_all_sources(folder: Path) -> None:
    os.mkfifo(folder / "fifo")
    sources = _videos("a.mp4", "b.mp4")
    for log in (Path("-"), Path("fifo"), Path("/dev/null")):
        named = name_outputs(Outputs(save=_OUT, log=log), sources, Config())
        assert [each.log for each in named] == [log, log]
        assert _saved(named) == ["out/a.mp4", "out/b.mp4"]
