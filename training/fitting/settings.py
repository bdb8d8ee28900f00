"""The settings of fitting, as a manifest records them and as a command line."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from training.datasets.splits import SEED
from training.fitting.classifiers import CLEAR_ONLY, ClassifierChoice
from training.outputs import quoted, short_path


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """How heads are fitted.

    Attributes:
        attributes: the attributes that get a head; all of the table unless given.
        classifier: one of scikit-learn's, or `auto` for the better of two for each attribute.
        balanced: rare classes weigh as much as frequent ones.
        mirror: mirrored faces are fitted on too, where the table has them.
        filmed: filmed faces are fitted on too, where the table has them.
        calibrate: the temperature of each head is fitted on the development rows, and how it
            depends on the view of a face.
        search: several settings are tried; the development rows decide.
        folds: parts of a cross-validation beside the fit; None for none.
        seed: of all random numbers.
        embedder: the file of the embedder that made the features, which becomes part of the
            model; None for dlib's.
        allow_leak: the two halves of the table may share pictures and people.
    """

    attributes: tuple[str, ...] | None = None
    classifier: ClassifierChoice = "mlp"
    balanced: bool = False
    mirror: bool = True
    filmed: bool = True
    calibrate: bool = True
    search: bool = False
    folds: int | None = None
    seed: int = SEED
    embedder: Path | None = None
    allow_leak: bool = False

    @property
    def fits_filmed(self) -> bool:
        """Whether filmed faces are fitted on: not every classifier gains from them."""
        return self.filmed and self.classifier not in CLEAR_ONLY

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Reads what `record` gave, of an earlier version too.

        One of before leaks were looked for allowed them, and one of before faces were filmed did
        without; settings that are no more change nothing.
        """
        known = {each.name for each in fields(cls)}
        typed = {name: value for name, value in record.items() if name in known}
        if record["attributes"]:
            typed["attributes"] = tuple(record["attributes"])
        if record.get("embedder"):
            typed["embedder"] = Path(record["embedder"])
        return cls(**{"allow_leak": True, "filmed": False, **typed})

    def record(self) -> dict[str, Any]:
        """The settings as a manifest records them."""
        return asdict(self) | {"embedder": self.embedder and short_path(self.embedder)}


def command_line(settings: FitSettings) -> str:
    """The command that fits with these settings."""
    default = FitSettings()
    words = ["face-train fit features.parquet --out FOLDER"]
    if settings.attributes is not None:
        words.append(f"--attributes {quoted(','.join(settings.attributes))}")
    if settings.classifier != default.classifier:
        words.append(f"--classifier {settings.classifier}")
    if settings.embedder is not None:
        words.append(f"--embedder {quoted(short_path(settings.embedder))}")
    flags = {
        "--class-weight balanced": settings.balanced,
        "--no-mirror": not settings.mirror,
        "--no-filmed": not settings.filmed,
        "--no-calibrate": not settings.calibrate,
        "--allow-leak": settings.allow_leak,
        "--search": settings.search,
        f"--cross-validate {settings.folds}": settings.folds is not None,
        f"--seed {settings.seed}": settings.seed != default.seed,
    }
    return " ".join([*words, *(flag for flag, is_given in flags.items() if is_given)])
