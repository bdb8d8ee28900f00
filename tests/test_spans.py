"""Long videos in spans: what is joined is what an uncut run writes."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow.parquet as pq
import pytest
from fakes import SIZE_WH, label, number_of, numbered

from stream.assembly import LoadedModel
from stream.batch.contract import Input, Result, Task
from stream.batch.seen import Seen
from stream.batch.spans import SpanRun, join, places_s, span_tasks, whole_task
from stream.batch.spans.keyframes import cuts_s
from stream.controls import Controls, RunReport
from stream.frames import Frame, SourceInfo
from stream.run import LoadAnnotator, run
from stream.settings import Config
from stream.settings.schema import SourceSection
from stream.several.listing import list_sources, open_named
from stream.several.preparation import made_folders
from stream.sinks import Outputs
from stream.sinks.video.video_file import VideoFile
from stream.sources import Span, open_source
from stream.summary import Summary
from stream.tracks import Track

_COUNT, _FPS, _SPAN_S = 200, 25, 2.5
_HZ = 48_000

_PLAIN = {"labels": False, "legend": False}  # numbers stay readable

_CONFIG = Config.model_validate({"recorder": {"preset": "ultrafast"}, "overlay": _PLAIN})


class _Walkers:
    """Stands in for an annotator: two people, seen at their times, whatever was before.

    Each run gives them ids of its own, those present at its beginning from the right to the left.
    """

    def __init__(self) -> None:
        self.attributes = {"gender": ("Female", "Male")}
        self._ids: dict[str, int] = {}

    settle = None

    def annotate(self, frame: Frame, coming: Sequence[Frame] = ()) -> tuple[Track, ...]:
        time_s = frame.time_s
        there = [("left", 4 + 2 * time_s)] if not 3.0 <= time_s < 3.5 else []
        there += [("right", 60 - time_s)] if time_s >= 1.9 else []
        for name, _ in reversed(there):
            self._ids.setdefault(name, len(self._ids) + 1)
        boxes = [(self._ids[name], left) for name, left in there]
        return tuple(
            Track(
                track_id,
                np.array([left, 10, left + 20, 34], np.float32),
                0.9,
                {"gender": label()},
                seen_frames=1,
                missed_frames=0,
                quality=0.5,
            )
            for track_id, left in sorted(boxes)
        )


def _walkers(info: SourceInfo, controls: Controls, report: RunReport) -> _Walkers:
    return _Walkers()


def _film(
    path: Path,
    times_s: Iterable[float],
    *,
    codec: str = "libx264",
    gop: int = 20,
    start_s: float = 0.0,
    sound_s: float = 0.0,
    size_wh: tuple[int, int] = SIZE_WH,
    **options: str,
) -> Path:
    """A video of numbered pictures at these times, with a tone."""
    with av.open(str(path), "w") as container:
        track: Any = container.add_stream(codec, rate=_FPS, options=options)
        track.width, track.height = size_wh
        track.pix_fmt, track.codec_context.gop_size = "yuv420p", gop
        if codec == "libx264":
            track.options = {"sc_threshold": "0", **options}  # each number is a change of scene
        track.codec_context.time_base = Fraction(1, 1000)
        sound: Any = container.add_stream("aac", rate=_HZ, layout="mono") if sound_s else None
        for number, time_s in enumerate(times_s):
            picture = av.VideoFrame.from_ndarray(numbered(number, size_wh), format="bgr24")
            picture.pts, picture.time_base = round(1000 * (start_s + time_s)), Fraction(1, 1000)
            container.mux(track.encode(picture))
        container.mux(track.encode(None))
        if sound is not None:
            tone = np.sin(np.arange(round(sound_s * _HZ)) / 20)[None].astype(np.float32) / 4
            block = av.AudioFrame.from_ndarray(tone, "fltp", "mono")
            block.sample_rate, block.time_base = _HZ, Fraction(1, _HZ)
            block.pts = round(start_s * _HZ)
            container.mux([*sound.encode(block), *sound.encode(None)])
    return path


def _even_s() -> list[float]:
    return [number / _FPS for number in range(_COUNT)]


def _work(task: Task, config: Config = _CONFIG, load: LoadAnnotator = _walkers) -> Result:
    """A task as a worker runs it."""
    span = SpanRun(task, config, load)
    summary, seen = Summary(RunReport()), Seen()
    with suppress(*span.passed_over), made_folders(path.parent for path in task.outputs.paths):
        source = open_named(task.source, span.config, span.span, task.outputs.paths)
        run(source, span.config, task.outputs, [seen], span.annotator, _controls(config), summary)
    return Result(
        key=task.key,
        worker="test",
        summary=summary.as_dict(),
        error="; ".join(summary.failures),
        media_s=seen.media_s,
        people=tuple(seen.people),
        seam=span.seam,
    )


def _controls(config: Config) -> Controls:
    return Controls(blur=config.overlay.blur)


def _cut(given: Input, key: int, config: Config, longest_s: float) -> Sequence[Task]:
    """The tasks of an input, once a worker has looked into it."""
    whole = whole_task(given, key, config, longest_s)
    starts_s = places_s(whole, config)
    return span_tasks(given, key, starts_s) if starts_s else (whole,)


def _given(
    video: Path, folder: Path, log: str = ".jsonl", save: str = ".mp4", *, people: bool = False
) -> Input:
    """An input of which a log and a recording are written, and people where they are asked for."""
    outputs = Outputs(
        save=folder / f"film{save}",
        log=folder / f"film{log}",
        snapshots=folder / "people" if people else None,
        sheet=folder / "sheet.png" if people else None,
        subtitles=folder / "film.ass" if people else None,
    )
    return Input(name="film", source=list_sources([str(video)])[0], outputs=outputs)


def _both(
    video: Path,
    folder: Path,
    *,
    log: str = ".jsonl",
    save: str = ".mp4",
    people: bool = False,
    config: Config = _CONFIG,
) -> tuple[Result, Result, Path, Path]:
    """A video uncut and in spans: what each came to, and the folders of their outputs."""
    whole, joined = folder / "whole", folder / "joined"
    given = _given(video, joined, log, save, people=people)
    outputs = _given(video, whole, log, save, people=people).outputs
    uncut = _work(Task(key=1, source=given.source, outputs=outputs), config)
    tasks = _cut(given, 1, config, _SPAN_S)
    assert len(tasks) > 1
    joined.mkdir()
    together = join(given, tasks, [_work(task, config) for task in tasks], config)
    assert not together.error
    return uncut, together, whole, joined


def _pictures(path: Path) -> list[tuple[float, int]]:
    """Time and number of each picture of a video."""
    with av.open(str(path)) as container:
        return [
            (round(frame.time or 0.0, 3), number_of(frame.to_ndarray(format="bgr24")))
            for frame in container.decode(video=0)
        ]


def _sound(path: Path) -> list[tuple[float, int]]:
    """Time and size of each packet of sound."""
    with av.open(str(path)) as container:
        packets = container.demux(audio=0)
        return [
            (round(float(p.pts * p.time_base), 3), p.size) for p in packets if p.pts is not None
        ]


def _uneven_s() -> list[float]:
    """Times at a varying rate."""
    steps = [0.02, 0.06, 0.04, 0.1, 0.033]
    return [float(sum(steps[each % 5] for each in range(number))) for number in range(_COUNT)]


@pytest.mark.parametrize(
    ("ending", "make"),
    [
        (".mp4", lambda path: _film(path, _even_s(), sound_s=9.0)),
        (".mp4", lambda path: _film(path, _even_s(), bf="3", **{"x264-params": "open-gop=1"})),
        (".mp4", lambda path: _film(path, _uneven_s(), sound_s=10.0, bf="2")),
        (".mov", lambda path: _film(path, _even_s(), start_s=3.0, sound_s=8.0)),
        (".mkv", lambda path: _film(path, _uneven_s(), start_s=1.5, sound_s=4.0)),
        (".ts", lambda path: _film(path, _even_s(), start_s=10.0, sound_s=8.0)),
        (".avi", lambda path: _film(path, _even_s(), codec="mpeg4")),
        (".webm", lambda path: _film(path, _even_s(), codec="libvpx-vp9", cpu_used="8")),
    ],
    ids=["mp4", "open groups", "uneven", "late start", "mkv", "ts", "avi", "webm"],
)
def test_what_is_joined_is_what_an_uncut_run_writes(
    ending: str, make: Callable[[Path], Path], tmp_path: Path
) -> None:
    video = make(tmp_path / f"film{ending}")
    uncut, together, whole, joined = _both(video, tmp_path)
    assert (joined / "film.jsonl").read_text() == (whole / "film.jsonl").read_text()
    assert _pictures(joined / "film.mp4") == _pictures(whole / "film.mp4")
    assert [number for _, number in _pictures(joined / "film.mp4")] == list(range(_COUNT))
    with av.open(str(video)) as container:
        if container.streams.audio:
            assert _sound(joined / "film.mp4") == _sound(whole / "film.mp4")
    same = ("frames", "faces", "people", "perceived", "damaged_packets", "failures")
    assert {key: together.summary[key] for key in same} == {key: uncut.summary[key] for key in same}
    assert together.media_s == pytest.approx(uncut.media_s)
    assert [person.track_id for person in together.people] == [1, 2]
    left = sorted(path.name for path in joined.iterdir() if not path.name.endswith(".lock"))
    assert left == ["film.jsonl", "film.mp4"]


@pytest.mark.parametrize("log", [".parquet", ".csv"])
def test_tables_are_those_of_an_uncut_run(log: str, tmp_path: Path) -> None:
    video = _film(tmp_path / "film.mp4", _even_s())
    _, _, whole, joined = _both(video, tmp_path, log=log)
    for name in (f"film{log}", f"film.tracks{log}"):
        if log == ".csv":
            assert (joined / name).read_text() == (whole / name).read_text()
        else:
            assert pq.read_table(joined / name) == pq.read_table(whole / name)


def test_snapshots_sheet_and_subtitles_are_of_all_people_once(tmp_path: Path) -> None:
    video = _film(tmp_path / "film.mp4", _even_s())
    _, _, whole, joined = _both(video, tmp_path, people=True)
    names = [
        sorted(each.name for each in (folder / "people").iterdir()) for folder in (whole, joined)
    ]
    assert names[0] == names[1]
    tables = [(each / "people/persons.csv").read_text() for each in (whole, joined)]
    assert tables[0] == tables[1]
    sheets = [(each / "sheet.png").stat().st_size for each in (whole, joined)]
    assert sheets[1] == pytest.approx(sheets[0], rel=0.2)
    # A log rounds boxes, so that a box may be drawn anew a frame sooner or later.
    one, other = ((each / "film.ass").read_text().splitlines() for each in (whole, joined))
    assert len(other) == pytest.approx(len(one), abs=3)
    texts = [
        {line.rpartition("}")[2] for line in each if ",Label," in line} for each in (one, other)
    ]
    assert texts[0] == texts[1] != set()


@pytest.mark.parametrize(("save", "codec"), [(".mp4", "hevc"), (".mkv", "h264"), (".webm", "vp9")])
def test_recordings_of_every_codec_are_joined(save: str, codec: str, tmp_path: Path) -> None:
    config = Config.model_validate(
        {"recorder": {"preset": "ultrafast", "codec": codec}, "overlay": _PLAIN}
    )
    video = _film(tmp_path / "film.mp4", _even_s())
    _, _, whole, joined = _both(video, tmp_path, save=save, config=config)
    assert _pictures(joined / f"film{save}") == _pictures(whole / f"film{save}")


def test_spans_of_other_parameters_are_encoded_as_one_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = _film(tmp_path / "one.ts", _even_s()[:100])
    other = _film(tmp_path / "other.ts", _even_s()[:100], start_s=2.0, size_wh=(192, 128))
    video = tmp_path / "film.ts"
    video.write_bytes(one.read_bytes() + other.read_bytes())
    _, _, whole, joined = _both(video, tmp_path)
    assert "encoded anew" in caplog.text
    assert _pictures(joined / "film.mp4") == _pictures(whole / "film.mp4")
    assert (joined / "film.jsonl").read_text() == (whole / "film.jsonl").read_text()


def test_a_span_without_a_picture_is_passed_over(tmp_path: Path) -> None:
    given = _given(_film(tmp_path / "film.mp4", _even_s()), tmp_path / "joined")
    tasks = list(_cut(given, 1, _CONFIG, _SPAN_S))
    start_s, lead_in_s = tasks[1].span.start_s, 0.01
    gap = replace(tasks[1], span=Span(start_s - 0.02, start_s - 0.01), lead_in_s=lead_in_s)
    tasks.insert(1, replace(gap, outputs=Outputs(log=tmp_path / "joined/gap/part.jsonl")))
    (tmp_path / "joined").mkdir()
    results = [_work(task) for task in tasks]
    assert results[1].summary["frames"] == 0
    together = join(given, tasks, results, _CONFIG)
    assert together.summary["frames"] == _COUNT


def test_a_video_of_which_an_output_stands_is_not_cut(tmp_path: Path) -> None:
    given = _given(_film(tmp_path / "film.mp4", _even_s()), tmp_path)
    (tmp_path / "film.jsonl").write_text("")
    assert len(_cut(given, 1, _CONFIG, _SPAN_S)) == 1
    replaced = replace(given, outputs=replace(given.outputs, overwrite=True))
    assert len(_cut(replaced, 1, _CONFIG, _SPAN_S)) > 1


def test_a_span_that_failed_fails_the_video_and_leaves_nothing(tmp_path: Path) -> None:
    given = _given(_film(tmp_path / "film.mp4", _even_s()), tmp_path / "joined")
    tasks = _cut(given, 1, _CONFIG, _SPAN_S)
    (tmp_path / "joined").mkdir()
    results = [_work(task) for task in tasks]
    results[1] = replace(results[1], error="it was killed by signal 11")
    assert join(given, tasks, results, _CONFIG).error == "it was killed by signal 11"
    assert not list((tmp_path / "joined").iterdir())


def test_what_earlier_spans_left_is_removed_when_a_video_is_cut_again(tmp_path: Path) -> None:
    given = _given(_film(tmp_path / "film.mp4", _even_s()), tmp_path / "joined")
    tasks = _cut(given, 1, _CONFIG, _SPAN_S)
    _work(tasks[0])
    assert list((tmp_path / "joined").rglob("part.mp4"))
    _cut(given, 1, _CONFIG, _SPAN_S)
    assert not list((tmp_path / "joined").iterdir())


def test_videos_are_cut_at_keyframes_into_spans_of_one_length(tmp_path: Path) -> None:
    video = _film(tmp_path / "film.mp4", _even_s(), gop=10)
    given = _given(video, tmp_path / "joined")
    tasks = _cut(given, 7, _CONFIG, 3.0)
    edges = [(task.span.start_s, task.span.end_s) for task in tasks]
    assert edges == [(0.0, 2.4), (2.4, 5.2), (5.2, None)]
    assert {task.key for task in tasks} == {7}
    assert [task.lead_in_s > 0 for task in tasks] == [False, True, True]
    assert all(task.gives_seam for task in tasks)
    assert len({task.outputs.save for task in tasks}) == 3


@pytest.mark.parametrize(
    ("change", "span_s"),
    [
        ({}, 0.0),
        ({}, 8.0),
        ({"recorder": {"segment_s": 60}}, 2.0),
        ({"recorder": {"only_with_faces": True}}, 2.0),
    ],
    ids=["off", "short", "segments", "only with faces"],
)
def test_what_cannot_be_cut_is_one_task(
    change: dict[str, Any], span_s: float, tmp_path: Path
) -> None:
    given = _given(_film(tmp_path / "film.mp4", _even_s()), tmp_path / "joined")
    (task,) = _cut(given, 1, Config.model_validate(change), span_s)
    assert task == Task(key=1, source=given.source, outputs=given.outputs)


def test_pictures_bare_streams_and_what_is_no_video_are_one_task(tmp_path: Path) -> None:
    bare = _film(tmp_path / "film.h264", _even_s())
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video" * 10_000)
    (tmp_path / "pictures").mkdir()
    for source in (bare, broken, tmp_path / "pictures", tmp_path / "absent.mp4"):
        assert len(_cut(_given(source, tmp_path / "joined"), 1, _CONFIG, 2.0)) == 1


def test_a_file_that_was_cut_short_is_cut_only_where_it_has_data(tmp_path: Path) -> None:
    video = _film(tmp_path / "film.mkv", _even_s(), gop=10)
    data = video.read_bytes()
    video.write_bytes(data[: len(data) // 2])
    cuts = cuts_s(video, SourceSection(), 2.0)
    assert all(each < 5.0 for each in cuts)


def test_faces_lost_in_the_lead_in_stay_blurred(tmp_path: Path) -> None:
    """A face that was lost before the seam is no less there behind it."""
    video = _film(tmp_path / "film.mp4", _even_s())
    config = Config.model_validate(
        {"recorder": {"preset": "ultrafast", "quality": 0}, "overlay": {**_PLAIN, "blur": True}}
    )
    given = _given(video, tmp_path / "joined")
    task = replace(
        _cut(given, 1, config, _SPAN_S)[1],
        span=replace(_cut(given, 1, config, _SPAN_S)[1].span, start_s=3.2, end_s=3.4),
        lead_in_s=1.0,
    )
    _work(task, config)
    save = task.outputs.save
    assert save is not None
    with av.open(str(save)) as container:
        blurred = next(container.decode(video=0)).to_ndarray(format="gray")
    with av.open(str(video)) as container:
        plain = next(
            frame for frame in container.decode(video=0) if (frame.time or 0) >= 3.2
        ).to_ndarray(format="gray")
    place = (slice(12, 32), slice(12, 28))  # of the one on the left, who is not seen there
    assert np.abs(blurred[place].astype(int) - plain[place].astype(int)).max() > 30


def test_people_of_a_real_clip_are_those_of_an_uncut_run(shared_data: Path, tmp_path: Path) -> None:
    """People who turn and move, with a seam in the middle of their tracks."""
    clip, video = shared_data / "clips/hamilton.mp4", tmp_path / "film.mp4"
    with (
        closing(open_source(str(clip), span=Span(0, 4))) as source,
        VideoFile(video, source.info, _CONFIG.recorder) as copy,  # with a keyframe a second
    ):
        for frame in source.frames():
            copy.add(frame.image, frame.time_s)
    model = LoadedModel(Config.model_validate({"engine": {"threads": 1}}))
    named, log = list_sources([str(video)])[0], tmp_path / "joined/film.jsonl"
    (tmp_path / "joined").mkdir()
    uncut = _work(
        Task(key=1, source=named, outputs=Outputs(log=tmp_path / "film.jsonl")),
        load=model.annotator,
    )
    given = Input(name="film", source=named, outputs=Outputs(log=log))
    tasks = _cut(given, 1, _CONFIG, 2.5)
    results = [_work(task, load=model.annotator) for task in tasks]
    assert len(tasks) == 2
    assert any(track.appearance is not None for track in results[0].seam.tail)
    together = join(given, tasks, results, _CONFIG)
    assert together.summary["people"] == uncut.summary["people"]
    assert together.summary["faces"] == pytest.approx(uncut.summary["faces"], rel=0.02)
    assert len({person.track_id for person in together.people}) == len(uncut.people)
