"""Fine-tuning: what the network is shown, that it learns, that a kill costs nothing, its file."""

import csv
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from training_helpers import make_fairface, portrait
from typer.testing import CliRunner, Result

from models.bundle import DEFAULT_FOLDER, load_bundle
from models.classifier import Classifier
from models.embedder import OnnxEmbedder, dlib_embedder, dlib_trunk, embedder_model, read_embedder
from models.errors import ModelError
from models.graphs import read_trunk, trunk_graph
from training.__main__ import app
from training.datasets import Samples, read_dataset
from training.datasets.samples import TRAIN
from training.errors import DatasetError, OutputError, TrainingError
from training.extraction import ExtractionSettings, Extractor, as_chip
from training.features import extract_features
from training.finetune.augment import augment
from training.finetune.chips import store_chips
from training.finetune.labelled import UNLABELLED, Labelled, labelled, wanted
from training.finetune.settings import FinetuneSettings
from training.finetune.teacher import with_teacher
from training.splits import HoldOut
from training.table_files import read_table
from training.tasks import development_rows, plan

_HAS_TORCH = find_spec("torch") is not None
_torch = pytest.mark.skipif(not _HAS_TORCH, reason="PyTorch is not installed: extra finetune")
_SEED = 3


def _run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    root = make_fairface(tmp_path_factory.mktemp("fairface"), count=24)
    return read_dataset(root, None, None)


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    return Extractor(ExtractionSettings(aligned=True, mirror=False))


@pytest.fixture(scope="module")
def faces(
    samples: Samples, extractor: Extractor, tmp_path_factory: pytest.TempPathFactory
) -> Labelled:
    folder = tmp_path_factory.mktemp("chips")
    chips = store_chips(samples, range(len(samples)), extractor, folder)
    return labelled(samples, chips, ("gender", "race"), _SEED)


def test_a_chip_is_shown_otherwise_each_time() -> None:
    chip = as_chip(portrait()[70:220, 140:290])
    original = chip.copy()
    shown = [augment(chip, np.random.default_rng(number)) for number in range(40)]
    assert {(each.shape, each.dtype) for each in shown} == {((150, 150, 3), np.dtype(np.uint8))}
    assert len({each.tobytes() for each in shown}) == 40
    assert np.array_equal(chip, original)
    again = augment(chip, np.random.default_rng(7))
    assert np.array_equal(shown[7], again)


class _CountingExtractor(Extractor):
    seen = 0

    def chips(self, content: bytes):  # type: ignore[no-untyped-def]
        self.seen += 1
        return super().chips(content)


def test_faces_are_cut_out_once(samples: Samples, extractor: Extractor, tmp_path: Path) -> None:
    counting = _CountingExtractor(extractor.settings, extractor.engine)
    rows = [2, 5, 7]
    first = store_chips(samples, rows, counting, tmp_path)
    assert counting.seen == 3
    again = store_chips(samples, rows, counting, tmp_path)
    assert counting.seen == 3
    assert list(again.pictures) == rows
    for face, row in enumerate(rows):
        expected = extractor.chips((samples.root / samples.files[row]).read_bytes()).chips[0]
        assert np.array_equal(first[face], expected)
        assert np.array_equal(again[face], expected)


def test_what_a_kill_left_of_the_faces_is_not_taken(
    samples: Samples, extractor: Extractor, tmp_path: Path
) -> None:
    counting = _CountingExtractor(extractor.settings, extractor.engine)
    store_chips(samples, [1, 2], counting, tmp_path)
    (counts,) = tmp_path.glob("*.json")
    counts.unlink()  # it is written last
    assert len(store_chips(samples, [1, 2], counting, tmp_path)) == 2
    assert counting.seen == 4


def test_a_changed_picture_is_cut_out_again(extractor: Extractor, tmp_path: Path) -> None:
    samples = read_dataset(make_fairface(tmp_path / "data", count=4), None, None)
    before = store_chips(samples, range(4), extractor, tmp_path / "chips")
    kept = before[0]
    path = samples.root / samples.files[0]
    path.write_bytes((samples.root / samples.files[3]).read_bytes())
    os.utime(path, ns=(1, 1))
    after = store_chips(samples, range(4), extractor, tmp_path / "chips")
    assert not np.array_equal(after[0], kept)
    assert np.array_equal(after[0], after[3])


def test_pictures_without_a_face_leave_no_row(tmp_path: Path) -> None:
    root = make_fairface(tmp_path / "data", count=4)
    samples = read_dataset(root, None, None)
    (root / samples.files[1]).write_bytes(b"not a picture")
    extractor = Extractor(ExtractionSettings(aligned=True, mirror=False))
    chips = store_chips(samples, range(4), extractor, tmp_path / "chips")
    assert list(chips.pictures) == [0, 2, 3]


def test_heads_are_calibrated_on_faces_the_network_did_not_learn_from(
    samples: Samples, extractor: Extractor, faces: Labelled, tmp_path: Path
) -> None:
    """Both steps draw their development rows by themselves, and must draw the same."""
    out = tmp_path / "f.parquet"
    extract_features(samples, out, extractor, hold_out=HoldOut(first=6), seed=_SEED)
    table = read_table(out)
    train = np.flatnonzero(table.splits == TRAIN)
    (task,) = plan(table, train, ["gender"])
    held = development_rows(table, task, _SEED)
    developed = {samples.files[faces.chips.pictures[face]] for face in faces.development}
    trained = {str(table.files[row]) for row in task.rows}
    assert {str(table.files[row]) for row in task.rows[held]} == developed & trained
    assert developed


def test_labels_that_are_not_known_are_marked(samples: Samples, faces: Labelled) -> None:
    labels = {"race": ("White", None, "Black", *["White"] * (len(samples) - 3))}
    partly = Samples(
        name="partly",
        root=samples.root,
        files=samples.files,
        labels=labels,
        identities=samples.identities,
        splits=samples.splits,
    )
    found = labelled(partly, faces.chips, ("race",), _SEED)
    assert found.classes == {"race": ("Black", "White")}
    assert found.targets[:4, 0].tolist() == [1, UNLABELLED, 0, 1]


@pytest.mark.parametrize(
    ("attributes", "said"),
    [(("hat",), "has no hat, only"), (("constant",), "all alike in constant")],
)
def test_labels_that_cannot_be_learned(
    samples: Samples, faces: Labelled, attributes: tuple[str, ...], said: str
) -> None:
    whole = Samples(
        name="fairface",
        root=samples.root,
        files=samples.files,
        labels={**samples.labels, "constant": ("x",) * len(samples)},
        identities=samples.identities,
        splits=samples.splits,
    )
    with pytest.raises(DatasetError, match=said):
        labelled(whole, faces.chips, attributes, _SEED)


def test_an_embedder_file_goes_through_all_commands(tmp_path: Path) -> None:
    """dlib's own trunk stands in for a trained one."""
    dataset = make_fairface(tmp_path / "data")
    file, table, model = (tmp_path / name for name in ("own.onnx", "f.parquet", "model"))
    record = '{"commands": []}'
    file.write_bytes(trunk_graph(dlib_trunk(), {"name": "own", "record": record}))
    assert repr(read_embedder(file)) == "EmbedderModel(own, 256 dimensions)"
    words = ("--hold-out", "0.25", "--no-mirror", "--embedder", file)
    assert _run("features", dataset, "--out", table, *words).exit_code == 0
    assert read_table(table).info.dimensions == 256
    refused = _run("fit", table, "--out", model, "--classifier", "logistic")
    assert refused.exit_code == 2
    assert "the embedder own, not of dlib-resnet-v1" in refused.stderr


def test_half_precision_says_what_full_precision_said() -> None:
    """The trunk behind dlib's last layer gives dlib's embedding."""
    model = embedder_model(trunk_graph(dlib_trunk(), {"name": "own", "record": "{}"}))
    assert len(model.model) < 12e6
    own = OnnxEmbedder(model.model, name=model.name, dimensions=model.dimensions)
    chip = as_chip(portrait()[70:220, 140:290])[None]
    vectors = own.embed(chip)
    assert vectors.shape == (1, 256) and vectors.min() >= 0
    known = dlib_embedder().embed(np.concatenate([chip, chip[:, :, ::-1]]))
    assert known.shape == (2, 128)


@pytest.mark.parametrize("content", [b"", b"not a model", trunk_graph(dlib_trunk())])
def test_a_file_that_is_no_embedder(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="is not an embedder"):
        read_embedder(path)
    with pytest.raises(ModelError, match="cannot read"):
        read_embedder(tmp_path / "nothing")


@pytest.mark.skipif(_HAS_TORCH, reason="PyTorch is installed")
def test_without_pytorch_one_line_says_so(tmp_path: Path) -> None:
    refused = _run("finetune", tmp_path, "--out", tmp_path / "out")
    assert refused.exit_code == 1
    assert "pip install 'face-stream[finetune]'" in refused.stderr


@_torch
def test_the_network_begins_as_dlib_s(faces: Labelled) -> None:
    import torch

    from training.finetune.network import Network

    network = Network(dlib_trunk(), {"gender": 2, "race": 3}, frozen_blocks=3)
    chips = np.stack([faces.chips[face] for face in range(4)])
    planes = torch.from_numpy(chips).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        embeddings = network.embed(planes).numpy()
        logits = network(planes)
    assert [each.shape for each in logits] == [(4, 2), (4, 3)]
    graph = embedder_model(trunk_graph(dlib_trunk(), {"name": "own", "record": "{}"})).model
    onnx = OnnxEmbedder(graph, name="own", dimensions=256).embed(chips)
    np.testing.assert_allclose(embeddings, onnx, atol=5e-3)  # half the precision in the file
    for module, convolution in zip(network.convolutions, dlib_trunk(), strict=True):
        assert np.array_equal(module.weight.detach().numpy(), convolution.filters)
    trained = [module.weight.requires_grad for module in network.convolutions]
    assert trained == [False] * 7 + [True] * 22


@_torch
def test_it_learns_what_it_is_shown(faces: Labelled, tmp_path: Path) -> None:
    from training.finetune.run import Run

    settings = FinetuneSettings(epochs=8, batch=8, mixup=0.0, seed=_SEED, device="cpu")
    run = Run(faces, settings, tmp_path)
    before = [each.filters.copy() for each in dlib_trunk()]
    run.run()
    losses = [row["loss"] for row in run.log]
    assert losses[-1] < losses[0]
    changed = [
        not np.array_equal(was, now.filters) for was, now in zip(before, run.trunk(), strict=True)
    ]
    assert changed == [False] * 7 + [True] * 22
    rows = [row["accuracy"] for row in run.log]
    assert run.best["accuracy"] == max(rows)


@_torch
def test_it_stops_where_nothing_is_gained(faces: Labelled, tmp_path: Path) -> None:
    from training.finetune.run import Run

    settings = FinetuneSettings(epochs=9, patience=1, rate=0.0, seed=_SEED, device="cpu")
    run = Run(faces, settings, tmp_path)
    run.run()
    assert len(run.log) == 2


@_torch
def test_another_run_s_checkpoint_is_refused(faces: Labelled, tmp_path: Path) -> None:
    from training.finetune.run import Run

    Run(faces, FinetuneSettings(epochs=1, seed=_SEED), tmp_path).save()
    with pytest.raises(DatasetError, match="of a run with other faces or settings"):
        Run(faces, FinetuneSettings(epochs=2, seed=_SEED), tmp_path)
    (tmp_path / "checkpoint.pt").write_bytes(b"PK torn")
    with pytest.raises(TrainingError, match="cannot be read"):
        Run(faces, FinetuneSettings(epochs=1, seed=_SEED), tmp_path)


@_torch
def test_killed_and_started_again_it_ends_with_the_same_weights(tmp_path: Path) -> None:
    dataset = make_fairface(tmp_path / "data", count=24)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    command = [sys.executable, "-m", "training", "finetune", str(dataset), "--epochs", "6"]
    command += ["--aligned", "--hold-out", "0.25", "--attributes", "gender,race", "--device", "cpu"]
    subprocess.run([*command, "--out", str(whole)], check=True, timeout=240)
    process = subprocess.Popen([*command, "--out", str(killed)])
    deadline = time.monotonic() + 120
    while not (killed / "checkpoint.pt").is_file() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    with (
        (killed / "log.csv").open(newline="")
        if (killed / "log.csv").is_file()
        else Path(os.devnull).open() as lines
    ):
        assert len(list(csv.DictReader(lines))) < 6, "it was over before it was killed"
    subprocess.run([*command, "--out", str(killed)], check=True, timeout=240)
    expected, found = (read_embedder(folder / "embedder.onnx") for folder in (whole, killed))
    assert found.name == expected.name
    assert found.record["commands"] == [
        "face-train finetune data --out killed --attributes gender,race --epochs 6 --hold-out 0.25"
    ]
    assert found.record["data"]["hold_out"].startswith("0.25 of each class")
    assert "<svg" in (killed / "log.svg").read_text()
    table, model = tmp_path / "f.parquet", tmp_path / "model"
    file = killed / "embedder.onnx"
    words = ("--aligned", "--hold-out", "0.25", "--embedder", file)
    assert _run("features", dataset, "--out", table, *words).exit_code == 0
    fitted = _run("fit", table, "--out", model, "--classifier", "logistic", "--embedder", file)
    assert fitted.exit_code == 0, fitted.output
    bundle = load_bundle(model)
    assert bundle.manifest.embedder.file == "embedder.onnx"
    card = (model / "card.md").read_text()
    assert f"The embedding is `{expected.name}`" in card
    assert found.record["commands"][0] in card


def test_a_trunk_is_read_as_it_was_written() -> None:
    trunk = dlib_trunk()
    for was, read in zip(trunk, read_trunk(trunk_graph(trunk)), strict=True):
        assert (read.stride, read.padding) == (was.stride, was.padding)
        assert np.array_equal(read.filters, was.filters.astype(np.float16))
        assert np.array_equal(read.biases, was.biases.astype(np.float16))
    with pytest.raises(ModelError, match="expected 29 convolutions, found 0"):
        read_trunk((DEFAULT_FOLDER / "gender.onnx").read_bytes())


def test_a_teacher_says_what_the_stream_would_say(
    samples: Samples, faces: Labelled, tmp_path: Path
) -> None:
    bundle, counted = load_bundle(DEFAULT_FOLDER), 0
    gender = labelled(samples, faces.chips, ("gender",), _SEED)

    def count(done: int) -> None:
        nonlocal counted
        counted += done

    taught = with_teacher(gender, bundle, dlib_embedder(threads=1), tmp_path, count)
    assert counted == len(faces.chips)
    chips = np.stack([faces.chips[3], faces.chips[3][:, ::-1]])
    classifier = Classifier(bundle)
    (expected,) = (
        each.probabilities.mean(axis=0)
        for each in classifier.predict(dlib_embedder().embed(chips))
        if each.attribute == "gender"
    )
    np.testing.assert_allclose(taught.taught["gender"][3], expected, atol=1e-4)
    again = with_teacher(gender, bundle, dlib_embedder(threads=1), tmp_path, count)
    assert counted == len(faces.chips), "the embeddings are kept"
    assert np.array_equal(again.taught["gender"], taught.taught["gender"])


@pytest.mark.parametrize(
    ("attributes", "said"),
    [(("race",), "race: the teacher knows Black, East Asian"), (("service_test",), "knows none")],
)
def test_a_teacher_of_other_classes(
    samples: Samples, faces: Labelled, tmp_path: Path, attributes: tuple[str, ...], said: str
) -> None:
    whole = Samples(
        name="fairface",
        root=samples.root,
        files=samples.files,
        labels={**samples.labels, "service_test": ("yes", "no") * (len(samples) // 2)},
        identities=samples.identities,
        splits=samples.splits,
    )
    asked = labelled(whole, faces.chips, attributes, _SEED)
    with pytest.raises(DatasetError, match=said):
        with_teacher(
            asked, load_bundle(DEFAULT_FOLDER), dlib_embedder(), tmp_path, lambda done: None
        )


def test_labels_and_a_teacher_s_opinion_are_mixed(faces: Labelled) -> None:
    targets = faces.targets.copy()
    targets[1, 0] = UNLABELLED
    opinion = np.tile(np.array([0.2, 0.8], dtype=np.float32), (len(targets), 1))
    chosen = np.array([0, 1])
    settings = FinetuneSettings(smoothing=0.1, teacher_share=0.5)
    alone = wanted(replace(faces, targets=targets), chosen, settings)
    label = int(targets[0, 0])
    smoothed = [0.95, 0.05] if label == 0 else [0.05, 0.95]
    np.testing.assert_allclose(alone[0], [smoothed, [0, 0]], atol=1e-6)
    taught = replace(faces, targets=targets, taught={"gender": opinion})
    both = wanted(taught, chosen, settings)
    middle = np.mean([smoothed, [0.2, 0.8]], axis=0)
    np.testing.assert_allclose(both[0], [middle, [0.2, 0.8]], atol=1e-6)
    assert np.array_equal(both[1], alone[1])
    assert [each.shape for each in both] == [(2, 2), (2, 3)]


@_torch
def test_a_full_disk_is_said_in_one_line(faces: Labelled, tmp_path: Path) -> None:
    from training.finetune.run import Run

    run = Run(faces, FinetuneSettings(epochs=1, seed=_SEED, device="cpu"), tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        with pytest.raises(OutputError, match=r"cannot write .*checkpoint\.pt"):
            run.save()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert list(tmp_path.iterdir()) == []
