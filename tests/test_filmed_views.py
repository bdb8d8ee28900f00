"""A fitted model is calibrated on its development faces, as they are and filmed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from test_robustness import _Extractor
from training_helpers import CountedProgress, table_info, write_table

from models.classification.bundle import Bundle
from models.classification.calibration import CALIBRATION_FILE, Calibration
from models.classification.classifier import Classifier
from models.classification.view_quality import ViewQuality
from models.faces import Image
from training.datasets import Samples
from training.evaluation.face_chips import TablePictures
from training.evaluation.filmed_views import calibrated, development_faces
from training.evaluation.publish import publish
from training.features.extractor import FaceChips
from training.features.table import FeatureTable
from training.features.table_files import read_table
from training.fitting.fit import CALIBRATION_RECORD, FittedModel, fit
from training.fitting.settings import FitSettings, command_line

_COUNT = 420
_SIDE = 30


def _chip(number: int) -> Image:
    """A face of stripes, which only a good view shows: of odd numbers upright, of even ones not."""
    stripes = np.tile(np.array([60, 60, 200, 200], dtype=np.uint8), 8)[:_SIDE]
    chip = np.broadcast_to(stripes, (_SIDE, _SIDE))
    upright = chip if number % 2 else chip.T
    noise = np.random.default_rng(number).integers(0, 40, (_SIDE, _SIDE))
    return np.repeat((upright + noise).astype(np.uint8)[:, :, None], 3, axis=2)


class _Stripes(_Extractor):
    """A picture is the number of its face; an embedding says which way its stripes run, surely."""

    def chips(self, content: bytes) -> FaceChips:
        return FaceChips("", _chip(int(content))[None], np.array([90], dtype=np.float32))

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        grey = chips[:, :, :, 0].astype(np.float32)
        along, across = (np.abs(np.diff(grey, axis=axis)).mean(axis=(1, 2)) for axis in (1, 2))
        share = (across - along) / (across + along)
        return np.stack([share, np.ones_like(share)], axis=1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[FeatureTable, TablePictures]:
    folder = tmp_path_factory.mktemp("stripes")
    for number in range(_COUNT):
        (folder / f"{number}.jpg").write_text(str(number))
    extractor = _Stripes()
    vectors = extractor.embed(np.stack([_chip(number) for number in range(_COUNT)]))
    labels = [(("level", "upright")[number % 2],) for number in range(_COUNT)]
    table = read_table(
        write_table(folder / "t.parquet", table_info(("stripes",), dimensions=2), vectors, labels)
    )
    samples = Samples(
        name="stripes",
        root=folder,
        files=tuple(table.files),
        labels={"stripes": tuple(text for (text,) in labels)},
        identities=(None,) * _COUNT,
        splits=(None,) * _COUNT,
    )
    return table, TablePictures(samples, extractor)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def fitted(made: tuple[FeatureTable, TablePictures]) -> FittedModel:
    """Its development rows are those that are for training: enough of them for a calibration."""
    table, _ = made
    model = fit(table, FitSettings(classifier="logistic"))
    rows = np.flatnonzero(table.splits == "train")
    return replace(model, development={"stripes": rows})


def _calibration(model: FittedModel) -> Calibration:
    return Calibration.from_bytes(
        model.files[CALIBRATION_FILE], {head.attribute: head.classes for head in model.heads}
    )


def test_the_confidence_of_a_bad_view_falls_and_what_was_held_out_is_not_looked_at(
    made: tuple[FeatureTable, TablePictures], fitted: FittedModel, tmp_path: Path
) -> None:
    table, pictures = made
    progress = CountedProgress()
    model = calibrated(fitted, table, pictures, seed=1, progress=progress)
    assert sum(progress.done) == (table.splits == "train").sum() == 315
    assert _calibration(model).record == {"faces": 315, "filmed": 2, "seed": 1}
    assert model.manifest.provenance[CALIBRATION_RECORD]["faces"] == 315
    classifier = Classifier(Bundle(tmp_path, model.manifest, model.files))
    vectors = table.embeddings[:40]
    sure = []
    for width_px, sharpness in ((90, 2.0), (12, 0.1)):
        views = ViewQuality(*np.tile(np.float32([[width_px], [sharpness]]), 40))
        (found,) = classifier.predict(vectors, quality=views)
        sure.append(float(found.probabilities.max(axis=1).mean()))
    assert sure[0] > sure[1] + 0.03


def test_the_same_seed_gives_the_same_file_and_the_card_says_on_what(
    made: tuple[FeatureTable, TablePictures], fitted: FittedModel, tmp_path: Path
) -> None:
    table, pictures = made
    first, again = (calibrated(fitted, table, pictures, seed=2) for _ in range(2))
    assert first.files[CALIBRATION_FILE] == again.files[CALIBRATION_FILE]
    publish(tmp_path / "model", first, table)
    card = (tmp_path / "model" / "card.md").read_text()
    assert "the table does not say how sharp its faces are" in card
    assert "315 development faces, each as it is and filmed 2 times, decide it" in card


def test_without_pictures_a_single_attribute_is_left_as_its_head_gives_it(
    made: tuple[FeatureTable, TablePictures], fitted: FittedModel
) -> None:
    assert calibrated(fitted, made[0], seed=1) is fitted


def test_without_development_faces_nothing_is_calibrated(
    made: tuple[FeatureTable, TablePictures], fitted: FittedModel
) -> None:
    none = replace(fitted, development={"stripes": np.zeros(0, dtype=np.intp)})
    assert calibrated(none, *made, seed=1) is none
    assert not len(development_faces(none, 1))


def test_the_command_on_a_card_names_the_pictures() -> None:
    settings = FitSettings(pictures=Path("a/b/fair face"), layout="fairface", faces="largest")
    words = command_line(settings)
    assert "--pictures " in words and "fair face" in words
    assert words.endswith("--format fairface --faces largest")
    record = settings.record()
    assert isinstance(record["pictures"], str)
    assert FitSettings.from_record(record).layout == "fairface"
