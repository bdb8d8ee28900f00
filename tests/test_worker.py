"""A worker: one task after another with one model, each with a result, whatever becomes of it."""

import pickle
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from fakes import numbered, write_clip
from servers import http, mjpeg_page

from models.errors import ModelError
from stream.batch.contract import Task
from stream.batch.worker import Worker
from stream.errors import ConfigError
from stream.settings import Config
from stream.settings.schema import DetectionSection, EngineSection, LabelSettings
from stream.several.listing import NamedSource
from stream.sinks import Outputs
from stream.sinks.pictures.picture_file import write_picture
from stream.sources import Span


@pytest.fixture(scope="module")
def worker() -> Worker:
    return Worker(Config(), "here")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("worker") / "clip.mp4", 10)


def _task(source: Path, outputs: Outputs | None = None, span: Span | None = None) -> Task:
    form = "pictures" if source.is_dir() else "file"
    named = NamedSource(str(source), form)  # type: ignore[arg-type]
    return Task(key=7, source=named, outputs=outputs or Outputs(), span=span or Span())


def test_what_a_task_came_to(worker: Worker, clip: Path, tmp_path: Path) -> None:
    outputs = Outputs(tmp_path / "a/b/clip.mp4", tmp_path / "a/clip.parquet", tmp_path / "people")
    frames = []
    result = worker.work(_task(clip, outputs), lambda: frames.append(1))
    assert (result.key, result.worker, result.error) == (7, "here", "")
    assert len(frames) == result.summary["frames"] == 10
    assert result.media_s == pytest.approx(10 / 25)
    assert result.elapsed_s > 0
    assert all(path.exists() for path in outputs.paths)
    assert [person.frames for person in result.people] == [10]
    assert result.people[0].best.crop is None  # a face does not travel, where snapshots have it too
    assert set(result.people[0].labels) == {"gender", "race"}


def test_a_result_and_a_task_can_be_pickled(worker: Worker, clip: Path) -> None:
    task = pickle.loads(pickle.dumps(_task(clip)))  # noqa: S301
    result = pickle.loads(pickle.dumps(worker.work(task)))  # noqa: S301
    assert result.people[0].labels.keys() == {"gender", "race"}


def test_a_video_that_is_too_long_is_not_annotated_but_cut(worker: Worker, tmp_path: Path) -> None:
    long = write_clip(tmp_path / "long.mp4", 600)  # with a keyframe each ten seconds
    outputs = Outputs(log=tmp_path / "long.jsonl")
    result = worker.work(replace(_task(long, outputs), longest_s=15.0))
    assert (result.error, len(result.cuts_s), result.people) == ("", 1, ())
    assert not outputs.paths[0].exists()


def test_pictures_take_no_time_of_video(worker: Worker, tmp_path: Path) -> None:
    for number in range(2):
        write_picture(tmp_path / f"{number}.png", numbered(number))
    result = worker.work(_task(tmp_path))
    assert (result.error, result.media_s, result.summary["frames"]) == ("", 0.0, 2)


def test_a_part_of_a_video(worker: Worker, clip: Path) -> None:
    result = worker.work(_task(clip, span=Span(0.2)))
    assert (result.summary["frames"], result.media_s) == (5, pytest.approx(0.2))


def test_a_window_is_never_opened(worker: Worker, clip: Path) -> None:
    assert worker.work(_task(clip, Outputs(show=True))).error == ""


def test_what_cannot_be_read_is_said_and_the_next_task_is_done(
    worker: Worker, clip: Path, tmp_path: Path
) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("not a video")
    log = tmp_path / "out" / "text.jsonl"
    result = worker.work(_task(text, Outputs(log=log)))
    assert "text.mp4" in result.error
    assert "\n" not in result.error
    assert not log.parent.exists()
    assert worker.work(_task(tmp_path / "none.mp4")).error.startswith(str(tmp_path / "none.mp4"))
    assert worker.work(_task(clip)).error == ""


def test_what_is_cut_short_is_done_as_far_as_it_goes(
    worker: Worker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = write_clip(tmp_path / "whole.mkv", 60)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    result = worker.work(_task(cut))
    assert result.error == ""
    assert 0 < result.summary["frames"] < 60
    assert "cut short or damaged" in caplog.text


def test_an_output_that_exists_is_not_replaced(worker: Worker, clip: Path, tmp_path: Path) -> None:
    log = tmp_path / "clip.jsonl"
    log.write_text("mine")
    assert "exists" in worker.work(_task(clip, Outputs(log=log))).error
    assert log.read_text() == "mine"


def test_a_model_that_is_not_there_is_no_failure_of_an_input(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        Worker(Config(engine=EngineSection(model=str(tmp_path))), "here")
    with pytest.raises(ConfigError, match="shoe_size"):
        Worker(Config(labels=LabelSettings(attributes=("shoe_size",))), "here")


def test_nor_are_settings_that_no_source_can_be_annotated_with(clip: Path) -> None:
    config = Config(detection=DetectionSection(threshold=1.5))
    worker = Worker(config, "here")
    for _ in range(2):
        with pytest.raises(ConfigError, match="threshold"):
            worker.work(_task(clip))


def test_an_address_that_turns_out_to_be_live_fails(worker: Worker) -> None:
    with http({"/": mjpeg_page(numbered(number) for number in count())}) as server:
        source = NamedSource(f"http://{server.address}/", "address")
        result = worker.work(Task(key=7, source=source, outputs=Outputs()))
    assert "is live and has no end: give it to face-stream run" in result.error
    assert result.summary["frames"] == 0
