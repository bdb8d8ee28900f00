"""From a dataset to an embedder file: faces, training, export, and the record of it all."""

import csv
import hashlib
import io
import json
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from models.bundle import Bundle
from models.dlib_weights import Convolution
from models.embedder import EmbedderModel, OnnxEmbedder, embedder_model
from models.engine import DetectionSettings, bundled_embedder, load_engine
from models.graphs import read_trunk, trunk_graph
from models.runtime import available_cores
from training.datasets.samples import TRAIN, Samples
from training.errors import TrainingError
from training.extraction import Extractor
from training.features import Progress, dataset_options
from training.finetune.chips import store_chips
from training.finetune.labelled import labelled
from training.finetune.network import Network
from training.finetune.run import LogRow, Run
from training.finetune.settings import FinetuneSettings
from training.finetune.teacher import with_teacher
from training.fit import FitSettings, command_line
from training.outputs import write_bytes, write_text
from training.plots import learning_curves
from training.splits import HoldOut, split

EMBEDDER_FILE, LOG_FILE, PLOT_FILE, CHIPS_FOLDER = "embedder.onnx", "log.csv", "log.svg", "chips"

_TOLERANCE = 1e-3  # of an embedding whose largest values are about 2

Counting: TypeAlias = Callable[[int], AbstractContextManager[Progress]]
"""Given how many pictures there are, counts those that are done."""


def finetune(
    samples: Samples,
    out: Path,
    extractor: Extractor,
    settings: FinetuneSettings,
    hold_out: HoldOut,
    *,
    teacher: Bundle | None = None,
    told: Callable[[str], None],
    counting: Counting,
) -> EmbedderModel:
    """Trains on the split `train` and writes `embedder.onnx`, `log.csv` and `log.svg` into `out`.

    Killed at any moment and started again it goes on from the last checkpoint, to the same end.

    Args:
        samples: the dataset.
        out: the folder; the faces cut out and the checkpoint are kept in it too.
        extractor: finds and aligns the faces.
        settings: how.
        hold_out: what is never looked at.
        teacher: a model whose embedder training begins with and whose opinion counts beside the
            labels; without one it begins with dlib's weights.
        told: is given a line about each epoch.
        counting: shows how far it is.

    Raises:
        DatasetError: the labels cannot be learned from, or `out` has another run's checkpoint.
        OutputError: the disk refuses.
        TrainingError: the device is not there, or the exported network differs from the trained.
    """
    splits, held = split(samples, hold_out, settings.seed)
    rows = [row for row, name in enumerate(splits) if name == TRAIN]
    with counting(len(rows)) as progress:
        chips = store_chips(samples, rows, extractor, out / CHIPS_FOLDER, progress)
    attributes = settings.attributes or tuple(samples.labels)
    faces = labelled(samples, chips, attributes, settings.seed)
    start = None
    if teacher is not None:
        own = bundled_embedder(teacher)
        with counting(len(chips)) as progress:
            embedder = load_engine(DetectionSettings(), embedder=own, threads=1).embedder
            faces = with_teacher(faces, teacher, embedder, out / CHIPS_FOLDER, progress)
        start = None if own is None else read_trunk(own.model)
    run = Run(faces, settings, out, start)
    told(f"{run}")

    def log(row: LogRow) -> None:
        told(_line(row))
        _write_log(out, run.log)

    with counting(settings.epochs * run.faces_per_epoch) as progress:
        run.run(log, progress)
    _write_log(out, run.log)
    record = {
        "data": {"dataset": samples.name, "credit": samples.credit, "hold_out": held},
        "attributes": attributes,
        "faces": {"fitted": run.faces_per_epoch, "development": run.development_faces},
        "commands": [
            *(_teachers_commands(teacher) if teacher else ()),
            _command_line(samples, out, extractor, settings, hold_out, teacher),
        ],
        "settings": asdict(settings),
        "best": dict(run.best),
        "epochs": len(run.log),
        "teacher": teacher and teacher.manifest.embedder.name,
        "hours": round(run.log[-1]["seconds"] / 3600, 2),
        "hardware": _hardware(run.device),
        "versions": {name: version(name) for name in ("numpy", "opencv-python", "torch")},
    }
    model = export(run.trunk(), record, run.some_chips())
    write_bytes(out / EMBEDDER_FILE, model.model)
    return model


def export(
    trunk: Sequence[Convolution], record: Mapping[str, Any], checked: NDArray[np.uint8]
) -> EmbedderModel:
    """The embedder as ONNX; its name says which weights it has.

    Args:
        trunk: the weights, of which half the precision is kept.
        record: how they were made.
        checked: `(n, 150, 150, 3)` BGR, for which ONNX and PyTorch must agree.

    Raises:
        TrainingError: they do not.
    """
    halved = tuple(map(_halved, trunk))
    weights = hashlib.sha256()
    for convolution in halved:
        weights.update(convolution.filters.tobytes() + convolution.biases.tobytes())
    properties = {
        "name": f"finetuned-{weights.hexdigest()[:8]}",
        "record": json.dumps(record, ensure_ascii=False),
    }
    model = embedder_model(trunk_graph(halved, properties))
    embedder = OnnxEmbedder(model.model, name=model.name, dimensions=model.dimensions, device="cpu")
    with torch.inference_mode():
        planes = torch.from_numpy(checked).permute(0, 3, 1, 2).float()
        expected = Network(halved, {}).embed(planes).numpy()
    difference = float(np.abs(embedder.embed(checked) - expected).max())
    if not difference <= _TOLERANCE:
        raise TrainingError(f"the exported embedder differs from the trained one by {difference:g}")
    return model


def _halved(convolution: Convolution) -> Convolution:
    """With weights that 16 bits hold."""
    return replace(
        convolution,
        filters=convolution.filters.astype(np.float16).astype(np.float32),
        biases=convolution.biases.astype(np.float16).astype(np.float32),
    )


def _line(row: LogRow) -> str:
    accuracies = ", ".join(
        f"{name.removesuffix(' accuracy')} {value:.3f}"
        for name, value in row.items()
        if name.endswith(" accuracy")
    )
    return f"epoch {row['epoch']:.0f}: {accuracies} on faces not learned from"


def _write_log(folder: Path, log: Sequence[LogRow]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(log[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(log)
    write_text(folder / LOG_FILE, text.getvalue())
    write_text(folder / PLOT_FILE, learning_curves(log))


def _teachers_commands(teacher: Bundle) -> Iterator[str]:
    """How the teacher was made."""
    provenance = teacher.manifest.provenance
    fitted = command_line(FitSettings.from_record(provenance["settings"]))
    yield from provenance.get("embedder", {}).get("commands", ())
    yield provenance["data"]["command"]
    yield fitted.replace("FOLDER", teacher.folder.resolve().name)


def _command_line(
    samples: Samples,
    out: Path,
    extractor: Extractor,
    settings: FinetuneSettings,
    hold_out: HoldOut,
    teacher: Bundle | None,
) -> str:
    """The command that trains with these settings."""
    default = FinetuneSettings()
    words = [f"face-train finetune {samples.root.resolve().name} --out {out.resolve().name}"]
    if teacher is not None:
        words.append(f"--teacher {teacher.folder.resolve().name}")
    if settings.attributes is not None:
        words.append(f"--attributes {','.join(settings.attributes)}")
    if settings.epochs != default.epochs:
        words.append(f"--epochs {settings.epochs}")
    if settings.patience != default.patience:
        words.append(f"--patience {settings.patience}")
    words.extend(dataset_options(samples, extractor.settings, hold_out, settings.seed))
    return " ".join(words)


def _hardware(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{available_cores()} CPU cores, {platform.machine()}"
