"""A log drawn onto its video again."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import SIZE_WH, fan_out, frame, label, times_s, track, write_numbers
from typer.testing import CliRunner

from models.errors import ModelError
from stream.cli.app import app
from stream.drawing.overlay import Overlay
from stream.errors import SourceError
from stream.frames import SourceInfo
from stream.replay import Replay
from stream.settings.schema import LabelSettings
from stream.sinks import AnnotatedFrame
from stream.sinks.data.json_log import JsonLog
from stream.tracks import Label

_INFO = SourceInfo("numbers.mp4", "video", SIZE_WH, 25.0, 4)


def _log(folder: Path, seen_in: tuple[int, ...] = (0, 1, 3)) -> Path:
    """A log of four frames, in some of which one person is seen."""
    attributes = {"gender": ("Female", "Male")}
    sink = JsonLog(folder / "out.jsonl", _INFO, "default", attributes)
    for number in range(4):
        tracks = [track(7, labels={"gender": label("Female", 0.7)})] if number in seen_in else []
        sink.write(AnnotatedFrame(frame(number), tracks, Overlay()))
    sink.close(complete=True)
    return folder / "out.jsonl"


def _lines(folder: Path) -> list[str]:
    return (folder / "out.jsonl").read_text(encoding="utf-8").splitlines()


def test_outputs_in_a_folder_are_named_after_the_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _log(tmp_path)
    write_numbers(tmp_path / "numbers.mp4", 4)
    words = ["render", "numbers.mp4", "out.jsonl", "--save", "made/", "--sheet", "made/"]
    done = CliRunner().invoke(app, [*words, "--no-show"])
    assert done.exit_code == 0, done.stderr
    names = ["numbers.mp4", "numbers.mp4.png"]
    assert sorted(path.name for path in Path("made").iterdir() if path.suffix != ".lock") == names


def test_a_log_is_of_one_source(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        write_numbers(tmp_path / name, 1)
    done = CliRunner().invoke(app, ["render", f"{tmp_path}/*.mp4", str(_log(tmp_path))])
    assert done.exit_code == 2
    assert "a log is of one source, and these are 2" in done.stderr


def test_the_people_of_each_frame_come_back(tmp_path: Path) -> None:
    with Replay(_log(tmp_path), LabelSettings()) as replay:
        people = [[each.track_id for each in replay.annotate(frame(n))] for n in range(4)]
    assert people == [[7], [7], [], [7]]


def test_frames_left_out_do_not_put_it_out_of_step(tmp_path: Path) -> None:
    with Replay(_log(tmp_path, seen_in=(3,)), LabelSettings()) as replay:
        assert replay.annotate(frame(1)) == ()
        assert len(replay.annotate(frame(3))) == 1


def test_a_log_of_a_part_fits_the_whole_and_one_of_the_whole_a_part(tmp_path: Path) -> None:
    part = JsonLog(tmp_path / "part.jsonl", replace(_INFO, start_s=0.4), "default")
    for number in range(10, 14):
        part.write(
            AnnotatedFrame(replace(frame(number), index=number - 10), [track(number)], Overlay())
        )
    part.close(complete=True)
    with Replay(tmp_path / "part.jsonl", LabelSettings()) as replay:
        people = [[each.track_id for each in replay.annotate(frame(n))] for n in range(20)]
    assert people == [*([] for _ in range(10)), [10], [11], [12], [13], *([] for _ in range(6))]
    with Replay(_log(tmp_path, seen_in=(2,)), LabelSettings()) as replay:
        people = [[each.track_id for each in replay.annotate(replace(frame(2), index=0))]]
    assert people == [[7]]


def test_the_user_goes_back_and_on_and_the_people_are_those_of_the_place(tmp_path: Path) -> None:
    with Replay(_log(tmp_path, seen_in=(0, 1, 3)), LabelSettings()) as replay:
        shown = [replay.annotate(frame(3))]
        shown += [replay.annotate(replace(frame(1), sought=True)), replay.annotate(frame(2))]
        shown += [replay.annotate(replace(frame(3), sought=True))]
    assert [len(tracks) for tracks in shown] == [1, 1, 0, 1]


def test_what_a_log_says_of_whole_tracks_is_passed_over(tmp_path: Path) -> None:
    info = replace(_INFO, kind="pictures")
    with fan_out([JsonLog(tmp_path / "out.jsonl", info, "default")], Overlay(), info) as sinks:
        for number in range(4):
            sinks.write(frame(number), [track(number)])
    kinds = ["track" if "track" in json.loads(line) else "" for line in _lines(tmp_path)]
    assert kinds == ["", "", "", "track", "", "track", "", "track", "track"]
    with Replay(tmp_path / "out.jsonl", LabelSettings()) as replay:
        people = [[each.track_id for each in replay.annotate(frame(n))] for n in range(4)]
    assert people == [[0], [1], [2], [3]]


def test_a_log_of_pictures_is_not_one_of_a_video(tmp_path: Path) -> None:
    picture = replace(frame(0), path=tmp_path / "0.png")
    with fan_out([JsonLog(tmp_path / "out.jsonl", _INFO, "default")], Overlay(), _INFO) as sinks:
        sinks.write(picture, [track(1)])
    with Replay(tmp_path / "out.jsonl", LabelSettings()) as replay:
        assert [each.track_id for each in replay.annotate(picture)] == [1]
    with (
        Replay(tmp_path / "out.jsonl", LabelSettings()) as replay,
        pytest.raises(SourceError, match="was written of pictures: give those, not a video"),
    ):
        replay.annotate(frame(0))


@pytest.mark.parametrize(("threshold", "text"), [(0.5, "Female"), (0.8, None)])
def test_the_threshold_is_that_of_now(threshold: float, text: str | None, tmp_path: Path) -> None:
    with Replay(_log(tmp_path), LabelSettings(min_confidence=threshold)) as replay:
        (person,) = replay.annotate(frame(0))
    assert person.labels["gender"].text == text
    assert person.labels["gender"].confidence == pytest.approx(0.7)


def _race_log(folder: Path, chances: list[dict[str, float]]) -> Path:
    """A log of one person whose race looked like that in one frame after another."""
    sink = JsonLog(folder / "race.jsonl", _INFO, "default", {"race": tuple(chances[0])})
    for number, each in enumerate(chances):
        labels = {"race": Label(None, max(each.values()), each)}
        sink.write(AnnotatedFrame(frame(number), [track(7, labels=labels)], Overlay()))
    sink.close(complete=True)
    return folder / "race.jsonl"


def test_classes_are_merged_as_the_settings_of_now_say(tmp_path: Path) -> None:
    chances = {"East Asian": 0.35, "Southeast Asian": 0.25, "White": 0.4}
    path = _race_log(tmp_path, [chances])
    groups = {"Asian": ("East Asian", "Southeast Asian")}
    with Replay(path, LabelSettings(race_groups=groups)) as replay:
        assert replay.attributes == {"race": tuple(chances)}
        (person,) = replay.annotate(frame(0))
    race = person.labels["race"]
    assert (race.text, race.confidence) == ("Asian", pytest.approx(0.6))
    assert race.probabilities == pytest.approx(chances)


def test_groups_of_classes_that_the_log_does_not_have_are_refused(tmp_path: Path) -> None:
    path = _race_log(tmp_path, [{"Black": 0.6, "White": 0.4}])
    with pytest.raises(ModelError, match="names 'Indian'"):
        Replay(path, LabelSettings(race_groups={"Brown": ("Black", "Indian")}))


@pytest.mark.parametrize("where", ["header", "frames"])
def test_half_a_character_in_a_class_is_refused_in_one_line(where: str, tmp_path: Path) -> None:
    header, *frames = _log(tmp_path).read_text(encoding="utf-8").splitlines()
    parts = {"header": [header], "frames": frames}
    parts[where] = [line.replace("Female", "Fe\\ud800male") for line in parts[where]]
    path = tmp_path / "odd.jsonl"
    path.write_text("\n".join([*parts["header"], *parts["frames"]]))
    write_numbers(tmp_path / "numbers.mp4", 4)
    words = ["render", str(tmp_path / "numbers.mp4"), str(path), "--no-show"]
    out = ["--save", str(tmp_path / "again.mp4"), "--sheet", str(tmp_path / "again.png")]
    result = CliRunner().invoke(app, [*words, *out])
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert f"damaged in line {1 if where == 'header' else 2}" in result.stderr


def test_a_log_with_a_label_named_like_a_column_is_refused(tmp_path: Path) -> None:
    attributes = {"gender": ("confidence", "Male")}
    JsonLog(tmp_path / "out.jsonl", _INFO, "default", attributes).close(complete=True)
    with pytest.raises(SourceError, match="a class of 'gender' cannot be called 'confidence'"):
        Replay(tmp_path / "out.jsonl", LabelSettings())


def test_labels_are_as_steady_as_they_were(tmp_path: Path) -> None:
    swaying = [{"Black": 0.52, "White": 0.48}, {"Black": 0.48, "White": 0.52}] * 3
    path = _race_log(tmp_path, [*swaying, {"Black": 0.3, "White": 0.7}])
    with Replay(path, LabelSettings()) as replay:
        people = [replay.annotate(frame(number)) for number in range(7)]
    assert [person.labels["race"].text for (person,) in people] == ["Black"] * 6 + ["White"]


def test_only_the_attributes_asked_for_are_shown(tmp_path: Path) -> None:
    with Replay(_log(tmp_path), LabelSettings(attributes=("race",))) as replay:
        (person,) = replay.annotate(frame(0))
    assert person.labels == {}


def test_the_attributes_are_those_of_the_log_that_are_asked_for(tmp_path: Path) -> None:
    with Replay(_log(tmp_path), LabelSettings()) as replay:
        assert replay.attributes == {"gender": ("Female", "Male")}


def test_a_log_cut_short_ends_where_it_was_cut_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = _log(tmp_path)
    frames = path.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]  # the last is a track
    path.write_text("".join(frames)[:-10], encoding="utf-8")
    with Replay(path, LabelSettings()) as replay:
        people = [len(replay.annotate(frame(number))) for number in range(4)]
        replay.annotate(frame(4))
    assert people == [1, 1, 0, 0]
    assert caplog.messages == [f"{path} ends before 0.1 s: no face is known from there on"]


def test_a_log_that_begins_later_than_its_video_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = _log(tmp_path)
    header, _, *others = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([header, *others]), encoding="utf-8")
    with Replay(path, LabelSettings()) as replay:
        people = [len(replay.annotate(frame(number))) for number in (0, 0, 1)]
        replay.annotate(replace(frame(0), sought=True))
    assert people == [0, 0, 1]
    assert caplog.messages == [f"{path} begins at 0.04 s: no face is known before that"]


@pytest.mark.parametrize("entry", ['{"track": null}', '{"what": "else"}', ""])
def test_an_entry_of_another_kind_is_passed_over(entry: str, tmp_path: Path) -> None:
    path = _log(tmp_path)
    header, first, *others = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([header, first, entry, *others]), encoding="utf-8")
    with Replay(path, LabelSettings()) as replay:
        assert [len(replay.annotate(frame(number))) for number in range(2)] == [1, 1]


def test_the_velocity_of_a_track_follows_from_its_logged_boxes(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    log = JsonLog(path, _INFO, "default")
    for number in range(4):
        moved = track(1, (20 + 6 * number, 10, 60 + 6 * number, 50))
        log.write(AnnotatedFrame(frame(number), [moved], Overlay()))
    log.close(complete=True)
    with Replay(path, LabelSettings()) as replay:
        tracks = [replay.annotate(frame(number)) for number in range(4)]
    velocities = [each.velocity_xy.tolist() for (each,) in tracks]
    assert velocities == [
        [0, 0],
        [3, 0],
        [4.5, 0],
        [5.25, 0],
    ]  # half of what is seen, half of before


@pytest.mark.parametrize("content", ["", "hello\n", "[1]\n", '{"schema": "other/1"}\n'])
def test_what_is_no_log_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "other.jsonl").write_text(content, encoding="utf-8")
    with pytest.raises(SourceError, match="is not a log"):
        Replay(tmp_path / "other.jsonl", LabelSettings())


def test_a_log_of_another_video_is_refused(tmp_path: Path) -> None:
    with (
        Replay(_log(tmp_path), LabelSettings()) as replay,
        pytest.raises(SourceError, match="give the video it was written of"),
    ):
        replay.annotate(frame(0, (128, 64)))


def test_a_log_says_of_each_frame_which_size_it_was(tmp_path: Path) -> None:
    sizes_wh = [SIZE_WH, SIZE_WH, (128, 64), SIZE_WH]
    sink = JsonLog(tmp_path / "out.jsonl", _INFO, "default")
    for number, size_wh in enumerate(sizes_wh):
        sink.write(AnnotatedFrame(frame(number, size_wh), [track(number)], Overlay()))
    sink.close(complete=True)
    with Replay(tmp_path / "out.jsonl", LabelSettings()) as replay:
        for number, size_wh in enumerate(sizes_wh):
            assert len(replay.annotate(frame(number, size_wh))) == 1
    with (
        Replay(tmp_path / "out.jsonl", LabelSettings()) as replay,
        pytest.raises(SourceError, match=r"of frames of \[128, 64\] px, these have \[96, 64\]"),
    ):
        replay.annotate(frame(2))


def test_boxes_far_beyond_the_frame_are_drawn_blurred_and_cut_out(tmp_path: Path) -> None:
    path = _log(tmp_path)
    far, edge = [-99_999.0, -99_999.0, 99_999.0, 99_999.0], [0.0, 99_999.0, 0.0, 99_999.0]
    entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for entry in entries:
        entry["faces"] = [
            {**face, "box": box, "track": number}
            for face in entry.get("faces", [])
            for number, box in enumerate((far, edge))
        ]
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    video = write_numbers(tmp_path / "numbers.mp4", 4)
    outputs = ["--save", "again.mp4", "--sheet", "again.png", "--snapshots", "faces"]
    made = [each if each.startswith("--") else str(tmp_path / Path(each).name) for each in outputs]
    done = CliRunner().invoke(app, ["render", str(video), str(path), "--no-show", "--blur", *made])
    assert done.exit_code == 0, done.output


def test_the_command_draws_every_frame_and_looks_at_no_face(tmp_path: Path) -> None:
    video = write_numbers(tmp_path / "numbers.mp4", 4)
    out = tmp_path / "drawn.mp4"
    done = CliRunner().invoke(
        app, ["render", str(video), str(_log(tmp_path)), "--save", str(out), "--no-show"]
    )
    assert done.exit_code == 0, done.output
    assert len(times_s(out)) == 4


def test_the_persons_of_a_log_come_back(tmp_path: Path) -> None:
    """The final ones, in frames too, with the thresholds of the settings."""
    lines = _lines_of_two_shots()
    (tmp_path / "out.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))
    with Replay(tmp_path / "out.jsonl", LabelSettings(min_confidence=0.9)) as replay:
        assert replay.settle is not None
        settled = replay.settle()
        assert settled.person_ids == {1: 1, 4: 1}
        assert settled.labels[1]["gender"].text is None
        assert settled.labels[1]["gender"].confidence == pytest.approx(0.8)
        people = [[each.person_id for each in replay.annotate(frame(n))] for n in range(2)]
    assert people == [[1], [1]]


def test_a_log_without_persons_leaves_tracks_apart(tmp_path: Path) -> None:
    """As logs of the first version are, and those of a run that was killed."""
    header, *lines = _lines_of_two_shots()[:-1]
    for line in lines:
        for face in line["faces"]:
            del face["person"]
    written = [{**header, "schema": "face-stream/1"}, *lines]
    (tmp_path / "out.jsonl").write_text("".join(json.dumps(each) + "\n" for each in written))
    with Replay(tmp_path / "out.jsonl", LabelSettings()) as replay:
        assert replay.settle is None
        assert [[each.person_id for each in replay.annotate(frame(n))] for n in range(2)] == [
            [1],
            [4],
        ]


def _lines_of_two_shots() -> list[dict[str, Any]]:
    labels = {"gender": {"label": "Male", "probabilities": {"Female": 0.2, "Male": 0.8}}}
    face = {"box": [1, 2, 30, 40], "score": 0.9, "labels": labels}
    return [
        {
            "schema": "face-stream/2",
            "size": list(SIZE_WH),
            "attributes": {"gender": ["Female", "Male"]},
        },
        {"frame": 0, "time_s": 0.0, "faces": [{"track": 1, "person": 1, **face}]},
        {"frame": 1, "time_s": 0.04, "faces": [{"track": 4, "person": 4, **face}]},
        {
            "person": 1,
            "tracks": [1, 4],
            "first_s": 0.0,
            "last_s": 0.04,
            "seconds": 0.08,
            "labels": labels,
        },
    ]
