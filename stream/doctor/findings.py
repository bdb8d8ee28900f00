"""What one check says."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

State: TypeAlias = Literal["ok", "note", "broken"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, and what came of it.

    Attributes:
        name: what was looked at.
        state: `broken` is something that `face-stream run` needs; a `note` it can do without.
        found: in one line.
        remedy: what to do about it, in one line; empty where all is well.
    """

    name: str
    state: State
    found: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at.

    Attributes:
        name: what its finding is called.
        look: finds out; whatever it raises is a finding as well.
        remedy: what to do when it raises.
    """

    name: str
    look: Callable[[], Finding]
    remedy: str

    def finding(self) -> Finding:
        """What it says; nothing is raised but Ctrl-C."""
        try:
            return self.look()
        except ImportError as error:
            return Finding(self.name, "broken", f"cannot be looked at: {_line(error)}", _PACKAGES)
        except Exception as error:  # noqa: BLE001 - faults of any kind are what is looked for
            return Finding(self.name, "broken", _line(error), self.remedy)


_PACKAGES = "mend the package that is broken, above"


def _line(error: Exception) -> str:
    """The error in one line, named where it says nothing itself."""
    return " ".join(str(error).split()) or type(error).__name__
