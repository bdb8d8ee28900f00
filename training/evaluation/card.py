"""The model card: what a model is for, how good it is, and how it was made, from a report."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from models.detection.names import found_by
from models.prevalence.trial import POPULATION
from training.evaluation.correction import COUNTING
from training.evaluation.embedder_card import embedder_lines
from training.evaluation.figures import CORRUPTION, FACE_WIDTH
from training.evaluation.intervals import Figures
from training.evaluation.markdown import with_inline_names
from training.evaluation.width_by_coding import WIDTH_BY_CODING, crossed
from training.fitting.fit import CALIBRATION_RECORD
from training.fitting.settings import FitSettings, command_line

_PURPOSE = """\
Each head says how a face is likely to be **perceived**, in the categories its data was labelled
with, and how sure it is. A label is an appearance as annotators saw it. It is not who somebody is:
neither a person's race nor their gender can be read off a face.

The program joins the shots of one face within one video file, so that a person is counted once. It
does so by numbers that stay in memory and go with the file: nothing is recognised beyond it."""
"""Paragraph on what the heads say."""

_MISUSE = """\
- identifying or recognising anybody, or following people from place to place;
- surveillance, policing, border control, access control;
- decisions about people: work, housing, credit, insurance, education, health, law;
- sorting, pricing or addressing people by race or gender;
- statements about a single person's race, gender or age, or about anything they are taken to imply;
- people who have not agreed to it where the law asks for that."""
"""Uses that the model is not made for."""

_LIMITS = """\
- The classes are coarse and of one culture; people who fit none of them get the nearest, and there
  are only two for gender.
- Where groups differ in accuracy (see above), counts made with the model are biased accordingly.
- Small, dark, blurred, covered and turned faces are worse than these figures say.
- Confidence is calibrated on faces like those of the data, and only there."""
"""Weaknesses that every model has."""

_SHOWN_CONFIDENCES = (0.0, 0.5, 0.7, 0.8, 0.9)
"""Values of `min_confidence` for which the card has a line."""


def card(report: Figures, manifest_provenance: Mapping[str, Any]) -> str:
    """`card.md`, in Markdown."""
    lines = _lines(with_inline_names(report), with_inline_names(manifest_provenance))
    return "\n".join(lines) + "\n"


def _lines(report: Figures, provenance: Mapping[str, Any]) -> Iterator[str]:
    attributes: Mapping[str, Figures] = report["attributes"]
    data, measured, embedder = provenance["data"], report["data"], provenance.get("embedder")
    heads = attributes or provenance["heads"]
    yield f"# Model card: {', '.join(heads)} as perceived from a face"
    yield from ("", _PURPOSE, "")
    yield from ("## Not to be used for", "", _MISUSE, "")
    yield from ("## Data", "")
    faces = f"{data['train_faces']} faces{other_views(data)}"
    yield f"- Fitted on: {data['dataset']}, {faces} ({data['features']}),"
    yield f"  {found_by(report['model']['detector'])}."
    if data["credit"]:
        yield f"- Source and licence: {data['credit']}."
    if embedder:
        yield from embedder_lines(report["model"]["embedder"], embedder)
    if calibration := provenance.get(CALIBRATION_RECORD):
        yield from _calibration(calibration)
    yield f"- Held out, never looked at in training: {data['hold_out']}."
    yield from _measured_on(measured)
    yield from ("", "## How good it is", "")
    if not attributes:
        yield from ("Nothing was measured: no face that was held out has a label.", "")
    else:
        yield from _overview(report)
    yield from _cross_validation(provenance.get("cross_validation"))
    for name, figures in attributes.items():
        yield from _attribute(name, figures)
    yield from ("## Limits", "", _LIMITS, "")
    yield from ("## How it was made", "")
    yield "The versions of all packages, the settings and the digest of the features are in"
    yield "`manifest.json`. These commands reproduce it:"
    if embedder and "teachers" not in embedder:
        yield "(`finetune` is of an earlier version of the program, which had other options.)"
    settings = FitSettings.from_record(provenance["settings"])
    yield from ("", "```sh")
    if embedder:
        yield from embedder["commands"]
    yield from (_features_command(provenance), command_line(settings))
    if any(FACE_WIDTH in figures for figures in attributes.values()):
        allowed = " --allow-leak" if settings.allow_leak else ""
        yield f"face-train evaluate FOLDER features.parquet --pictures DATASET --card{allowed}"
    yield "```"


def _features_command(provenance: Mapping[str, Any]) -> str:
    """The command that makes the table; models of before were fitted on no filmed faces, and at
    most calibrated on some."""
    command: str = provenance["data"]["command"]
    if "filmed" in provenance["data"] or provenance.get(CALIBRATION_RECORD, {}).get("filmed"):
        return command
    return f"{command} --filmed 0"


def other_views(data: Mapping[str, Any]) -> str:
    """What was fitted on beside the faces as they were found; models of before were fitted on no
    filmed ones."""
    if data.get("filmed"):
        return ", mirrored and filmed too" if data["mirrored"] else ", filmed too"
    return " and their mirror images" if data["mirrored"] else ""


def _calibration(record: Mapping[str, Any]) -> Iterator[str]:
    """By what confidence is calibrated, besides the temperature of each head."""
    faces = f"{record['faces']} development faces"
    if record["filmed"]:
        yield "- How sure it may be of a view depends on the width and sharpness of the face:"
        yield f"  {faces}, each as it is and filmed {record['filmed']} times, decide it."
    else:
        yield f"- How sure it may be depends on what else a face looks like: {faces} decide it."
        yield "  Of small, blurred and compressed faces nothing is known: it is too sure of them."


def _measured_on(data: Mapping[str, Any]) -> Iterator[str]:
    faces = f"{data['faces']} of {data['of_faces']} faces"
    yield f"- Measured on: {data['dataset']}, {faces}, of the split"
    yield f"  {data['split']} ({data['hold_out']}), {found_by(data['detector'])}."
    if count := data["training_faces"]:
        yield f"  {count} of these are marked for training: figures on faces that a model was"
        yield "  fitted on are too good."


def _overview(report: Figures) -> Iterator[str]:
    attributes: Mapping[str, Figures] = report["attributes"]
    level = report["settings"]["confidence_level"]
    yield "| attribute | faces | accuracy | balanced accuracy | macro F1 | in the first two |"
    yield "|---|---|---|---|---|---|"
    for name, figures in attributes.items():
        yield (
            f"| {name} | {figures['rows']} | {_share(figures['accuracy'])} "
            f"| {figures['balanced_accuracy']:.3f} | {figures['macro_f1']:.3f} "
            f"| {_share(figures['top_2'])} |"
        )
    yield from ("", "| attribute | ROC AUC | calibration error |", "|---|---|---|")
    for name, figures in attributes.items():
        error = figures["calibration"]["error"]
        yield f"| {name} | {_number(figures['roc_auc'])} | {error:.3f} |"
    for name, figures in attributes.items():
        if gap := figures["largest_gap"]:
            yield ""
            yield (
                f"Largest gap of {name} between groups: {_share(gap)}, by {gap['by']}, "
                f"{gap['best']} over {gap['worst']}."
            )
    yield from ("", f"In brackets: {level:.0%} intervals by Wilson, of gaps by Newcombe.", "")
    if report["cautions"]:
        yield from (*(f"- **Careful**: {line}." for line in report["cautions"]), "")


def _cross_validation(crossed: Mapping[str, Any] | None) -> Iterator[str]:
    """How much figures vary with the faces held out; nothing where that was not measured."""
    if crossed:
        yield f"Cross-validated on the training rows in {crossed['folds']} parts, mean ± deviation:"
        yield from ("", "| attribute | faces | accuracy | balanced accuracy |", "|---|---|---|---|")
        for name, each in crossed["attributes"].items():
            accuracy, balanced = each["accuracy"], each["balanced_accuracy"]
            yield (
                f"| {name} | {each['rows']} | {accuracy['mean']:.3f} ± {accuracy['deviation']:.3f} "
                f"| {balanced['mean']:.3f} ± {balanced['deviation']:.3f} |"
            )
        yield ""


def _attribute(name: str, figures: Figures) -> Iterator[str]:
    yield from (f"### {name}", "", "| class | faces | recall | precision | F1 |")
    yield "|---|---|---|---|---|"
    for each, recall in figures["recall"].items():
        precision, f1 = figures["precision"][each], figures["f1"][each]["value"]
        yield (
            f"| {each} | {_count(recall)} | {_share(recall)} | {_share(precision)} "
            f"| {_number(f1)} |"
        )
    yield ""
    yield from _coverage(name, figures)
    shrunk = "by the width of the face, pictures shrunk"
    yield from _steps(name, shrunk, figures.get(FACE_WIDTH, []), "px", "face_px")
    worse = "where pictures were made worse"
    yield from _steps(name, worse, figures.get(CORRUPTION, []), "harm", CORRUPTION)
    if counting := figures.get(COUNTING):
        yield from _counting(name, counting)
    yield from _width_by_coding(name, figures.get(WIDTH_BY_CODING, []))
    for grouping in figures["by_group"]:
        yield from (f"Accuracy of {name} by {grouping['by']}:", "")
        yield from (f"| {grouping['by']} | faces | accuracy |", "|---|---|---|")
        for group, each in grouping["groups"].items():
            yield f"| {group} | {_count(each)} | {_share(each)} |"
        yield ""
        if gap := grouping["gap"]:
            yield f"Largest gap: {_share(gap)}, {gap['best']} over {gap['worst']}."
            yield ""


def _counting(name: str, counting: Figures) -> Iterator[str]:
    """How well shares of groups are estimated, and whether they are corrected."""
    yield from (f"Error of shares of {name} among {POPULATION} faces, where they are known:", "")
    yield "| from px | populations | raw | corrected | ratio | worst excess | intervals right |"
    yield "|---|---|---|---|---|---|---|"
    for view in counting["views"]:
        yield (
            f"| {view['from_px']:g} | {view['draws']} | {view['raw_error']:.4f} "
            f"| {view['corrected_error']:.4f} | {_number(view['ratio'])} "
            f"| {view['worst_excess']:+.4f} | {view['coverage']:.3f} |"
        )
    is_corrected = "corrects" if counting["is_gain"] else "does not correct"
    yield from ("", f"`face-stream report` {is_corrected} counts by {name}.", "")


def _coverage(name: str, figures: Figures) -> Iterator[str]:
    tables = [(f"What `min_confidence` buys for {name}:", "label", figures["coverage"])]
    if coarser := figures.get("coarser_coverage"):
        title = f"With coarser words where no class of {name} is sure:"
        tables.append((title, "word", coarser))
    for title, shown, steps in tables:
        yield from (title, "", f"| min_confidence | faces with a {shown} | accuracy of those |")
        yield "|---|---|---|"
        for step in steps:
            if step["min_confidence"] in _SHOWN_CONFIDENCES:
                accuracy = _share({**step, "value": step["accuracy"]})
                yield f"| {step['min_confidence']:.1f} | {step['coverage']:.0%} | {accuracy} |"
        yield ""


def _steps(
    name: str, conditions: str, steps: Sequence[Figures], column: str, key: str
) -> Iterator[str]:
    """A table of accuracies under conditions that get worse; nothing where none were measured."""
    if steps:
        yield from (f"Accuracy of {name} {conditions}:", "")
        yield from (f"| {column} | faces | accuracy |", "|---|---|---|")
        for step in steps:
            yield f"| {step[key]} | {_count(step)} | {_share(step)} |"
        yield ""


def _width_by_coding(name: str, cells: Sequence[Figures]) -> Iterator[str]:
    """A row a width, a column a coding; nothing where that was not measured."""
    if cells:
        codings, rows = crossed(cells)
        yield f"Accuracy of {name} by the width of the face and how it is compressed at that size,"
        yield from ("with the calibration error in brackets:", "")
        yield f"| px | faces | {' | '.join(codings)} |"
        yield "|---|---|" + "---|" * len(codings)
        for width_px, steps in rows.items():
            shown = [f"{each['value']:.3f} ({each['calibration_error']:.3f})" for each in steps]
            yield f"| {width_px} | {_count(steps[0])} | {' | '.join(shown)} |"
        yield ""


def _share(interval: Figures | None) -> str:
    if interval is None or interval["value"] is None:
        return "–"
    return f"{interval['value']:.3f} ({interval['low']:.3f}–{interval['high']:.3f})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _count(group: Figures) -> str:
    return f"{group['rows']} (few)" if group["small"] else str(group["rows"])
