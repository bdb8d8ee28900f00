"""Fitting: every classifier, equal in ONNX, deterministic, calibrated, honest about its data."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from training_helpers import drawn_table, flagged_table, table_info, write_table

from models.classification.bundle import Bundle, load_bundle
from models.classification.classifier import Classifier
from models.classification.graph_check import check_graph
from models.networks.runtime import Session
from training.datasets.splits import SEED, hold_out_names
from training.errors import DatasetError, TrainingError
from training.evaluation.publish import check_folder, publish
from training.features.table import FeatureTable
from training.features.table_files import read_table
from training.fitting.classifiers import ClassifierName, Rows
from training.fitting.export import convert, export
from training.fitting.fit import FittedModel, _subsample, fit
from training.fitting.head import (
    KNN_MIN_PROBABILITY,
    MIN_PROBABILITY,
    Head,
    fit_inverse_temperature,
)
from training.fitting.settings import FitSettings, command_line
from training.fitting.tasks import Task, development_rows, plan_tasks


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> FeatureTable:
    return read_table(drawn_table(tmp_path_factory.mktemp("drawn") / "table.parquet"))


@pytest.fixture(scope="module")
def flagged(tmp_path_factory: pytest.TempPathFactory) -> FeatureTable:
    return read_table(flagged_table(tmp_path_factory.mktemp("flagged") / "table.parquet"))


def _check_same(fitted: FittedModel, table: FeatureTable) -> None:
    """ONNX and scikit-learn say the same of every row."""
    for head, (name, data) in zip(fitted.heads, fitted.files.items(), strict=True):
        assert name == f"{head.attribute.lower()}.onnx"
        check_graph(data)
        exported = Session(data, threads=1, device="cpu").run(table.embeddings)
        np.testing.assert_allclose(exported, head.probabilities(table.embeddings), atol=1e-4)
        np.testing.assert_allclose(exported.sum(axis=1), 1, atol=1e-5)
        assert exported.dtype == np.float32


def _accuracy(fitted: FittedModel, table: FeatureTable, attribute: str) -> float:
    bundle = Bundle(Path("model"), fitted.manifest, fitted.files)
    held = table[table.splits == "test"]
    for each in Classifier(bundle).predict(held.embeddings):
        if each.attribute == attribute:
            answers = np.array(each.classes, dtype=object)[each.probabilities.argmax(axis=1)]
            return float((answers == held.labels[attribute]).mean())
    raise AssertionError(attribute)


@pytest.mark.parametrize("name", get_args(ClassifierName))
def test_every_classifier_is_equal_in_onnx(name: ClassifierName, table: FeatureTable) -> None:
    fitted = fit(table, FitSettings(classifier=name))
    _check_same(fitted, table)
    assert [head.classes for head in fitted.heads] == [
        ("Female", "Male"),
        ("Black", "Indian", "White"),
    ]
    assert _accuracy(fitted, table, "gender") > 0.8


@pytest.mark.parametrize("name", get_args(ClassifierName))
def test_flags_are_fitted_together_and_read_as_classes(
    name: ClassifierName, flagged: FeatureTable
) -> None:
    fitted = fit(flagged, FitSettings(classifier=name))
    _check_same(fitted, flagged)
    classes = {head.attribute: head.classes for head in fitted.heads}
    assert classes["gender"] == ("Female", "Male")
    assert classes["race"] == ("White", "Black", "Asian")
    assert classes["Male"] == ("not Male", "Male")
    assert len({id(head.pipeline) for head in fitted.heads}) == 1
    assert _accuracy(fitted, flagged, "race") > 0.8
    assert _accuracy(fitted, flagged, "Asian") > 0.8


def test_race_is_the_strongest_flag(flagged: FeatureTable) -> None:
    fitted = fit(flagged, FitSettings(attributes=("race",), calibrate=False))
    (head,) = fitted.heads
    flags = head.pipeline.predict_proba(flagged.embeddings)
    assert flags.shape == (400, 3)
    expected = flags / flags.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(head.probabilities(flagged.embeddings), expected, atol=1e-4)


def test_one_flag_alone(flagged: FeatureTable) -> None:
    fitted = fit(flagged, FitSettings(attributes=("gender",)))
    _check_same(fitted, flagged)
    assert _accuracy(fitted, flagged, "gender") > 0.8


def test_the_same_seed_gives_the_same_bytes(table: FeatureTable) -> None:
    settings = FitSettings(attributes=("race",))
    assert fit(table, settings).files == fit(table, settings).files
    other = fit(table, replace(settings, seed=1)).files
    assert other != fit(table, settings).files


def test_rows_held_out_are_never_looked_at(table: FeatureTable) -> None:
    settings = FitSettings(attributes=("gender",))
    changed = replace(table, embeddings=table.embeddings.copy())
    changed.embeddings[table.splits == "test"] = 1e3
    assert fit(changed, settings).files == fit(table, settings).files


def test_mirrored_rows_are_fitted_on_unless_told_not_to(table: FeatureTable) -> None:
    mirrored = replace(table, mirrored=np.arange(len(table)) % 2 == 1)
    fitted = [
        fit(mirrored, FitSettings(attributes=("gender",), mirror=mirror)).manifest.provenance
        for mirror in (True, False)
    ]
    rows = [each["heads"]["gender"]["fitted_rows"] for each in fitted]
    assert rows[1] < rows[0]
    assert [each["data"]["mirrored"] for each in fitted] == [True, False]


@pytest.mark.parametrize("name", ["mlp", "logistic", "forest"])
def test_class_weights_raise_the_probability_of_the_rare_class(
    name: ClassifierName, table: FeatureTable
) -> None:
    random = np.random.default_rng(0)
    rare = (table.labels["gender"] == "Female") & (random.random(len(table)) < 0.8)
    unbalanced = table[~rare]
    means = []
    for balanced in (False, True):
        settings = FitSettings(
            attributes=("gender",), classifier=name, balanced=balanced, calibrate=False
        )
        (head,) = fit(unbalanced, settings).heads
        means.append(float(head.probabilities(unbalanced.embeddings)[:, 0].mean()))
    assert head.classes[0] == "Female"
    assert means[1] > means[0] + 0.005


def test_class_weights_are_refused_where_a_classifier_takes_none(table: FeatureTable) -> None:
    with pytest.raises(DatasetError, match="knn takes no class weights"):
        fit(table, FitSettings(classifier="knn", balanced=True))


def test_class_weights_of_flags_are_refused_where_they_cannot_be(flagged: FeatureTable) -> None:
    with pytest.raises(DatasetError, match="takes no class weights: choose logistic"):
        fit(flagged, FitSettings(balanced=True))
    _check_same(fit(flagged, FitSettings(classifier="logistic", balanced=True)), flagged)


def test_search_keeps_what_is_best_on_the_development_rows(table: FeatureTable) -> None:
    settings = FitSettings(attributes=("gender",), classifier="logistic", search=True)
    record = fit(table, settings).manifest.provenance["heads"]["gender"]
    best = min(record["tried"], key=lambda each: each["loss"])
    assert len(record["tried"]) == 4
    assert record["options"] == {"classifier": "logistic", "C": best["C"]}


def test_auto_takes_the_classifier_that_is_best_on_the_development_rows(
    table: FeatureTable,
) -> None:
    settings = FitSettings(attributes=("gender",), classifier="auto")
    record = fit(table, settings).manifest.provenance["heads"]["gender"]
    losses = {each["classifier"]: each["loss"] for each in record["tried"]}
    assert losses.keys() == {"mlp", "logistic"}
    assert record["options"]["classifier"] == min(losses, key=losses.__getitem__)


def test_calibration_lowers_the_loss_on_rows_not_fitted_on(
    tmp_path: Path, table: FeatureTable
) -> None:
    held = table[table.splits == "test"]
    truth = (held.labels["gender"] == "Male").astype(int)
    losses = []
    big = read_table(drawn_table(tmp_path / "big.parquet", 1200))
    for calibrate in (False, True):
        settings = FitSettings(attributes=("gender",), classifier="forest", calibrate=calibrate)
        (head,) = fit(big, settings).heads
        losses.append(log_loss(truth, head.probabilities(held.embeddings)))
    assert losses[1] < losses[0]


class _Liar(LogisticRegression):
    """Says the contrary of the first `wrong` rows; its ONNX does not."""

    def __init__(self, wrong: int) -> None:
        super().__init__()
        self.wrong = wrong

    def predict_proba(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        found = super().predict_proba(X).copy()
        found[: self.wrong] = found[: self.wrong, ::-1]
        return found


@pytest.mark.parametrize(("wrong", "written"), [(0, True), (1, True), (2, False), (1000, False)])
def test_an_export_that_differs_is_not_written(wrong: int, written: bool) -> None:
    """One row of a thousand may be a draw that is decided otherwise."""
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes
    from skl2onnx.operator_converters.linear_classifier import convert_sklearn_linear_classifier

    update_registered_converter(
        _Liar,
        "Liar",
        calculate_linear_classifier_output_shapes,
        convert_sklearn_linear_classifier,
        options={"zipmap": [True, False, "columns"], "nocl": [True, False], "raw_scores": [False]},
    )
    random = np.random.default_rng(0)
    embeddings = random.normal(size=(1000, 128)).astype(np.float32)
    embeddings[:2] += 1  # neither of them is in doubt
    targets = (embeddings.sum(axis=1) > 0).astype(int)
    pipeline = make_pipeline(_Liar(wrong).fit(embeddings, targets))
    head = Head("gender", ("Female", "Male"), pipeline)
    converted = convert(pipeline, embeddings)
    if written:
        assert export(head, converted, embeddings)
        return
    said = f"gender differs from scikit-learn's by up to .* on {wrong} of 1000 faces"
    with pytest.raises(TrainingError, match=said):
        export(head, converted, embeddings)


def test_an_attribute_that_does_not_exist(table: FeatureTable) -> None:
    with pytest.raises(DatasetError, match="no label column 'hair'; the table has gender, race"):
        fit(table, FitSettings(attributes=("hair",)))


def test_an_attribute_of_one_class_is_refused(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    embeddings = random.normal(size=(8, 128)).astype(np.float32)
    path = write_table(tmp_path / "t.parquet", table_info(("hat",)), embeddings, [("yes",)] * 8)
    with pytest.raises(DatasetError, match="only 'yes' for hat: two classes are needed"):
        fit(read_table(path), FitSettings())


def test_a_class_of_one_row_is_a_class_of_its_head(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    embeddings = random.normal(size=(80, 128)).astype(np.float32)
    labels = [("rare",) if number == 3 else ("usual",) for number in range(80)]
    table = read_table(
        write_table(tmp_path / "t.parquet", table_info(("kind",)), embeddings, labels)
    )
    train = table.files[table.splits == "train"].tolist()
    seed = next(
        seed for seed in range(1000) if hold_out_names(train, 0.1, seed)[train.index("3.jpg")]
    )
    (head,) = fit(table, FitSettings(classifier="logistic", seed=seed)).heads
    assert head.classes == ("rare", "usual")


def _development(table: FeatureTable, seed: int = SEED) -> tuple[NDArray[np.intp], Task]:
    """Rows of the table which nothing of its only attribute is fitted on."""
    train = np.flatnonzero(table.splits == "train")
    (task,) = plan_tasks(table, train, tuple(table.labels))
    return task.rows[development_rows(table, task, seed)], task


def _gender_only(table: FeatureTable) -> FeatureTable:
    return replace(table, labels={"gender": table.labels["gender"]})


def test_a_head_is_as_sure_as_it_is_right_on_rows_it_was_not_fitted_on(tmp_path: Path) -> None:
    table = _gender_only(read_table(drawn_table(tmp_path / "t.parquet", 1200)))
    held, _ = _development(table)
    assert 50 <= len(held) < 150
    (head,) = fit(table, FitSettings(classifier="logistic")).heads
    targets = (table.labels["gender"][held] == "Male").astype(np.int64)
    assert head.inverse_temperature == fit_inverse_temperature(
        head.uncalibrated(table.embeddings[held]), targets, head.min_probability
    )
    assert head.inverse_temperature != 1
    (raw,) = fit(table, FitSettings(classifier="logistic", calibrate=False)).heads
    assert raw.inverse_temperature == 1


@pytest.mark.parametrize(("count", "calibrated"), [(49, False), (50, True)])
def test_fifty_rows_are_enough_to_calibrate(count: int, calibrated: bool, tmp_path: Path) -> None:
    table = _gender_only(read_table(drawn_table(tmp_path / "t.parquet", 1200)))
    held, _ = _development(table)
    known = table.labels["gender"].copy()
    known[held[count:]] = None
    fewer = replace(table, labels={"gender": known})
    # Which rows are drawn does not depend on the others.
    assert np.array_equal(_development(fewer)[0], held[:count])
    fitted = fit(fewer, FitSettings(classifier="forest"))
    (head,), record = fitted.heads, fitted.manifest.provenance["heads"]["gender"]
    assert (head.inverse_temperature != 1) == calibrated
    assert record["development_rows"] == count
    assert record["inverse_temperature"] == round(head.inverse_temperature, 4)


def _with_mirrored(table: FeatureTable) -> FeatureTable:
    """Each face a second time, a little otherwise."""
    rows = np.repeat(np.arange(len(table)), 2)
    doubled = table[rows]
    mirrored = np.arange(len(rows)) % 2 == 1
    noise = np.random.default_rng(5).normal(size=doubled.embeddings.shape).astype(np.float32)
    embeddings = doubled.embeddings + 0.1 * noise * mirrored[:, None]
    return replace(doubled, mirrored=mirrored, embeddings=embeddings)


def test_mirrored_faces_do_not_decide(tmp_path: Path) -> None:
    """When to stop, which setting is best and how sure a head is: by the faces as they are."""
    table = _with_mirrored(_gender_only(read_table(drawn_table(tmp_path / "t.parquet", 1200))))
    held, _ = _development(table)
    changed = replace(table, embeddings=table.embeddings.copy())
    changed.embeddings[held[table.mirrored[held]]] = 7.0
    settings = FitSettings()
    first, second = fit(table, settings), fit(changed, settings)
    assert first.files == second.files
    record = first.manifest.provenance["heads"]["gender"]
    assert record == second.manifest.provenance["heads"]["gender"]
    assert record["development_rows"] == (~table.mirrored[held]).sum()
    assert record["fitted_rows"] == 2 * (900 - record["development_rows"])
    assert first.manifest.provenance["data"]["train_faces"] == 900


def test_one_person_alone_is_fitted_on(tmp_path: Path) -> None:
    """There are no development rows, so the rows fitted on say when to stop."""
    table = _gender_only(read_table(drawn_table(tmp_path / "t.parquet", 400)))
    alone = replace(table, identities=np.array(["ann"] * 400, dtype=object))
    fitted = fit(alone, FitSettings(allow_leak=True))
    record = fitted.manifest.provenance["heads"]["gender"]
    assert (record["fitted_rows"], record["development_rows"]) == (300, 0)
    assert fitted.heads[0].inverse_temperature == 1
    assert _accuracy(fitted, alone, "gender") > 0.8


def test_no_class_is_impossible_for_a_neighbour_s_head(table: FeatureTable) -> None:
    for name, min_probability in (("knn", KNN_MIN_PROBABILITY), ("logistic", MIN_PROBABILITY)):
        settings = FitSettings(attributes=("race",), classifier=name)  # type: ignore[arg-type]
        (head,) = fit(table, settings).heads
        assert head.min_probability == min_probability


def test_of_too_many_rows_some_are_drawn_from_all(table: FeatureTable) -> None:
    rows = Rows(np.arange(1000, dtype=np.float32)[:, None], np.zeros(1000, dtype=np.int64))
    assert _subsample(rows, None, 0) is rows
    assert _subsample(rows, 1000, 0) is rows
    drawn_rows = _subsample(rows, 100, 0)
    numbers = drawn_rows.embeddings[:, 0].tolist()
    assert len(set(numbers)) == 100
    assert numbers == sorted(numbers), "their order stays"
    assert max(numbers) > 900
    assert _subsample(rows, 100, 1).embeddings.tolist() != drawn_rows.embeddings.tolist()


def test_a_published_folder_is_a_model_with_a_card(table: FeatureTable, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    settings = FitSettings(classifier="logistic", balanced=True, seed=3)
    report = publish(folder, fit(table, settings), table)
    bundle = load_bundle(folder)
    assert list(Classifier(bundle).classes) == ["gender", "race"]
    provenance = bundle.manifest.provenance
    assert provenance["settings"]["classifier"] == "logistic"
    assert (report["data"]["split"], report["data"]["faces"]) == ("test", 150)
    assert provenance["data"]["sha256"] == table.digest()
    assert {"python", "scikit-learn", "skl2onnx"} <= provenance["versions"].keys()
    assert FitSettings.from_record(provenance["settings"]) == settings
    text = bundle.files["card.md"].decode()
    assert f"{report['attributes']['race']['accuracy']['value']:.3f}" in text
    assert "Accuracy of gender by race × gender" in text
    assert "identifying or recognising anybody" in text
    assert command_line(settings) in text
    assert str(tmp_path) not in text + (folder / "manifest.json").read_text()
    before = {each.name: each.read_bytes() for each in folder.iterdir()}
    publish(folder, fit(table, settings), table)
    assert {each.name: each.read_bytes() for each in folder.iterdir()} == before


def test_a_folder_of_something_else_is_not_overwritten(tmp_path: Path) -> None:
    from models.errors import ModelError

    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ModelError, match="is not a model folder: name another"):
        check_folder(tmp_path)
