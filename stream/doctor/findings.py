"""A check of the doctor, and its finding."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

State: TypeAlias = Literal["ok", "note", "broken"]
"""`broken` prevents `face-stream run`; of a `note` it can do without."""

_REPAIR_PACKAGE = "mend the package that is broken, above"
"""Remedy of a check that cannot import what it needs."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check.

    Attributes:
        name: name of the check.
        state: whether all is well.
        found: what the check found, in one line.
        remedy: how to repair it, in one line; empty where all is well.
    """

    name: str
    state: State
    found: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """Something that the doctor examines.

    Attributes:
        name: name of the finding where the check raises.
        examine: gives the finding; whatever it raises is a finding as well.
        remedy: how to repair what it raises.
    """

    name: str
    examine: Callable[[], Finding]
    remedy: str

    def finding(self) -> Finding:
        """The finding of the check; nothing is raised but Ctrl-C."""
        try:
            return self.examine()
        except ImportError as error:
            return Finding(
                self.name, "broken", f"cannot be looked at: {_line(error)}", _REPAIR_PACKAGE
            )
        except Exception as error:  # noqa: BLE001 - faults of any kind are what is looked for
            return Finding(self.name, "broken", _line(error), self.remedy)


def _line(error: Exception) -> str:
    """The message of an error in one line; its class where it has no message."""
    return " ".join(str(error).split()) or type(error).__name__
