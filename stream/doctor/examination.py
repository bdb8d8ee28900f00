"""Everything that is looked at, in order, and how it is printed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from stream.doctor import engine, installation, surroundings
from stream.doctor.findings import Check, Finding

if TYPE_CHECKING:
    from stream.settings import Config, Settings

_STYLES = {"ok": "green", "note": "yellow", "broken": "red"}

_AGAIN = "install face-stream again: uv sync --reinstall, or pip install --force-reinstall ."
_SETTINGS = "correct that file or option; config.toml in face-stream's folder lists all settings"
_DEVICE = "set engine.device to cpu or auto, or mend what is missing for cuda"
_WEIGHTS = "install them again: pip install --force-reinstall face_recognition_models"
_MODEL = "make it anew with face-train fit; for the one that ships install face-stream again"


def examine(file: Path | None = None, overrides: Sequence[str] = ()) -> Iterator[Finding]:
    """Looks at everything that `face-stream run` uses, a finding at a time; nothing is raised.

    Args:
        file, overrides: as for `stream.settings.load_settings`.
    """
    yield from look([Check("face-stream", installation.program, _AGAIN)])
    yield from look(installation.package_checks())
    load = partial(_load_settings, file, overrides)
    yield from look(
        [
            Check("machine", installation.machine, _AGAIN),
            Check("codecs", surroundings.codecs, _AGAIN),
            Check("cameras", surroundings.cameras, _AGAIN),
            Check("screen", surroundings.screen, _AGAIN),
            Check("settings", partial(surroundings.settings, load), _SETTINGS),
            Check("device", _with_config(engine.device, load), _DEVICE),
            Check("weights", engine.weights, _WEIGHTS),
            Check("model", _with_config(engine.model, load), _MODEL),
            Check("self-test", _with_config(engine.self_test, load), "mend what is broken above"),
        ]
    )


def look(checks: Iterable[Check]) -> Iterator[Finding]:
    """What each check says, as soon as it does."""
    for check in checks:
        yield check.finding()


def as_lines(finding: Finding) -> Text:
    """A finding, and under it what to do; without colours it reads as well."""
    line = Text(f"{finding.state:7}", style=_STYLES[finding.state])
    line.append(f"{finding.name:13} {finding.found}", style="default")
    if finding.remedy:
        line.append(f"\n{'':7}{'':13} remedy: {finding.remedy}", style="default")
    return line


def verdict(findings: Sequence[Finding]) -> str:
    """All in one line."""
    broken = [each.name for each in findings if each.state == "broken"]
    if broken:
        return f"face-stream run cannot work yet: {', '.join(broken)}."
    notes = sum(each.state == "note" for each in findings)
    return "All that face-stream run needs is here" + (f", with {notes} notes." if notes else ".")


def as_dict(findings: Sequence[Finding]) -> dict[str, Any]:
    """For machines."""
    return {
        "ok": all(each.state != "broken" for each in findings),
        "findings": [
            {"name": each.name, "state": each.state, "found": each.found, "remedy": each.remedy}
            for each in findings
        ],
    }


def _load_settings(file: Path | None, overrides: Sequence[str]) -> "Settings":
    from stream.settings import load_settings

    return load_settings(file, overrides)


def _with_config(
    look: "Callable[[Config], Finding]", load: "Callable[[], Settings]"
) -> Callable[[], Finding]:
    """A check that wants the settings; where they are wrong, it takes the defaults."""

    def looked() -> Finding:
        from stream.errors import ConfigError
        from stream.settings import Config

        try:
            config = load().config
        except ConfigError:
            config = Config()
        return look(config)

    return looked
