"""Checks of the engine: its device, the weights, the model, and a self-test on a portrait."""

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from models.program.printable import counted
from stream.doctor.findings import Finding
from stream.errors import ConfigError

if TYPE_CHECKING:
    from models.faces import Image
    from models.networks.runtime import Device
    from stream.settings import Config, Settings
    from stream.tracks import Track


def device(
    config: "Config",
    providers: Callable[[], Sequence[str]] | None = None,
    started: "Callable[[Device], str] | None" = None,
    has_gpu: Callable[[], bool] | None = None,
) -> Finding:
    """What ONNX Runtime offers, and where the engine would run.

    Args:
        config: the settings.
        providers: the providers that ONNX Runtime offers.
        started: starts a session on a device and gives the device that it runs on.
        has_gpu: whether the machine has a GPU of NVIDIA's.
    """
    import onnxruntime

    names = (providers or onnxruntime.get_available_providers)()
    offered = ", ".join(name.removesuffix("ExecutionProvider") for name in names)
    used = (started or _started)(config.engine.device)
    found = f"runs on {used}; ONNX Runtime offers {offered}"
    if used == "cuda" or config.engine.device == "cpu":
        return Finding("device", "ok", found)
    if "CUDA" in offered:
        remedy = "look at its driver and CUDA's libraries (nvidia-smi), or set engine.device=cpu"
        return Finding("device", "note", f"{found}, but CUDA did not start", remedy)
    if (has_gpu or _has_gpu)():
        remedy = "to use it: pip uninstall onnxruntime, then pip install onnxruntime-gpu"
        return Finding("device", "note", f"{found}; there is a GPU beside", remedy)
    return Finding("device", "ok", found)


def weights(load: "Callable[[], Settings]") -> Finding:
    """Whether the weights are installed that the settings need: of their detector, of dlib's
    landmarks, and of dlib's embedder, unless the model brings its own.

    Args:
        load: loads the settings; where it fails, which another check names, those of the defaults
            are looked for.
    """
    from models.networks.centerface import installed_centerface
    from models.networks.dlib_weights import (
        DETECTOR_FILE,
        EMBEDDER_FILE,
        LANDMARKS_FILE,
        installed_file,
    )

    detector, wants_dlib_embedder = "centerface", False
    try:
        config = load().config
    except (ConfigError, ImportError):
        pass
    else:
        detector = config.detection.detector
        wants_dlib_embedder = _wants_dlib_embedder(config.engine.model_folder)
    paths = [installed_file(LANDMARKS_FILE)]
    if detector == "centerface":
        paths.append(installed_centerface())
    if detector == "cnn":
        paths.append(installed_file(DETECTOR_FILE))
    if wants_dlib_embedder:
        paths.append(installed_file(EMBEDDER_FILE))
    size = sum(path.stat().st_size for path in paths) / 1e6
    folders = ", ".join(dict.fromkeys(str(path.parent) for path in paths))
    return Finding("weights", "ok", f"{counted(len(paths), 'file')}, {size:.0f} MB, in {folders}")


def _wants_dlib_embedder(folder: Path) -> bool:
    """Whether a model was fitted on dlib's embedder; of a folder that is not whole another check
    says so."""
    from models.classification.bundle import load_bundle
    from models.errors import ModelError

    try:
        return load_bundle(folder).manifest.embedder.file is None
    except ModelError:
        return False


def model(config: "Config") -> Finding:
    """Whether the files of the model folder are unchanged, and which attributes it knows."""
    from models.classification.bundle import DEFAULT_FOLDER, DLIB_FOLDER, load_bundle

    folder = config.engine.model_folder
    bundle = load_bundle(folder)
    known = ", ".join(
        f"{head.attribute} ({len(head.classes)})" for head in bundle.manifest.attributes
    )
    place = "the one that ships" if folder in (DEFAULT_FOLDER, DLIB_FOLDER) else str(folder)
    name = bundle.manifest.embedder.name
    return Finding("model", "ok", f"{place}, whole, knows {known}, embedder {name}")


def self_test(config: "Config", picture: "Callable[[], Image] | None" = None) -> Finding:
    """Whether the annotator finds the one face of the demo's portrait, and how long it takes.

    Args:
        config: the settings of the engine and of labels, and the detector, which searches the
            portrait as it is.
        picture: gives another picture with one face.
    """
    from stream.assembly import LoadedModel
    from stream.frames import Frame, SourceInfo
    from stream.settings import Config
    from stream.settings.schema import DetectionSection
    from stream.sources.demo import portrait

    began_s = time.monotonic()
    frame = Frame((picture or portrait)(), 0, 0.0, began_s)
    detection = DetectionSection(detector=config.detection.detector, downscale=1.0)
    tested = Config(engine=config.engine, labels=config.labels, detection=detection)
    annotator = LoadedModel(tested).annotator(SourceInfo("portrait", "pictures", frame.size_wh))
    loaded_s = time.monotonic()
    tracks = annotator.annotate(frame)
    times = f"in {time.monotonic() - loaded_s:.2f} s, loaded in {loaded_s - began_s:.2f} s"
    if len(tracks) != 1:
        remedy = "install the packages again; if that does not help, report it"
        return Finding("self-test", "broken", f"found {len(tracks)} faces instead of 1", remedy)
    return Finding(
        "self-test", "ok", f"found the portrait's face: {_labels_line(tracks[0])}; {times}"
    )


def _labels_line(track: "Track") -> str:
    """The labels of a face in one line."""
    labels = [
        f"{name} unsure" if label.text is None else f"{label.text} {label.confidence:.0%}"
        for name, label in track.labels.items()
    ]
    return ", ".join(labels) or "no labels asked for"


def _started(device: "Device") -> str:
    """The device that a session runs on, tried with the smallest model there is."""
    from onnx import TensorProto, helper

    from models.networks.runtime import Session

    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    node = helper.make_node("Identity", ["x"], ["y"])
    graph = helper.make_graph([node], "identity", value[:1], value[1:])
    opset = helper.make_opsetid("", 17)
    smallest = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    return Session(smallest.SerializeToString(), threads=1, device=device).device


def _has_gpu() -> bool:
    return shutil.which("nvidia-smi") is not None
