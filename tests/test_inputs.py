"""The inputs of a batch: names that stay from start to start, outputs that never meet, shards."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from stream.batch.content_key import ContentKey, content_key
from stream.batch.contract import Input
from stream.batch.inputs import named_inputs
from stream.batch.ledger_reader import KnownInput
from stream.batch.shards import Shard, check_division, ledgers_in
from stream.batch.sources import batch_sources, path_of
from stream.errors import ConfigError
from stream.settings import Config
from stream.settings.schema import OutputsSection
from stream.several.listing import NamedSource
from stream.sinks import Outputs

_OUT = Path("out")
_ALL = Outputs(save=_OUT, log=_OUT, snapshots=_OUT, sheet=_OUT)
_CONFIG = Config(outputs=OutputsSection(log="parquet"))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _make(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(name.encode())


def _inputs(
    *named: str, known: Sequence[KnownInput] = (), outputs: Outputs = _ALL, taken: str = ""
) -> list[Input]:
    return named_inputs(batch_sources(named, _OUT), outputs, _CONFIG, known, taken.split())


def _known(inputs: Sequence[Input], *, begun: bool = True) -> list[KnownInput]:
    """What a ledger would know of inputs."""
    return [
        KnownInput(
            each.name,
            path_of(each.source),
            content_key(each.source) if begun else ContentKey(),
            each.outputs.paths if begun else (),
        )
        for each in inputs
    ]


def _names(inputs: Sequence[Input]) -> list[str]:
    return [each.name for each in inputs]


def test_outputs_lie_under_the_names_of_their_inputs() -> None:
    _make("d/a/b.mp4", "d/a/p.jpg")
    video, pictures = _inputs("d")
    assert (video.name, pictures.name) == ("a/b.mp4", "a")
    assert [path.as_posix() for path in video.outputs.paths] == [
        *("out/a/b.mp4", "out/a/b.mp4.parquet", "out/a/b.mp4.people", "out/a/b.mp4.png"),
    ]
    assert [path.as_posix() for path in pictures.outputs.paths] == [
        *("out/a.pictures", "out/a.parquet", "out/a.people", "out/a.png"),
    ]


def test_a_picture_of_a_table_is_copied_under_its_own_name() -> None:
    _make("a/p.jpg")
    Path("list.csv").write_text("file,id\na/p.jpg,1\n")
    [given] = _inputs("list.csv")
    assert given.name == "a/p.jpg"
    assert given.outputs.save == _OUT / "a" / "p.jpg"


def test_an_input_keeps_its_name_whatever_is_named_beside_it() -> None:
    _make("mon/1.mp4", "tue/1.mp4")
    first = _inputs("mon")
    assert _names(first) == ["1.mp4"]
    both = _inputs("tue", "mon", known=_known(first))
    assert _names(both) == ["tue/1.mp4", "1.mp4"]


def test_another_input_of_a_name_that_is_taken_is_numbered() -> None:
    """The results of the first stay, although it is not named any more."""
    _make("mon/1.mp4", "tue/1.mp4")
    first = _inputs("mon")
    [second] = _inputs("tue", known=_known(first))
    assert second.name == "1-2.mp4"
    assert second.outputs.log == _OUT / "1-2.mp4.parquet"
    assert _names(_inputs("tue", known=_known([*first, second]))) == ["1-2.mp4"]


def test_an_input_that_was_moved_keeps_its_name() -> None:
    _make("d/1.mp4", "d/2.mp4", "e/2.mp4")
    known = _known(_inputs("d"))
    shutil.move("d/1.mp4", "e/1.mp4")
    Path("d/2.mp4").unlink()  # that of e is another
    assert _names(_inputs("e", known=known)) == ["1.mp4", "2-2.mp4"]


def test_an_input_that_was_moved_before_it_was_begun_keeps_its_name() -> None:
    _make("d/1.mp4")
    known = _known(_inputs("d"), begun=False)
    shutil.move("d", "e")
    assert _names(_inputs("e", known=known)) == ["1.mp4"]


def test_a_name_of_which_nothing_was_written_is_given_to_another() -> None:
    """The wrong folder was named first."""
    _make("wrong/1.mp4", "right/1.mp4")
    known = _known(_inputs("wrong"), begun=False)
    assert _names(_inputs("right", known=known)) == ["1.mp4"]
    assert _names(_inputs("right", "wrong", known=known)) == ["right/1.mp4", "1.mp4"]


def test_addresses_that_differ_in_secrets_alone_keep_their_names() -> None:
    named = [f"https://host/a.mp4?token={secret}" for secret in ("one", "two", "three")]
    first = _inputs(*named)
    assert len(set(_names(first))) == 3
    assert _names(_inputs(*named, known=_known(first))) == _names(first)
    [other] = _inputs("http://host/a.mp4?token=one", known=_known(first))
    assert other.name not in _names(first)


def test_no_input_has_the_name_of_a_table_of_the_batch() -> None:
    _make("d/summary/p.jpg", "d/sub/summary/p.jpg")
    assert _names(_inputs("d", taken="summary persons")) == ["sub/summary", "summary-2"]


@pytest.mark.parametrize("outputs", [_ALL, Outputs()])
def test_names_that_some_systems_take_for_one_are_numbered(outputs: Outputs) -> None:
    _make("d/a.mp4", "d/A.mp4", "d/\u00e9.mp4", "d/e\u0301.mp4")
    if len(list(Path("d").iterdir())) < 4:
        pytest.skip("this system takes them for one")
    names = _names(_inputs("d", outputs=outputs))
    assert len({name.casefold() for name in names}) == 4
    assert sum("-2" in name for name in names) == 2


def test_names_as_long_as_a_system_takes_have_outputs() -> None:
    _make(f"d/{'n' * 251}.mp4", f"d/{'n' * 250}m.mp4")
    first, second = _inputs("d")
    assert not set(first.outputs.paths) & set(second.outputs.paths)
    assert all(len(path.name.encode()) <= 200 for path in (*first.outputs.paths,))


def test_no_output_takes_the_place_of_a_source() -> None:
    _make("d/a.mp4")
    with pytest.raises(ConfigError, match=r"d/a\.mp4 would overwrite d/a\.mp4, which is read"):
        named_inputs(batch_sources(["d/a.mp4"], _OUT), Outputs(save=Path("d")), _CONFIG, [])


_SOURCES = [NamedSource(f"/data/day {n}/{n}.mp4", "file", Path("/data")) for n in range(500)]


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_each_input_is_of_one_shard(count: int) -> None:
    shards = [Shard(number, count) for number in range(1, count + 1)]
    for source in _SOURCES[:20]:
        assert sum(shard.has(source) for shard in shards) == 1


def test_shards_are_of_about_one_size_and_stay_where_a_disk_is_mounted_elsewhere() -> None:
    sizes = [sum(Shard(number, 4).has(each) for each in _SOURCES) for number in range(1, 5)]
    assert min(sizes) > 80  # of 125 on average
    elsewhere = NamedSource("/mnt/day 7/7.mp4", "file", Path("/mnt"))
    assert Shard(1, 4).has(elsewhere) == Shard(1, 4).has(_SOURCES[7])


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "a/b", "1/0", "-1/4", "1/4/2", ""])
def test_a_shard_that_is_none_is_one_line(text: str) -> None:
    with pytest.raises(ConfigError, match="write it as i/n with i from 1 to n, as in 2/8"):
        Shard.parse(text)


def test_a_batch_goes_on_as_it_was_divided(tmp_path: Path) -> None:
    assert ledgers_in(tmp_path / "gone") == []
    check_division(tmp_path / "gone", Shard.parse("1/8"))
    for name in (
        "ledger-10-of-12.sqlite",
        "ledger-2-of-12.sqlite",
        "ledger.txt",
        "my-ledger.sqlite",
    ):
        (tmp_path / name).touch()
    assert [path.name for path in ledgers_in(tmp_path)] == [
        *("ledger-2-of-12.sqlite", "ledger-10-of-12.sqlite"),
    ]
    check_division(tmp_path, Shard.parse("3/12"))
    for other in (None, "1/4"):
        with pytest.raises(ConfigError, match="was begun in 12 shards: go on so, or choose"):
            check_division(tmp_path, Shard.parse(other))
    assert Shard.parse("3/12").ledger_path(tmp_path).name == "ledger-3-of-12.sqlite"
    assert Shard.parse(None).ledger_path(tmp_path).name == "ledger.sqlite"
