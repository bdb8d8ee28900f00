"""How many faces get a word with coarser ones, beside the rule of the stream."""

from dataclasses import replace

import numpy as np
import pytest

from models.classification.bundle import Bundle
from models.classification.classifier import Prediction
from stream.labelling.label_rule import LabelRule
from training.evaluation.card import card
from training.evaluation.coarser_words import coarser_coverage
from training.evaluation.evaluate import evaluate
from training.features.table import FeatureTable

_CLASSES = ("0-9", "10-19", "20-29", "30-39")
_WORDS = {
    "child": ("0-9", "10-19"),
    "under 30": ("0-9", "10-19", "20-29"),
    "young": ("10-19", "20-29"),
}


def test_a_coarser_word_counts_where_no_class_is_sure() -> None:
    """Sure of a class; of a word for two; of one for three alone; of none. The second is wrong."""
    probabilities = [
        [0.9, 0.1, 0.0, 0.0],
        [0.45, 0.45, 0.05, 0.05],
        [0.3, 0.3, 0.25, 0.15],
        [0.25, 0.25, 0.25, 0.25],
    ]
    prediction = Prediction("age", _CLASSES, np.array(probabilities, dtype=np.float32))
    truth = np.array(["0-9", "20-29", "20-29", "0-9"], dtype=object)
    (step,) = (
        each
        for each in coarser_coverage(prediction, truth, _WORDS)
        if each["min_confidence"] == 0.8
    )
    assert (step["coverage"], step["rows"]) == (0.75, 3)
    assert step["accuracy"] == pytest.approx(2 / 3)


def test_the_words_are_those_of_the_stream() -> None:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.full(4, 0.7), 300).astype(np.float32)
    prediction = Prediction("age", _CLASSES, probabilities)
    truth = np.array(_CLASSES, dtype=object)[random.integers(0, 4, 300)]
    for step in coarser_coverage(prediction, truth, _WORDS):
        rule = LabelRule(step["min_confidence"], {}, _WORDS)
        shown = [
            rule.label(Prediction("age", _CLASSES, probabilities[face : face + 1]), None).text
            for face in range(300)
        ]
        right = [
            true in _WORDS.get(word, (word,))
            for word, true in zip(shown, truth, strict=True)
            if word is not None
        ]
        assert step["rows"] == len(right)
        if right:
            assert step["accuracy"] == pytest.approx(np.mean(right))


def test_report_and_card_say_what_coarser_words_buy(
    drawn_model: Bundle, drawn_faces: FeatureTable
) -> None:
    tree = {"race": {"not White": ("Black", "Indian")}}
    manifest = drawn_model.manifest.model_copy(update={"tree": tree})
    report = evaluate(replace(drawn_model, manifest=manifest), drawn_faces)
    race, gender = report["attributes"]["race"], report["attributes"]["gender"]
    assert "coarser_coverage" not in gender
    pairs = list(zip(race["coverage"], race["coarser_coverage"], strict=True))
    assert all(coarse["coverage"] >= plain["coverage"] for plain, coarse in pairs)
    assert any(coarse["coverage"] > plain["coverage"] for plain, coarse in pairs)
    assert "faces with a word" in card(report, manifest.provenance)
    groups = {"race": {"not White": ("Black", "Indian")}}
    merged = evaluate(replace(drawn_model, manifest=manifest), drawn_faces, groups=groups)
    assert "coarser_coverage" not in merged["attributes"]["race"], "the user's merging wins"
    assert "faces with a word" not in card(merged, manifest.provenance)


_RECORD = {
    "faces": {"fitted": 900, "development": 100},
    "data": {"dataset": "drawn"},
    "best": {"epoch": 3.0},
    "attributes": ["race"],
    "start": None,
    "settings": {},
    "epochs": 4,
    "hours": 2.0,
    "hardware": "2 CPU cores",
    "commands": ["face-train finetune drawn --out tuned --partner efficientnet-lite0"],
}


def test_the_card_says_what_a_partner_is(drawn_model: Bundle, drawn_faces: FeatureTable) -> None:
    record = {**_RECORD, "settings": {"partner": "efficientnet-lite0"}}
    provenance = {**drawn_model.manifest.provenance, "embedder": record}
    report = evaluate(drawn_model, drawn_faces)
    text = card(report, provenance)
    assert "`efficientnet-lite0`, learned beside it and is a part of the graph" in text
    assert "carries the Apache License 2.0" in text
    record["settings"] = {"partner": None}
    assert "efficientnet-lite0`" not in card(report, provenance)


def test_the_card_says_who_taught(drawn_model: Bundle, drawn_faces: FeatureTable) -> None:
    record = dict(_RECORD)
    provenance = {**drawn_model.manifest.provenance, "embedder": record}
    report = evaluate(drawn_model, drawn_faces)
    assert "targets" not in card(report, provenance)
    record["settings"] = {"teachers": 2}  # of an embedder that was trained before
    assert "  2 networks were trained before it;" in card(report, provenance)
    record["settings"] = {"teacher_share": 0.6}
    record["teachers"] = [{"folder": f"models/{name}", "digest": ""} for name in ("a", "b")]
    text = card(report, provenance)
    assert "by 60% what other models say of each face, `models/a`, `models/b`;" in text
