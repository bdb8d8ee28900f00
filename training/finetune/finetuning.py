"""A dataset → an embedder file: faces are cut out, a network is trained on them and exported."""

import json
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.classification.bundle import Bundle
from models.embedder import (
    TRAINED_EMBEDDER_FILE,
    EmbedderModel,
    OnnxEmbedder,
    bundled_embedder,
    embedder_model,
)
from models.networks.embedder_integers import with_ranges
from models.networks.runtime import available_cores
from models.networks.trunk import Trunk, dlib_trunk, mean_trunk, read_trunk, trunk_graph
from models.program.printable import counted
from training.datasets.samples import TRAIN, Samples
from training.datasets.splits import HoldOut, is_drawn, split
from training.errors import DatasetError, TrainingError
from training.features.command_line import dataset_options
from training.features.extractor import Extractor
from training.features.leaks import refuse_leaks
from training.features.progress import OpenProgress
from training.features.survey import survey
from training.finetune.chip_loader import ChipLoader
from training.finetune.chip_store import store_chips
from training.finetune.distillation import TeacherProbabilities, teacher_probabilities
from training.finetune.labelled_faces import (
    LabelledFaces,
    check_attributes,
    class_names,
    label_faces,
)
from training.finetune.network import Network, add_residual_blocks
from training.finetune.partner import imagenet_partner
from training.finetune.run import choose_device
from training.finetune.settings import FinetuneSettings
from training.finetune.teachers import Teacher
from training.finetune.trainer import Trainer
from training.outputs import quoted, short_path, write_whole

CHIPS_FOLDER = "chips"
"""Name of the folder in which the aligned faces are kept between runs."""

TEACHERS_FOLDER = "teachers"
"""Name of the folder in which the teachers' probabilities are kept between runs."""

_TOLERANCE = 1e-3
"""Difference, at most, of the exported network from the trained one; values of an appearance go
up to 0.5, logits up to 10."""


def finetune(
    samples: Samples,
    out: Path,
    extractor: Extractor,
    settings: FinetuneSettings,
    hold_out: HoldOut,
    *,
    allow_leak: bool = False,
    starts: Sequence[Bundle] = (),
    teachers: Sequence[Bundle] = (),
    on_message: Callable[[str], None],
    progress_bar: OpenProgress,
) -> EmbedderModel:
    """Trains on the split `train` and writes `embedder.onnx`, `log.csv` and `log.svg` into `out`.

    Killed at any moment and started again it goes on from the last checkpoint.

    Args:
        samples: the dataset.
        out: the folder; the faces cut out and the checkpoints are kept in it too.
        extractor: finds and aligns the faces.
        settings: how.
        hold_out: the pictures that are never trained or validated on.
        allow_leak: both halves may share pictures and people.
        starts: models whose embedders training begins with, with the mean of their weights; it
            begins with dlib's without any, or where the embedder of a single one is dlib's.
        teachers: models whose probabilities of each face count beside its label.
        on_message: is given a line about each epoch.
        progress_bar: shows how far it is.

    Raises:
        DatasetError: the labels cannot be learned from, both halves share pictures or people and
            that is not allowed, a teacher has other classes, or `out` has another run's checkpoint.
        ModelError: the embedder of a start cannot be trained further, or a teacher cannot be run.
        OutputError: the disk refuses.
        TrainingError: the device is not there or too small, the weights are no numbers any more,
            or the exported network differs from the trained.
    """
    if not teachers and settings.teacher_share != FinetuneSettings().teacher_share:
        raise DatasetError("--teacher-share says how much a teacher counts: name it with --teacher")
    device = choose_device(settings.device)
    development = HoldOut.parse(settings.development, "--development")
    attributes = settings.attributes or tuple(samples.labels)
    check_attributes(samples, attributes)
    trunk = _initial_trunk(starts, settings)
    asked = [Teacher(each, "cpu" if device.type == "cpu" else "auto") for each in teachers]
    found = None
    if is_drawn(samples, hold_out) or not allow_leak:
        with progress_bar(len(samples)) as progress:
            found = survey(samples, extractor, progress)
    usable, alike = (None, None) if found is None else (found.usable, found.alike)
    splits, held = split(samples, hold_out, settings.seed, usable=usable, alike=alike)
    if found is not None and not allow_leak:
        refuse_leaks(found.leaks(samples, splits))
    rows = [row for row, name in enumerate(splits) if name == TRAIN]
    learned = rows if usable is None else [row for row in rows if usable[row]]
    for teacher in asked:  # long before it is asked
        teacher.check_classes(
            {name: class_names(samples.labels[name][row] for row in learned) for name in attributes}
        )
    with progress_bar(len(rows)) as progress:
        chips = store_chips(samples, rows, extractor, out / CHIPS_FOLDER, progress)
    faces = label_faces(samples, chips, attributes, settings.seed, development)
    taught = _taught(asked, faces, out, on_message, progress_bar)
    trainer = Trainer(faces, ChipLoader(chips, device), on_message, progress_bar)
    run = trainer.train(settings, trunk, out, taught)
    network = run.network()
    record = {
        "data": {"dataset": samples.name, "credit": samples.credit, "hold_out": held},
        "attributes": tuple(faces.classes),
        "detector": extractor.settings.detector,
        "faces": {"fitted": len(faces.fitted), "development": len(faces.development)},
        "commands": [
            *_commands_of(starts),
            _command_line(
                samples, out, extractor, settings, hold_out, allow_leak, starts, teachers
            ),
        ],
        "settings": asdict(settings),
        "best": dict(run.best),
        "epochs": len(run.log),
        "starts": [each.manifest.embedder.name for each in starts],
        "teachers": [
            {"folder": short_path(each.folder), "digest": digest}
            for each, digest in zip(teachers, taught.teachers, strict=True)
        ],
        "hours": round(trainer.seconds / 3600, 2),
        "hardware": _hardware(device),
        "versions": {name: version(name) for name in ("numpy", "torch")},
    }
    model = export(trainer.with_dlib_distances(network), record, trainer.check_chips())
    write_whole(out / TRAINED_EMBEDDER_FILE, model.model)
    return model


def export(trunk: Trunk, record: Mapping[str, Any], checked: NDArray[np.uint8]) -> EmbedderModel:
    """The embedder as ONNX; its name says which weights it has.

    Args:
        trunk: the weights, which are stored in half precision.
        record: how they were made.
        checked: `(n, 150, 150, 3)` BGR, for which ONNX and PyTorch must agree, and on which the
            ranges for integers are measured.

    Raises:
        TrainingError: the two do not agree.
    """
    halved = trunk.half_precision()
    properties = {
        "name": f"finetuned-{halved.digest[:8]}",
        "identity": str(trunk.projection.shape[1]),
        "record": json.dumps(record, ensure_ascii=False),
    }
    classes = {"all": halved.evidence.shape[1]}
    model = embedder_model(with_ranges(trunk_graph(halved, properties), checked))
    embedder = OnnxEmbedder(model, device="cpu")
    with torch.inference_mode():
        images = torch.from_numpy(checked).permute(0, 3, 1, 2).float()
        expected = Network(halved, classes, batch_norm=False).eval().embed(images).numpy()
    difference = float(np.abs(embedder.embed(checked) - expected).max())
    if not difference <= _TOLERANCE:
        raise TrainingError(f"the exported embedder differs from the trained one by {difference:g}")
    return model


def _initial_trunk(starts: Sequence[Bundle], settings: FinetuneSettings) -> Trunk:
    trained = [own for own in map(bundled_embedder, starts) if own is not None]
    if len(starts) > max(len(trained), 1):
        raise TrainingError("one of the models of --start has dlib's own embedder: leave it out")
    if trained:
        trunk = mean_trunk([read_trunk(each.model) for each in trained])
    else:
        random = np.random.default_rng(settings.seed)
        trunk = add_residual_blocks(dlib_trunk(), settings.more_blocks, random)
    if settings.partner is None:
        return trunk
    if trunk.partner:
        raise TrainingError("the embedder of --start has a partner already: leave --partner out")
    return replace(trunk, partner=imagenet_partner(settings.partner))


def _commands_of(starts: Sequence[Bundle]) -> list[str]:
    """The commands that made the embedders of these models, each once."""
    records = [each.manifest.provenance.get("embedder", {}) for each in starts]
    return list(dict.fromkeys(line for each in records for line in each.get("commands", ())))


def _taught(
    teachers: Sequence[Teacher],
    faces: LabelledFaces,
    out: Path,
    on_message: Callable[[str], None],
    progress_bar: OpenProgress,
) -> TeacherProbabilities:
    """What the teachers say of the faces that are fitted on."""
    if not teachers:
        return TeacherProbabilities()
    asked = counted(len(faces.fitted), "face")
    on_message(
        f"{counted(len(teachers), 'teacher')} asked about {asked}, unless an earlier run did"
    )
    with progress_bar(len(faces.fitted) * len(teachers)) as progress:
        return teacher_probabilities(teachers, faces, out / TEACHERS_FOLDER, progress)


def _command_line(
    samples: Samples,
    out: Path,
    extractor: Extractor,
    settings: FinetuneSettings,
    hold_out: HoldOut,
    allow_leak: bool,
    starts: Sequence[Bundle],
    teachers: Sequence[Bundle],
) -> str:
    """The command that trains with these settings."""
    default = FinetuneSettings()
    dataset, folder = (quoted(path.resolve().name) for path in (samples.root, out))
    words = [f"face-train finetune {dataset} --out {folder}"]
    words.extend(f"--start {quoted(short_path(each.folder))}" for each in starts)
    words.extend(f"--teacher {quoted(short_path(each.folder))}" for each in teachers)
    if settings.attributes is not None:
        words.append(f"--attributes {quoted(','.join(settings.attributes))}")
    for name in ("epochs", "patience", "batch", "rate", "teacher_share", "identity"):
        if (value := getattr(settings, name)) != getattr(default, name):
            words.append(f"--{name.replace('_', '-')} {value:g}")
    for name in ("partner", "development"):
        if (text := getattr(settings, name)) != getattr(default, name):
            words.append(f"--{name} {text}")
    if allow_leak:
        words.append("--allow-leak")
    words.extend(dataset_options(samples, extractor.settings, hold_out, settings.seed))
    return " ".join(words)


def _hardware(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{available_cores()} CPU cores, {platform.machine()}"
