"""Where annotated video may be sent on to, and what is said of anything else."""

from pathlib import Path

import pytest

from stream.errors import ConfigError
from stream.frames import SourceInfo
from stream.settings import Config
from stream.settings.schema import RecorderSection
from stream.several.given_outputs import given_outputs
from stream.several.listing import NamedSource
from stream.several.naming import name_outputs
from stream.sinks import Outputs, claim_outputs
from stream.sinks.publishing.destinations import saved_file, split_saved
from stream.sinks.publishing.services import broker, web_service

_VIDEO = SourceInfo("door.mp4", "video", (96, 64), 25.0)


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        ("-", "pipe", "standard output"),
        ("/dev/stdout", "pipe", "standard output"),
        ("rtmp://host/live/k3y-of-a-stream", "rtmp", "rtmp://host/live/…"),
        ("RTMPS://host/live/x", "rtmp", "RTMPS://host/live/x"),
        ("rtsp://me:secret@host:8554/door", "rtsp", "rtsp://host:8554/door"),
        ("srt://host:9000?passphrase=secret", "srt", "srt://host:9000?passphrase=…"),
        ("udp://239.0.0.1:1234", "udp", "udp://239.0.0.1:1234"),
        ("out/live.m3u8", "hls", "out/live.m3u8"),
        ("LIVE.M3U8", "hls", "LIVE.M3U8"),
    ],
)
def test_what_is_sent_on_is_known_by_its_name(name: str, kind: str, shown: str) -> None:
    files, (destination,) = split_saved([name])
    assert (files, destination.kind, str(destination)) == ([], kind, shown)
    assert "secret" not in f"{destination!r} {Outputs(streams=(destination,))}"


@pytest.mark.parametrize("name", ["out.mp4", "copies/", "@odd.mp4", "a - b.mkv", "rtmp.mp4"])
def test_anything_else_is_a_file_or_a_folder(name: str) -> None:
    assert split_saved([name]) == ([name], ())


def test_several_at_once_and_one_file() -> None:
    files, streams = split_saved(["a.mp4", "rtmp://host/live/a", "-", "a.m3u8"])
    assert saved_file(files) == "a.mp4"
    assert [each.kind for each in streams] == ["rtmp", "pipe", "hls"]
    assert saved_file([]) is None


def test_the_address_stands_in_a_file_or_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key.txt"
    path.write_text("# of the channel\nrtmp://host/live/secret0123456\n")
    monkeypatch.setenv("CHANNEL", "srt://host:1?passphrase=secret")
    _, streams = split_saved([f"@{path}", "$CHANNEL"])
    assert [each.kind for each in streams] == ["rtmp", "srt"]
    assert "secret" not in f"{streams}"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["http://host/x.mp4"], r"--save http://: video is sent to rtmp, rtmps, rtsp"),
        (["s3://bucket/x.mp4"], r"--save s3://: video is sent to"),
        (["udp://host"], r"--save udp://host: name its port, as in udp://HOST:PORT"),
        (["srt://me:secret@host"], r"--save srt://host: name its port"),
        (["rtmp:///x"], "no valid host and port"),
        (["rtmp://me:sec/ret@host:1x/y"], "no valid host and port"),
        (["@missing.txt"], "@missing.txt"),
        (["$MISSING_CHANNEL"], r"\$MISSING_CHANNEL is not set: it should hold a destination"),
        (["rtmp://h/a", "rtmp://h/a"], "rtmp://h/a is named twice"),
    ],
)
def test_what_cannot_be_sent_to_is_refused(names: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        split_saved(names)
    assert "secret" not in str(raised.value)


def test_two_files_of_one_video_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"--save a\.mp4 and --save b\.mkv: one file"):
        saved_file(["a.mp4", "b.mkv"])


def test_a_caller_of_the_library_may_name_a_list() -> None:
    given = {"log": None, "snapshots": None, "sheet": None, "subtitles": None}
    given |= {"show": False, "overwrite": False}
    outputs = given_outputs(save=[Path("a.mp4"), "rtmp://host/live/a"], **given)  # type: ignore[arg-type]
    assert outputs.save == Path("a.mp4") and str(*outputs.streams) == "rtmp://host/live/a"
    outputs = given_outputs(save="out/", **given)  # type: ignore[arg-type]
    assert outputs.folders == {"save"}
    with pytest.raises(ConfigError, match="named by a path"):
        given_outputs(save=[7], **given)  # type: ignore[list-item,arg-type]


def _outputs(*names: str, **more: object) -> Outputs:
    files, streams = split_saved(names)
    save = saved_file(files)
    return Outputs(save=None if save is None else Path(save), streams=streams, **more)  # type: ignore[arg-type]


def test_a_playlist_that_is_there_is_kept_and_its_segments_too(tmp_path: Path) -> None:
    for name in ("a.m3u8", "b-00003.ts", "c-00003.ts.txt"):
        (tmp_path / name).write_text("mine")
    for name, reason in (("a", "a.m3u8 exists"), ("b", "b-00003.ts exists")):
        with (
            pytest.raises(ConfigError, match=reason),
            claim_outputs(_outputs(f"{tmp_path}/{name}.m3u8"), _VIDEO),
        ):
            pass
    with claim_outputs(_outputs(f"{tmp_path}/c.m3u8"), _VIDEO):
        pass
    with claim_outputs(_outputs(f"{tmp_path}/a.m3u8", overwrite=True), _VIDEO):
        pass
    with (
        pytest.raises(ConfigError, match="there is no folder"),
        claim_outputs(_outputs(f"{tmp_path}/none/a.m3u8"), _VIDEO),
    ):
        pass


@pytest.mark.parametrize(
    ("name", "codec", "message"),
    [
        ("rtmp://h/a", "hevc", "rtmp cannot hold it; it holds h264"),
        ("a.m3u8", "av1", "HLS cannot hold it; it holds h264, hevc"),
        ("udp://h:1", "vp9", "udp cannot hold it"),
    ],
)
def test_a_codec_that_it_cannot_take_is_refused(name: str, codec: str, message: str) -> None:
    config = Config(recorder=RecorderSection(codec=codec))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=message), claim_outputs(_outputs(name), _VIDEO, config):
        pass


@pytest.mark.parametrize(
    "outputs", [_outputs("rtmp://h/a"), _outputs("a.m3u8"), _outputs(virtual_camera=True)]
)
def test_pictures_are_not_sent_on_and_several_sources_neither(outputs: Outputs) -> None:
    pictures = SourceInfo("photos", "pictures", (96, 64))
    with pytest.raises(ConfigError, match="takes video"), claim_outputs(outputs, pictures):
        pass
    sources = [NamedSource("a.mp4", "file"), NamedSource("b.mp4", "file")]
    with pytest.raises(ConfigError, match="takes one source, and there are 2"):
        name_outputs(outputs, sources, Config())


def test_events_of_several_sources_have_topics_of_their_own() -> None:
    services = {"mqtt": broker("mqtt://h/home"), "webhooks": (web_service("https://h/x"),)}
    sources = [NamedSource("0", "camera", shown="camera 0"), NamedSource("1", "camera")]
    own = name_outputs(Outputs(**services), sources, Config())  # type: ignore[arg-type]
    topics = [each.mqtt.path for each in own if each.mqtt is not None]
    assert topics == ["home/camera-0", "home/1"]
    assert all(each.webhooks == services["webhooks"] for each in own)
    (alone,) = name_outputs(Outputs(**services), sources[:1], Config())  # type: ignore[arg-type]
    assert alone.mqtt == services["mqtt"]


def test_one_thing_goes_to_standard_output() -> None:
    assert _outputs("-", log=Path("-"), events=True).printing == ["--save -", "--log -", "--events"]
