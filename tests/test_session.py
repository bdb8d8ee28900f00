"""The library's door: one model for pictures, frames, sources and whole runs, from any thread."""

import asyncio
import json
import pickle
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest
from fakes import NumberedSource, frame, log_lines, write_clip
from typer.testing import CliRunner

import stream
from models.faces import Image
from stream.cli.app import app
from stream.frames import Frame
from stream.sinks.pictures.picture_file import write_picture
from stream.sources.demo import DemoSource

_FRAMES = 12
"""Frames of the clip."""


@pytest.fixture(scope="module")
def model() -> stream.Model:
    """Loaded once; a test that tracks takes a clone."""
    return stream.load()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("session") / "clip.mp4", _FRAMES)


@pytest.fixture(scope="module")
def shown() -> list[Image]:
    """The frames of the clip."""
    return [each.image for each in DemoSource(_FRAMES, (480, 270)).frames()]


# --- pictures ---


def test_the_face_of_a_picture(model: stream.Model, astronaut: Image) -> None:
    results = model.analyze(astronaut)
    (face,) = results
    assert isinstance(face, stream.Face)
    assert face.labels["gender"].text == "Female"
    assert list(face.labels) == ["gender", "race"]
    assert np.abs(face.box_xyxy - [182, 58, 270, 178]).max() < 5
    assert 0.5 < face.score < 1
    assert (results.source, results.attributes) == ("", model.attributes)
    assert results.image is astronaut


def test_the_face_is_the_same_whatever_form_the_picture_has(
    model: stream.Model, astronaut: Image, tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    write_picture(path, astronaut)
    wide = np.zeros((512, 700, 3), np.uint8)
    wide[:, 100:612] = astronaut
    forms = [path, str(path), path.read_bytes(), wide[:, 100:612]]
    forms.append(PIL.Image.fromarray(np.ascontiguousarray(astronaut[..., ::-1])))
    expected = model.analyze(astronaut)
    for given in forms:
        assert model.analyze(given) == expected
    assert model.analyze(path).source == str(path)


def test_a_picture_without_a_face_has_none(model: stream.Model) -> None:
    for size_wh in ((1, 1), (3, 200), (320, 240)):
        results = model.analyze(np.zeros((*size_wh[::-1], 3), np.uint8))
        assert len(results) == 0
        assert stream.to_arrays(results)["xyxy"].shape == (0, 4)
        assert "gender" in stream.to_arrays(results)["data"]
        assert results._repr_html_().startswith("<img")


def test_pictures_have_nothing_to_do_with_one_another(
    model: stream.Model, astronaut: Image
) -> None:
    assert model.analyze(astronaut) == model.analyze(astronaut)
    assert len(model.analyze(np.zeros_like(astronaut))) == 0


# --- frames ---


def test_a_loop_of_one_s_own_follows_a_face(model: stream.Model, shown: list[Image]) -> None:
    own = model.clone()
    found = [own.track(image) for image in shown]
    assert [[each.track_id for each in tracks] for tracks in found] == [[1]] * _FRAMES
    assert found[-1][0].seen_frames == _FRAMES
    assert all(tracks.image is image for tracks, image in zip(found, shown, strict=True))
    assert found[-1][0].labels["gender"].text == "Female"


def test_a_loop_of_one_s_own_sees_what_annotate_sees(
    model: stream.Model, shown: list[Image]
) -> None:
    own = model.clone()
    for (each, tracks), image in zip(
        model.annotate(DemoSource(_FRAMES, (480, 270))), shown, strict=True
    ):
        assert own.track(image, each.time_s) == tracks


def test_a_loop_may_read_its_frames_into_one_array(model: stream.Model, shown: list[Image]) -> None:
    own, other = model.clone(), model.clone()
    buffer, found, before = np.empty_like(shown[0]), [], []
    for image in shown:
        buffer[:] = image
        found.append(tuple(own.track(buffer)))
        before.append(pickle.dumps(found[-1]))
    assert found == [other.track(image) for image in shown]
    assert [pickle.dumps(tracks) for tracks in found] == before  # none has changed since


def test_reset_begins_another_video(model: stream.Model, shown: list[Image]) -> None:
    own = model.clone()
    first = own.track(shown[0], 5.0)
    own.track(shown[1], 5.5)
    own.reset()
    assert own.track(shown[0], 0.0) == first


def test_a_clone_has_tracks_of_its_own(model: stream.Model, shown: list[Image]) -> None:
    one, other = model.clone(), model.clone()
    one.track(shown[0])
    one.track(shown[1])
    assert other.track(shown[0])[0].seen_frames == 1


@pytest.mark.parametrize(
    ("time_s", "said"),
    [
        (4.9, "expected a time from 5 s on, that of the last frame, got 4.9 s: call reset"),
        (float("nan"), "expected the time of a frame in seconds, got nan"),
        (float("inf"), "expected the time of a frame in seconds, got inf"),
        ("6", "expected the time of a frame in seconds, got '6'"),
        (10**400, "expected the time of a frame in seconds, got 1000"),
        (np.zeros(2), "expected the time of a frame in seconds, got array"),
    ],
    ids=["back", "nan", "infinite", "text", "huge", "array"],
)
def test_a_time_that_is_none_or_goes_back_is_refused(
    time_s: float, said: str, model: stream.Model, shown: list[Image]
) -> None:
    own = model.clone()
    own.track(shown[0], 5.0)
    with pytest.raises(ValueError, match=said):
        own.track(shown[1], time_s)
    assert own.track(shown[1])[0].seen_frames == 2  # nothing is lost by it


def test_frames_may_change_their_size(model: stream.Model, shown: list[Image]) -> None:
    own = model.clone()
    own.track(shown[0])
    large = cv2.resize(shown[0], (720, 405)).astype(np.uint8)
    assert [each.track_id for each in own.track(large)] == [1]


@pytest.mark.parametrize("call", ["analyze", "track"])
def test_what_is_no_picture_is_a_value_error(call: str, model: stream.Model) -> None:
    with pytest.raises(ValueError, match=r"expected .* got float32"):
        getattr(model, call)(np.zeros((4, 4, 3), np.float32))


# --- sources ---


def test_the_short_form_is_that_of_a_model(model: stream.Model, clip: Path) -> None:
    of_model = list(model.annotate(clip))
    short = list(stream.annotate(clip))
    assert [tracks for _, tracks in short] == [tracks for _, tracks in of_model]
    assert len(short) == _FRAMES
    each, tracks = short[0]
    assert (each.index, tracks.source) == (0, str(clip))
    assert list(tracks.attributes) == ["gender", "race"]
    assert tracks.image is None  # a list of all results does not keep all frames


def test_several_sources_follow_one_another(
    model: stream.Model, clip: Path, tmp_path: Path, astronaut: Image
) -> None:
    write_picture(tmp_path / "a.png", astronaut)
    sources = [clip, DemoSource(2, (480, 270)), str(tmp_path / "a.png")]
    found = [(tracks.source, each.index, len(tracks)) for each, tracks in model.annotate(sources)]
    assert found == [
        *((str(clip), number, 1) for number in range(_FRAMES)),
        *(("demo", number, 1) for number in range(2)),
        (str(tmp_path / "a.png"), 0, 1),
    ]


def test_a_pattern_of_videos_names_each_of_them(model: stream.Model, tmp_path: Path) -> None:
    for name in ("2.mp4", "10.mp4"):
        write_clip(tmp_path / name, 2)
    found = [tracks.source for _, tracks in model.annotate(str(tmp_path / "*.mp4"))]
    assert [Path(source).name for source in found] == ["2.mp4", "2.mp4", "10.mp4", "10.mp4"]


def test_a_pattern_of_pictures_is_one_source(
    model: stream.Model, tmp_path: Path, astronaut: Image
) -> None:
    for name in ("2.png", "10.png"):
        write_picture(tmp_path / name, astronaut)
    found = list(model.annotate(str(tmp_path / "*.png")))
    assert [each.path and each.path.name for each, _ in found] == ["2.png", "10.png"]


def test_a_source_that_fails_is_named_and_the_next_one_follows(
    model: stream.Model, clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found = []
    with pytest.raises(stream.SourceError, match=r"2 of 4 sources failed, first .*none\.mp4"):
        for _, tracks in model.annotate(
            [tmp_path / "none.mp4", NumberedSource(3, fail_at=1), clip, DemoSource(1, (480, 270))]
        ):
            found.append(tracks.source)
    assert found == ["numbers", *[str(clip)] * _FRAMES, "demo"]
    assert "none.mp4: no such file" in caplog.text
    assert "the tape is torn" in caplog.text


def test_leaving_early_closes_all_sources(model: stream.Model) -> None:
    sources = [NumberedSource(50), NumberedSource(50)]
    for _ in model.annotate(sources):
        break
    assert all(each.closed_by for each in sources)
    assert sources[1].given == 0


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ([], "the list of sources is empty"),
        (None, "not of type NoneType"),
        (b"clip.mp4", "not of type bytes"),
        ([None], "not of type NoneType"),
        (np.zeros((4, 4, 3), np.uint8), "not of type ndarray"),
    ],
    ids=["empty", "none", "bytes", "list of none", "pixels"],
)
def test_what_is_no_source_is_refused(source: object, said: str, model: stream.Model) -> None:
    with pytest.raises(stream.ConfigError, match=said):
        list(model.annotate(source))  # type: ignore[arg-type]


@pytest.mark.parametrize("source", [None, 1.5, b"clip.mp4"])
def test_what_is_no_source_is_not_opened(source: object) -> None:
    with pytest.raises(stream.ConfigError, match=r"a source is a path, .*; not of type "):
        stream.open_source(source)  # type: ignore[arg-type]


def test_a_source_is_opened_by_what_names_one(clip: Path) -> None:
    with closing(stream.open_source(clip)) as by_path, closing(stream.open_source(str(clip))) as by:
        assert by_path.info.size_wh == by.info.size_wh


@pytest.mark.parametrize("span", [(0, 1), "0:01", None])
def test_what_is_no_span_is_refused(span: object, model: stream.Model, clip: Path) -> None:
    with pytest.raises(stream.ConfigError, match="a part of a video is a Span, not of type "):
        list(model.annotate(clip, span))  # type: ignore[arg-type]
    with pytest.raises(stream.ConfigError, match="a part of a video is a Span, not of type "):
        stream.open_source(clip, span=span)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [3, b"out.jsonl"])
def test_what_names_no_output_is_refused(name: object, model: stream.Model, clip: Path) -> None:
    with pytest.raises(stream.ConfigError, match="an output is named by a path, not of type "):
        model.process(clip, log=name)  # type: ignore[arg-type]


# --- whole runs ---


def test_a_run_writes_what_the_command_writes(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "by").mkdir()
    words = ["run", str(clip), "--log", str(tmp_path / "by" / "a.jsonl"), "--no-show", "--quiet"]
    assert CliRunner().invoke(app, words).exit_code == 0
    summary = stream.process(
        clip,
        log=tmp_path / "a.jsonl",
        save=str(tmp_path / "a.mp4"),
        snapshots=tmp_path / "people",
        sheet=tmp_path / "a.png",
    )
    assert (tmp_path / "a.jsonl").read_text() == (tmp_path / "by" / "a.jsonl").read_text()
    assert (summary.frames, summary.people, summary.failures) == (_FRAMES, 1, [])
    names = ["a.mp4", "a.jsonl", "people", "a.png"]
    assert {path.name for path in summary.outputs} == set(names)
    assert all((tmp_path / name).exists() for name in names)
    assert json.loads(json.dumps(summary.as_dict()))["perceived"] == {"Female, White": 1}
    assert pickle.loads(pickle.dumps(summary)).line() == summary.line()  # noqa: S301, its own


def test_nothing_is_overwritten_unless_asked_for(
    model: stream.Model, clip: Path, tmp_path: Path
) -> None:
    log = tmp_path / "a.jsonl"
    model.process(clip, log=log)
    with pytest.raises(stream.ConfigError, match="exists"):
        model.process(clip, log=log)
    model.process(clip, log=log, overwrite=True, span=stream.Span(0.2))
    assert log_lines(log)[1]["time_s"] == pytest.approx(0.2)


def test_settings_are_those_of_the_model(clip: Path, tmp_path: Path) -> None:
    config = stream.load_config({"labels": {"attributes": ["age"]}}, folder=tmp_path)
    stream.process(clip, log=tmp_path / "a.jsonl", config=config)
    assert list(log_lines(tmp_path / "a.jsonl")[0]["attributes"]) == ["age"]
    assert list(stream.load(config).attributes) == ["age"]


def test_outputs_in_a_folder_are_named_after_their_source(
    model: stream.Model, clip: Path, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    summary = model.process(clip, save=tmp_path / "there", log=f"{tmp_path}/made/")
    written = [tmp_path / "there" / "clip.mp4", tmp_path / "made" / "clip.mp4.jsonl"]
    assert summary.outputs == written
    assert all(path.is_file() for path in written)


def test_a_run_of_several_sources_has_the_sum_of_their_summaries(
    model: stream.Model, clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    twin, missing = tmp_path / "twin.mp4", tmp_path / "missing.mp4"
    twin.write_bytes(clip.read_bytes())
    summary = model.process([clip, missing, twin], log=tmp_path / "logs")
    assert (summary.frames, summary.people, len(summary.failures)) == (2 * _FRAMES, 2, 1)
    assert f"{missing}: no such file" in caplog.text
    caplog.clear()
    assert [path.name for path in summary.outputs] == ["clip.mp4.jsonl", "twin.mp4.jsonl"]
    assert len(summary.as_dict()["sources"]) == 3
    with pytest.raises(stream.ConfigError, match="is one file, and there are 2 sources"):
        model.process([clip, twin], log=tmp_path / "a.jsonl")


def test_a_source_that_is_open_is_processed_alone_and_closed(
    model: stream.Model, clip: Path
) -> None:
    sources = [NumberedSource(2), NumberedSource(2), NumberedSource(2)]
    with pytest.raises(stream.ConfigError, match="is open already alone"):
        model.process([clip, *sources[:2]])
    with pytest.raises(stream.ConfigError, match="has its span"):
        model.process(sources[2], span=stream.Span(1.0))
    assert all(each.closed_by for each in sources)


def test_a_source_that_fails_on_the_way_is_named_in_the_summary(
    model: stream.Model, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    summary = model.process(NumberedSource(5, fail_at=3), log=tmp_path / "a.jsonl")
    assert (summary.frames, summary.failures[0]) == (3, "the tape is torn")
    caplog.clear()


_INTERRUPTED_AT = 30
"""Frame in which Ctrl-C comes: the first ones, which are read ahead, are then written."""


class _Interrupted(NumberedSource):
    """Sends the program Ctrl-C in a frame, and goes on."""

    def frames(self) -> Iterator[Frame]:
        for each in super().frames():
            if each.index == _INTERRUPTED_AT:
                signal.raise_signal(signal.SIGINT)
            yield each


def test_ctrl_c_ends_the_program_once_the_outputs_are_complete(
    model: stream.Model, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        model.process(_Interrupted(2000), log=tmp_path / "a.jsonl")
    assert 1 < len(log_lines(tmp_path / "a.jsonl")) < 2000


# --- threads, processes, coroutines ---


def test_threads_analyze_beside_each_other(model: stream.Model, astronaut: Image) -> None:
    small = astronaut[:300, 80:380]
    pictures = [np.roll(small, 7 * n, axis=1) for n in range(4)]
    alone = [model.analyze(each) for each in pictures]
    with ThreadPoolExecutor(4) as pool:
        beside = list(pool.map(model.analyze, pictures * 2))
    for one, other in zip(beside, alone * 2, strict=True):
        assert len(one) == len(other) == 1
        np.testing.assert_allclose(one[0].box_xyxy, other[0].box_xyxy, atol=0.1)
        assert one[0].labels["gender"].text == "Female"


def test_threads_share_one_state_of_tracks(model: stream.Model, shown: list[Image]) -> None:
    own = model.clone()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(own.track, [shown[0]] * 24))
    assert sorted(tracks[0].seen_frames for tracks in found) == list(range(1, 25))
    assert {each.track_id for tracks in found for each in tracks} == {1}


def test_threads_annotate_sources_beside_pictures(
    model: stream.Model, clip: Path, astronaut: Image
) -> None:
    expected = [tracks for _, tracks in model.annotate(clip)]
    with ThreadPoolExecutor(4) as pool:
        sources = [pool.submit(lambda: [tracks for _, tracks in model.annotate(clip)])] * 2
        pictures = [pool.submit(model.analyze, astronaut) for _ in range(4)]
        assert [[len(each) for each in one.result()] for one in sources] == [[1] * _FRAMES] * 2
        assert [len(one.result()) for one in pictures] == [1] * 4
    assert [len(each) for each in expected] == [1] * _FRAMES


def test_it_works_in_coroutines(model: stream.Model, astronaut: Image) -> None:
    own = model.clone()

    async def both() -> tuple[stream.Results[stream.Face], stream.Results[stream.Track]]:
        return await asyncio.gather(
            asyncio.to_thread(own.analyze, astronaut), asyncio.to_thread(own.track, astronaut)
        )

    faces, tracks = asyncio.run(both())
    assert (len(faces), len(tracks)) == (1, 1)


def test_results_and_frames_may_be_pickled(
    model: stream.Model, clip: Path, astronaut: Image
) -> None:
    each, tracks = next(model.annotate(clip))
    faces = model.analyze(astronaut)
    again, tracks_again, faces_again = pickle.loads(pickle.dumps((each, tracks, faces)))  # noqa: S301
    np.testing.assert_array_equal(again.image, each.image)
    assert (again.index, again.time_s) == (each.index, each.time_s)
    assert (tracks_again, faces_again) == (tracks, faces)
    info = stream.open_source(str(clip)).info
    assert pickle.loads(pickle.dumps(info)) == info  # noqa: S301
    assert pickle.loads(pickle.dumps(frame(3))).index == 3  # noqa: S301


def test_what_a_run_came_to_may_be_pickled(model: stream.Model, clip: Path) -> None:
    summary = model.process(clip)
    again = pickle.loads(pickle.dumps(summary))  # noqa: S301, its own
    assert again.as_dict() == summary.as_dict()
    assert again.line() == summary.line()
    again.history.note_waiting("is gone")
    assert (again.history.gap_count, summary.history.gap_count) == (1, 0)


def test_a_pickled_model_is_loaded_again(model: stream.Model) -> None:
    again = pickle.loads(pickle.dumps(model))  # noqa: S301, its own
    assert again.config == model.config
    assert again.attributes == model.attributes


def test_no_result_holds_an_embedding(model: stream.Model, astronaut: Image) -> None:
    """All numbers that a result holds beside its picture are far fewer than an embedding has."""
    own = model.clone()
    for results in (model.analyze(astronaut), own.track(astronaut)):
        size = len(pickle.dumps(tuple(results)))
        assert size < 128 * np.dtype(np.float32).itemsize + 1024
        assert "embedding" not in repr(pickle.dumps(tuple(results)))


# --- settings and errors ---


def test_what_are_no_settings_is_refused(clip: Path) -> None:
    with pytest.raises(stream.ConfigError, match="settings are a Config, not of type dict"):
        stream.open_source(clip, {})  # type: ignore[arg-type]
    for wrong in ({"labels": {}}, "mine.toml", 3):
        with pytest.raises(stream.ConfigError, match="settings are a Config, as load_config makes"):
            stream.load(wrong)  # type: ignore[arg-type]


def test_a_picture_that_is_searched_coarsely_is_said_so_once(
    astronaut: Image, caplog: pytest.LogCaptureFixture
) -> None:
    config = stream.Config.model_validate({"detection": {"downscale": 4.0}})
    coarse = stream.load(config)
    coarse.analyze(astronaut)
    coarse.analyze(astronaut)
    coarse.track(astronaut)
    coarse.reset()
    coarse.track(astronaut)
    assert caplog.text.count("is searched for faces of") == 1
