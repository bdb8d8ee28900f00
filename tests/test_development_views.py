"""A fitted model is calibrated on its development faces, as they were found and filmed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from training_helpers import table_info, write_table

from models.classification.bundle import Bundle
from models.classification.calibration import CALIBRATION_FILE
from models.classification.classifier import Classifier
from models.classification.view_quality import ViewQuality
from models.faces import Image
from training.evaluation.publish import publish
from training.features.table import FeatureTable
from training.features.table_files import read_table
from training.features.views import planned_views, show
from training.fitting.development_views import MAX_FACES, development_views
from training.fitting.fit import CALIBRATION_RECORD, FittedModel, fit
from training.fitting.head import Head
from training.fitting.settings import FitSettings, command_line
from training.fitting.view_calibration import UNKNOWN

_COUNT = 3200
_SIDE = 30
_VIEWS = planned_views(mirror=False, filmed=2)


def _chip(number: int) -> Image:
    """A face of stripes, which only a good view shows: of odd numbers upright, of even ones not."""
    stripes = np.tile(np.array([60, 60, 200, 200], dtype=np.uint8), 8)[:_SIDE]
    chip = np.broadcast_to(stripes, (_SIDE, _SIDE))
    upright = chip if number % 2 else chip.T
    noise = np.random.default_rng(number).integers(0, 40, (_SIDE, _SIDE))
    return np.repeat((upright + noise).astype(np.uint8)[:, :, None], 3, axis=2)


def _embed(chips: NDArray[np.uint8]) -> NDArray[np.float32]:
    """It says which way the stripes run, surely."""
    grey = chips[:, :, :, 0].astype(np.float32)
    along, across = (np.abs(np.diff(grey, axis=axis)).mean(axis=(1, 2)) for axis in (1, 2))
    share = (across - along) / (across + along)
    return np.stack([share, np.ones_like(share)], axis=1)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> FeatureTable:
    chips = np.stack([_chip(number) for number in range(_COUNT)])
    widths_px = np.full(_COUNT, 90, dtype=np.float32)
    shown, shown_px = show(chips, widths_px, _VIEWS, np.random.default_rng(5))
    info = table_info(("stripes",), dimensions=2)
    labels = [(("level", "upright")[number % 2],) for number in range(_COUNT)]
    path = write_table(tmp_path_factory.mktemp("t") / "t.parquet", info, _embed(chips), labels)
    once = read_table(path)
    return replace(
        once[np.tile(np.arange(_COUNT), len(_VIEWS))],
        embeddings=_embed(shown),
        filmed=np.repeat([view.filmed for view in _VIEWS], _COUNT),
        face_px=shown_px,
        sharpness=ViewQuality.of(shown, shown_px).sharpness,
    )


@pytest.fixture(scope="module")
def model(table: FeatureTable) -> FittedModel:
    return fit(table, FitSettings(classifier="logistic", filmed=False))


def test_the_confidence_of_a_bad_view_falls(
    table: FeatureTable, model: FittedModel, tmp_path: Path
) -> None:
    record = model.manifest.provenance[CALIBRATION_RECORD]
    assert record == {"faces": len(model.development["stripes"]), "filmed": 2, "seed": 20170624}
    assert record["faces"] > 200
    classifier = Classifier(Bundle(tmp_path, model.manifest, model.files))
    sure = []
    for width_px, sharpness in ((90, 2.0), (12, 0.1)):
        views = ViewQuality(*np.tile(np.float32([[width_px], [sharpness]]), 40))
        (found,) = classifier.predict(table.embeddings[:40], quality=views)
        sure.append(float(found.probabilities.max(axis=1).mean()))
    assert sure[0] > sure[1] + 0.01


def test_only_development_faces_are_looked_at_and_each_counts_one(
    table: FeatureTable, model: FittedModel
) -> None:
    rows = model.development["stripes"]
    assert (table.splits[rows] == "train").all() and table.as_found[rows].all()
    views = development_views(table, model.heads, model.development, 1)
    assert views is not None and views.quality is not None
    assert len(views.weights) == len(_VIEWS) * len(rows)
    assert views.weights.sum() == pytest.approx(len(rows))
    np.testing.assert_array_equal(views.quality.widths_px[: len(rows)], 90)
    filmed = table.filmed & np.isin(table.files, table.files[rows])
    widths_px = np.sort(views.quality.widths_px[len(rows) :])
    np.testing.assert_array_equal(widths_px, np.sort(table.face_px[filmed]))


def test_of_very_many_faces_some_are_drawn(table: FeatureTable, model: FittedModel) -> None:
    rows = np.flatnonzero(table.as_found)
    views = development_views(table, model.heads, {"stripes": rows}, 1)
    assert views is not None and len(rows) > MAX_FACES
    assert views.weights.sum() == pytest.approx(MAX_FACES)


class _Unsure:
    """A classifier to which all classes are as likely."""

    def __init__(self, classes: int) -> None:
        self._classes = classes

    def predict_proba(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.full((len(embeddings), self._classes), 1 / self._classes)


def test_each_view_has_the_labels_of_its_own_face(table: FeatureTable) -> None:
    """Two faces of one picture and one of another, which was not filmed; a label is missing."""
    views = [("a", 0, False), ("a", 1, False), ("b", 0, False)]
    views += [("a", 1, True), ("a", 0, True), ("a", 1, True)]
    files, faces, filmed = zip(*views, strict=True)
    gender = {("a", 0): "F", ("a", 1): "M", ("b", 0): None}
    hat = {("a", 0): "no", ("a", 1): None, ("b", 0): "yes"}
    labels = {
        name: np.array([each[file, face] for file, face, _ in views], dtype=object)
        for name, each in (("gender", gender), ("hat", hat))
    }
    rows = replace(
        table[np.arange(len(views))],
        files=np.array(files, dtype=object),
        faces=np.array(faces, dtype=np.int32),
        filmed=np.array(filmed),
        splits=np.full(len(views), "train", dtype=object),
        labels=labels,
    )
    heads = (Head("gender", ("F", "M"), _Unsure(2)), Head("hat", ("no", "yes"), _Unsure(2)))
    held = {"gender": np.array([0, 1]), "hat": np.array([0, 2])}
    found = development_views(rows, heads, held, 1)
    assert found is not None
    # As they were found: a 0, a 1, b 0; filmed: a 0, twice a 1.
    assert found.targets["gender"].tolist() == [0, 1, UNKNOWN, 0, 1, 1]
    assert found.targets["hat"].tolist() == [0, UNKNOWN, 1, 0, UNKNOWN, UNKNOWN]
    np.testing.assert_allclose(found.weights, [2 / 3, 2 / 3, 1, 1 / 3, 1 / 6, 1 / 6])
    # A face that is in the table twice is not filmed more often, and held-out views do not count.
    twice = rows[np.array([0, 0, 3, 4])]
    held = {"gender": np.array([0, 1]), "hat": np.zeros(0, dtype=np.intp)}
    again = development_views(twice, heads, held, 1)
    assert again is not None and len(again.weights) == 3
    out = replace(twice, splits=np.array(["train", "train", "test", "test"], dtype=object))
    assert development_views(out, heads[:1], {"gender": held["gender"]}, 1) is None


def test_the_order_of_the_rows_does_not_count(table: FeatureTable, model: FittedModel) -> None:
    order = np.random.default_rng(3).permutation(len(table))
    place = np.argsort(order)
    moved = {"stripes": np.sort(place[model.development["stripes"]])}
    there, here = (
        development_views(each, model.heads, rows, 1)
        for each, rows in ((table[order], moved), (table, model.development))
    )
    assert there is not None and here is not None
    for each in (there, here):
        assert each.quality is not None
    pairs = [
        sorted(zip(each.probabilities["stripes"][:, 0].tolist(), each.weights, strict=True))
        for each in (there, here)
    ]
    np.testing.assert_allclose(pairs[0], pairs[1], atol=1e-6)


def test_the_same_seed_gives_the_same_file_and_the_card_says_on_what(
    table: FeatureTable, model: FittedModel, tmp_path: Path
) -> None:
    again = fit(table, FitSettings(classifier="logistic", filmed=False))
    assert again.files[CALIBRATION_FILE] == model.files[CALIBRATION_FILE]
    publish(tmp_path / "model", model, table)
    card = (tmp_path / "model" / "card.md").read_text()
    faces = len(model.development["stripes"])
    assert f"{faces} development faces, each as it is and filmed 2 times, decide it" in card
    assert "made up, 2400 faces (drawn)," in card and "--no-filmed" in card


def test_faces_that_are_filmed_are_fitted_on_and_the_card_says_so(
    table: FeatureTable, model: FittedModel, tmp_path: Path
) -> None:
    more = fit(table, FitSettings(classifier="logistic"))
    rows = [each.manifest.provenance["heads"]["stripes"]["fitted_rows"] for each in (model, more)]
    assert rows[1] == len(_VIEWS) * rows[0]
    publish(tmp_path / "model", more, table)
    assert "2400 faces, filmed too (drawn)" in (tmp_path / "model" / "card.md").read_text()


def test_neighbours_of_a_face_are_never_filmed(table: FeatureTable) -> None:
    fitted = fit(table, FitSettings(classifier="knn"))
    provenance = fitted.manifest.provenance
    count = (table.as_found & (table.splits == "train")).sum() - len(fitted.development["stripes"])
    assert provenance["heads"]["stripes"]["fitted_rows"] == count
    assert provenance["data"]["filmed"] is False


def test_without_filmed_faces_a_single_attribute_is_left_as_its_head_gives_it(
    table: FeatureTable,
) -> None:
    once = table[table.as_found]
    assert CALIBRATION_FILE not in fit(once, FitSettings(classifier="logistic")).files


def test_without_development_faces_nothing_is_calibrated(
    table: FeatureTable, model: FittedModel
) -> None:
    none = {"stripes": np.zeros(0, dtype=np.intp)}
    assert development_views(table, model.heads, none, 1) is None


def test_settings_of_before_are_read_without_what_is_no_more() -> None:
    record = {**FitSettings().record(), "pictures": "a/b", "layout": "fairface", "faces": "one"}
    assert FitSettings.from_record(record) == FitSettings()
    del record["filmed"]  # before faces were filmed
    assert FitSettings.from_record(record) == FitSettings(filmed=False)
    assert command_line(FitSettings(filmed=False)).endswith("--no-filmed")
