"""What a report says in sentences: its headline, and where it is not to be relied on."""

from collections.abc import Iterator

from models.printable import counted, printable
from stream.report.figures import Figures

_TWO = 2
"""Classes up to which the headline names all; of more it names the most frequent."""

_NAMED = 5
"""Logs that a sentence names at most."""


def headline(report: Figures) -> str:
    """The first attribute in a sentence with its interval: of video, else of pictures."""
    order = sorted(report["overall"].items(), key=lambda pair: pair[0] != "video")
    kind, overall = next((pair for pair in order if pair[1]["persons"]), order[0])
    logs = counted(overall["logs"], "log")
    whom = counted(overall["persons"], "person")
    if kind == "pictures":
        whom = counted(overall["persons"], "face")
    attributes = overall["attributes"]
    if not overall["persons"] or not attributes:
        return f"In {logs} no face counts."
    attribute, figures = next(iter(attributes.items()))
    classes = [group for group in figures["groups"] if group["is_class"]]
    if not figures.get("persons_with_probabilities"):
        return f"In {logs} there are {whom}; no face was large enough for a label."
    corrected = [group for group in classes if "corrected" in group]
    ranked = sorted(corrected or classes, key=_share, reverse=True)
    shown = ranked if len(classes) <= _TWO else ranked[:1]
    said = " and ".join(_said(group) for group in shown)
    how = "corrected for the model's known error" if corrected else "as counted, not corrected"
    most = "" if len(classes) <= _TWO else f", more than as any other {printable(attribute)}"
    return f"Of {whom} in {logs}, perceived as {said}{most}; {how}."


def cautions(report: Figures) -> Iterator[str]:
    """Where the logs lie outside what was measured, and what is too small or left out."""
    for name, reason in report["correction"]["raw"].items():
        yield f"{printable(name)} is not corrected: {reason}."
    if not report["correction"]["is_named_by_logs"] and report["correction"]["model"]:
        yield "Logs in CSV do not name their model: they count as made with the default one."
    for kind, overall in report["overall"].items():
        yield from _of_scope(kind, overall)
    if cut_short := [each["log"] for each in report["files"] if each["is_cut_short"]]:
        yield f"The last line of {_listed(cut_short)} is cut short: what follows is missing."
    if left_out := report["left_out"]:
        listed = _listed([each["log"] for each in left_out])
        yield f"Left out, for they cannot be read: {listed}."


def _of_scope(kind: str, overall: Figures) -> Iterator[str]:
    unit = "s" if kind == "video" else "pictures"
    if overall["left_out_s"]:
        yield f"Under the limits, and not counted: {overall['left_out_s']:g} {unit} of faces."
    few = [name for name, each in overall["attributes"].items() if each.get("is_small")]
    if few:
        yield (
            f"{', '.join(map(printable, few))} ({kind}): there are too few persons for shares to "
            "be relied on, however narrow the interval."
        )
    for name, each in overall["attributes"].items():
        outside = each.get("outside")
        if outside and outside["persons"]:
            yield (
                f"{printable(name)} ({kind}): {counted(outside['persons'], 'person')} of "
                f"{each['persons_with_probabilities']} are seen narrower than "
                f"{outside['narrower_than_px']:g} px only, where no error was measured."
            )
        if words := each["by_likeliest"]:
            yield (
                f"{printable(name)} ({kind}): {counted(words, 'person')} labelled by a word for "
                f"several classes {'counts' if words == 1 else 'count'} by the likeliest class."
            )
        unsure = sum(group["persons"] for group in each["groups"] if group["label"] == "unsure")
        if unsure:
            yield (
                f"{printable(name)} ({kind}): the model is unsure of {counted(unsure, 'person')}; "
                "raw figures keep them apart, corrected ones share them out by probability."
            )


def _share(group: Figures) -> float:
    if "corrected" in group:
        return float(group["corrected"]["persons_share"]["value"])
    return float(group["persons_share"] or 0)


def _said(group: Figures) -> str:
    text = f"{printable(group['label'])}: {_percent(_share(group))}"
    if "corrected" in group:
        ends = group["corrected"]["persons_share"]
        text += f" (95 % interval {_percent(ends['low'])} to {_percent(ends['high'])})"
    return text


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMED
    shown = ", ".join(map(printable, names[:_NAMED]))
    return shown + (f" and {more} more" if more > 0 else "")
