"""From settings to the engine: in what is calculated, and what is refused."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from models.classification.bundle import (
    CARD_FILE,
    DEFAULT_FOLDER,
    DLIB_FOLDER,
    load_bundle,
    save_bundle,
)
from models.detection.names import DetectorName
from models.errors import ModelError
from models.faces import Image
from models.networks.runtime import Device
from stream.assembly import LoadedModel, engine_for, joins_shots
from stream.errors import ConfigError
from stream.frames import Frame, SourceInfo, SourceKind
from stream.settings import Config
from stream.settings.schema import DetectionSection, EngineSection, LabelSettings


@pytest.mark.parametrize(
    ("kind", "precision", "detector", "shown"),
    [
        ("pictures", "auto", "centerface", "CenterFaceDetector(mixed, device=cpu)"),
        ("video", "auto", "centerface", "CenterFaceDetector(int8, device=cpu)"),
        ("camera", "auto", "centerface", "CenterFaceDetector(int8, device=cpu)"),
        ("stream", "auto", "centerface", "CenterFaceDetector(int8, device=cpu)"),
        ("pictures", "int8", "centerface", "CenterFaceDetector(int8, device=cpu)"),
        ("video", "float", "centerface", "CenterFaceDetector(float, device=cpu)"),
        ("video", "auto", "cnn", "CnnDetector(device=cpu)"),
        ("video", "float", "hog", "HogDetector()"),
    ],
)
def test_what_moves_is_searched_in_integers(
    kind: SourceKind,
    precision: Literal["auto", "int8", "float"],
    detector: DetectorName,
    shown: str,
) -> None:
    config = Config(
        detection=DetectionSection(detector=detector),
        engine=EngineSection(precision=precision, device="cpu"),
    )
    engine = engine_for(config, SourceInfo("x", kind, (320, 180)))
    assert repr(engine.detector) == shown


@pytest.mark.parametrize("kind", ["pictures", "video"])
@pytest.mark.parametrize(("precision", "in_integers"), [("auto", True), ("float", False)])
def test_faces_are_embedded_in_integers_unless_floats_are_asked_for(
    kind: SourceKind, precision: Literal["auto", "float"], in_integers: bool
) -> None:
    config = Config(engine=EngineSection(precision=precision, device="cpu"))
    bundle = load_bundle(DEFAULT_FOLDER)
    embedder = engine_for(config, SourceInfo("x", kind, (320, 180)), bundle).embedder
    assert (", int8," in repr(embedder)) is in_integers


@pytest.mark.parametrize(
    ("detector", "device", "said"),
    [
        ("cnn", "cpu", "engine.precision = int8 is for centerface only: the detector cnn"),
        ("hog", "auto", "engine.precision = int8 is for centerface only: the detector hog"),
        ("centerface", "cuda", "engine.precision = int8 is for CPUs, a GPU calculates in floats"),
    ],
)
def test_integers_where_there_are_none_are_refused(
    detector: DetectorName, device: Device, said: str
) -> None:
    config = Config(
        detection=DetectionSection(detector=detector),
        engine=EngineSection(precision="int8", device=device),
    )
    with pytest.raises(ConfigError) as caught:
        engine_for(config, SourceInfo("x", "video", (320, 180)))
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_one_model_annotates_several_sources_each_with_tracks_of_its_own(astronaut: Image) -> None:
    model = LoadedModel(Config(engine=EngineSection(device="cpu")))
    kinds: tuple[SourceKind, ...] = ("video", "pictures", "video")
    annotators = [model.annotator(SourceInfo("x", kind, (512, 512))) for kind in kinds]
    for time_s in (0.0, 0.5):
        frame = Frame(astronaut, round(time_s * 25), time_s, time_s)
        tracks = [annotator.annotate(frame) for annotator in annotators]
    assert [[each.track_id for each in found] for found in tracks] == [[1], [2], [1]]
    np.testing.assert_array_equal(tracks[0][0].box_xyxy, tracks[2][0].box_xyxy)
    assert tracks[0][0].labels == tracks[2][0].labels


def test_engines_of_one_model_share_what_embeds_faces() -> None:
    config = Config(engine=EngineSection(device="cpu"))
    video = engine_for(config, SourceInfo("x", "video", (320, 180)))
    pictures = engine_for(config, SourceInfo("x", "pictures", (320, 180)), beside=video)
    assert pictures.embedder is video.embedder
    assert pictures.aligner is video.aligner
    assert repr(pictures.detector) != repr(video.detector)


def _own_model(folder: Path) -> Path:
    """A model folder that knows one attribute, which none that ships has."""
    bundle = load_bundle(DLIB_FOLDER)
    gender = bundle.manifest.attributes[0]
    changes = {
        "attributes": (gender.model_copy(update={"attribute": "mood"}),),
        "default_attributes": (),
        "short_names": {},
        "tree": {},
    }
    files = {name: bundle.files[name] for name in (CARD_FILE, gender.file)}
    save_bundle(folder, bundle.manifest.model_copy(update=changes), files)
    return folder


def _labelled(labels: LabelSettings, model: Path | None = None) -> list[str]:
    """The attributes that are labelled."""
    engine = EngineSection(device="cpu", model="" if model is None else str(model))
    annotator = LoadedModel(Config(engine=engine, labels=labels)).annotator(
        SourceInfo("x", "pictures", (320, 180))
    )
    return list(annotator.attributes)


def test_what_is_labelled_by_default_is_what_the_model_says_by_itself(tmp_path: Path) -> None:
    own = _own_model(tmp_path / "own")
    assert _labelled(LabelSettings()) == ["gender", "race"]
    assert _labelled(LabelSettings(attributes=("age", "gender"))) == ["gender", "age"]
    assert _labelled(LabelSettings(attributes=())) == []
    assert _labelled(LabelSettings(), own) == ["mood"]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (LabelSettings(attributes=("gender",)), "labels.attributes: the model knows mood, not"),
        (LabelSettings(min_confidence={"race": 0.5}), "labels.min_confidence: the model knows"),
    ],
)
def test_what_one_s_own_model_does_not_know_is_refused(
    labels: LabelSettings, said: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=said):
        _labelled(labels, _own_model(tmp_path / "own"))


def test_groups_that_do_not_fit_what_is_labelled_are_refused() -> None:
    with pytest.raises(ModelError, match="group 'A' of race names 'Martian'"):
        _labelled(LabelSettings(groups={"race": {"A": ("Martian",)}}))


@pytest.mark.parametrize(
    ("kind", "across_shots", "is_joined"),
    [
        ("video", "auto", True),
        ("video", True, True),
        ("video", False, False),
        ("camera", "auto", False),
        ("stream", False, False),
        ("pictures", "auto", False),
    ],
)
def test_tracks_are_joined_in_video_files_only(
    kind: SourceKind, across_shots: bool | Literal["auto"], is_joined: bool
) -> None:
    settings = LabelSettings(across_shots=across_shots)
    assert joins_shots(settings, SourceInfo("source", kind, (96, 64))) is is_joined


@pytest.mark.parametrize(
    ("kind", "named"),
    [("camera", "a live source is"), ("stream", "a live source is"), ("pictures", "pictures are")],
)
def test_joining_what_is_no_file_is_refused_in_one_line(kind: SourceKind, named: str) -> None:
    with pytest.raises(ConfigError, match=f"^labels.across_shots = true is for video .* {named} "):
        joins_shots(LabelSettings(across_shots=True), SourceInfo("source", kind, (96, 64)))
