"""Figures, reports and cards: against scikit-learn where it has the same, and where it matters."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from training_helpers import flagged_table

from models.classification.bundle import Bundle, load_bundle
from models.classification.classifier import Classifier
from models.detection.names import NO_DETECTOR, found_by
from models.program.printable import printable
from training.commands.console import parse_map
from training.errors import DatasetError, OutputError
from training.evaluation.card import card
from training.evaluation.class_groups import read_groups
from training.evaluation.correction import measure_correction
from training.evaluation.evaluate import compare, evaluate
from training.evaluation.plots import group_accuracies
from training.evaluation.publish import write_card
from training.evaluation.report import render, write_report
from training.features.progress import ProgressCallback
from training.features.table import FeatureTable
from training.features.table_files import read_table
from training.fitting.fit import fit
from training.fitting.settings import FitSettings


def test_only_the_rows_asked_for_count(drawn_model: Bundle, drawn_faces: FeatureTable) -> None:
    for split, count in (("test", 300), ("train", 900), (None, 1200)):
        report = evaluate(drawn_model, drawn_faces, split=split)
        assert report["data"]["faces"] == count
    mirrored = replace(drawn_faces, mirrored=np.arange(1200) % 2 == 1)
    assert evaluate(drawn_model, mirrored, split=None)["data"]["faces"] == 600
    with pytest.raises(DatasetError, match="no faces of the split 'test'"):
        evaluate(drawn_model, drawn_faces[drawn_faces.splits == "train"])


def test_each_attribute_within_each_group_of_the_others(
    drawn_model: Bundle, drawn_faces: FeatureTable
) -> None:
    attributes = evaluate(drawn_model, drawn_faces)["attributes"]
    by = {name: [each["by"] for each in a["by_group"]] for name, a in attributes.items()}
    assert by == {"gender": ["race", "race × gender"], "race": ["gender", "race × gender"]}
    crossed = attributes["gender"]["by_group"][1]["groups"]
    assert next(iter(crossed)) == "Black, Female"
    assert sum(each["rows"] for each in crossed.values()) == 300


@pytest.mark.parametrize(("values", "grouped"), [(20, True), (21, False)])
def test_a_column_of_more_than_twenty_values_makes_no_group(
    values: int, grouped: bool, drawn_model: Bundle, drawn_faces: FeatureTable
) -> None:
    numbers = np.arange(len(drawn_faces)) // 4  # every fourth row is held out
    streets = [None if each % 13 == 0 else f"street {each % values}" for each in numbers]
    assert len(set(streets) - {None}) == values
    labels = {**drawn_faces.labels, "street": np.array(streets, dtype=object)}
    report = evaluate(drawn_model, replace(drawn_faces, labels=labels))
    groups = {each["by"] for each in report["attributes"]["gender"]["by_group"]}
    assert groups == {"race", "race × gender"} | ({"street"} if grouped else set())


def test_faces_without_a_label_are_left_out_of_its_figures(
    drawn_model: Bundle, drawn_faces: FeatureTable
) -> None:
    race = drawn_faces.labels["race"].copy()
    held = np.flatnonzero(drawn_faces.splits == "test")
    race[held[:100]] = None
    attributes = evaluate(
        drawn_model, replace(drawn_faces, labels={**drawn_faces.labels, "race": race})
    )["attributes"]
    assert (attributes["gender"]["rows"], attributes["race"]["rows"]) == (300, 200)
    for grouping in attributes["gender"]["by_group"]:
        assert sum(each["rows"] for each in grouping["groups"].values()) == 200


def test_flags_of_which_a_label_is_read_make_no_groups(tmp_path: Path) -> None:
    flagged = read_table(flagged_table(tmp_path / "flagged.parquet"))
    fitted = fit(flagged, FitSettings(classifier="logistic", attributes=("gender",)))
    report = evaluate(Bundle(Path("model"), fitted.manifest, fitted.files), flagged)
    by_group = report["attributes"]["gender"]["by_group"]
    assert [each["by"] for each in by_group] == ["race", "race × gender"]
    fitted = fit(flagged, FitSettings(classifier="logistic"))
    report = evaluate(Bundle(Path("model"), fitted.manifest, fitted.files), flagged)
    assert len(report["attributes"]) == 6
    for name, figures in report["attributes"].items():
        groups = [each["by"] for each in figures["by_group"]]
        assert groups == [each for each in ("gender", "race") if each != name] + ["race × gender"]


def test_of_many_labels_the_first_make_groups_and_the_report_says_so(
    drawn_model: Bundle, drawn_faces: FeatureTable
) -> None:
    """Each label within each other one would be thousands, as of LFWA+'s 73 attributes."""
    halves = np.array(["left", "right"] * (len(drawn_faces) // 2), dtype=object)
    many = {f"label {number}": halves for number in range(40)}
    report = evaluate(drawn_model, replace(drawn_faces, labels={**drawn_faces.labels, **many}))
    for figures in report["attributes"].values():
        assert len(figures["by_group"]) == 7 + 1
    assert "groups of gender, race, label 0" in report["cautions"][-1]
    assert "of 42 labels" in report["cautions"][-1]


def test_classes_are_renamed_before_they_are_merged(
    drawn_model: Bundle, drawn_faces: FeatureTable
) -> None:
    theirs = {"Black": "noir", "Indian": "indien", "White": "blanc"}
    race = np.array([theirs[each] for each in drawn_faces.labels["race"]], dtype=object)
    groups = {"race": {"Brown": ("Black", "Indian")}}
    names = {"race": {name: ours for ours, name in theirs.items()}}
    found = evaluate(
        drawn_model, replace(drawn_faces, labels={"race": race}), names=names, groups=groups
    )
    expected = evaluate(drawn_model, drawn_faces, groups=groups)
    for each in ("classes", "confusion"):
        assert found["attributes"]["race"][each] == expected["attributes"]["race"][each]


@pytest.mark.parametrize("theirs", [" Black", "Black\n", "Bl\u202eack", "a,b=c\td"])
def test_a_class_is_mapped_by_the_name_that_messages_show(
    theirs: str, drawn_model: Bundle, drawn_faces: FeatureTable
) -> None:
    race = np.array(
        [theirs if each == "Black" else each for each in drawn_faces.labels["race"]], dtype=object
    )
    renamed = replace(drawn_faces, labels={"race": race})
    with pytest.raises(DatasetError) as caught:
        evaluate(drawn_model, renamed)
    shown = printable(str(caught.value))
    named = shown.partition("--map '")[2].rpartition("=")[0]
    assert named, shown
    report = evaluate(drawn_model, renamed, names=parse_map([f"{named}=Black"]))
    expected = evaluate(drawn_model, drawn_faces)["attributes"]["race"]
    assert report["attributes"]["race"]["confusion"] == expected["confusion"]


def test_a_report_is_always_the_same(drawn_model: Bundle, drawn_faces: FeatureTable) -> None:
    report = evaluate(drawn_model, drawn_faces)
    assert report == evaluate(drawn_model, drawn_faces)
    assert render(report) == render(report)


def test_merged_classes_add_their_probabilities(
    drawn_model: Bundle, drawn_faces: FeatureTable
) -> None:
    report = evaluate(drawn_model, drawn_faces, groups={"race": {"Brown": ("Black", "Indian")}})
    race = report["attributes"]["race"]
    held = drawn_faces[drawn_faces.splits == "test"]
    (raw,) = (p for p in Classifier(drawn_model).predict(held.embeddings) if p.attribute == "race")
    white = raw.probabilities[:, raw.classes.index("White")] > 0.5
    assert race["classes"] == ["Brown", "White"]
    assert race["accuracy"]["value"] == ((held.labels["race"] == "White") == white).mean()


def test_foreign_classes_are_refused_until_they_are_mapped(
    drawn_model: Bundle, drawn_faces: FeatureTable
) -> None:
    renamed = {"Black": "black", "Indian": "indian", "White": "white"}
    race = np.array([renamed[each] for each in drawn_faces.labels["race"]], dtype=object)
    foreign = replace(drawn_faces, labels={"race": race})
    with pytest.raises(DatasetError, match="has 'black', 'indian', 'white', which the model does"):
        evaluate(drawn_model, foreign)
    back = {theirs: ours for ours, theirs in renamed.items()}
    mapped = evaluate(drawn_model, foreign, names={"race": back})["attributes"]["race"]
    expected = evaluate(drawn_model, drawn_faces)["attributes"]["race"]
    assert mapped["confusion"] == expected["confusion"]
    left_out = evaluate(drawn_model, foreign, names={"race": {**back, "white": None}})
    assert left_out["attributes"]["race"]["recall"]["White"]["rows"] == 0


def test_features_of_another_embedder_are_refused(
    drawn_model: Bundle, drawn_faces: FeatureTable
) -> None:
    other = replace(drawn_faces, info=replace(drawn_faces.info, embedder="other-net"))
    with pytest.raises(DatasetError, match="of other-net, the model is fitted on dlib-resnet-v1"):
        evaluate(drawn_model, other)


def test_maps_are_parsed() -> None:
    names = parse_map(["race:Asian=East Asian, Others=", "gender:m=Male"])
    assert names == {"race": {"Asian": "East Asian", "Others": None}, "gender": {"m": "Male"}}


def test_separators_in_names_of_a_map_have_a_backslash() -> None:
    names = parse_map([r"race\:x:Black\, African=a\=b,c=d\,e"])
    assert names == {"race:x": {"Black, African": "a=b", "c": "d,e"}}
    with pytest.raises(DatasetError, match="--map names 'm' twice"):
        parse_map(["gender:m=Male,f=Female", "gender:m=Female"])
    for text in ("gender", "gender:", "gender:=x", ":m=x", "gender:m", "gender:a=b,"):
        with pytest.raises(DatasetError, match="is not understood"):
            parse_map([text])


def test_all_classes_merged_into_one_are_refused(
    drawn_model: Bundle, drawn_faces: FeatureTable
) -> None:
    everything = {"race": {"anybody": ("Black", "Indian", "White")}}
    with pytest.raises(DatasetError, match="race: all classes of the model are merged into one"):
        evaluate(drawn_model, drawn_faces, groups=everything)


def test_groups_of_the_shipped_configuration_can_be_read(tmp_path: Path) -> None:
    assert read_groups(Path(__file__).parents[1] / "config.toml") == {}
    path = tmp_path / "c.toml"
    for text in (
        '[labels]\ngroups = { race = { Asian = "East Asian" } }\n',
        '[labels]\ngroups = { Asian = ["East Asian"] }\n',
        "labels = 3\n",
    ):
        path.write_text(text)
        with pytest.raises(DatasetError, match=r"labels\.groups is to be written otherwise"):
            read_groups(path)
    path.write_text('[labels]\nrace_groups = { Asian = ["East Asian"] }\n')
    with pytest.raises(
        DatasetError, match=r"labels\.race_groups is labels\.groups now: write it as"
    ):
        read_groups(path)
    path.write_text("a = " + "[" * 100_000)
    with pytest.raises(DatasetError, match="cannot be read as a configuration: is nested too deep"):
        read_groups(path)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_stands_alone(
    drawn_model: Bundle, drawn_faces: FeatureTable, tmp_path: Path
) -> None:
    report = evaluate(drawn_model, drawn_faces)
    write_report(tmp_path, report)
    assert json.loads((tmp_path / "report.json").read_text()) == report
    page = _Page()
    page.feed((tmp_path / "report.html").read_text())
    assert not page.tags & {"script", "link", "iframe"}
    assert all(each.startswith(("data:image/svg+xml;base64,", "#")) for each in page.addresses)
    assert sum(each.startswith("data:") for each in page.addresses) == 2 * (2 + 2)


def test_a_report_that_cannot_be_written(
    drawn_model: Bundle, drawn_faces: FeatureTable, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        write_report(tmp_path / "file", evaluate(drawn_model, drawn_faces))


def test_the_page_counts_confusions_and_names_the_extremes(
    drawn_model: Bundle, drawn_faces: FeatureTable
) -> None:
    report = evaluate(drawn_model, drawn_faces)
    race = report["attributes"]["race"]
    text = render(report)
    for row in race["confusion"]:
        for value in row:
            assert f">{value}<br><small>{100 * value / sum(row):.0f} %</small>" in text
    (grouping,) = (each for each in race["by_group"] if each["by"] == "gender")
    worst = grouping["gap"]["worst"]
    figures = grouping["groups"][worst]
    low, high = figures["low"], figures["high"]
    said = f"{worst}: {figures['value']:.3f} ({low:.3f} to {high:.3f}), {figures['rows']} faces"
    assert f"<td>race by gender</td><td>{said}</td>" in text
    error = race["surest_errors"][0]
    assert f"labelled <b>{error['label']}</b>, perceived as <b>{error['perceived']}</b>" in text
    assert "With <code>--pictures</code> the faces are shown" in text


def test_a_page_with_pictures_shows_the_surest_errors(
    drawn_model: Bundle, drawn_faces: FeatureTable
) -> None:
    report = evaluate(drawn_model, drawn_faces)
    error = report["attributes"]["race"]["surest_errors"][0]
    page = _Page()
    page.feed(render(report, {(error["file"], error["face"]): b"picture"}))
    assert "data:image/jpeg;base64,cGljdHVyZQ==" in page.addresses


@pytest.mark.parametrize(("held", "warned"), [(99, True), (100, False)])
def test_under_a_hundred_faces_there_is_a_warning(
    held: int, warned: bool, drawn_model: Bundle, drawn_faces: FeatureTable
) -> None:
    rows = np.flatnonzero(drawn_faces.splits == "test")[:held]
    report = evaluate(drawn_model, drawn_faces[rows])
    said = f"gender, race: measured on {held} faces only, so an accuracy may be off by 0.10"
    assert [line.startswith(said) for line in report["cautions"]] == [True] * warned
    text = card(report, drawn_model.manifest.provenance)
    assert (f"- **Careful**: {said}" in text) == (said in render(report)) == warned


def test_a_class_that_no_face_is_labelled_with_is_named(
    drawn_model: Bundle, drawn_faces: FeatureTable
) -> None:
    report = evaluate(drawn_model, drawn_faces[drawn_faces.labels["race"] != "White"])
    (line,) = report["cautions"]
    assert line == "race: no face is labelled 'White': nothing is known of that class"


def test_a_report_keeps_its_keys(drawn_model: Bundle, drawn_faces: FeatureTable) -> None:
    """Programs read them; new ones may be added."""
    report = evaluate(drawn_model, drawn_faces)
    assert {"schema", "model", "data", "settings", "attributes"} <= report.keys()
    settings = {"bootstrap_resamples", "confidence_level", "small_group", "merged", "seed"}
    assert settings <= report["settings"].keys()
    assert report["settings"]["interval"] == "wilson"
    assert report["settings"]["bootstrap_resamples"] == 0, "nothing is resampled"
    figures = report["attributes"]["race"]
    assert {
        *("classes", "rows", "accuracy", "balanced_accuracy", "roc_auc", "recall", "confusion"),
        *("by_group", "largest_gap", "calibration", "coverage"),
    } <= figures.keys()
    assert figures["accuracy"].keys() == {"value", "low", "high"}
    assert {"rows", "small", "value"} <= figures["recall"]["White"].keys()
    assert {"value", "best", "worst", "by"} <= figures["largest_gap"].keys()
    assert {"min_confidence", "coverage", "accuracy"} <= figures["coverage"][0].keys()


def test_names_in_a_page_are_escaped(drawn_model: Bundle, drawn_faces: FeatureTable) -> None:
    info = replace(drawn_faces.info, dataset="<script>alert(1)</script>")
    page = render(evaluate(drawn_model, replace(drawn_faces, info=info)))
    assert "<script>" not in page


def test_names_are_text_in_card_and_page(drawn_faces: FeatureTable) -> None:
    names = {"Black": "a|b<script>x</script>", "Indian": "# c_c\n\n# d", "White": "[e](f) $g$ *h*"}
    race = np.array([names[each] for each in drawn_faces.labels["race"]], dtype=object)
    info = replace(
        drawn_faces.info, dataset="x\n```\n# y", command="face-train features a\n```\n# b"
    )
    named = replace(drawn_faces, labels={"race": race}, info=info)
    fitted = fit(named, FitSettings(classifier="logistic"))
    bundle = Bundle(Path("model"), fitted.manifest, fitted.files)
    report = evaluate(bundle, named)
    text = card(report, bundle.manifest.provenance)
    assert r"| a\|b\<script\>x\</script\> |" in text
    assert r"| \[e\](f) \$g\$ \*h\* |" in text
    headings = [line for line in text.splitlines() if line.startswith("# ")]
    assert headings == ["# Model card: race as perceived from a face"]
    assert [line for line in text.splitlines() if line.startswith("```")] == ["```sh", "```"]
    page = _Page()
    shown = render(report)
    page.feed(shown)
    assert "script" not in page.tags
    assert "c_<wbr>c" in shown, "names are broken there first"


def test_a_card_says_what_it_is_not_for(drawn_model: Bundle, drawn_faces: FeatureTable) -> None:
    report = evaluate(drawn_model, drawn_faces)
    text = card(report, drawn_model.manifest.provenance)
    gap = report["attributes"]["gender"]["largest_gap"]
    assert f"Largest gap of gender between groups: {gap['value']:.3f}" in text
    for word in ("surveillance", "perceived", "decisions about people", "face-train fit"):
        assert word in text


def test_a_card_marks_figures_of_few_faces(drawn_model: Bundle, drawn_faces: FeatureTable) -> None:
    held = np.flatnonzero(drawn_faces.splits == "test")
    white = held[drawn_faces.labels["race"][held] == "White"]
    few = drawn_faces[np.setdiff1d(np.arange(len(drawn_faces)), white[30:])]
    report = evaluate(drawn_model, few)
    recall = report["attributes"]["race"]["recall"]
    text = card(report, drawn_model.manifest.provenance)
    assert f"| White | 30 (few) | {recall['White']['value']:.3f} (" in text
    black = recall["Black"]
    assert black["rows"] > 50
    assert f"| Black | {black['rows']} | {black['value']:.3f} (" in text


@pytest.mark.parametrize(
    ("fitted_on", "measured_on"), [("hog", "cnn"), ("cnn", NO_DETECTOR), (NO_DETECTOR, None)]
)
def test_report_page_and_card_say_which_detector_found_the_faces(
    fitted_on: str, measured_on: str | None, drawn_faces: FeatureTable
) -> None:
    fitted = fit(_of_detector(drawn_faces, fitted_on), FitSettings(classifier="logistic"))
    assert fitted.manifest.detector == fitted_on
    bundle = Bundle(Path("model"), fitted.manifest, fitted.files)
    report = evaluate(bundle, _of_detector(drawn_faces, measured_on))
    assert report["model"]["detector"] == fitted_on
    assert report["data"]["detector"] == measured_on
    text = card(report, bundle.manifest.provenance)
    assert f"(drawn),\n  {found_by(fitted_on)}.\n" in text
    assert f"(every fourth), {found_by(measured_on)}.\n" in text
    page = render(report)
    assert f"(every fourth), {found_by(measured_on)}. " in page
    assert f"(drawn), {found_by(fitted_on)}; held out" in page


def _of_detector(table: FeatureTable, detector: str | None) -> FeatureTable:
    return replace(table, info=replace(table.info, detector=detector))


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
    drawn_model: Bundle, drawn_faces: FeatureTable, tmp_path: Path
) -> None:
    from training.evaluation.publish import publish

    fitted = fit(drawn_faces, FitSettings(classifier="logistic"))
    publish(tmp_path / "model", fitted, drawn_faces)
    saved = load_bundle(tmp_path / "model")
    write_card(saved, evaluate(saved, drawn_faces, split="train"))
    again = load_bundle(tmp_path / "model")
    assert again.files["card.md"] != saved.files["card.md"]
    assert again.files["race.onnx"] == saved.files["race.onnx"]


@pytest.mark.parametrize("name", ["\u4e9a\u6d32", "x" * 190, "two\nlines \u202e"])
def test_any_name_of_a_group_can_be_drawn(name: str) -> None:
    each = {"rows": 9, "small": True, "value": 0.5, "low": 0.2, "high": 0.8}
    drawn = group_accuracies({"by": "race", "groups": {name: each, "other": each}}, 0.5)
    assert drawn == group_accuracies({"by": "race", "groups": {name: each, "other": each}}, 0.5)
    assert (name in drawn) == (name == "\u4e9a\u6d32"), "as text where the font has no such letter"


def test_how_far_the_test_of_a_correction_is_can_be_shown(
    drawn_model: Bundle, drawn_faces: FeatureTable
) -> None:
    shown: list[int] = []

    @contextmanager
    def opened(total: int) -> Iterator[ProgressCallback]:
        shown.append(total)
        yield lambda done, known=False: shown.append(done)

    every = compare(drawn_model, drawn_faces, split=None)
    made = measure_correction(drawn_model, every, draws=9, open_progress=opened)
    assert made is not None and made.attributes.keys() == {"gender", "race"}
    total, *steps = shown
    assert total == sum(steps) == 36
    few = compare(drawn_model, drawn_faces, split="test")
    assert measure_correction(drawn_model, few, open_progress=opened) is None
    assert len(shown) == 1 + len(steps)


def test_of_very_many_groupings_the_widest_gaps_are_drawn(
    drawn_model: Bundle, drawn_faces: FeatureTable
) -> None:
    report = evaluate(drawn_model, drawn_faces)
    assert "ways to group the faces" not in render(report)
    race = report["attributes"]["race"]
    grouping = next(each for each in race["by_group"] if each["gap"])
    narrow = {**grouping, "by": "narrow", "gap": {**grouping["gap"], "value": 0.0}}
    report["attributes"]["race"] = race | {"by_group": [narrow] * 60 + [grouping]}
    text = render(report)
    others = len(report["attributes"]["gender"]["by_group"])
    assert f"Of {61 + others} ways to group the faces those 60 with the widest gaps" in text
    assert text.count("Accuracy of race by narrow") < 2 * 60  # twice a plot: caption and text
    assert f"Accuracy of race by {grouping['by']}" in text
