"""Work on a Ray cluster of real nodes on this machine: jobs, features of a dataset, a batch."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest
from fakes import write_clip

from models.cluster.connection import ClusterError
from models.cluster.jobs import Answer, Cluster
from models.faces import Image
from stream.batch.contract import Result, Task
from stream.batch.ray_engine import MARK, RayEngine
from stream.errors import ConfigError
from stream.settings import Config
from stream.several.listing import NamedSource
from stream.sinks import Outputs

pytest.importorskip("ray", reason="Ray is not installed: uv sync --group dev")

import cluster_jobs
from ray_nodes import Node, NoNodeError, cluster, started_node

pytestmark = pytest.mark.timeout(900)  # nodes take a minute to be up where the machine is busy

_NOTHING = Outputs()
"""A task that writes nothing."""

_TESTS = str(Path(__file__).parent)
_PATIENCE = 120
"""Looks at a cluster, of up to a second each, until something must have come."""

_PROGRAM_S = 400.0
"""How long a program may take, s: twenty on an idle machine."""


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[Node]]:
    """Two nodes of one CPU each, the head first."""
    # Sockets have short names: not in pytest's own folder.
    with TemporaryDirectory(prefix="ray") as folder, ExitStack() as stack:
        try:
            up = stack.enter_context(cluster(Path(folder), path=_TESTS))
        except NoNodeError as error:
            pytest.skip(str(error))
        yield up


def _answers(jobs: Cluster[Any, Any], count: int) -> dict[int, Answer[Any]]:
    """So many answers, by their keys."""
    found: dict[int, Answer[Any]] = {}
    for _ in range(_PATIENCE):
        found |= {each.key: each for each in jobs.finished(1.0)}
        if len(found) >= count:
            return found
    raise AssertionError(f"{count} answers were due, these came: {found}")


def _wait_for_capacity(jobs: Cluster[Any, Any], count: int) -> None:
    for _ in range(_PATIENCE):
        if jobs.capacity == count:
            return
        assert not jobs.finished(1.0)
    raise AssertionError(f"capacity {jobs.capacity}, not {count}")


def test_jobs_are_done_on_all_nodes_and_fail_one_by_one(
    nodes: list[Node], caplog: pytest.LogCaptureFixture
) -> None:
    import ray

    with Cluster[Any, Any](nodes[0].head_address, cluster_jobs.begin) as jobs:
        assert jobs.capacity == 1  # so that a caller that fills it begins
        _wait_for_capacity(jobs, 2)
        jobs.submit(1, ("ask", None))
        jobs.submit(2, ("ask", None))
        found = _answers(jobs, 2)
        assert {each.value for each in found.values()} == {each.address for each in nodes}
        assert all(each.value == each.node and not each.error for each in found.values())

        store = ray.available_resources()["object_store_memory"]
        jobs.submit(3, ("raise", "two\nlines"))
        jobs.submit(4, ("bytes", 3_000_000))
        found = _answers(jobs, 2)
        assert found[3].error == "ValueError: two lines"
        assert len(found[4].value) == 3_000_000
        assert ray.available_resources()["object_store_memory"] == store  # nothing is in it

        jobs.submit(5, ("die", None))
        assert "lost" in _answers(jobs, 1)[5].error
        _wait_for_capacity(jobs, 2)  # another process takes its place

        for key in (6, 7):  # one for each node, of which the head does both
            jobs.submit(key, ("unfit", nodes[1].address))
        assert {each.value for each in _answers(jobs, 2).values()} == {nodes[0].address}
        assert f"node {nodes[1].address} is left out: it has no model" in caplog.text
        assert jobs.capacity == 1


def test_a_node_that_joins_is_used_and_one_that_dies_fails_what_it_was_at(
    nodes: list[Node], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The third node works and dies; the fourth has another version of this program."""
    other = tmp_path / "face_stream-9.9.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: face-stream\nVersion: 9.9\n")
    further: list[Node] = []
    try:
        with Cluster[Any, Any](nodes[0].head_address, cluster_jobs.begin) as jobs:
            _wait_for_capacity(jobs, 2)
            for address, path in (("127.0.0.4", _TESTS), ("127.0.0.5", f"{tmp_path}:{_TESTS}")):
                further.append(started_node(nodes[0].folder, address, nodes[0], path=path))
            _wait_for_capacity(jobs, 3)
            for _ in range(_PATIENCE):
                if "127.0.0.5 is left out" in caplog.text:
                    break
                jobs.finished(1.0)
            assert "has face-stream 9.9, this machine" in caplog.text
            for key in range(3):
                jobs.submit(key, ("wait for", str(tmp_path / "go")))
            assert not jobs.finished(0.5)
            further[0].kill()
            found = _answers(jobs, 1)
            (lost,) = found.values()
            assert lost.node == "127.0.0.4"
            assert "the node was lost" in lost.error
            assert jobs.capacity == 2
            (tmp_path / "go").touch()
            jobs.submit(9, ("ask", None))
            found = _answers(jobs, 3)
            assert not any(each.error for each in found.values())
    finally:
        for each in further:
            each.kill()


def test_where_no_node_can_do_the_jobs_it_is_said(nodes: list[Node]) -> None:
    with Cluster[Any, Any](nodes[0].head_address, cluster_jobs.begin_nowhere) as jobs:
        jobs.submit(1, ("ask", None))
        message = r"no node of the cluster can be used; on node 127\.0\.0\.\d: it has no model"
        with pytest.raises(ClusterError, match=message):
            _answers(jobs, 1)


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Path]:
    """A pipe that is open and never gives anything."""
    path = tmp_path / "waiting"
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR)
    yield path
    os.close(descriptor)


def test_names_are_those_of_the_folder_here_and_failures_name_the_node(
    nodes: list[Node], pipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_clip(Path("clip.mp4"), 8)
    engine = RayEngine(Config(), nodes[0].head_address, tmp_path)
    try:
        engine.submit(_task(0, "clip.mp4", Outputs(log=Path("clip.jsonl"))))
        engine.submit(_task(1, "nothing.mp4"))
        found = _results(engine, 2)
        assert not found[0].error
        assert found[0].summary["frames"] == 8
        assert Path("clip.jsonl").is_file()
        assert found[1].error.startswith(f"{tmp_path / 'nothing.mp4'}: no such file")
        assert "(on node 127.0.0." in found[1].error

        engine.submit(_task(2, pipe.name))
        assert not engine.finished(1.0)
        workers = [each for node in nodes for each in node.processes() if _is_worker(each)]
        assert workers
    finally:
        engine.close()
    _, alive = psutil.wait_procs(workers, timeout=_PATIENCE)
    assert not alive


def test_a_worker_on_a_node_is_held_to_its_memory(
    nodes: list[Node], pipe: Path, tmp_path: Path
) -> None:
    engine = RayEngine(Config(), nodes[0].head_address, tmp_path, memory_mb=1)
    try:
        engine.submit(_task(0, str(pipe)))
        (result,) = _results(engine, 1).values()
    finally:
        engine.close()
    assert "--memory-mb" in result.error
    assert "(on node 127.0.0." in result.error


def _task(key: int, name: str, outputs: Outputs = _NOTHING) -> Task:
    return Task(key=key, source=NamedSource(name, "file"), outputs=outputs)


def test_a_node_that_has_another_folder_of_that_name_is_left_out(
    nodes: list[Node], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = RayEngine(Config(), nodes[0].head_address, tmp_path)
    try:
        (tmp_path / MARK).write_text("another")  # before any process has begun
        with pytest.raises(ConfigError, match="no node of the cluster can be used; on node"):
            _results(engine, 1)
    finally:
        engine.close()
    assert f"it does not see {tmp_path}: let it be the same folder on all nodes" in caplog.text


def _results(engine: RayEngine, count: int) -> dict[int, Result]:
    """So many results, by their keys."""
    found: dict[int, Result] = {}
    for _ in range(_PATIENCE):
        found |= {each.key: each for each in engine.finished(1.0)}
        if len(found) >= count:
            return found
    raise AssertionError(f"{count} results were due, these came: {found}")


def _is_worker(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return "worker_process" in " ".join(process.cmdline())
    return False


def test_a_batch_on_a_cluster_gives_what_one_here_gives(nodes: list[Node], tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    for number in range(4):
        write_clip(videos / f"{number}.mp4", 4 + number)
    (videos / "broken.mp4").write_bytes(b"no video")
    command = [
        "batch",
        str(videos),
        "--log",
        "parquet",
        "--retries",
        "0",
        "--json-summary",
        "--out",
    ]
    here = _program("stream", *command, str(tmp_path / "here"))
    cluster = ["--engine", "ray", "--address", nodes[0].head_address]
    cluster += ["--copy-to", f"local://{tmp_path}/store"]
    there = _program("stream", *command, str(tmp_path / "there"), *cluster)
    assert here.returncode == there.returncode == 1, there.stderr
    assert json.loads(there.stdout)["done"] == json.loads(here.stdout)["done"]
    assert "broken.mp4 is not a video that can be read" in there.stderr
    assert "(on node 127.0.0." in there.stderr
    for path in sorted((tmp_path / "here").glob("*.mp4*.parquet")):
        assert pq.read_table(path).equals(pq.read_table(tmp_path / "there" / path.name)), path
    written = list((tmp_path / "there").glob("*.parquet"))
    assert len(written) == 12 + 2  # and the tables of all
    copies = (tmp_path / "store").glob("*")  # what workers and the command have put there
    assert {each.name for each in copies} == {each.name for each in written}


@pytest.mark.parametrize("options", [["--engine", "ray", "--workers", "2"], ["--address", "auto"]])
def test_options_of_the_other_engine_are_refused(options: list[str], tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4", 2)
    words = ["batch", str(tmp_path / "clip.mp4"), "--out", str(tmp_path / "out"), *options]
    ended = _program("stream", *words)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.fixture
def people(tmp_path: Path, astronaut: Image) -> Path:
    """A dataset: a face in several brightnesses, in folders of two classes, and two without."""
    folder = tmp_path / "people"
    for number in range(10):
        path = folder / f"class {number % 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), cv2.convertScaleAbs(astronaut[:300, 100:400], alpha=1 - number / 20))
    cv2.imwrite(str(folder / "class 0" / "none.png"), np.zeros((100, 100, 3), np.uint8))
    (folder / "class 1" / "broken.png").write_bytes(b"no picture")
    return folder


def test_a_table_of_features_is_the_same_to_the_byte(
    nodes: list[Node], people: Path, tmp_path: Path
) -> None:
    command = ["features", str(people), "--format", "folders", "--hold-out", "0.5", "--out"]
    assert _train(*command, str(tmp_path / "here" / "f.parquet")).returncode == 0
    there = tmp_path / "there" / "f.parquet"
    ended = _train(*command, str(there), "--engine", "ray", "--address", nodes[0].head_address)
    assert (ended.returncode, ended.stderr) == (0, "")
    for name in ("f.parquet", "f.info.json", "f.skipped.csv"):
        assert (there.parent / name).read_bytes() == (tmp_path / "here" / name).read_bytes()


def test_a_cluster_that_cannot_be_used_is_one_line(people: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    command = ["features", str(people), "--format", "folders", "--out", str(tmp_path / "f.parquet")]
    gone = _train(*command, "--engine", "ray", RAY_ADDRESS=f"127.0.0.1:{port}")
    assert gone.returncode == 2
    assert f":{port} does not answer (Connection refused)" in gone.stderr
    odd = _train(*command, "--engine", "ray", "--address", "http://head")
    assert odd.returncode == 2
    assert "--address http://head: give HOST:PORT of the cluster's head, or auto" in odd.stderr
    (tmp_path / "ray.py").write_text("raise ModuleNotFoundError(name='ray')")
    missing = _train(*command, "--engine", "ray", PYTHONPATH=str(tmp_path))
    assert missing.returncode == 2
    assert "--engine ray needs the extra `cluster`: install face-stream[cluster]" in missing.stderr
    assert all(each.stderr.count("\n") == 1 for each in (gone, odd, missing))


def _train(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return _program("training", *words, **environment)


def _program(package: str, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", package, *words],
        capture_output=True,
        text=True,
        timeout=_PROGRAM_S,
        env={**os.environ, **environment},
        check=False,
    )
