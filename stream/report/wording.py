"""What a report says in sentences: its headline, and where it is not to be relied on."""

from collections.abc import Iterator

from models.program.printable import counted, printable
from stream.report.figures import FEW_PERSONS, Figures, is_unsure
from stream.report.screen_time import MOST_CROSSED

_TWO = 2
"""Classes up to which the headline names all; of more it names the most frequent."""

_NAMED = 5
"""Logs that a sentence names at most."""


def headline(report: Figures) -> str:
    """The first attribute in a sentence with its interval: of video, else of pictures."""
    order = sorted(report["overall"].items(), key=lambda pair: pair[0] != "video")
    kind, overall = next((pair for pair in order if pair[1]["persons"]), order[0])
    logs, thing = counted(overall["logs"], "log"), "person" if kind == "video" else "face"
    attributes = overall["attributes"]
    if not overall["persons"] or not attributes:
        return f"In {logs} no face counts."
    attribute, figures = next(iter(attributes.items()))
    persons, labelled = overall["persons"], figures["persons_with_probabilities"]
    whom = f"{counted(persons, thing)} in {logs}"
    if (asked := sum(group["persons"] for group in figures["groups"])) < persons:
        named = f"whose logs have {printable(attribute)}"
        whom = f"the {counted(asked, thing)} (of {persons} in {logs}) {named}"
    if not labelled:
        return f"In {logs} there {_are(persons, thing)}, none large enough for a label."
    classes = [group for group in figures["groups"] if group["is_class"]]
    ranked = sorted(classes, key=_share, reverse=True)
    shown = ranked if len(classes) <= _TWO else ranked[:1]
    most = "" if len(classes) <= _TWO else f", more than as any other {printable(attribute)}"
    said = " and ".join(_said(group, is_first=group is ranked[0]) for group in shown) + most
    if not figures["is_corrected"]:
        return f"Of {whom}, {said}, as counted and not corrected."
    if labelled < asked:
        whom = f"the {counted(labelled, thing)} (of {persons} in {logs}) large enough for a label"
    few = f" Under {FEW_PERSONS} {thing}s, shares are not to be relied on."
    return (
        f"Of {whom}, an estimated {said}, corrected for the model's known error."
        f"{few if figures['is_small'] else ''}"
    )


def cautions(report: Figures) -> Iterator[str]:
    """Where the logs lie outside what was measured, and what is too small or left out."""
    for name, reason in report["correction"]["raw"].items():
        yield f"{printable(name)} is not corrected: {reason}."
    if not report["correction"]["is_named_by_logs"] and report["correction"]["model"]:
        yield ("Logs that name no model, as those in CSV, count as made with the default one.")
    for kind, overall in report["overall"].items():
        yield from _of_scope(kind, overall)
    if cut_short := [each["log"] for each in report["files"] if each["is_cut_short"]]:
        yield f"The last line of {_listed(cut_short)} is cut short: what follows is missing."
    if left_out := report["left_out"]:
        listed = _listed([each["log"] for each in left_out])
        yield f"Left out, for they cannot be read: {listed}."


def _of_scope(kind: str, overall: Figures) -> Iterator[str]:
    unit, thing = ("s", "person") if kind == "video" else ("pictures", "face")
    if (count := len(overall["attributes"])) > MOST_CROSSED:
        yield f"{kind}: of {count} attributes the first {MOST_CROSSED} are crossed with each other."
    if overall["left_out_s"]:
        yield f"Under the limits, and not counted: {overall['left_out_s']:g} {unit} of faces."
    few = [name for name, each in overall["attributes"].items() if each.get("is_small")]
    if few:
        yield (
            f"{', '.join(map(printable, few))} ({kind}): there are too few {thing}s for shares to "
            "be relied on, however narrow the interval."
        )
    for name, each in overall["attributes"].items():
        outside = each.get("outside")
        if outside and outside["persons"]:
            yield (
                f"{printable(name)} ({kind}): {counted(outside['persons'], thing)} of "
                f"{each['persons_with_probabilities']} are seen narrower than "
                f"{outside['narrower_than_px']:g} px only, where no error was measured."
            )
        if words := each["by_likeliest"]:
            yield (
                f"{printable(name)} ({kind}): {counted(words, thing)} labelled by a word for "
                f"several classes {'counts' if words == 1 else 'count'} by the likeliest class."
            )
        unsure = sum(group["persons"] for group in each["groups"] if is_unsure(group))
        if unsure:
            yield (
                f"{printable(name)} ({kind}): the model is unsure of {counted(unsure, thing)}; "
                "raw figures keep them apart, corrected ones share them out by probability."
            )


def _share(group: Figures) -> float:
    if "corrected" in group:
        return float(group["corrected"]["persons_share"]["value"])
    return float(group["persons_share"] or 0)


def _said(group: Figures, *, is_first: bool) -> str:
    """A share in words; the first one has the verb, and says what the interval is."""
    verb = "are perceived as" if is_first else "as"
    text = f"{_percent(_share(group))} {verb} {printable(group['label'])}"
    if "corrected" in group:
        ends = group["corrected"]["persons_share"]
        what = "95 % interval " if is_first else ""
        text += f" ({what}{100 * ends['low']:.0f} to {_percent(ends['high'])})"
    return text


def _are(count: int, thing: str) -> str:
    return f"{'is' if count == 1 else 'are'} {counted(count, thing)}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMED
    shown = ", ".join(map(printable, names[:_NAMED]))
    return shown + (f" and {more} more" if more > 0 else "")
