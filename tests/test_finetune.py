"""Fine-tuning: what the network is shown, that it learns, that a kill costs nothing, its file."""

import inspect
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from training_helpers import face_picture, make_fairface, portrait, write_picture
from typer.testing import CliRunner, Result

from models.classification.bundle import DEFAULT_FOLDER, DLIB_FOLDER, Bundle, load_bundle
from models.detection.names import NO_DETECTOR, DetectorName, found_by
from models.embedder import OnnxEmbedder, dlib_embedder, embedder_model, read_embedder
from models.errors import ModelError
from models.networks.trunk import Trunk, dlib_trunk, mean_trunk, read_trunk, trunk_graph
from training.commands.app import app
from training.commands.finetune import finetune
from training.datasets import Samples, read_dataset
from training.datasets.samples import TRAIN
from training.datasets.splits import DEFAULT_DEVELOPMENT, HoldOut
from training.errors import DatasetError, OutputError, TrainingError
from training.features.extraction import extract_features
from training.features.extractor import (
    ExtractionSettings,
    Extractor,
    as_chip,
    detection_settings,
)
from training.features.table_files import read_table
from training.finetune.chip_store import ChipStore, store_chips
from training.finetune.distillation import TeacherProbabilities
from training.finetune.labelled_faces import UNLABELLED, LabelledFaces, label_faces
from training.finetune.settings import FinetuneSettings
from training.fitting.fit import fit
from training.fitting.settings import FitSettings
from training.fitting.tasks import development_rows, plan_tasks

_HAS_TORCH = find_spec("torch") is not None
_torch = pytest.mark.skipif(not _HAS_TORCH, reason="PyTorch is not installed: extra finetune")
_SEED = 3
_UNTAUGHT = TeacherProbabilities()

if TYPE_CHECKING:
    from training.finetune.run import TrainingRun


def _own_graph(record: str = '{"commands": []}') -> bytes:
    """dlib's own network, as `face-train finetune` writes what it trained."""
    properties = {"name": "own", "identity": "128", "record": record}
    return trunk_graph(dlib_trunk(), properties)


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
) -> LabelledFaces:
    folder = tmp_path_factory.mktemp("chips")
    chips = store_chips(samples, range(len(samples)), extractor, folder)
    return label_faces(samples, chips, ("gender", "race"), _SEED)


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


def test_a_copy_of_the_pictures_has_the_same_faces(
    samples: Samples, extractor: Extractor, tmp_path: Path
) -> None:
    copy = replace(samples, root=tmp_path / "copy")
    shutil.copytree(samples.root, copy.root)  # whose files were changed just now
    for path in filter(Path.is_file, copy.root.rglob("*")):
        os.utime(path, (1, 1))
    stores = [store_chips(each, [2, 5, 7], extractor, tmp_path) for each in (samples, copy)]
    assert stores[0].digest == stores[1].digest
    assert store_chips(samples, [2, 5], extractor, tmp_path).digest != stores[0].digest


def test_faces_of_another_detector_are_cut_out_anew(samples: Samples, tmp_path: Path) -> None:
    engine = Extractor(ExtractionSettings(mirror=False)).engine
    detectors: tuple[DetectorName, ...] = ("hog", "cnn", "hog")
    for detector, seen in zip(detectors, (2, 2, 0), strict=True):
        settings = ExtractionSettings(mirror=False, detection=detection_settings(detector))
        counting = _CountingExtractor(settings, engine)
        store_chips(samples, [1, 2], counting, tmp_path)
        assert counting.seen == seen


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


def test_a_face_is_found_in_whichever_file_it_is() -> None:
    """Of two files with an empty one between them: pictures in which no face was found."""
    faces = np.arange(7 * 2 * 2 * 3, dtype=np.uint8).reshape(7, 2, 2, 3)
    store = ChipStore(
        np.arange(7), "digest", (faces[:3], faces[3:3], faces[3:]), np.array([3, 3, 7])
    )
    for number, face in enumerate(faces):
        assert np.array_equal(store[number], face)


@pytest.mark.parametrize("rule", [DEFAULT_DEVELOPMENT, HoldOut(first=4)], ids=str)
def test_heads_are_calibrated_on_faces_the_network_did_not_learn_from(
    samples: Samples, extractor: Extractor, tmp_path: Path, rule: HoldOut
) -> None:
    """Both steps draw their development rows by themselves, and must draw the same."""
    chips = store_chips(samples, range(6, 24), extractor, tmp_path / "chips")
    faces = label_faces(samples, chips, ("gender",), _SEED, rule)
    out = tmp_path / "f.parquet"
    extract_features(samples, out, extractor, hold_out=HoldOut(first=6), seed=_SEED)
    table = read_table(out)
    train = np.flatnonzero(table.splits == TRAIN)
    (task,) = plan_tasks(table, train, ["gender"])
    held = development_rows(table, task, _SEED, rule)
    developed = {samples.files[faces.chips.pictures[face]] for face in faces.development}
    train = {str(table.files[row]) for row in task.rows}
    assert {str(table.files[row]) for row in task.rows[held]} == developed & train
    assert developed


def test_labels_that_are_not_known_are_marked(samples: Samples, faces: LabelledFaces) -> None:
    labels = {"race": ("White", None, "Black", *["White"] * (len(samples) - 3))}
    partly = Samples(
        name="partly",
        root=samples.root,
        files=samples.files,
        labels=labels,
        identities=samples.identities,
        splits=samples.splits,
    )
    found = label_faces(partly, faces.chips, ("race",), _SEED)
    assert found.classes == {"race": ("Black", "White")}
    assert found.targets[:4, 0].tolist() == [1, UNLABELLED, 0, 1]


def test_faces_that_are_too_few(samples: Samples, extractor: Extractor, tmp_path: Path) -> None:
    (samples.root / "none.jpg").write_bytes(b"not a picture")
    faceless = replace(
        samples,
        files=("none.jpg",),
        labels={"gender": ("Male",)},
        identities=(None,),
        splits=(None,),
    )
    chips = store_chips(faceless, [0], extractor, tmp_path)
    with pytest.raises(DatasetError, match="no face was found in the training pictures"):
        label_faces(faceless, chips, ("gender",), _SEED)


@pytest.mark.parametrize(
    ("attributes", "said"),
    [(("hat",), "has no hat, only"), (("constant",), "all alike in constant")],
)
def test_labels_that_cannot_be_learned(
    samples: Samples, faces: LabelledFaces, attributes: tuple[str, ...], said: str
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
        label_faces(whole, faces.chips, attributes, _SEED)


def test_features_take_an_embedder_file_and_fit_wants_it_named(tmp_path: Path) -> None:
    """dlib's own network stands in for a trained one."""
    dataset = make_fairface(tmp_path / "data")
    file, table, model = (tmp_path / name for name in ("own.onnx", "f.parquet", "model"))
    file.write_bytes(_own_graph())
    assert repr(read_embedder(file)) == "EmbedderModel(own, 128 dimensions)"
    words = ("--hold-out", "0.25", "--no-mirror", "--embedder", file)
    assert _run("features", dataset, "--out", table, *words).exit_code == 0
    assert read_table(table).info.dimensions == 128
    refused = _run("fit", table, "--out", model, "--classifier", "logistic")
    assert refused.exit_code == 2
    assert "the embedder own, not of dlib-resnet-v1" in refused.stderr


def test_fit_keeps_the_development_rows_that_the_embedder_s_file_names(
    samples: Samples, tmp_path: Path
) -> None:
    file, table = tmp_path / "own.onnx", tmp_path / "f.parquet"
    file.write_bytes(_own_graph('{"settings": {"development": "first:5"}}'))
    extractor = Extractor(ExtractionSettings(aligned=True, mirror=False, embedder=file))
    extract_features(samples, table, extractor, hold_out=HoldOut(first=6), seed=_SEED)
    settings = FitSettings(attributes=("gender",), classifier="logistic", embedder=file)
    fitted = fit(read_table(table), settings)
    assert fitted.manifest.provenance["heads"]["gender"]["development_rows"] == 5


def test_half_precision_says_what_full_precision_said() -> None:
    model = embedder_model(_own_graph())
    assert len(model.model) < 12e6
    assert model.appearance_dimensions == 128
    chip = as_chip(portrait()[70:220, 140:290])[None]
    vectors = OnnxEmbedder(model).embed(np.concatenate([chip, chip[:, :, ::-1]]))
    assert vectors.shape == (2, 128)
    known = dlib_embedder().embed(np.concatenate([chip, chip[:, :, ::-1]]))
    np.testing.assert_allclose(vectors, known, atol=5e-3)


@pytest.mark.parametrize("content", [b"", b"not a model", trunk_graph(dlib_trunk())])
def test_a_file_that_is_no_embedder(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="is not an embedder"):
        read_embedder(path)
    with pytest.raises(ModelError, match="cannot be read"):
        read_embedder(tmp_path / "nothing")


@pytest.mark.skipif(_HAS_TORCH, reason="PyTorch is installed")
def test_without_pytorch_one_line_says_so(tmp_path: Path) -> None:
    refused = _run("finetune", tmp_path, "--out", tmp_path / "out")
    assert refused.exit_code == 1
    assert "pip install 'face-stream[finetune]'" in refused.stderr


@_torch
def test_a_run_begins_with_what_dlib_says(faces: LabelledFaces) -> None:
    """Blocks that were added and normalisations change nothing until they learn."""
    import torch

    from training.finetune.network import Network, add_residual_blocks

    trunk = add_residual_blocks(dlib_trunk(), 1, np.random.default_rng(_SEED))
    assert len(trunk.convolutions) == len(dlib_trunk().convolutions) + 4
    chips = np.stack([faces.chips[face] for face in range(8)])
    images = torch.from_numpy(chips).permute(0, 3, 1, 2).float()
    network = Network(trunk, {"gender": 2, "race": 3}).train()
    network.calibrate_normalisations(images)
    expected = OnnxEmbedder(embedder_model(_own_graph())).embed(chips)
    exported = Network(network.trunk(), {"gender": 2, "race": 3}, batch_norm=False)
    for each in (network.eval(), exported.eval()):
        with torch.inference_mode():
            embeddings = each.embed(images).numpy()
            appearances, logits = each(images)
        np.testing.assert_allclose(embeddings[:, :128], expected, atol=5e-3)  # halved in the file
        assert not embeddings[:, 128:].any(), "nothing is learned yet"
        np.testing.assert_array_equal(appearances.numpy(), embeddings[:, :128])
        assert [values.shape for values in logits] == [(8, 2), (8, 3)]
    sizes = [float(layer.convolution.weight.detach().std()) for layer in network.layers]
    assert min(sizes) > 0.02, "all filters are of a size that the optimiser's steps suit"


def _trained(
    faces: LabelledFaces,
    settings: FinetuneSettings,
    folder: Path,
    start: Trunk | None = None,
    taught: TeacherProbabilities = _UNTAUGHT,
) -> "TrainingRun":
    """A run that has not begun, on the CPU, from dlib's network unless another is given."""
    import torch

    from training.finetune.appearance import embed_appearances
    from training.finetune.batches import TrainingBatches
    from training.finetune.chip_loader import ChipLoader
    from training.finetune.run import TrainingRun

    loader = ChipLoader(faces.chips, torch.device("cpu"))
    batches = TrainingBatches(
        faces, loader, embed_appearances(loader, np.arange(len(faces.chips))), settings, taught
    )
    return TrainingRun(faces, loader, batches, settings, folder, start or dlib_trunk())


@pytest.fixture(scope="module")
def upside_down(extractor: Extractor, tmp_path_factory: pytest.TempPathFactory) -> LabelledFaces:
    """Faces of which every other one stands on its head, and is labelled so."""
    folder = tmp_path_factory.mktemp("turned")
    for number in range(24):
        picture = face_picture(number)
        write_picture(folder / f"{number}.png", picture[::-1] if number % 2 else picture)
    samples = Samples(
        name="turned",
        root=folder,
        files=tuple(f"{number}.png" for number in range(24)),
        labels={"way": ("up", "down") * 12},
        identities=(None,) * 24,
        splits=(None,) * 24,
    )
    chips = store_chips(samples, range(24), extractor, folder)
    return label_faces(samples, chips, ("way",), _SEED, HoldOut(first=6))


@_torch
@pytest.mark.timeout(900)  # 48 steps, of which each takes seconds where cores are shared
def test_it_learns_what_it_is_shown_and_keeps_the_appearance(
    upside_down: LabelledFaces, tmp_path: Path
) -> None:
    import torch

    settings = FinetuneSettings(
        epochs=16, patience=16, batch=8, rate=5e-4, averaged=0.9, seed=_SEED
    )
    run = _trained(upside_down, settings, tmp_path)
    run.run()
    assert run.best["development loss"] == min(row["development loss"] for row in run.log)
    chips = np.stack([upside_down.chips[face] for face in range(24)])
    images = torch.from_numpy(chips).permute(0, 3, 1, 2).float()
    network = run.network()
    with torch.inference_mode():
        _, (logits,) = network(images)
        found = network.embed(images).numpy()
    assert (logits.argmax(1).numpy() == upside_down.targets[:, 0]).mean() > 0.9
    known = dlib_embedder().embed(chips)
    assert np.linalg.norm(found[:, :128] - known, axis=1).max() < 0.6  # dlib's: one person
    np.testing.assert_array_equal(found[:, 128:], logits.numpy())


@_torch
def test_appearances_are_as_far_apart_as_dlib_s() -> None:
    import torch

    from training.finetune.appearance import match_appearance_scale

    known = torch.from_numpy(np.random.default_rng(_SEED).normal(size=(200, 128)))
    trunk = match_appearance_scale(dlib_trunk(), known * 0.7, known)
    np.testing.assert_allclose(trunk.projection * 0.7, dlib_trunk().projection, rtol=1e-4)
    few = match_appearance_scale(dlib_trunk(), known[:20] * 0.7, known[:20])
    assert np.array_equal(few.projection, dlib_trunk().projection), "too few to say"


@_torch
def test_it_stops_where_nothing_is_gained(faces: LabelledFaces, tmp_path: Path) -> None:
    settings = FinetuneSettings(epochs=9, patience=1, rate=0.0, averaged=0.0, seed=_SEED)
    run = _trained(faces, settings, tmp_path)
    run.run()
    assert len(run.log) < settings.epochs
    assert run.log[-1]["epoch"] - run.best["epoch"] == settings.patience
    assert repr(run) == f"TrainingRun({len(faces.fitted)} faces, epoch 9 of 9)"


@_torch
def test_another_run_s_checkpoint_is_refused(faces: LabelledFaces, tmp_path: Path) -> None:
    import torch

    once = FinetuneSettings(epochs=1, seed=_SEED)
    _trained(faces, once, tmp_path).save()
    _trained(faces, once, tmp_path)  # the same run is gone on with
    corrected = faces.targets.copy()
    corrected[0, 0] = 1 - corrected[0, 0]
    others = [
        (faces, FinetuneSettings(epochs=2, seed=_SEED), dlib_trunk()),
        (replace(faces, targets=corrected), once, dlib_trunk()),
        (faces, once, dlib_trunk().half_precision()),
    ]
    said = "of a run with other faces, labels, teachers or settings"
    for shown, settings, start in others:
        with pytest.raises(DatasetError, match=said):
            _trained(shown, settings, tmp_path, start)
    answers = tuple(np.full((len(faces.chips), count), 1 / count, np.float32) for count in (2, 3))
    with pytest.raises(DatasetError, match=said):
        _trained(faces, once, tmp_path, taught=TeacherProbabilities(("digest",), answers))
    (tmp_path / "checkpoint.pt").write_bytes(b"PK torn")
    with pytest.raises(TrainingError, match="cannot be read"):
        _trained(faces, once, tmp_path)
    (tmp_path / "checkpoint.pt").write_bytes(b"")
    with pytest.raises(TrainingError, match="cannot be read"):
        _trained(faces, once, tmp_path)
    torch.save({"other": 1}, tmp_path / "checkpoint.pt")
    with pytest.raises(TrainingError, match="in a format that is not known"):
        _trained(faces, once, tmp_path)


@_torch
def test_weights_that_are_no_numbers_end_the_run(faces: LabelledFaces, tmp_path: Path) -> None:
    run = _trained(faces, FinetuneSettings(epochs=2, rate=float("nan"), seed=_SEED), tmp_path)
    with pytest.raises(TrainingError, match="lower --rate"):
        run.run()


def test_the_command_has_the_defaults_of_its_settings() -> None:
    """Else the recorded commands, which leave defaults out, would not reproduce anything."""
    given = {name: each.default for name, each in inspect.signature(finetune).parameters.items()}
    settings = asdict(FinetuneSettings())
    names = ("epochs", "patience", "batch", "rate", "teacher_share", "identity", "device")
    for name in (*names, "partner", "development"):
        assert given[name] == settings[name], name


@_torch
def test_pictures_in_both_halves_of_a_given_split_are_refused_before_training(
    tmp_path: Path,
) -> None:
    rows = [f"{number}.png,{'xy'[number % 2]},{number % 4 and 'train'}" for number in range(8)]
    for number in range(8):
        write_picture(tmp_path / f"{number}.png", face_picture(number))
    write_picture(tmp_path / "4.png", face_picture(3))
    text = "\n".join(["file,gender,split", *rows]).replace(",0\n", ",test\n")
    (tmp_path / "list.csv").write_text(text)
    words = ("finetune", tmp_path / "list.csv", "--out", tmp_path / "out", "--aligned")
    refused = _run(*words, "--device", "cpu")
    assert refused.exit_code == 2
    assert "such as 4.png and 3.png: figures on them would be too good" in refused.stderr
    assert "--allow-leak" in refused.stderr
    assert not (tmp_path / "out" / "checkpoint.pt").exists()


@_torch
def test_a_teacher_that_does_not_fit_is_refused_before_faces_are_cut_out(tmp_path: Path) -> None:
    dataset = make_fairface(tmp_path / "data", count=12)
    words = ("finetune", dataset, "--out", tmp_path / "out", "--aligned", "--device", "cpu")
    refused = _run(*words, "--attributes", "race", "--teacher", DLIB_FOLDER)
    assert refused.exit_code == 2
    assert "has other classes of race than the training pictures" in refused.stderr
    assert "only the teacher knows East Asian, Latino_Hispanic, " in refused.stderr
    refused = _run(*words, "--teacher", dataset)
    assert refused.exit_code == 2
    assert "is not a model folder" in refused.stderr
    refused = _run(*words, "--teacher-share", "0.5")
    assert refused.exit_code == 2
    assert "--teacher-share says how much a teacher counts" in refused.stderr
    assert not (tmp_path / "out" / "chips").exists()


@_torch
def test_the_batch_of_a_step_is_always_the_same(faces: LabelledFaces) -> None:
    import torch

    from training.finetune.batches import TrainingBatches
    from training.finetune.chip_loader import ChipLoader

    settings = FinetuneSettings(batch=8, mixup=0.4, smoothing=0.1, seed=_SEED)
    appearances = torch.arange(len(faces.chips), dtype=torch.float32)[:, None]
    batches = TrainingBatches(
        faces, ChipLoader(faces.chips, torch.device("cpu")), appearances, settings, _UNTAUGHT
    )
    first, again, other = (batches.batch(step) for step in (1, 1, 2))
    assert torch.equal(first.images, again.images)
    assert not torch.equal(first.images, other.images)
    assert first.images.shape == (8, 3, 150, 150)
    for target, again_target, count in zip(first.targets, again.targets, (2, 3), strict=True):
        assert torch.equal(target, again_target)
        assert target.shape == (8, count)
        torch.testing.assert_close(target.sum(dim=1), torch.ones(8))
    # Of the half that is not mixed, it is known whose faces they are, and what their labels say.
    numbers = first.appearances[:, 0].long().numpy()
    assert len(numbers) == 4 and set(numbers) <= set(faces.fitted)
    assert first.targets[0][4:].argmax(dim=1).tolist() == faces.targets[numbers, 0].tolist()
    seen = [batches.batch(step).appearances for step in range(len(batches))]
    assert len(torch.unique(torch.cat(seen))) == 4 * len(batches), "no face comes twice an epoch"


@_torch
def test_a_teacher_s_probabilities_count_beside_the_label_and_are_mixed_with_it(
    faces: LabelledFaces,
) -> None:
    import torch

    from training.finetune.batches import TrainingBatches
    from training.finetune.chip_loader import ChipLoader

    said = np.random.default_rng(_SEED).dirichlet((1, 1), len(faces.chips)).astype(np.float32)
    same = np.full((len(faces.chips), 3), 1 / 3, dtype=np.float32)
    settings = FinetuneSettings(batch=8, mixup=0.4, smoothing=0.1, teacher_share=0.75, seed=_SEED)
    loader = ChipLoader(faces.chips, torch.device("cpu"))
    numbers = torch.arange(len(faces.chips), dtype=torch.float32)[:, None]
    taught = TeacherProbabilities(("digest",), (said, same))
    batches = TrainingBatches(faces, loader, numbers, settings, taught)
    assert batches.teachers == ("digest",)
    labels = 0.05 + 0.9 * np.eye(2)[faces.targets[:, 0]]
    expected = 0.25 * labels + 0.75 * said
    batch = batches.batch(0)
    whole = batch.appearances[:, 0].long().numpy()
    np.testing.assert_allclose(batch.targets[0][4:], expected[whole], rtol=1e-5)
    # The first half is mixed with the second, seen from its end: by one share in all classes.
    order = np.random.default_rng((_SEED, 0)).permutation(faces.fitted)[:8]
    assert order[4:].tolist() == whole.tolist()
    first, others = expected[order[:4]], expected[order[::-1][:4]]
    shares = (batch.targets[0][:4].numpy() - others)[:, 0] / (first - others)[:, 0]
    assert ((shares >= -1e-4) & (shares <= 1 + 1e-4)).all() and len(set(shares.round(3))) > 1
    torch.testing.assert_close(batch.targets[1].sum(dim=1), torch.ones(8))


@_torch
@pytest.mark.timeout(1200)  # above what its commands may take
def test_killed_and_started_again_it_ends_with_the_same_weights(tmp_path: Path) -> None:
    dataset = make_fairface(tmp_path / "data", count=24)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    command = [sys.executable, "-m", "training", "finetune", str(dataset), "--epochs", "6"]
    command += ["--aligned", "--hold-out", "0.25", "--attributes", "gender", "--device", "cpu"]
    command += ["--teacher", str(DEFAULT_FOLDER), "--teacher", str(DLIB_FOLDER), "--batch", "16"]
    subprocess.run([*command, "--out", str(whole)], check=True, timeout=400)
    process = subprocess.Popen([*command, "--out", str(killed)])
    deadline = time.monotonic() + 120
    while not (killed / "checkpoint.pt").is_file() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait(timeout=30) == -signal.SIGKILL, "it was over before it was killed"
    subprocess.run([*command, "--out", str(killed)], check=True, timeout=400)
    expected, found = (read_embedder(folder / "embedder.onnx") for folder in (whole, killed))
    assert found.name == expected.name
    assert found.record["commands"] == [
        "face-train finetune data --out killed --teacher models/default --teacher models/dlib "
        "--attributes gender --epochs 6 --batch 16 --hold-out 0.25"
    ]
    folders = [each["folder"] for each in found.record["teachers"]]
    assert folders == ["models/default", "models/dlib"]
    assert found.record["detector"] == NO_DETECTOR
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
    assert f"faces of FairFace,\n  {found_by(NO_DETECTOR)}.\n" in card
    assert found.record["commands"][0] in card
    assert "by 75% what other models say of each face, `models/default`, `models/dlib`;" in card


def _learned(seed: int) -> Trunk:
    """dlib's network with evidence for two classes, drawn at random."""
    learned = np.random.default_rng(seed).normal(0, 0.1, (640, 2)).astype(np.float32)
    return replace(dlib_trunk(), evidence=learned, evidence_biases=learned[0])


def test_the_mean_of_trunks_is_that_of_all_their_weights() -> None:
    first, second = _learned(1), _learned(2)
    convolutions = tuple(replace(each, filters=3 * each.filters) for each in second.convolutions)
    mean = mean_trunk([first, replace(second, convolutions=convolutions)])
    assert mean.evidence.shape == (640, 0), "their classes may be others"
    np.testing.assert_allclose(mean.projection, first.projection)
    for was, now in zip(first.convolutions, mean.convolutions, strict=True):
        np.testing.assert_allclose(now.filters, 2 * was.filters, rtol=1e-5)
        np.testing.assert_allclose(now.biases, was.biases)
    assert mean_trunk([first]).digest == dlib_trunk().digest
    shorter = replace(first, convolutions=first.convolutions[:-2])
    with pytest.raises(ModelError, match=r"of several shapes have no mean: .*, found 29 and 27"):
        mean_trunk([first, shorter])


def _model(folder: Path, trunk: Trunk, commands: Sequence[str]) -> Bundle:
    """A model folder as far as training begins with it."""
    graph = trunk_graph(trunk, {"name": folder.name, "identity": "128", "record": "{}"})
    manifest = load_bundle(DLIB_FOLDER).manifest
    spec = manifest.embedder.model_copy(update={"name": folder.name, "file": "embedder.onnx"})
    provenance = {"embedder": {"commands": list(commands)}}
    changed = manifest.model_copy(update={"embedder": spec, "provenance": provenance})
    return Bundle(folder, changed, {"embedder.onnx": graph})


@_torch
def test_training_begins_with_the_mean_of_several_models(tmp_path: Path) -> None:
    from training.finetune.finetuning import _commands_of, _initial_trunk

    trunks = [_learned(1), _learned(2)]
    starts = [
        _model(tmp_path / str(number), trunk, ["first", f"then {number}"])
        for number, trunk in enumerate(trunks)
    ]
    begun = _initial_trunk(starts, FinetuneSettings())
    halved = [trunk.half_precision() for trunk in trunks]
    assert begun.digest == mean_trunk(halved).digest
    assert _commands_of(starts) == ["first", "then 0", "then 1"]
    with pytest.raises(TrainingError, match=r"has dlib's own embedder: leave it out"):
        _initial_trunk([*starts, load_bundle(DLIB_FOLDER)], FinetuneSettings())
    alone = _initial_trunk([load_bundle(DLIB_FOLDER)], FinetuneSettings())
    assert alone.digest == _initial_trunk([], FinetuneSettings()).digest


def test_a_trunk_is_read_as_it_was_written() -> None:
    learned = np.random.default_rng(_SEED).normal(size=(640, 5)).astype(np.float32)
    trunk = replace(dlib_trunk(), evidence=learned, evidence_biases=learned[0])
    read = read_trunk(trunk_graph(trunk))
    for name in ("projection", "evidence", "evidence_biases"):
        assert np.array_equal(getattr(read, name), getattr(trunk.half_precision(), name))
    assert read.features == trunk.features == 640
    assert read_trunk(_own_graph()).evidence.shape == (640, 0)
    for was, now in zip(trunk.half_precision().convolutions, read.convolutions, strict=True):
        assert (now.stride, now.padding) == (was.stride, was.padding)
        assert np.array_equal(now.filters, was.filters)
        assert np.array_equal(now.biases, was.biases)
    with pytest.raises(ModelError, match="no network that face-train finetune wrote"):
        read_trunk((DLIB_FOLDER / "gender.onnx").read_bytes())


@_torch
def test_a_full_disk_is_said_in_one_line(faces: LabelledFaces, tmp_path: Path) -> None:
    run = _trained(faces, FinetuneSettings(epochs=1, seed=_SEED), tmp_path)
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
