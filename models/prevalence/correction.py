"""What a model folder says of its own errors, `correction.json`, by which counts are corrected.

```
schema       name and version of the format
data         the faces it was measured on, none of which the model was fitted on
attributes   by attribute: its classes, the calibration and the confusion by how wide the face is,
             the test of the correction, and whether that showed a gain
```
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.classification.bundle import CORRECTION_FILE, read_manifest
from models.classification.label_names import MAX_CLASSES
from models.errors import ModelError
from models.prevalence.estimation import Calibration
from models.safe_files import UnfitFileError, check_inside, parse_json, read_regular

CORRECTION_SCHEMA = "face-correction/1"
"""Name and version of the format."""

_MAX_BYTES = 16 << 20
"""Size of the file at most, bytes; the one that ships has 100,000."""

_Class = Annotated[float, Field(ge=-1e3, le=1e3)]
_Share = Annotated[float, Field(gt=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class StoredCalibration(_Part):
    """Vector scaling, as `Calibration` has it."""

    slope: float = Field(gt=0, le=1e3)
    offsets: list[_Class] = Field(min_length=2, max_length=MAX_CLASSES)
    prior: list[_Share] = Field(min_length=2, max_length=MAX_CLASSES)

    @classmethod
    def of(cls, calibration: Calibration) -> Self:
        """The calibration with the digits that are stored."""
        return cls(
            slope=max(round(calibration.slope, 5), 1e-5),
            offsets=[round(each, 5) for each in calibration.offsets.tolist()],
            prior=[round(each, 7) for each in calibration.prior.tolist()],
        )

    @property
    def calibration(self) -> Calibration:
        """The calibration."""
        return Calibration(self.slope, np.array(self.offsets), np.array(self.prior))


class ViewCorrection(_Part):
    """The errors on faces of one range of widths, which ends where the next one begins.

    Attributes:
        from_px: width of the face from which it holds, px.
        faces: how many were measured.
        calibration: fitted on all of them.
        resampled: fitted on samples of them: how far the calibration is known.
        confusion: how many faces of each class, in rows, were taken for which.
    """

    from_px: float = Field(ge=0)
    faces: int = Field(gt=0)
    calibration: StoredCalibration
    resampled: list[StoredCalibration] = Field(min_length=1, max_length=1000)
    confusion: list[list[Annotated[int, Field(ge=0)]]]


class AttributeCorrection(_Part):
    """The errors of one attribute.

    Attributes:
        classes: in the order of all that is stored.
        views: by the width of the face, the narrowest first.
        test: how the correction did on simulated populations, as `models.prevalence.trial` has it.
        is_gain: whether it came nearer to the truth there than the share of the likeliest class,
            with intervals that hold it as often as they say.
        widening: factor of the intervals about the share, at least 1.
    """

    classes: list[str] = Field(min_length=2, max_length=MAX_CLASSES)
    views: list[ViewCorrection] = Field(min_length=1, max_length=20)
    test: dict[str, Any]
    is_gain: bool
    widening: float = Field(default=1.0, ge=1, le=10)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        k = len(self.classes)
        for view in self.views:
            for each in (view.calibration, *view.resampled):
                if not len(each.offsets) == len(each.prior) == k:
                    raise ValueError(f"a calibration should have {k} classes")
            if [len(row) for row in view.confusion] != [k] * k:
                raise ValueError(f"confusion should be {k} by {k}")
            if len(view.resampled) != len(self.views[0].resampled):
                raise ValueError("views should have as many resampled calibrations")
        if [view.from_px for view in self.views] != sorted({view.from_px for view in self.views}):
            raise ValueError("views should be in the order of their widths")
        return self

    @property
    def measured_from_px(self) -> float:
        """Width of the narrowest faces that were measured, px."""
        return self.views[0].from_px

    @property
    def resamples(self) -> int:
        """How many resampled calibrations each view has."""
        return len(self.views[0].resampled)

    def view_numbers(self, widths_px: NDArray[np.floating]) -> NDArray[np.intp]:
        """Which view each face is of, `(n,)`; narrower ones than were measured are of the first."""
        edges = [view.from_px for view in self.views[1:]]
        return np.searchsorted(edges, widths_px, side="right").astype(np.intp)

    def likelihoods(
        self,
        probabilities: NDArray[np.floating],
        views: NDArray[np.intp],
        resample: int | None = None,
    ) -> NDArray[np.float64]:
        """How likely each face is under each class, `(n, k)`, up to a factor by face.

        Args:
            probabilities: `(n, k)`.
            views: `(n,)`, which view each face is of.
            resample: which of the resampled calibrations is used; None for that of all faces.
        """
        found = np.empty(probabilities.shape)
        for number, view in enumerate(self.views):
            of_view = views == number
            stored = view.calibration if resample is None else view.resampled[resample]
            found[of_view] = stored.calibration.likelihoods(probabilities[of_view])
        return found

    def confusion(self, views: NDArray[np.intp]) -> NDArray[np.float64]:
        """The confusion `(k, k)` by which these faces are counted: rates, by how many each has."""
        numbers = np.bincount(views, minlength=len(self.views)) / max(len(views), 1)
        matrices = [np.array(view.confusion, dtype=np.float64) for view in self.views]
        return sum(
            (share * each for share, each in zip(numbers, matrices, strict=True)),
            np.zeros_like(matrices[0]),
        )


class Correction(_Part):
    """What `correction.json` holds."""

    schema_name: str = Field(alias="schema", pattern=f"^{CORRECTION_SCHEMA}$")
    data: dict[str, Any]
    attributes: dict[str, AttributeCorrection]

    @classmethod
    def of(cls, data: Mapping[str, Any], attributes: Mapping[str, AttributeCorrection]) -> Self:
        """The correction with its schema."""
        return cls(schema=CORRECTION_SCHEMA, data=dict(data), attributes=dict(attributes))

    def as_json(self) -> bytes:
        """The file."""
        return self.model_dump_json(by_alias=True).encode() + b"\n"


def read_correction(folder: Path) -> Correction | None:
    """The correction of a model folder, of which nothing else but the manifest is read.

    Returns:
        None where the folder has none.

    Raises:
        ModelError: it has no manifest, or one of both cannot be understood or was changed.
    """
    expected = read_manifest(folder).files.get(CORRECTION_FILE)
    if expected is None:
        return None
    path = folder / CORRECTION_FILE
    try:
        check_inside(path, folder)
        data = read_regular(path, _MAX_BYTES)
        if hashlib.sha256(data).hexdigest() != expected:
            raise ModelError(f"{path} was changed since the model was made")
        return Correction.model_validate(parse_json(data))
    except UnfitFileError as error:
        raise ModelError(f"{path} {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ModelError(f"{path} cannot be understood: {place}: {first['msg']}") from error
