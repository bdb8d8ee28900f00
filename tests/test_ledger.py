"""The ledger: what becomes of each input from start to start, and what is said where it cannot be
used."""

import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import label, person

from stream.batch.contract import Input, Result
from stream.batch.ledger import Enrolment, Ledger
from stream.batch.ledger_file import is_local, open_ledger
from stream.batch.ledger_reader import LedgerReader
from stream.errors import ConfigError, LedgerError
from stream.several.listing import NamedSource
from stream.sinks import Outputs


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def _inputs(out: Path, *names: str) -> list[Input]:
    """Inputs whose files are there, with a log each."""
    inputs = []
    for name in names:
        path = out.parent / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(os.fsencode(name))
        inputs.append(
            Input(
                name=name,
                source=NamedSource(str(path), "file"),
                outputs=Outputs(log=out / f"{name}.parquet"),
                columns={"place": "door"},
            )
        )
    return inputs


def _work_off(ledger: Ledger, *failing: str, retries: int = 0) -> list[str]:
    """Does all that waits; the names in the order in which they are begun."""
    begun = []
    while (taken := ledger.take()) is not None:
        begun.append(taken.input.name)
        error = "it is cut short" if taken.input.name in failing else ""
        summary = {"frames": 3, "faces": 2, "people": 1, "skipped": {".jpg": 4}}
        result = Result(key=taken.key, worker="w/1", summary=summary, error=error, media_s=2.0)
        ledger.finish(result, retries)
    return begun


def _states(ledger: LedgerReader) -> dict[str, str]:
    return {row.name: row.state for row in ledger.rows()}


def test_what_is_done_is_not_done_again(out: Path) -> None:
    inputs = _inputs(out, "a.mp4", "b.mp4")
    with Ledger(out / "ledger.sqlite") as ledger:
        assert ledger.enroll(inputs, "1") == Enrolment(new=2)
        assert _work_off(ledger) == ["a.mp4", "b.mp4"]
    with Ledger(out / "ledger.sqlite") as ledger:
        assert ledger.enroll(inputs, "1") == Enrolment(done=2)
        assert ledger.take() is None
        counts = ledger.counts()
        assert (counts.states["done"], counts.frames, counts.people, counts.media_s) == (2, 6, 2, 4)


def test_other_settings_and_changed_files_are_done_again(out: Path) -> None:
    inputs = _inputs(out, "a.mp4", "b.mp4", "c.mp4")
    with Ledger(out / "ledger.sqlite") as ledger:
        ledger.enroll(inputs, "1")
        _work_off(ledger, "c.mp4")
        Path(inputs[1].source.uri).write_bytes(b"another")
        Path(inputs[2].source.uri).write_bytes(b"mended")
        assert ledger.enroll(inputs, "1") == Enrolment(done=1, changed=2)
        taken = ledger.take()
        assert taken is not None
        assert taken.input.name == "b.mp4"
        assert taken.leftovers == [out / "b.mp4.parquet"]
        ledger.finish(Result(key=taken.key, worker=""), 0)
        _work_off(ledger)
        assert ledger.enroll(inputs, "2") == Enrolment(changed=3)


def test_a_file_that_was_only_touched_or_copied_is_not_done_again(out: Path) -> None:
    inputs = _inputs(out, "a.mp4")
    with Ledger(out / "ledger.sqlite") as ledger:
        ledger.enroll(inputs, "1")
        _work_off(ledger)
        os.utime(inputs[0].source.uri, (1, 1))
        assert ledger.enroll(inputs, "1") == Enrolment(done=1)


def test_leftovers_are_those_of_all_earlier_outputs(out: Path) -> None:
    """An input that was done with a log and is done again with a sheet loses the log."""
    [first] = _inputs(out, "a.mp4")
    sheet = replace(first, outputs=Outputs(sheet=out / "a.mp4.png"))
    with Ledger(out / "ledger.sqlite") as ledger:
        ledger.enroll([first], "1")
        taken = ledger.take()
        assert taken is not None
        assert taken.leftovers == []  # nothing that is there is its own
        ledger.release(taken.key)
        ledger.enroll([sheet], "2")
        taken = ledger.take()
        assert taken is not None
        assert taken.leftovers == [out / "a.mp4.parquet", out / "a.mp4.png"]
        ledger.finish(Result(key=taken.key, worker=""), 0)
        ledger.enroll([sheet], "3")
        taken = ledger.take()
        assert taken is not None
        assert taken.leftovers == [out / "a.mp4.png"]


def test_a_ledger_that_names_files_elsewhere_is_refused(out: Path) -> None:
    """What is removed lies in the folder of the ledger, whoever wrote it."""
    inputs = _inputs(out, "a.mp4")
    with Ledger(out / "ledger.sqlite") as ledger:
        ledger.enroll(inputs, "1")
        _work_off(ledger)
        ledger.enroll(inputs, "2")
    with sqlite3.connect(out / "ledger.sqlite") as tampered:
        tampered.execute("UPDATE inputs SET written = ?", ('["../in/a.mp4"]',))
    tampered.close()
    with Ledger(out / "ledger.sqlite") as ledger:
        with pytest.raises(LedgerError, match="is damaged"):
            list(ledger.known())
        ledger.enroll(inputs, "2")
        with pytest.raises(LedgerError, match=r"is damaged: it names \.\./in/a\.mp4"):
            ledger.take()


def test_a_failed_input_is_tried_again_last_and_then_set_aside(out: Path) -> None:
    with Ledger(out / "ledger.sqlite") as ledger:
        ledger.enroll(_inputs(out, "a.mp4", "b.mp4"), "1")
        assert _work_off(ledger, "a.mp4", retries=1) == ["a.mp4", "b.mp4", "a.mp4"]
        [failed] = ledger.rows("failed")
        assert (failed.name, failed.attempts, failed.error) == ("a.mp4", 2, "it is cut short")
        assert ledger.enroll(_inputs(out, "a.mp4", "b.mp4"), "1") == Enrolment(done=1, failed=1)
        assert ledger.take() is None
        assert ledger.retry() == 1
        assert _work_off(ledger) == ["a.mp4"]
        assert ledger.retry() == 0


def test_what_a_killed_batch_was_at_waits_again_and_its_attempt_does_not_count(out: Path) -> None:
    inputs = _inputs(out, "a.mp4", "b.mp4")
    for _ in range(3):
        ledger = Ledger(out / "ledger.sqlite")
        ledger.enroll(inputs, "1")
        assert ledger.take() is not None
        ledger.close()
        with LedgerReader(out / "ledger.sqlite") as reader:
            assert _states(reader) == {"a.mp4": "running", "b.mp4": "waiting"}
    with Ledger(out / "ledger.sqlite") as ledger:
        assert ledger.enroll(inputs, "1") == Enrolment(waiting=2)
        taken = ledger.take()
        assert taken is not None
        assert (taken.attempt, taken.leftovers) == (1, [out / "a.mp4.parquet"])


def test_released_inputs_wait_again(out: Path) -> None:
    with Ledger(out / "ledger.sqlite") as ledger:
        ledger.enroll(_inputs(out, "a.mp4"), "1")
        taken = ledger.take()
        assert taken is not None
        ledger.release(taken.key)
        [row] = ledger.rows()
        assert (row.state, row.attempts, row.begun_s) == ("waiting", 0, None)


def test_what_is_no_longer_named_stays_and_is_counted_apart(out: Path) -> None:
    inputs = _inputs(out, "a.mp4", "b.mp4", "c.mp4", "d.mp4")
    with Ledger(out / "ledger.sqlite") as ledger:
        ledger.enroll(inputs[:3], "1")
        taken = ledger.take()
        assert taken is not None
        ledger.finish(Result(key=taken.key, worker="", people=[person(1)]), 0)
        assert ledger.enroll(inputs[2:], "1") == Enrolment(new=1, waiting=1)
        states = {"c.mp4": "waiting", "d.mp4": "waiting", "a.mp4": "done", "b.mp4": "skipped"}
        assert _states(ledger) == states
        assert ledger.counts().unnamed == 1
        assert [name for name, _, _ in ledger.people()] == ["a.mp4"]
        assert ledger.enroll(inputs, "1") == Enrolment(done=1, waiting=3)


def test_a_limit_holds_for_inputs_and_not_for_their_further_attempts(out: Path) -> None:
    with Ledger(out / "ledger.sqlite") as ledger:
        ledger.enroll(_inputs(out, "a.mp4", "b.mp4", "c.mp4"), "1", limit=2)
        assert ledger.to_do == 2
        assert _work_off(ledger, "a.mp4", retries=1) == ["a.mp4", "b.mp4", "a.mp4"]
        assert ledger.counts().states["waiting"] == 1


def test_a_trial_changes_nothing(out: Path) -> None:
    path = out / "ledger.sqlite"
    with Ledger(path, is_trial=True) as ledger:
        assert ledger.enroll(_inputs(out, "a.mp4"), "1") == Enrolment(new=1)
    assert not path.exists()
    with Ledger(path) as ledger:
        ledger.enroll(_inputs(out, "a.mp4"), "1")
        _work_off(ledger)
    before = path.read_bytes()
    with Ledger(path, is_trial=True) as ledger:
        assert ledger.enroll(_inputs(out, "a.mp4"), "2") == Enrolment(changed=1)
    assert path.read_bytes() == before


def test_people_are_kept_without_pictures_and_embeddings(out: Path) -> None:
    seen = replace(person(7), labels={"gender": label("Male", 0.8)})
    seen = replace(seen, best=replace(seen.best, crop=np.full((9, 9, 3), 77, np.uint8)))
    with Ledger(out / "ledger.sqlite") as ledger:
        ledger.enroll(_inputs(out, "a.mp4"), "1")
        taken = ledger.take()
        assert taken is not None
        seam = np.linspace(0, 1, 160, dtype=np.float32)
        result = Result(key=taken.key, worker="", people=[seen], seam=[seam])
        ledger.finish(result, 0)
        [(name, columns, cells)] = ledger.people()
        assert (name, columns) == ("a.mp4", {"place": "door"})
        assert (cells["person"], cells["gender"]) == (7, "Male")
        assert ledger.attributes() == {"gender": list(seen.labels["gender"].probabilities)}
    kept = (out / "ledger.sqlite").read_bytes()
    assert seam.tobytes()[64:96] not in kept
    assert b"\x4d" * 9 not in kept


def test_names_that_are_no_utf8_are_kept(out: Path) -> None:
    if sys.platform in ("darwin", "win32"):
        pytest.skip("names are UTF-8 there")
    name = os.fsdecode(b"caf\xe9 \xff.mp4")
    with Ledger(out / "ledger.sqlite") as ledger:
        ledger.enroll(_inputs(out, name), "1")
        assert _work_off(ledger) == [name]
        assert ledger.enroll(_inputs(out, name), "1") == Enrolment(done=1)
        assert [row.name for row in ledger.rows()] == [name]


def test_the_secret_of_an_address_is_not_kept(out: Path) -> None:
    address = "https://user:sesame@host/clips/a.mp4?token=sesame"
    source = NamedSource(address, "address", shown="https://host/clips/a.mp4?token=…")
    given = Input(name="host-clips-a.mp4", source=source, outputs=Outputs(log=out / "a.parquet"))
    with Ledger(out / "ledger.sqlite") as ledger:
        ledger.enroll([given], "1")
        taken = ledger.take()
        assert taken is not None
        ledger.finish(Result(key=taken.key, worker="", error=f"{address} answers 404"), 1)
        assert [row.error for row in ledger.rows()] == [
            "https://host/clips/a.mp4?token=… answers 404"
        ]
        assert _work_off(ledger) == ["host-clips-a.mp4"]
        assert ledger.enroll([given], "1") == Enrolment(done=1)
    assert b"sesame" not in (out / "ledger.sqlite").read_bytes()


def test_it_is_read_while_it_is_written(out: Path) -> None:
    with Ledger(out / "ledger.sqlite") as ledger:
        ledger.enroll(_inputs(out, "a.mp4", "b.mp4"), "1")
        ledger.take()
        with LedgerReader(out / "ledger.sqlite") as reader:
            assert _states(reader) == {"a.mp4": "running", "b.mp4": "waiting"}
            ledger.take()
            assert _states(reader) == {"a.mp4": "running", "b.mp4": "running"}


def test_at_rest_it_is_one_file_that_a_read_only_disk_can_hold(out: Path, tmp_path: Path) -> None:
    with Ledger(out / "ledger.sqlite") as ledger:
        ledger.enroll(_inputs(out, "a.mp4"), "1")
    assert [path.name for path in out.iterdir()] == ["ledger.sqlite"]
    assert (out / "ledger.sqlite").read_bytes()[18:20] == b"\1\1"  # no write-ahead log


def test_a_process_that_is_killed_in_the_middle_loses_nothing(out: Path) -> None:
    """It is killed with a change begun; what was entered before is there."""
    inputs = _inputs(out, "a.mp4", "b.mp4")
    with Ledger(out / "ledger.sqlite") as ledger:
        ledger.enroll(inputs, "1")
    script = (
        "import os, sys; from pathlib import Path; from stream.batch.ledger_file import *\n"
        "db = open_ledger(Path(sys.argv[1]))\n"
        "db.execute(\"UPDATE inputs SET state = 'done' WHERE name = 'a.mp4'\")\n"
        "db.execute('BEGIN IMMEDIATE')\n"
        "db.execute(\"UPDATE inputs SET state = 'done' WHERE name = 'b.mp4'\")\n"
        "os.kill(os.getpid(), 9)\n"
    )
    if sys.platform == "win32":
        pytest.skip("no process kills itself there")
    subprocess.run([sys.executable, "-c", script, str(out / "ledger.sqlite")], check=False)
    with LedgerReader(out / "ledger.sqlite") as reader:
        assert _states(reader) == {"a.mp4": "done", "b.mp4": "waiting"}


def _not_sqlite(path: Path) -> None:
    path.write_bytes(b"this is no database, and it is long enough to be taken for one " * 40)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:9000] + b"\xee" * 40_000)


def _of_another(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE songs (name TEXT)")
    other.close()


def _of_tomorrow(path: Path) -> None:
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()


@pytest.mark.parametrize(
    ("damage", "kind", "message"),
    [
        (_not_sqlite, LedgerError, "is damaged: move it away and start again with --overwrite"),
        (_cut, LedgerError, "is damaged: move it away"),
        (_of_another, ConfigError, "is no ledger of a batch: choose another folder for --out"),
        (_of_tomorrow, ConfigError, "has version 99, and this program writes 1: go on with"),
    ],
)
def test_a_ledger_that_cannot_be_used_is_one_line(
    out: Path, damage: object, kind: type[Exception], message: str
) -> None:
    path = out / "ledger.sqlite"
    names = [f"{number:04}.mp4" for number in range(200)]
    with Ledger(path) as ledger:
        ledger.enroll(_inputs(out, *names), "1")
    assert callable(damage)
    damage(path)
    for opens in (Ledger, LedgerReader):
        with pytest.raises(kind, match=message) as raised, opens(path) as ledger:
            list(ledger.rows())
        assert "\n" not in str(raised.value)


def test_a_full_disk_undoes_the_change_at_hand_and_is_one_line(out: Path) -> None:
    """A limit of pages is what SQLite is told, and the error is that of a full disk."""
    path = out / "ledger.sqlite"
    names = [f"{number:04}.mp4" for number in range(300)]
    with Ledger(path) as ledger:
        ledger.enroll(_inputs(out, "a.mp4"), "1")
        [[pages]] = ledger._db.execute("PRAGMA page_count")
        ledger._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(LedgerError, match="the disk is full; make room and start again"):
            ledger.enroll(_inputs(out, *names), "1")
        assert _states(ledger) == {"a.mp4": "waiting"}


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits there")
def test_a_limit_of_the_system_undoes_the_change_at_hand_and_is_one_line(out: Path) -> None:
    with Ledger(out / "ledger.sqlite") as ledger:
        ledger.enroll(_inputs(out, "a.mp4"), "1")
    script = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from stream.batch.ledger_file import *\n"
        "path = Path(sys.argv[1]); db = open_ledger(path)\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))\n"
        "try:\n"
        "    with changing(db, path) as change:\n"
        "        change(\"UPDATE inputs SET state = 'done'\")\n"
        "        change('INSERT INTO people VALUES (1, zeroblob(4000000))')\n"
        "except LedgerError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(out / "ledger.sqlite")], capture_output=True, text=True
    )
    assert "ledger.sqlite cannot be read or written: disk I/O error; see whether" in done.stdout
    assert len(done.stdout.splitlines()) == 1, done.stderr
    with LedgerReader(out / "ledger.sqlite") as reader:
        assert _states(reader) == {"a.mp4": "waiting"}


def test_what_a_kill_left_half_changed_is_undone_by_who_reads_it_first(
    out: Path, tmp_path: Path
) -> None:
    path = out / "ledger.sqlite"
    with Ledger(path) as ledger:
        ledger.enroll(_inputs(out, *(f"{number}.mp4" for number in range(500))), "digest")
    killed = tmp_path / "killed"
    killed.mkdir()
    database = open_ledger(path)
    try:
        database.execute("PRAGMA journal_mode = DELETE")  # as on a network disk
        database.execute("PRAGMA cache_size = 1")  # the change comes to the file before its end
        database.execute("BEGIN IMMEDIATE")
        database.execute("UPDATE inputs SET path = 'zzz' || hex(randomblob(200))")
        for each in out.iterdir():
            shutil.copy(each, killed)
        database.execute("ROLLBACK")
    finally:
        database.close()
    assert (killed / "ledger.sqlite-journal").stat().st_size
    assert b"zzz" in (killed / "ledger.sqlite").read_bytes()
    with LedgerReader(killed / "ledger.sqlite") as reader:
        paths = [row.path for row in reader.rows()]
    assert len(paths) == 500
    assert not any(each.startswith("zzz") for each in paths)


def test_a_ledger_that_was_not_made_yet_reads_as_an_empty_one(out: Path) -> None:
    path = out / "ledger.sqlite"
    path.touch()
    with LedgerReader(path) as reader:
        assert not list(reader.known())
        assert not sum(reader.counts().states.values())
    assert not path.stat().st_size  # it is made by who writes it
    with Ledger(path) as ledger:
        assert ledger.enroll(_inputs(out, "a.mp4"), "digest") == Enrolment(new=1)


def test_a_folder_without_a_ledger_is_one_line(out: Path) -> None:
    with pytest.raises(ConfigError, match="holds no ledger of a batch"):
        LedgerReader(out / "ledger.sqlite")


def test_a_network_disk_is_told_from_a_local_one(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_bytes(
        b"/dev/vda1 / ext4 rw 0 0\nserver:/x /mnt/my\\040disk nfs4 rw 0 0\n"
        b"tmpfs /mnt/my\\040disk/fast tmpfs rw 0 0\nshare /mnt/share cifs rw 0 0\n"
    )
    on_disk = {
        "/home/a": True,
        "/mnt/my disk/out": False,
        "/mnt/my disk/fast/out": True,
        "/mnt/share": False,
        "/mnt/shared": True,
    }
    if sys.platform == "linux":
        assert {name: is_local(Path(name), mounts) for name in on_disk} == on_disk
    assert not is_local(Path("/home/a"), tmp_path / "missing")


def test_copies_of_a_ledger_go_on_in_another_folder(out: Path, tmp_path: Path) -> None:
    """What is written is kept relative to the folder of the ledger."""
    [given] = _inputs(out, "a.mp4")
    with Ledger(out / "ledger.sqlite") as ledger:
        ledger.enroll([given], "1")
        _work_off(ledger)
    moved = tmp_path / "elsewhere"
    shutil.move(out, moved)
    again = replace(given, outputs=Outputs(log=moved / "a.mp4.parquet"))
    with Ledger(moved / "ledger.sqlite") as ledger:
        assert ledger.enroll([again], "2") == Enrolment(changed=1)
        taken = ledger.take()
        assert taken is not None
        assert taken.leftovers == [moved / "a.mp4.parquet"]
