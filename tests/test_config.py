"""Settings: layers, errors, and the file that lists them."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.config import Config, load_config
from stream.errors import ConfigError

SHIPPED = Path(__file__).parents[1] / "config.toml"


def test_the_shipped_file_lists_every_setting_with_its_default() -> None:
    listed = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    defaults = Config().model_dump(mode="json")
    assert listed == defaults


def test_later_layers_lie_over_earlier_ones(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[detection]\nthreshold = 0.1\nupsample = 2.0\n")
    other = tmp_path / "other.toml"
    other.write_text("[detection]\nthreshold = 0.2\n[labels]\nmin_confidence = 0.7\n")
    config = load_config(other, ["labels.min_confidence=0.9"], folder=tmp_path)
    assert config.detection.upsample == 2
    assert config.detection.threshold == 0.2
    assert config.labels.min_confidence == 0.9


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
        ("detection.frame_skip=-1", "greater than or equal to 0"),
        ("detection.frame_skip=often", "'auto'"),
        ("labels.min_confidence=1.5", "less than or equal to 1"),
        ("detection.detector=hgo", "'cnn' or 'hog'"),
        ('engine.threads="two"', "valid integer"),
        ("detection", "section.key=value"),
    ],
)
def test_a_wrong_setting_is_one_line_that_helps(override: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(None, [override], folder=tmp_path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"[detection", b"\xff\xfe"])
def test_a_file_that_is_not_toml_is_named(content: bytes, tmp_path: Path) -> None:
    broken = tmp_path / "mine.toml"
    broken.write_bytes(content)
    with pytest.raises(ConfigError, match=r"mine\.toml is not valid TOML"):
        load_config(broken, folder=tmp_path)


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
