"""Settings: layers, errors, and the file that lists them."""

import json
import os
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from models.classification.bundle import DEFAULT_FOLDER, DLIB_FOLDER
from stream.cli.app import app
from stream.errors import ConfigError
from stream.labelling.label_rule import LabelRule
from stream.settings import Config, load_config, load_settings
from stream.settings.explained import explained
from stream.settings.schema import EngineSection, LabelSettings
from stream.settings.toml import toml_value

SHIPPED = Path(__file__).parents[1] / "config.toml"

_Layer = dict[tuple[str, str], Any]

_VALUES = {
    ("detection", "detector"): st.sampled_from(["cnn", "hog"]),
    ("detection", "downscale"): st.just("auto") | st.floats(1, 16),
    ("detection", "threshold"): st.floats(-1, 2),
    ("detection", "frame_skip"): st.just("auto") | st.integers(0, 1000),
    ("labels", "attributes"): st.lists(st.text(max_size=8), max_size=3, unique=True),
    ("labels", "min_confidence"): st.floats(0, 1)
    | st.dictionaries(st.text(max_size=8), st.floats(0, 1), max_size=3),
    ("labels", "groups"): st.dictionaries(
        st.text(max_size=8),
        st.dictionaries(st.text(max_size=8), st.lists(st.text(max_size=8), max_size=3), max_size=3),
        max_size=2,
    ),
    ("engine", "threads"): st.integers(0, 256),
    ("engine", "model"): st.text(max_size=20),
    ("recorder", "sound"): st.booleans(),
}
_LAYERS = st.fixed_dictionaries({}, optional=_VALUES)


def test_the_shipped_file_lists_every_setting_with_its_default() -> None:
    listed = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    defaults = Config().model_dump(mode="json")
    assert listed == defaults


def _comments() -> dict[str, str]:
    """By setting, what stands above it in the shipped file."""
    comments, above, section = dict[str, str](), list[str](), ""
    for line in SHIPPED.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            above.append(line.removeprefix("#").strip())
        elif line.startswith("["):
            section, above = line.strip("[]"), []
        elif line:
            comments[f"{section}.{line.partition(' = ')[0]}"] = " ".join(above)
            above = []
    return comments


def _limits(schema: dict[str, Any], definitions: dict[str, Any]) -> list[str]:
    """Least, most and choices of a setting's schema, and of what is inside its value."""
    found = list[str]()
    for key, value in schema.items():
        match key, value:
            case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum", _:
                found.append(f"{value:g}")
            case ("enum", list()):
                found += value
            case ("const", str()):
                found.append(value)
            case ("$ref", str()):
                found += _limits(definitions[value.rpartition("/")[2]], definitions)
            case ("anyOf" | "prefixItems", list()):
                found += [limit for each in value for limit in _limits(each, definitions)]
            case ("items" | "additionalProperties", dict()):
                found += _limits(value, definitions)
            case ("properties", dict()):
                found += [limit for each in value.values() for limit in _limits(each, definitions)]
    return found


def test_the_shipped_file_says_what_each_setting_may_be() -> None:
    schema = Config.model_json_schema()
    definitions = schema["$defs"]
    comments = _comments()
    unsaid = []
    for section, place in schema["properties"].items():
        for name, setting in definitions[place["$ref"].rpartition("/")[2]]["properties"].items():
            comment = comments[f"{section}.{name}"]
            assert comment, f"{section}.{name} has no comment"
            words = set(re.findall(r"-?[\w]+(?:\.\d+)?", comment))
            if left := [limit for limit in _limits(setting, definitions) if limit not in words]:
                unsaid.append(f"{section}.{name}: {left}")
    assert not unsaid


def test_later_layers_lie_over_earlier_ones(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[detection]\nthreshold = 0.1\nupsample = 2.0\n")
    other = tmp_path / "other.toml"
    other.write_text("[detection]\nthreshold = 0.2\n[labels]\nmin_confidence = 0.7\n")
    config = load_config(other, ["labels.min_confidence=0.9"], folder=tmp_path)
    assert config.detection.upsample == 2
    assert config.detection.threshold == 0.2
    assert config.labels.min_confidence == 0.9


def _as_file(layer: _Layer) -> str:
    """A file of settings, in the order they come in."""
    sections = dict.fromkeys(section for section, _ in layer)
    return "".join(
        f"[{section}]\n"
        + "".join(
            f"{name} = {toml_value(value)}\n"
            for (of, name), value in layer.items()
            if of == section
        )
        for section in sections
    )


@given(_LAYERS, _LAYERS, st.lists(_LAYERS, max_size=2))
def test_each_setting_is_what_the_last_layer_with_it_says(
    default: _Layer, chosen: _Layer, given_last: list[_Layer]
) -> None:
    overrides = [
        f"{section}.{name}={toml_value(value)}"
        for layer in given_last
        for (section, name), value in layer.items()
    ]
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.toml").write_text(_as_file(default), encoding="utf-8")
        file = folder / "mine.toml"
        file.write_text(_as_file(chosen), encoding="utf-8")
        settings = load_settings(file, overrides, folder=folder)
        printed = folder / "printed.toml"
        printed.write_text(settings.as_toml(), encoding="utf-8")
        again = load_settings(printed, folder=folder / "elsewhere")
    values = settings.config.model_dump(mode="json")
    origins = dict.fromkeys(settings.origins, "default")
    layers = [("config.toml", default), (str(file), chosen)]
    for origin, layer in [*layers, *(("--set", layer) for layer in given_last)]:
        for (section, name), value in layer.items():
            values[section][name] = value
            origins[section, name] = origin
    assert settings.config.model_dump(mode="json") == values
    assert settings.origins == origins
    assert again.config == settings.config
    assert set(again.origins.values()) == {str(printed)}


def test_what_is_in_force_is_printed_with_where_it_is_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.toml").write_text("[detection]\nthreshold = 0.1\nupsample = 2.0\n")
    (tmp_path / "mine.toml").write_text("[detection]\nthreshold = 0.2\n")
    monkeypatch.chdir(tmp_path)
    words = ["config", "--config", "mine.toml", "--set", "labels.attributes=['age']"]
    printed = CliRunner().invoke(app, words)
    assert printed.exit_code == 0
    lines = [re.sub(" +", " ", line) for line in printed.stdout.splitlines()]
    assert 'detector = "centerface" # default' in lines
    assert "upsample = 2.0 # config.toml" in lines
    assert "threshold = 0.2 # mine.toml" in lines
    assert 'attributes = ["age"] # --set' in lines
    as_json = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert as_json["detection"]["threshold"] == {"value": 0.2, "origin": "mine.toml"}
    values = {
        section: {name: each["value"] for name, each in settings.items()}
        for section, settings in as_json.items()
    }
    assert tomllib.loads(printed.stdout) == values


def test_settings_are_explained_by_the_comments_of_the_shipped_file(tmp_path: Path) -> None:
    shipped = SHIPPED.read_text(encoding="utf-8").rstrip()
    assert explained(load_settings(folder=tmp_path)) == shipped
    (tmp_path / "config.toml").write_text("[camera]\nsize = [640, 480]\n")
    text = explained(load_settings(None, ["labels.min_confidence=0.8"], folder=tmp_path))
    changed = [line for line in text.splitlines() if line not in shipped.splitlines()]
    assert changed == [
        "size = [640, 480]  # config.toml",
        "min_confidence = 0.8  # --set",
    ]
    (tmp_path / "config.toml").write_text(text)
    assert load_settings(folder=tmp_path).config.labels.min_confidence == 0.8


def test_no_name_of_a_file_breaks_what_is_printed(tmp_path: Path) -> None:
    odd = tmp_path / "odd\nname\x1b[31m.toml"
    odd.write_text("[engine]\nthreads = 2\n")
    printed = load_settings(odd, folder=tmp_path).as_toml()
    assert tomllib.loads(printed)["engine"]["threads"] == 2
    assert "\x1b" not in printed


def test_settings_in_force_that_are_wrong_are_one_line() -> None:
    result = CliRunner().invoke(app, ["config", "--set", "detection.frameskip=3"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("face-stream: ")
    assert result.stderr.count("\n") == 1


def test_a_file_with_the_mark_that_windows_writes(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"\xef\xbb\xbf[engine]\nthreads = 2\n")
    assert load_config(folder=tmp_path).engine.threads == 2


def test_what_a_label_must_reach_and_what_is_shown_as_one() -> None:
    groups = {"Asian": ("East Asian", "Southeast Asian")}
    labels = LabelSettings(min_confidence={"gender": 0.8}, groups={"race": groups})
    assert LabelRule.of(labels, "gender") == LabelRule(0.8, {})
    assert LabelRule.of(labels, "race") == LabelRule(0.5, groups)
    assert LabelRule.of(LabelSettings(min_confidence=0.3), "race") == LabelRule(0.3, {})


def test_words_of_the_model_for_several_classes_can_be_switched_off() -> None:
    tree = {"race": {"Asian": ("East Asian", "Southeast Asian")}, "age": {"20-39": ("a", "b")}}
    merged = LabelSettings(groups={"race": {"Others": ("Indian", "White")}})
    assert LabelRule.of(LabelSettings(), "race", tree).coarser == tree["race"]
    assert LabelRule.of(LabelSettings(coarser=False), "race", tree).coarser == {}
    assert LabelRule.of(merged, "race", tree).coarser == {}  # whose classes the user merges
    assert LabelRule.of(merged, "age", tree).coarser == tree["age"]
    assert LabelRule.of(LabelSettings(), "gender", tree).coarser == {}


@pytest.mark.parametrize(
    ("engine", "folder"),
    [
        (EngineSection(), DEFAULT_FOLDER),
        (EngineSection(embedder="dlib"), DLIB_FOLDER),
        (EngineSection(embedder="dlib", model="mine"), Path("mine")),
    ],
)
def test_where_the_classifier_is_read_from(engine: EngineSection, folder: Path) -> None:
    assert engine.model_folder == folder


def test_an_option_lies_over_set() -> None:
    words = ["config", "--json", "--set", "engine.model=theirs", "--model", "12"]
    printed = CliRunner().invoke(app, words)
    assert json.loads(printed.stdout)["engine"]["model"] == {
        "value": "12",
        "origin": "--set",
    }


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://u:S3cret@h/x",
        "rtsp:/u:S3cret@h/x",
        "rtsp//u:S3cret@h",
        "rstp:/u:S3cret@h",
        "u:S3cret@h/x",
        "http://h/?p=S3cret",
        "192.168.1.2/x?p=S3cret",
    ],
)
def test_no_address_with_a_secret_is_taken_however_mistyped(address: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="it holds a secret: write it into a file") as caught:
        load_config(None, [f"source.address={address}"], folder=tmp_path)
    assert "S3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "@cameras/door.txt",
        "$DOOR_CAMERA",
        "rtsp://h:554/live?channel=1",
        "take=1.mp4",
        "/videos/a@b.mp4",
        "0",
    ],
)
def test_an_address_without_a_secret_is_taken_as_it_is(address: str, tmp_path: Path) -> None:
    config = load_config(None, [f"source.address={address!r}"], folder=tmp_path)
    assert config.source.address == address


def test_a_bare_word_and_toml_are_both_values(tmp_path: Path) -> None:
    config = load_config(
        None, ["detection.detector=hog", 'labels.attributes=["age"]'], folder=tmp_path
    )
    assert config.detection.detector == "hog"
    assert config.labels.attributes == ("age",)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("detection.frameskip=3", "did you mean frame_skip"),
        ("detecton.frame_skip=3", "did you mean detection"),
        ("detection.min_confidence=0.8", "did you mean labels.min_confidence?"),
        ("min_confidence=0.8", "section.key=value, as in labels.min_confidence=0.8; did you mean"),
        ("detection.Frame-Skip=3", "did you mean frame_skip?"),
        ("detection.zzz=3", "known are detector, downscale, upsample"),
        ("zzz.frame=3", "known are source, camera, detection"),
        ("source.raw.size=[64, 48]", "unknown setting source.raw.size: did you mean raw"),
        ("camera.size=[640]", "or it should be a list of two"),
        ("camera.size=[640, 480, 3]", "or it should be a list of two"),
        ("detection.frame_skip=-1", "greater than or equal to 0"),
        ("detection.frame_skip=often", "'auto'"),
        ("labels.min_confidence=1.5", "less than or equal to 1"),
        ("detection.detector=hgo", "'cnn' or 'hog'"),
        ('engine.threads="two"', "whole number"),
        ("recorder.sound=yes", 'recorder.sound = "yes": it should be true or false'),
        ("camera.size=1280x720", 'camera.size = "1280x720": write it as [1280, 720]'),
        ('camera.size="640 × 480"', "write it as [640, 480]"),
        ("camera.size=640,480", "write it as [640, 480]"),
        ("camera.size=720p", "it should be 'auto'; or it should be a list, as in [1280, 720]"),
        ("camera.size=99999x1", "or it should be a list"),
        ('source.raw={size="640x480"}', "write it as [640, 480]"),
        ("labels.attributes=gender, race", 'write it as ["gender", "race"]'),
        ("labels.attributes=7", "it should be a list"),
        ('labels.groups={race={A="B,C"}}', 'write it as ["B", "C"]'),
        ("labels.attributes=gender", 'write it as ["gender"]'),
        ("labels.attributes=[1]", "= [1]: it should be 'auto'; or it should be a text in quotes"),
        ("labels.groups=[]", "it should be a table"),
        (
            "labels.race_groups={}",
            "unknown setting labels.race_groups: it is labels.groups now, as",
        ),
        ('labels.attributes=["race", "age", "race"]', "race stands there twice"),
        ("labels.min_confidence={gender = 1979-05-27}", "it should be a number"),
        ("detection", "section.key=value"),
    ],
)
def test_a_wrong_setting_is_one_line_that_helps(override: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(None, [override], folder=tmp_path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"[detection",
        b"\xff\xfe",
        b"a = " + b"[" * 100_000,
        b"a = " + b"9" * 5_000,
        b".".join([b"a"] * 100_000) + b" = 1",
        b"[" + b' . "a"'.join([b"a"] * 10_000) + b"]",
    ],
    ids=["cut", "no text", "deep list", "long number", "deep key", "deep table"],
)
def test_a_file_that_is_not_toml_is_named(content: bytes, tmp_path: Path) -> None:
    broken = tmp_path / "mine.toml"
    broken.write_bytes(content)
    with pytest.raises(ConfigError, match=r"mine\.toml is not valid TOML"):
        load_config(broken, folder=tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="has other devices")
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (os.mkfifo, "a pipe or a device"),
        (lambda path: path.symlink_to("/dev/zero"), "a pipe or a device"),
        (lambda path: path.write_bytes(b"#" * (1 << 20)), "is larger than 262,144 bytes"),
    ],
    ids=["fifo", "endless", "large"],
)
@pytest.mark.parametrize("name", ["config.toml", "mine.toml"])
def test_what_is_no_sensible_file_is_refused_at_once(
    make: Callable[[Path], object], said: str, name: str, tmp_path: Path
) -> None:
    make(tmp_path / name)
    with pytest.raises(ConfigError, match=rf"{name}.* {said}"):
        load_config(tmp_path / name if name == "mine.toml" else None, folder=tmp_path)


def test_a_long_value_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(f"[engine]\nthreads = '{'x' * 100_000}'")
    with pytest.raises(ConfigError, match=r"engine.threads = .*x…: it should be") as caught:
        load_config(folder=tmp_path)
    assert len(str(caught.value)) < 400


_NAMES = [name for section in Config().model_dump().values() for name in section]
_ANY_VALUE = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.dates() | st.times(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES) | st.text(), inner)
    ),
    max_leaves=6,
)
_SECTIONS = st.sampled_from([*Config().model_dump(), "other"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    content=st.dictionaries(
        _SECTIONS, st.dictionaries(st.sampled_from(_NAMES), _ANY_VALUE) | _ANY_VALUE
    )
)
def test_any_file_gives_settings_or_a_config_error(content: dict[str, Any], tmp_path: Path) -> None:
    lines = [f"{section} = {toml_value(value)}\n" for section, value in content.items()]
    (tmp_path / "any.toml").write_text("".join(lines), encoding="utf-8")
    try:
        load_settings(tmp_path / "any.toml", folder=tmp_path).as_toml()
    except ConfigError as error:
        assert "\n" not in str(error)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=100) | st.text(alphabet="[]{}\"'.=,\\\n#a1 ", max_size=100))
def test_any_bytes_give_settings_or_a_config_error(content: bytes | str, tmp_path: Path) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "any.toml").write_bytes(data)
    try:
        load_settings(tmp_path / "any.toml", folder=tmp_path)
    except ConfigError as error:
        assert "\n" not in str(error)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "none.toml", folder=tmp_path)


@given(st.text(max_size=40))
def test_any_override_gives_settings_or_a_config_error(text: str) -> None:
    try:
        config = load_config(None, [text], folder=SHIPPED.parent / "tests")
    except ConfigError as error:
        assert str(error)
    else:
        assert isinstance(config, Config)


@pytest.mark.parametrize("colours", ["person", "gender", "#40c0ff", "#ABCDEF"])
def test_colours_are_of_people_of_an_attribute_or_one(colours: str, tmp_path: Path) -> None:
    config = load_config(overrides=[f"overlay.colours={colours!r}"], folder=tmp_path)
    assert config.overlay.colours == colours


@pytest.mark.parametrize("colours", ["#40c0f", "#40c0fg", "#", "# 40c0ff"])
def test_what_is_no_colour_is_refused(colours: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"overlay.colours = .*: a colour is written as #rrggbb"):
        load_config(overrides=[f"overlay.colours={colours!r}"], folder=tmp_path)


def test_a_caller_gives_settings_as_a_dict(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[detection]\nupsample = 2.0\n[engine]\nthreads = 1\n")
    given = {
        "detection": {"min_face_px": 20},
        "labels": {"attributes": ("age",), "min_confidence": {"age": 0.8}},
        "engine": {"model": Path("mine"), "threads": 3},
        "camera": {"size": [640, 480]},
    }
    settings = load_settings(given, ["detection.upsample=3"], folder=tmp_path)
    config = settings.config
    assert (config.detection.min_face_px, config.detection.upsample) == (20, 3)
    assert config.labels.attributes == ("age",)
    assert (config.engine.model, config.engine.threads) == ("mine", 3)
    assert config.camera.size == (640, 480)
    origins = settings.origins
    assert origins["labels", "attributes"] == origins["engine", "threads"] == "given"
    assert origins["detection", "upsample"] == "--set"
    assert load_config({}, folder=tmp_path) == load_config(folder=tmp_path)
    assert load_config({"labels": config.labels}, folder=tmp_path).labels == config.labels


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"labels": {"atributes": []}}, "unknown setting labels.atributes: did you mean attr"),
        ({"lables": {}}, "settings: unknown setting lables: did you mean labels?"),
        ({"min_confidence": 0.8}, "did you mean labels.min_confidence?"),
        ({"labels.attributes": ["age"]}, "attributes belongs into the section labels"),
        ({"labels": 5}, "labels = 5: it should be a section or table"),
        ({"labels": {"min_confidence": None}}, "it should be a number"),
        ({"labels": {"attributes": "age"}}, 'write it as ["age"]'),
        ({"source": {"raw": {"sise": 1}}}, "unknown setting source.raw.sise: did you mean size?"),
        ({1: {}}, "unknown setting 1: known are source"),
        (5, "settings are a file or a dict, not of type int"),
        (["labels.min_confidence=0.8"], "settings are a file or a dict, not of type list"),
    ],
    ids=str,
)
def test_a_wrong_dict_is_one_line_with_the_nearest_name(
    given: Any, said: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(given, folder=tmp_path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_of_settings_may_be_named_as_text(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[engine]\nthreads = 3\n")
    assert load_config(str(tmp_path / "mine.toml"), folder=tmp_path).engine.threads == 3


@pytest.mark.parametrize("name", ["webhook_secret", "webhok_secret", "webhook_secret.x"])
def test_a_secret_that_is_written_where_its_file_belongs_is_not_repeated(name: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_config(None, [f"publish.{name}=hunter2"])
    assert "hunter2" not in str(raised.value)
    with pytest.raises(ConfigError) as raised:
        load_config(None, [f"publish={{ {name} = 'hunter2' }}"])
    assert "hunter2" not in str(raised.value)
