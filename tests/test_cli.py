"""The command `run`: a wrong request is one line and exit code 2, and nothing is written."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from fakes import log_lines, numbered, times_s, write_clip, write_numbers
from servers import http, mjpeg_page
from typer.testing import CliRunner, Result

from models.classification.bundle import DLIB_FOLDER, load_bundle, save_bundle
from stream.cli.app import app
from stream.sources.demo import portrait


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("cli") / "clip.mp4", 3, (960, 540))


@pytest.fixture
def folder(tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where the program is started: a clip, pictures, and files that only look so."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "clip.mp4").write_bytes(clip.read_bytes())
    (work / "rescued.part.mp4").write_bytes(clip.read_bytes())
    os.link(work / "clip.mp4", work / "same.mp4")
    (work / "text.mp4").write_text("not a video at all")
    (work / "empty.mp4").touch()
    (work / "cut.mp4").write_bytes(clip.read_bytes()[:1000])
    (work / "nothing").mkdir()
    (work / "link").symlink_to("nothing")
    (work / "pictures").mkdir()
    cv2.imwrite(str(work / "pictures" / "one.png"), numbered(1))
    (work / "broken").mkdir()
    (work / "broken" / "one.jpg").write_bytes(b"not a picture")
    (work / "exists.mp4").write_text("precious")
    (work / "exists.jsonl").write_text("precious")
    (work / "wrong.toml").write_text("[detection]\nframeskip = 3\n")
    (work / "broken.toml").write_text("[detection")
    (work / "model").mkdir()
    (work / ".locked.mp4.lock").mkdir()
    os.mkfifo(work / "pipe.csv")
    os.mkfifo(work / "pipe")
    (work / "config.toml").write_text("[detection]\ndownscale = 1\n")
    monkeypatch.chdir(work)
    return work


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["run", *arguments])


def _state(folder: Path) -> dict[str, bytes | None]:
    """Every file with its content; of a folder None."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


_WRONG = [
    ("clip.mp4 --set detection.frameskip=3", "did you mean frame_skip?"),
    ("clip.mp4 --set detection.frame_skip=often", "'auto'"),
    ("clip.mp4 --set labels.min_confidence=2", "less than or equal to 1"),
    ("clip.mp4 --set nonsense", "section.key=value"),
    ("clip.mp4 --config wrong.toml", "wrong.toml: unknown setting detection.frameskip"),
    ("clip.mp4 --config broken.toml", "broken.toml is not valid TOML"),
    ("clip.mp4 --config missing.toml", "missing.toml cannot be read: No such file"),
    ("clip.mp4 --config pictures", "pictures cannot be read: Is a directory"),
    ("missing.mp4", "missing.mp4: no such file or folder"),
    ("clip.mp4 --save http://u:S3cret@h/x", "--save http://: video is sent to rtmp, rtmps,"),
    ("clip.mp4 --save udp://u:S3cret@h", "--save udp://h: name its port"),
    ("clip.mp4 --save rtsp:/u:S3cret@h/x", "--save: name a file to write to, not an address"),
    ("clip.mp4 --save a.mp4 --save b.mp4", "--save a.mp4 and --save b.mp4: one file or folder"),
    ("clip.mp4 --save - --events", "--save - and --events go to standard output"),
    ("clip.mp4 clip.mkv --save udp://h:1", "--save udp://h:1 takes one source, and there are 2"),
    ("clip.mp4 --mqtt mqtt://u:S3cret@h", "--mqtt mqtt://h: name a topic"),
    ("clip.mp4 --webhook ftp://u:S3cret@h/x", "--webhook ftp://h/x: it takes an address as"),
    ("clip.mp4 --virtual-camera --set camera.virtual_device=/dev/v9", "/dev/v9 cannot be opened: "),
    ("clip.mp4 --log HTTP:/u:S3cret@h/x.jsonl", "--log: name a file to write to, not an address"),
    ("nothing", "nothing: no pictures there"),
    ("nothing/*.png", "nothing/*.png: no pictures there"),
    ("broken", "broken: not one picture there can be read"),
    ("broken/one.jpg", "not one picture there can be read"),
    ("text.mp4", "text.mp4 is not a video that can be read"),
    ("empty.mp4", "empty.mp4 is not a video that can be read"),
    ("cut.mp4", "cut.mp4 is not a video that can be read"),
    ("77", "camera 77 cannot be opened"),
    ("99999999999999", "camera 99999999999999 cannot be"),
    ("-", "standard input cannot be read: it is closed"),
    ("rtsp://a/live rtsp://b/live --log -", "takes the log of one live source: of several"),
    ("gopher://host/clip.mp4", "gopher://: videos are read from files and by rtsp"),
    ("/dev/null", "/dev/null is empty"),
    ("clip.mp4 --start 2x", "--start 2x: give seconds"),
    ("clip.mp4 --start 2 --end 1", "--end (1 s) must lie after --start (2 s)"),
    ("clip.mp4 --end 0", "--end 0 is before the first frame: give a later time"),
    ("clip.mp4 --set camera.size=1280x720", '"1280x720": write it as [1280, 720]'),
    ("https://youtu.be/abc", "yt-dlp -f b -o - https://youtu.be/abc | face-stream run -"),
    ("clip.mp4 --start 0:01:40", "--start 100 lies behind that"),
    ("pictures --start 1", "--start and --end are for videos"),
    ("99 --end 1", "--start and --end are for videos"),
    ("missing.mp4 --end 1", "missing.mp4: no such file"),
    ("x" * 300, "no such file"),
    ("clip.mp4 --save exists.mp4", "exists.mp4 exists: choose another name, or give --overwrite"),
    ("clip.mp4 --log exists.jsonl", "exists.jsonl exists"),
    ("clip.mp4 --save clip.mp4 --overwrite", "would overwrite the input"),
    ("clip.mp4 --save nothing/../clip.mp4 --overwrite", "would overwrite the input"),
    ("clip.mp4 --save same.mp4 --overwrite", "would overwrite the input"),
    ("rescued.part.mp4 --save rescued.mp4", "would overwrite the input"),
    ("pictures --save pictures --overwrite", "would overwrite the input"),
    ("pictures/one.png --save pictures --overwrite", "would overwrite the input"),
    ("pictures/*.png --save pictures --overwrite", "would overwrite the input"),
    ("clip.mp4 --save out.avi", "should end in one of .mp4, .mov, .mkv"),
    ("clip.mp4 --save out", "should end in one of .mp4, .mov, .mkv"),
    ("clip.mp4 --save .", "clip.mp4 would overwrite the input"),
    ("clip.mp4 --save . --overwrite", "clip.mp4 would overwrite the input"),
    ("clip.mp4 --log out.txt", "should end in "),
    ("clip.mp4 --save out.mp4 --sheet out.pdf", "should end in one of .png, .jpg"),
    ("clip.mp4 --save out.webm --set recorder.codec=h264", ".webm cannot hold it; it holds vp9"),
    ("clip.mp4 --save out.mov --log a.csv --set recorder.codec=av1", ".mov cannot hold it"),
    ("clip.mp4 --save out.mp4 --set recorder.codec=mpeg2", "recorder.codec"),
    ("clip.mp4 --snapshots broken", "broken is not empty"),
    ("clip.mp4 --snapshots exists.mp4 --overwrite", "--snapshots exists.mp4: pictures go into"),
    ("clip.mp4 --save nothing/a.mp4 --sheet nothing/../exists.mp4", "should end in"),
    ("pictures --save new --snapshots nothing/../new", "are the same: name another for one"),
    ("pictures --save new --log new/faces.csv", "there is no folder new"),
    ("pictures --save nothing --log nothing/faces.csv", "are the same: name another for one"),
    ("clip.mp4 --snapshots nothing --log nothing/persons.csv", "are the same: name another"),
    ("clip.mp4 --log a.part.csv --snapshots a.part.csv", "are the same: name another for one"),
    ("clip.mp4 --sheet link/a.png --snapshots nothing/a.png", "are the same: name another"),
    ("clip.mp4 --save none/out.mp4", "there is no folder none; make it first"),
    ("clip.mp4 --log none/out.jsonl", "there is no folder none; make it first"),
    ("clip.mp4 --save exists.jsonl/out.mp4", "there is no folder exists.jsonl"),
    ("clip.mp4 --log - --events", "--log - and --events go to standard output: ask for one"),
    ("clip.mp4 --log /dev/stdout --json-summary", "/dev/stdout and --json-summary go to standard"),
    ("clip.mp4 --events --json-summary", "--events and --json-summary go to standard output"),
    ("clip.mp4 --events --log - --json-summary", "--log - and --events and --json-summary go"),
    ("clip.mp4 --log pipe.csv", "--log pipe.csv: through a pipe goes JSON Lines only"),
    ("clip.mp4 --save locked.mp4", ".locked.mp4.lock, whose lock keeps other runs from locked.mp4"),
    ("pictures --save out.mp4", ": pictures go into a folder"),
    ("pictures --save out.png", ": pictures go into a folder"),
    ("pictures/*.png --save out.png", ": pictures go into a folder"),
    ("pictures/one.png --save out.heic", "should end in one of "),
    ("pictures/one.png --save out.mp4", ": pictures go into a folder"),
    ("pictures/one.png --save pictures/one.png --overwrite", "would overwrite the input"),
    ("pictures/one.png --sheet pictures/one.png --overwrite", "would overwrite the input"),
    ("pictures/one.png --save a.png --sheet a.png", "are the same: name another"),
    ("pictures/one.png --save none/out.png", "there is no folder none; make it first"),
    ("pictures --save broken", "broken is not empty"),
    ("pictures --save exists.mp4 --overwrite", ": pictures go into a folder"),
    ("clip.mp4 --set labels.attributes=['height']", "the model knows gender"),
    ("clip.mp4 --set labels.groups={race={A=['B']}}", "names 'B'"),
    *(
        (f"clip.mp4 {option} {'x' * length}{ending}", "file name too long; choose another name")
        for length in (246, 304)
        for option, ending in [
            ("--save", ".webm.mp4"),
            ("--log", "....jsonl"),
            ("--log", "...parquet"),
            ("--sheet", "......png"),
            ("--snapshots", "long-name"),
        ]
    ),
    (f"pictures --save {'x' * 304}", "file name too long; choose another name"),
    (f"clip.mp4 --save {'x' * 246}.mp4", "file name too long; choose another name"),  # its lock
    (f"clip.mp4 --model {'x' * 304}", "is not a folder"),
    (f"clip.mp4 --config {'x' * 304}", "File name too long"),
    ("clip.mp4 --model missing", "missing is not a folder"),
    ("clip.mp4 --model model", "model is not a model folder"),
    ("clip.mp4 --model clip.mp4", "clip.mp4 is not a folder"),
    ("clip.mp4 --model missing --set engine.model=model", "missing is not a folder"),
]


@pytest.mark.parametrize(
    ("arguments", "message"), _WRONG, ids=[arguments[:60] for arguments, _ in _WRONG]
)
def test_a_wrong_request(
    arguments: str, message: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = _state(folder)
    result = _run(*arguments.split(), "--no-show")
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.startswith("face-stream: ")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert _state(folder) == before
    assert capfd.readouterr() == ("", "")  # the libraries below print nothing of their own


def test_an_empty_source(folder: Path) -> None:
    result = _run("", "--no-show")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no such file or folder" in result.stderr


def test_credentials_are_never_printed(folder: Path) -> None:
    result = _run("rtsp://anna:secret@door.example/live", "--no-show")
    assert result.exit_code == 2
    assert "door.example" in result.stderr
    assert "anna" not in result.stderr
    assert "secret" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "there is no SOURCE"),
        ("--foo clip.mp4", "No such option"),
        ("clip.mp4 --save", "--save"),
    ],
)
def test_a_command_that_cannot_be_parsed(arguments: str, message: str, folder: Path) -> None:
    before = _state(folder)
    result = _run(*arguments.split())
    assert result.exit_code == 2
    assert message in result.stderr
    assert _state(folder) == before


def test_debug_shows_the_traceback_and_obeys_no_name(folder: Path) -> None:
    result = _run("clip.mp4\x1b31m", "--debug", "--no-show")
    assert result.exit_code == 2
    assert "Traceback" in result.stderr
    assert "clip.mp4\\x1b31m: no such file" in result.stderr
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["rtsp://u:S3cret@127.0.0.1:9/x"],
        ["run", "a.mp4", "rtsp://u:S3cret@127.0.0.1:9/x"],
        ["run", "rtsp:/u:S3cret@127.0.0.1:9/x"],
        ["run", "u:S3cret@127.0.0.1:9/x"],
        ["run", "rtsp://127.0.0.1:9/user=a_password=S3cret_channel=1.sdp"],
        ["run", "rtsp:/127.0.0.1:9/?loginpas=S3cret"],
        ["run", "http://127.0.0.1:9/x?p=S3cret#pw=S3cret"],
        ["run", "x*[S3cret]://u:S3cret@h/?p=S3cret"],
        ["run", "rtsp:/u:S3cret@h", "--start", "1"],
        ["run", "a.mp4", "--set", "source.address=rtsp://u:S3cret@h/x"],
        ["run", "a.mp4", "--set", "rtsp://u:S3cret@h/x"],
        ["run", "a.mp4", "--save", "rtmp:/u:S3cret@h/x"],
        ["run", "a.mp4", "--mqtt", "mqt://u:S3cret@h/x"],
        ["run", "a.mp4", "--mqtt", "mqtt:/u:S3cret@h/x"],
        ["run", "a.mp4", "--webhook", "htps://h/x?token=S3cret"],
        ["render", "rtsp:/u:S3cret@127.0.0.1:9/x", "log.jsonl"],
    ],
    ids=lambda words: " ".join(words),
)
@pytest.mark.parametrize("debug", [False, True])
def test_no_secret_of_an_address_is_shown(words: list[str], debug: bool, folder: Path) -> None:
    header = {"schema": "face-stream/1", "size": [96, 64], "attributes": {}}
    (folder / "log.jsonl").write_text(json.dumps(header) + "\n")
    flags = (["--no-show"] if len(words) > 1 else []) + (["--debug"] if debug else [])
    result = CliRunner().invoke(app, [*words, *flags])
    assert result.exit_code == 2
    assert "S3cret" not in result.output


def test_the_source_may_stand_in_the_settings(folder: Path) -> None:
    (folder / "config.toml").write_text("[source]\naddress = 'clip.mp4'\n")
    result = CliRunner().invoke(app, ["run", "--no-show", "--log", "out.jsonl"])
    assert result.exit_code == 0, result.output
    assert (folder / "out.jsonl").is_file()
    (folder / "config.toml").write_text("[source]\naddress = ''\n")
    result = CliRunner().invoke(app, ["run", "--no-show"])
    assert result.exit_code == 2
    assert "there is no SOURCE: name one, or set source.address" in result.stderr


def test_one_line_at_the_end(folder: Path) -> None:
    result = _run("clip.mp4", "--save", "out.mp4", "--log", "out.jsonl", "--no-show")
    assert (result.exit_code, result.stdout) == (0, "")
    line = r"1 person: 1 female · 3 frames in \d+\.\d s → out\.mp4, out\.jsonl\n"
    assert re.fullmatch(line, result.stderr)
    assert result.stderr.count("\n") == 1
    assert len(times_s(folder / "out.mp4")) == 3
    assert len(log_lines(folder / "out.jsonl")) == 1 + 3


@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
def test_the_log_on_standard_output_is_the_one_in_a_file(
    name: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert _run("clip.mp4", "--log", "out.jsonl", "--no-show").exit_code == 0
    result = _run("clip.mp4", "--log", name, "--no-show")
    assert result.exit_code == 0
    assert "1 person" in result.stderr
    assert capfd.readouterr() == ((folder / "out.jsonl").read_text(), "")


def test_the_log_through_a_fifo(folder: Path) -> None:
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    result = _run("clip.mp4", "--log", "pipe", "--no-show")
    lines = os.read(reader, 1 << 16).decode().splitlines()
    os.close(reader)
    assert result.exit_code == 0
    assert [next(iter(json.loads(line))) for line in lines] == [
        "schema",
        *["frame"] * 3,
        "track",
        "person",
        "end",
    ]
    assert Path("pipe").is_fifo()


def test_events_on_standard_output(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert _run("clip.mp4", "--log", "out.jsonl", "--no-show").exit_code == 0
    for words in (["run", "clip.mp4"], ["render", "clip.mp4", "out.jsonl"]):
        result = CliRunner().invoke(app, [*words, "--events", "--no-show"])
        assert result.exit_code == 0
        events = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
        assert [each["event"] for each in events] == ["appeared", "labelled", "gone"]
        assert events[-1]["labels"]["gender"]["label"] == "Female"


@pytest.mark.parametrize("option", [["--log", "-"], ["--events"]])
def test_a_reader_that_leaves_ends_the_run_quietly_and_whole(
    option: list[str], folder: Path
) -> None:
    words = ["run", "long.mp4", *option, "--save", "out.mkv", "--no-show"]
    write_clip(folder / "long.mp4", 100)
    with subprocess.Popen(
        [sys.executable, "-m", "stream", *words, "--set", "recorder.preset=ultrafast"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        json.loads(process.stdout.readline())
        process.stdout.close()
        errors = process.stderr.read()
        assert process.wait(timeout=120) == 0
    assert errors.count("\n") == 1
    assert "1 person" in errors
    assert 0 < len(times_s(folder / "out.mkv")) <= 100
    assert json.loads(_run("out.mkv", "--no-show", "--json-summary").stdout)["frames"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("run clip.mp4 --log - --no-show", 2),
        ("run clip.mp4 --json-summary --no-show --save lost.mp4", 2),
        ("config", 1),
    ],
)
def test_standard_output_that_is_closed(words: str, code: int, folder: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m stream {words} >&-",
        shell=True,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    message = "face-stream: standard output cannot be written: it is closed\n"
    assert (done.returncode, done.stderr) == (code, message)
    assert not (folder / "lost.mp4").exists()


def test_quiet_prints_nothing(folder: Path) -> None:
    result = _run("clip.mp4", "--save", "out.mp4", "--no-show", "--quiet")
    assert (result.exit_code, result.output) == (0, "")
    assert (folder / "out.mp4").exists()


def test_quiet_still_prints_errors(folder: Path) -> None:
    result = _run("missing.mp4", "--no-show", "--quiet")
    assert result.exit_code == 2
    assert "missing.mp4" in result.stderr


@pytest.mark.parametrize("more", [[], ["--quiet"]])
def test_a_summary_for_machines(folder: Path, more: list[str]) -> None:
    result = _run("clip.mp4", "--save", "ö.mp4", "--no-show", "--json-summary", *more)
    assert (result.exit_code, result.stderr) == (0, "")
    summary = json.loads(result.stdout)
    assert summary["frames"] == 3
    assert summary["outputs"] == ["ö.mp4"]
    assert summary["failures"] == []
    assert summary["people"] == 1
    assert next(iter(summary["perceived"])).startswith("Female, ")


def test_what_exists_is_replaced_if_asked(folder: Path) -> None:
    words = "clip.mp4 --save exists.mp4 --log exists.jsonl --overwrite --no-show"
    assert _run(*words.split()).exit_code == 0
    assert len(times_s(folder / "exists.mp4")) == 3
    assert len(log_lines(folder / "exists.jsonl")) == 4


@pytest.mark.parametrize("name", ["[red]a.mp4", "[b]:cat:.mp4", "100 %.mp4", "é 日本.mkv"])
def test_names_are_printed_as_they_are(name: str, folder: Path) -> None:
    write_numbers(folder / "small.mp4", 3)
    result = _run("small.mp4", "--save", name, "--no-show")
    assert result.exit_code == 0
    assert name in result.stderr
    assert len(times_s(folder / name)) == 3


_COMMANDS = "a\x1b]0;gone\x07\x9b31m\r\nb"
"""What a terminal would obey."""


def _is_shown_safely(text: str) -> bool:
    """Whether a terminal shows all of a text and obeys none of it."""
    return all(line.isprintable() for line in text.split("\n"))


def test_no_name_of_a_file_commands_the_terminal(folder: Path) -> None:
    (folder / "clip.mp4").rename(folder / f"{_COMMANDS}.mp4")
    words = [f"{_COMMANDS}.mp4", "--no-show"]
    for option, name in [("--save", "out.mp4"), ("--log", ".csv"), ("--sheet", ".png")]:
        words += [option, f"{_COMMANDS}{name}"]
    done, refused = _run(*words), _run(*words)
    assert (done.exit_code, refused.exit_code) == (0, 2)
    for result in (done, refused):
        assert _is_shown_safely(result.output)
        assert result.stderr.count("\n") == 1
        assert "a\\x1b]0;gone" in result.stderr
    with av.open(str(folder / f"{_COMMANDS}out.mp4")) as recording:
        assert _is_shown_safely(recording.metadata["title"])
    missing = _run(f"{_COMMANDS}.mkv", "--no-show")
    assert missing.exit_code == 2
    assert _is_shown_safely(missing.stderr)
    assert missing.stderr.count("\n") == 1


def test_no_name_of_a_picture_commands_the_terminal(folder: Path) -> None:
    cv2.imwrite("face.png", portrait())
    (folder / "face.png").rename(folder / "pictures" / f"{_COMMANDS}.png")
    words = ["--no-show", "--save", "copies", "--log", "out.csv", "--snapshots", "people"]
    assert _run("pictures", *words).exit_code == 0
    assert (folder / "copies" / f"{_COMMANDS}.png").is_file()
    for table in (*folder.glob("out*.csv"), *folder.glob("copies/faces.csv")):
        text = table.read_text()
        assert text.count("\n") == 2
        assert _is_shown_safely(text)
    assert _run("pictures", "--no-show", "--log", "out.parquet").exit_code == 0


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_no_name_of_a_class_commands_the_terminal(ending: str, folder: Path) -> None:
    bundle = load_bundle(DLIB_FOLDER)
    heads = [
        head.model_copy(update={"classes": tuple(f"{_COMMANDS}{each}" for each in head.classes)})
        for head in bundle.manifest.attributes
    ]
    update = {"attributes": tuple(heads), "short_names": {}, "tree": {}}
    manifest = bundle.manifest.model_copy(update=update)
    save_bundle(folder / "odd", manifest, bundle.files)
    words = f"--model odd --no-show --save odd.mp4 --log odd{ending} --sheet odd.png".split()
    result = _run("clip.mp4", *words)
    assert result.exit_code == 0
    assert _is_shown_safely(result.output)
    if ending != ".parquet":
        assert _is_shown_safely((folder / f"odd{ending}").read_text())
    summary = json.loads(_run("clip.mp4", "--model", "odd", "--no-show", "--json-summary").stdout)
    assert _COMMANDS in next(iter(summary["perceived"]))


def test_half_a_character_in_a_model_is_refused(folder: Path) -> None:
    shutil.copytree(DLIB_FOLDER, folder / "odd")
    manifest = folder / "odd" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"Female"', '"Fe\\ud800male"'))
    result = _run("clip.mp4", "--model", "odd", "--no-show", "--save", "out.mp4")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "holds half a character and is no text" in result.stderr
    assert not (folder / "out.mp4").exists()


def test_pictures_left_out_are_counted_by_kind_and_forbidden_if_strict(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a.cr2", "b.CR2", "c.mov", "sub/d.jxl", "notes.txt", ".hidden.cr2"):
        (folder / "pictures" / name).parent.mkdir(exist_ok=True)
        (folder / "pictures" / name).write_bytes(b"no picture that is read")
    (folder / "pictures" / "broken.heic").write_bytes(b"no picture")
    (folder / "pictures" / "unnamed").write_bytes((folder / "pictures/one.png").read_bytes())
    skipped = {".cr2": 2, ".mov": 1, ".jxl": 1, "no ending": 1, ".heic": 1}
    result = _run("pictures", "--no-show", "--json-summary")
    assert result.exit_code == 0
    summary = json.loads(result.stdout)
    assert (summary["frames"], summary["skipped"], summary["failures"]) == (1, skipped, [])
    assert caplog.messages == [
        "pictures: left out, of kinds that are not read: 2 .cr2, 1 .mov, 1 .jxl, 1 no ending",
        "pictures/broken.heic cannot be read as a picture: left out",
    ]
    result = _run("pictures", "--no-show", "--strict")
    assert result.exit_code == 1
    assert "1 picture in " in result.stderr
    assert ", 2 .cr2, 1 .mov" in result.stderr
    assert "6 pictures were left out, which --strict forbids" in result.stderr
    assert _run("pictures/one.png", "--no-show", "--strict").exit_code == 0
    assert _run("clip.mp4", "--no-show", "--strict").exit_code == 0


def test_copies_of_all_kinds_of_pictures(folder: Path) -> None:
    jpeg, png = (cv2.imencode(ending, portrait())[1].tobytes() for ending in (".jpg", ".png"))
    for name in ("a.jfif", "b.jpe", "c.mpo"):
        (folder / "pictures" / name).write_bytes(jpeg)
    (folder / "pictures" / "d.heic").write_bytes(png)  # named so by what made it
    result = _run("pictures", "--no-show", "--save", "copies", "--strict")
    assert result.exit_code == 0
    copies = {path.name for path in (folder / "copies").iterdir() if path.suffix != ".csv"}
    assert copies == {"a.jfif", "b.jpe", "c.mpo", "d.heic.jpg", "one.png"}
    for name in copies:
        assert cv2.imread(str(folder / "copies" / name)) is not None


def test_a_part_keeps_the_times_of_the_source_in_the_log_and_begins_the_recording(
    folder: Path,
) -> None:
    write_clip(folder / "long.mp4", 8)
    part = ("long.mp4", "--no-show", "--start", "0.08", "--end", "00:00:00.2")
    assert _run(*part, "--log", "part.jsonl", "--save", "part.mp4").exit_code == 0
    entries = [entry for entry in log_lines(folder / "part.jsonl") if "time_s" in entry]
    assert [entry["frame"] for entry in entries] == [0, 1, 2]
    assert [entry["time_s"] for entry in entries] == pytest.approx([0.08, 0.12, 0.16])
    assert times_s(folder / "part.mp4") == pytest.approx([0.0, 0.04, 0.08], abs=1e-3)
    render = ["render", "long.mp4", "part.jsonl", "--no-show", "--json-summary"]
    drawn = CliRunner().invoke(app, render)
    assert drawn.exit_code == 0
    assert json.loads(drawn.stdout)["frames"] == 8


def test_settings_come_from_the_folder_it_is_started_in(folder: Path) -> None:
    with (folder / "config.toml").open("a") as settings:
        settings.write('[labels]\nattributes = ["age"]\nmin_confidence = 1.0\n')
    result = _run("clip.mp4", "--no-show", "--json-summary")
    assert list(json.loads(result.stdout)["perceived"]) == ["age unsure"]
    over = _run("clip.mp4", "--no-show", "--json-summary", "--set", "labels.attributes=['race']")
    assert list(json.loads(over.stdout)["perceived"]) == ["race unsure"]


@pytest.mark.parametrize("source", ["pictures", "pictures/**/*.png"])
def test_a_second_run_does_not_annotate_its_own_copies(source: str, folder: Path) -> None:
    words = f"{source} --save pictures/new --sheet pictures/sheet.png --snapshots pictures/faces"
    for _ in range(2):
        result = _run(*words.split(), "--no-show", "--overwrite", "--json-summary")
        assert result.exit_code == 0
        assert json.loads(result.stdout)["frames"] == 1
    assert len(list((folder / "pictures").rglob("*.png"))) == 3


def test_everything_at_once(folder: Path) -> None:
    words = "clip.mp4 --save o.webm --log o.parquet --snapshots faces --sheet o.jpg --no-show"
    result = _run(*words.split(), "--json-summary")
    assert result.exit_code == 0
    logs = {"o.parquet", "o.tracks.parquet", "o.persons.parquet"}
    outputs = {"o.webm", *logs, "faces", "o.jpg"}
    assert set(json.loads(result.stdout)["outputs"]) == outputs
    assert sorted(path.name for path in Path("faces").iterdir()) == [
        "person-0001.jpg",
        "persons.csv",
    ]
    assert cv2.imread("o.jpg") is not None
    assert len(times_s(Path("o.webm"))) == 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_when_nothing_can_be_written_any_more_it_stops(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_numbers(folder / "long.mp4", 300)
    Path("o.part.mkv").symlink_to("/dev/full")
    words = "long.mp4 --save o.mkv --no-show --overwrite --json-summary"
    result = _run(*words.split(), "--set", "recorder.preset=ultrafast")
    assert result.exit_code == 1
    assert "recorder (o.mkv) failed: No space left on device" in caplog.text
    assert caplog.messages[-1] == "nothing is left to be written or shown: stopped"
    caplog.clear()
    assert json.loads(result.stdout)["frames"] < 300


def _difference(one: Path, other: Path) -> float:
    """The mean difference between the first frames of two videos."""
    first, second = (cv2.VideoCapture(str(path)).read()[1] for path in (one, other))
    return float(cv2.absdiff(first, second).mean())


def test_faces_are_blurred_if_asked(folder: Path) -> None:
    settled = ["--no-show", "--set", "overlay.labels=false", "--set", "overlay.blur=false"]
    render = ["render", "clip.mp4", "plain.jsonl"]
    for words in (
        ["run", "clip.mp4", "--save", "plain.mp4", "--log", "plain.jsonl"],
        ["run", "clip.mp4", "--save", "blurred.mp4", "--blur"],
        [*render, "--save", "plain again.mp4"],
        [*render, "--save", "blurred again.mp4", "--blur"],
    ):
        assert CliRunner().invoke(app, [*words, *settled]).exit_code == 0
    plain = folder / "plain.mp4"
    assert _difference(plain, folder / "plain again.mp4") < 0.1
    assert _difference(plain, folder / "blurred.mp4") > 1
    assert _difference(plain, folder / "blurred again.mp4") > 1


_HIDDEN_CURSOR = "\x1b[?25l"
"""What hides the cursor, which the progress bar does."""


def test_a_terminal_shows_a_progress_bar_of_a_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    write_numbers(folder / "small.mp4", 3)
    assert _HIDDEN_CURSOR in _run("small.mp4", "--no-show").stderr
    assert _run("small.mp4", "--no-show", "--quiet").stderr == ""
    with http({"/": mjpeg_page([numbered(number) for number in range(20)])}) as server:
        live = _run(f"http://{server.address}/", "--no-show", "--set", "source.reconnect_s=0")
    assert re.search(r" · \d+ frames? in ", live.stderr)
    assert _HIDDEN_CURSOR not in live.stderr
    assert "was lost" in caplog.text  # the server hung up
    caplog.clear()


def test_pictures_go_into_a_folder(folder: Path) -> None:
    result = _run("pictures", "--save", "out", "--no-show")
    assert result.exit_code == 0
    names = sorted(path.name for path in (folder / "out").iterdir())
    assert names == ["faces.csv", "one.png", "one.png.csv"]


def test_one_picture_goes_into_a_file(folder: Path) -> None:
    cv2.imwrite("photo.png", portrait())
    for name in ("out.jpg", "out.WEBP"):
        result = _run("photo.png", "--save", name, "--no-show")
        assert result.exit_code == 0
        line = rf"1 person: 1 female · 1 picture in \d+\.\d s → {re.escape(name)}\n"
        assert re.fullmatch(line, result.stderr)
        copy = cv2.imread(name)
        assert copy is not None and copy.shape == portrait().shape
        assert cv2.absdiff(copy, portrait()).mean() > 0.5  # it is drawn on
    refused = _run("photo.png", "--save", "out.jpg", "--no-show")
    assert (refused.exit_code, "out.jpg exists" in refused.stderr) == (2, True)
    assert _run("photo.png", "--save", "out.jpg", "--no-show", "--overwrite").exit_code == 0
    assert not [path for path in folder.iterdir() if path.name.startswith(".out")]


def test_what_fails_on_the_way_is_exit_code_1(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "out" / "one.png").mkdir(parents=True)  # stands where the copy would
    words = ["--save", "out", "--overwrite", "--no-show", "--json-summary"]
    result = _run("pictures/*", *words)
    assert result.exit_code == 1
    (failure,) = json.loads(result.stdout)["failures"]
    assert "one.png cannot be written: Is a directory" in failure
    assert "one.png cannot be written: Is a directory" in caplog.text
    caplog.clear()


def _program(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        [sys.executable, "-m", "stream", *arguments],
        cwd=folder,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_without_a_screen_a_run_warns_and_goes_on(folder: Path) -> None:
    done = _program("run", "clip.mp4", "--log", "out.jsonl", folder=folder)
    assert done.returncode == 0
    warning, summary = done.stderr.splitlines()
    assert warning == "face-stream: no screen to show the window on: going on without"
    assert summary.startswith("1 person: 1 female · 3 frames in ")
    assert len(log_lines(folder / "out.jsonl")) == 4


def test_a_terminal_that_knows_only_ascii(folder: Path) -> None:
    words = ["run", "pictures", "--save", "ö", "--no-show", "--json-summary"]
    done = _program(*words, folder=folder, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outputs"] == ["ö"]


def test_a_long_warning_is_one_line(folder: Path) -> None:
    long = folder / ("long name " * 15 + ".png")
    long.write_bytes(b"not a picture")
    cv2.imwrite(str(folder / "good.png"), np.zeros((20, 20, 3), np.uint8))
    done = _program("run", "*.png", "--no-show", folder=folder)
    assert done.returncode == 0
    warning, *_ = done.stderr.splitlines()
    assert warning == f"face-stream: {long.name} cannot be read as a picture: left out"


def test_the_help_names_the_commands(folder: Path) -> None:
    done = _program("--help", folder=folder)
    assert done.returncode == 0
    for command in ("run", "demo", "bench"):
        assert command in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="names are shorter there")
@pytest.mark.parametrize("length", [245, 249, 251, 252, 255])
def test_pictures_with_names_as_long_as_they_may_be(length: int, folder: Path) -> None:
    for number, ending in enumerate((".png", ".jpg", ".jfif")):
        name = "é" * 30 + str(number) + "x" * (length - 61 - len(ending)) + ending
        assert len(os.fsencode(name)) == length
        picture = cv2.imencode(".png" if ending == ".png" else ".jpg", numbered(number))[1]
        (folder / "pictures" / name).write_bytes(picture.tobytes())
    result = _run("pictures", "--save", "out", "--no-show", "--json-summary")
    assert result.exit_code == 0, result.output
    assert len([path for path in (folder / "out").iterdir() if path.suffix != ".csv"]) == 4
    assert len(list((folder / "out").glob("*.csv"))) == 5
    assert not [path for path in (folder / "out").iterdir() if path.suffix == ".part"]
