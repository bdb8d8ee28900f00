"""Figures, reports and cards: against scikit-learn where it has the same, and where it matters."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score
from training_helpers import drawn_table

from models.bundle import Bundle, load_bundle
from models.classifier import Classifier, Prediction
from training.card import card
from training.commands.console import parse_map
from training.errors import DatasetError, OutputError
from training.evaluate import evaluate, read_race_groups
from training.figures import (
    attribute_figures,
    coverage,
    expected_calibration_error,
    with_interval,
)
from training.fit import FitSettings, fit
from training.publish import write_card
from training.report import render, write_report
from training.table import FeatureTable, Labels
from training.table_files import read_table

CLASSES = ("a", "b", "c")


def _column(*values: str | None) -> Labels:
    return np.array(values, dtype=object)


def _prediction(count: int, seed: int = 0) -> tuple[Prediction, Labels]:
    """Probabilities, and a truth that follows them: what is well calibrated."""
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet([1, 1, 1], size=count).astype(np.float32)
    truth = (probabilities.cumsum(axis=1) < random.random((count, 1))).sum(axis=1).clip(0, 2)
    return Prediction("kind", CLASSES, probabilities), np.array(CLASSES, dtype=object)[truth]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> FeatureTable:
    return read_table(drawn_table(tmp_path_factory.mktemp("drawn") / "t.parquet", 1200))


@pytest.fixture(scope="module")
def bundle(table: FeatureTable) -> Bundle:
    fitted = fit(table, FitSettings(classifier="logistic"))
    return Bundle(Path("model"), fitted.manifest, fitted.files)


def test_figures_are_those_of_scikit_learn() -> None:
    prediction, truth = _prediction(500)
    figures = attribute_figures(prediction, truth, {}, 0)
    numbers = np.array([CLASSES.index(each) for each in truth])
    chosen = prediction.probabilities.argmax(axis=1)
    assert figures["accuracy"]["value"] == pytest.approx(accuracy_score(numbers, chosen))
    expected = balanced_accuracy_score(numbers, chosen)
    assert figures["balanced_accuracy"] == pytest.approx(expected)
    expected = roc_auc_score(numbers, prediction.probabilities, multi_class="ovr")
    assert figures["roc_auc"] == pytest.approx(expected)
    assert np.sum(figures["confusion"]) == 500
    assert figures["recall"]["b"]["rows"] == (truth == "b").sum()


def test_a_class_that_does_not_occur_has_no_recall() -> None:
    prediction, truth = _prediction(200)
    there = truth != "c"
    shown = Prediction("kind", CLASSES, prediction.probabilities[there])
    figures = attribute_figures(shown, truth[there], {}, 0)
    assert figures["recall"]["c"] == {"rows": 0, "small": True, "value": None}
    assert figures["roc_auc"] is not None
    lone = truth == "a"
    one_class = Prediction("kind", CLASSES, prediction.probabilities[lone])
    assert attribute_figures(one_class, truth[lone], {}, 0)["roc_auc"] is None


def test_groups_their_sizes_and_the_gap_between_them() -> None:
    probabilities = np.tile(np.array([[0.9, 0.1]], dtype=np.float32), (220, 1))
    truth = _column(*["a"] * 100, *["a"] * 50, *["b"] * 50, *["b"] * 10, *["a"] * 10)
    group = _column(*["x"] * 100, *["y"] * 100, *["z"] * 10, *[None] * 10)
    prediction = Prediction("kind", ("a", "b"), probabilities)
    figures = attribute_figures(prediction, truth, {"place": group}, 0)
    (grouping,) = figures["by_group"]
    values = {name: each["value"] for name, each in grouping["groups"].items()}
    assert values == {"x": 1.0, "y": 0.5, "z": 0.0}
    assert [each["rows"] for each in grouping["groups"].values()] == [100, 100, 10]
    assert [each["small"] for each in grouping["groups"].values()] == [False, False, True]
    assert grouping["gap"] == {"value": 0.5, "best": "x", "worst": "y"}
    assert figures["largest_gap"] == {"by": "place", "value": 0.5, "best": "x", "worst": "y"}


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    covered = 0
    for seed in range(400):
        interval = with_interval(random.random(300) < 0.8, seed)
        covered += interval["low"] <= 0.8 <= interval["high"]
    assert 0.92 < covered / 400 < 0.98


def test_honest_confidence_has_no_calibration_error() -> None:
    prediction, truth = _prediction(20_000)
    right = prediction.probabilities.argmax(axis=1) == [CLASSES.index(each) for each in truth]
    confidence = prediction.probabilities.max(axis=1)
    assert expected_calibration_error(confidence, right) < 0.02
    boastful: NDArray[np.float32] = np.full(20_000, 0.999, dtype=np.float32)
    expected = 0.999 - right.mean()
    assert expected_calibration_error(boastful, right) == pytest.approx(expected, abs=1e-4)


def test_coverage_falls_as_accuracy_rises() -> None:
    prediction, truth = _prediction(5000)
    right = prediction.probabilities.argmax(axis=1) == [CLASSES.index(each) for each in truth]
    steps = coverage(prediction.probabilities.max(axis=1), right)
    assert steps[0]["coverage"] == 1
    shares = [each["coverage"] for each in steps]
    assert shares == sorted(shares, reverse=True)
    assert steps[16]["min_confidence"] == 0.8
    assert steps[16]["accuracy"] > steps[0]["accuracy"] + 0.1


def test_only_the_rows_asked_for_count(bundle: Bundle, table: FeatureTable) -> None:
    for split, count in (("test", 300), ("train", 900), (None, 1200)):
        report = evaluate(bundle, table, split=split)
        assert report["data"]["faces"] == count
    mirrored = replace(table, mirrored=np.arange(1200) % 2 == 1)
    assert evaluate(bundle, mirrored, split=None)["data"]["faces"] == 600
    with pytest.raises(DatasetError, match="no faces of the split 'test'"):
        evaluate(bundle, table[table.splits == "train"])


def test_each_attribute_within_each_group_of_the_others(
    bundle: Bundle, table: FeatureTable
) -> None:
    attributes = evaluate(bundle, table)["attributes"]
    by = {name: [each["by"] for each in a["by_group"]] for name, a in attributes.items()}
    assert by == {"gender": ["race", "race × gender"], "race": ["gender", "race × gender"]}
    crossed = attributes["gender"]["by_group"][1]["groups"]
    assert next(iter(crossed)) == "Black, Female"
    assert sum(each["rows"] for each in crossed.values()) == 300


def test_a_report_is_the_same_for_a_seed(bundle: Bundle, table: FeatureTable) -> None:
    report = evaluate(bundle, table)
    assert report == evaluate(bundle, table)
    assert report != evaluate(bundle, table, seed=1)
    assert render(report) == render(report)


def test_merged_classes_add_their_probabilities(bundle: Bundle, table: FeatureTable) -> None:
    report = evaluate(bundle, table, groups={"race": {"Brown": ("Black", "Indian")}})
    race = report["attributes"]["race"]
    held = table[table.splits == "test"]
    (raw,) = (p for p in Classifier(bundle).predict(held.embeddings) if p.attribute == "race")
    white = raw.probabilities[:, raw.classes.index("White")] > 0.5
    assert race["classes"] == ["Brown", "White"]
    assert race["accuracy"]["value"] == ((held.labels["race"] == "White") == white).mean()


def test_foreign_classes_are_refused_until_they_are_mapped(
    bundle: Bundle, table: FeatureTable
) -> None:
    renamed = {"Black": "black", "Indian": "indian", "White": "white"}
    race = np.array([renamed[each] for each in table.labels["race"]], dtype=object)
    foreign = replace(table, labels={"race": race})
    with pytest.raises(DatasetError, match="has 'black', 'indian', 'white', which the model does"):
        evaluate(bundle, foreign)
    back = {theirs: ours for ours, theirs in renamed.items()}
    mapped = evaluate(bundle, foreign, names={"race": back})["attributes"]["race"]
    expected = evaluate(bundle, table)["attributes"]["race"]
    assert mapped["confusion"] == expected["confusion"]
    left_out = evaluate(bundle, foreign, names={"race": {**back, "white": None}})
    assert left_out["attributes"]["race"]["recall"]["White"]["rows"] == 0


def test_features_of_another_embedder_are_refused(bundle: Bundle, table: FeatureTable) -> None:
    other = replace(table, info=replace(table.info, embedder="other-net"))
    with pytest.raises(DatasetError, match="of other-net, the model is fitted on dlib-resnet-v1"):
        evaluate(bundle, other)


def test_maps_are_parsed() -> None:
    names = parse_map(["race:Asian=East Asian, Others=", "gender:m=Male"])
    assert names == {"race": {"Asian": "East Asian", "Others": None}, "gender": {"m": "Male"}}


def test_groups_of_the_shipped_configuration_can_be_read(tmp_path: Path) -> None:
    assert read_race_groups(Path(__file__).parents[1] / "config.toml") == {}
    path = tmp_path / "c.toml"
    path.write_text('[labels]\nrace_groups = { Asian = "East Asian" }\n')
    with pytest.raises(DatasetError, match="race_groups should read like"):
        read_race_groups(path)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_stands_alone(bundle: Bundle, table: FeatureTable, tmp_path: Path) -> None:
    report = evaluate(bundle, table)
    write_report(tmp_path, report)
    assert json.loads((tmp_path / "report.json").read_text()) == report
    page = _Page()
    page.feed((tmp_path / "report.html").read_text())
    assert not page.tags & {"script", "link", "iframe"}
    assert all(each.startswith(("data:image/svg+xml;base64,", "#")) for each in page.addresses)
    assert sum(each.startswith("data:") for each in page.addresses) == 2 * (3 + 2)


def test_a_report_that_cannot_be_written(
    bundle: Bundle, table: FeatureTable, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        write_report(tmp_path / "file", evaluate(bundle, table))


def test_names_in_a_page_are_escaped(bundle: Bundle, table: FeatureTable) -> None:
    info = replace(table.info, dataset="<script>alert(1)</script>")
    page = render(evaluate(bundle, replace(table, info=info)))
    assert "<script>" not in page


def test_a_card_says_what_it_is_not_for(bundle: Bundle, table: FeatureTable) -> None:
    report = evaluate(bundle, table)
    text = card(report, bundle.manifest.provenance)
    gap = report["attributes"]["gender"]["largest_gap"]
    assert f"Largest gap of gender between groups: {gap['value']:.3f}" in text
    for word in ("surveillance", "perceived", "decisions about people", "face-train fit"):
        assert word in text


def test_the_shipped_model_is_whole_and_says_where_it_comes_from() -> None:
    bundle = load_bundle(Path(__file__).parents[1] / "models" / "default")
    heads = {each.attribute: len(each.classes) for each in bundle.manifest.attributes}
    assert heads == {"gender": 2, "race": 7, "age": 9}
    text = bundle.files["card.md"].decode()
    for phrase in ("CC BY 4.0", "Kärkkäinen", "Joo", "WACV 2021", "race × gender", "first:5000"):
        assert phrase in text
    manifest = (bundle.folder / "manifest.json").read_text()
    assert "/work" not in manifest + text and "/home" not in manifest + text
    assert json.loads(manifest)["provenance"]["data"]["train_faces"] == 35_000


def test_the_card_of_a_saved_model_is_written_anew(
    bundle: Bundle, table: FeatureTable, tmp_path: Path
) -> None:
    from training.publish import publish

    fitted = fit(table, FitSettings(classifier="logistic"))
    publish(tmp_path / "model", fitted, table)
    saved = load_bundle(tmp_path / "model")
    write_card(saved, evaluate(saved, table, split="train"))
    again = load_bundle(tmp_path / "model")
    assert again.files["card.md"] != saved.files["card.md"]
    assert again.files["race.onnx"] == saved.files["race.onnx"]
