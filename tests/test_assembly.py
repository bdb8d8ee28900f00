"""From settings to the engine: in what is calculated, and what is refused."""

from typing import Literal

import numpy as np
import pytest

from models.detector_names import DetectorName
from models.faces import Image
from models.runtime import Device
from stream.assembly import LoadedModel, engine_for
from stream.errors import ConfigError
from stream.frames import Frame, SourceInfo, SourceKind
from stream.settings import Config
from stream.settings.schema import DetectionSection, EngineSection


@pytest.mark.parametrize(
    ("kind", "precision", "detector", "shown"),
    [
        ("pictures", "auto", "centerface", "CenterFaceDetector(float, device=cpu)"),
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
