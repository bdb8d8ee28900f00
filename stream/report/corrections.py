"""By what the counts of logs are corrected: the model folder that they were made with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.classification.bundle import DEFAULT_FOLDER, DLIB_FOLDER
from models.prevalence.correction import AttributeCorrection, Correction, read_correction
from models.program.printable import printable, shortened
from stream.report.persons import LabelCodes
from stream.report.rows import Log

_SHIPPED = {"default": DEFAULT_FOLDER, "dlib": DLIB_FOLDER}
"""Models that a log may name and that ship."""


class Corrections:
    """The correction of the model that all logs are of.

    1. A model folder is given: that one's, whatever logs name.
    2. All logs name one of the models that ship: that one's. Tables name none, and count as made
       with the default one, which is said.
    3. Otherwise there is none. A folder that a log names is not opened: logs come from anywhere.

    Args:
        folder: the model folder that is given.

    Raises:
        ModelError: it is none, or its correction is damaged.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._given = folder
        self._names: dict[str | None, None] = {}
        self._read: dict[Path, Correction | None] = {}
        if folder is not None:
            self._correction_of(folder)

    def meet(self, log: Log) -> None:
        """Takes the model that a log names."""
        self._names[log.model] = None

    def applied(self, codes: Mapping[str, LabelCodes]) -> dict[str, AttributeCorrection]:
        """The correction of each attribute that is corrected: that has one, of these classes, with
        a gain.
        """
        found = self._correction()
        if found is None:
            return {}
        return {
            name: each
            for name, each in found.attributes.items()
            if each.is_gain and name in codes and tuple(each.classes) == codes[name].classes
        }

    def as_dict(self, codes: Mapping[str, LabelCodes]) -> dict[str, Any]:
        """What is corrected, by what, and why not, as `report.json` has it."""
        found = self._correction()
        applied = self.applied(codes)
        return {
            "model": None if self._folder() is None else self._model_name(),
            "is_named_by_logs": self._given is not None or None not in self._names,
            "data": found.data if found else None,
            "tests": {name: found.attributes[name].test for name in applied} if found else {},
            "raw": {name: self._reason(name, codes) for name in codes if name not in applied},
        }

    def _model_name(self) -> str:
        if self._given is not None:
            return str(self._given)
        return next((name for name in self._names if name), "default")

    def _reason(self, attribute: str, codes: Mapping[str, LabelCodes]) -> str:
        """Why an attribute is not corrected."""
        if self._folder() is None:
            names = ", ".join(shortened(printable(name)) for name in self._names if name)
            return f"the logs are of {names}: give the model folder with --model"
        found = self._correction()
        if found is None:
            return f"the model {self._model_name()} has no correction.json"
        if attribute not in found.attributes:
            return f"the correction of {self._model_name()} has no {attribute}"
        if tuple(found.attributes[attribute].classes) != codes[attribute].classes:
            return f"the correction of {self._model_name()} has other classes of {attribute}"
        return "its test showed no gain, or intervals that hold the true share too seldom"

    def _folder(self) -> Path | None:
        """The model folder; None where logs name others, or several."""
        if self._given is not None:
            return self._given
        named = {name or "default" for name in self._names}
        return _SHIPPED.get(named.pop()) if len(named) == 1 else None

    def _correction(self) -> Correction | None:
        folder = self._folder()
        return None if folder is None else self._correction_of(folder)

    def _correction_of(self, folder: Path) -> Correction | None:
        if folder not in self._read:
            self._read[folder] = read_correction(folder)
        return self._read[folder]
