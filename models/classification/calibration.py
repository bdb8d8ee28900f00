"""Calibration of a model folder: how sure its heads may be of a view of a face.

A head is calibrated on faces like those it was fitted on. Of a face that is small, blurred or
coarsely compressed, or of a group of which it is wrong more often, it is too sure. So each
attribute has a temperature of its own for each face:

    calibrated = softmax(inverse temperature · log p)
    log inverse temperature = constant + width · w + sharpness · s + sum of apparent · p

with w and s the logarithms of the face's width and sharpness, and p the probabilities of the
classes of the other attributes. Which class is the likeliest never changes.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.classification.view_quality import ViewQuality
from models.digests import DIGEST, content_digest
from models.errors import ModelError
from models.safe_files import UnfitFileError, parse_json

CALIBRATION_FILE = "calibration.json"
"""Name of the file in a model folder."""

FORMAT_VERSION = 1
"""Version of the file's format; another one is refused."""

MIN_PROBABILITY = 1e-6
"""Least probability before the logarithm is taken, as in the heads."""

INVERSE_TEMPERATURE_BOUNDS = (0.2, 5.0)
"""Least and greatest inverse temperature: no view makes a head certain, or says nothing."""

_FULL_WIDTH_PX = 100.0
"""Width from which a face is seen as well as can be, px: that of a face in a chip."""

_WIDTH_BOUNDS = (-4.0, 0.0)
"""Least and greatest logarithm, to the base 2, of a width as a share of the full one; outside
nothing was fitted."""

_TYPICAL_SHARPNESS = 0.65
"""Sharpness of the median face of FairFace, seen as it is published."""

_SHARPNESS_BOUNDS = (-3.0, 1.5)
"""Likewise, of a sharpness as a share of the typical one."""

_MAX_BYTES = 1 << 18
"""Size of the file at most, bytes; that of three attributes has 2,000."""

_MAX_COEFFICIENT = 20.0
"""Size of a coefficient at most; fitted ones stay below 2."""

QUALITY_TERMS = ("constant", "width", "sharpness")
"""Names of the terms that view quality gives, in the order of the columns of `quality_terms`."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AttributeCalibration(_Part):
    """The coefficients of one attribute; see the head of the module.

    Attributes:
        constant: at a wide and typically sharp view.
        width: of the logarithm of the width; above 0 narrow faces are less sure.
        sharpness: of the logarithm of the sharpness; above 0 blurred faces are less sure.
        apparent: other attribute → class → coefficient of its probability.
    """

    constant: float = Field(default=0.0, ge=-_MAX_COEFFICIENT, le=_MAX_COEFFICIENT)
    width: float = Field(default=0.0, ge=-_MAX_COEFFICIENT, le=_MAX_COEFFICIENT)
    sharpness: float = Field(default=0.0, ge=-_MAX_COEFFICIENT, le=_MAX_COEFFICIENT)
    apparent: dict[str, dict[str, float]] = Field(default_factory=dict)


class Calibration(_Part):
    """What `calibration.json` holds.

    Attributes:
        format_version: of the format.
        attributes: by attribute its coefficients; one without any is left as its head gives it.
        record: on what it was fitted.
    """

    format_version: Literal[1] = 1
    attributes: dict[str, AttributeCalibration]
    record: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def from_bytes(cls, data: bytes, classes: Mapping[str, tuple[str, ...]]) -> Self:
        """Reads what `to_bytes` wrote.

        Args:
            data: the content of the file.
            classes: of each attribute of the model.

        Raises:
            ModelError: it was changed, is of another version, or does not fit the model.
        """
        try:
            if len(data) > _MAX_BYTES:
                raise ValueError(f"it is larger than {_MAX_BYTES >> 10} kB")
            content = parse_json(data)
            if not isinstance(content, dict):
                raise ValueError("it is no object")
            if (version := content.get("format_version")) != FORMAT_VERSION:
                raise ValueError(f"its format version is {version}, this program reads 1")
            if content.pop(DIGEST, None) != content_digest(content):
                raise ValueError("it was changed since it was made")
            calibration = cls.model_validate(content)
            calibration._check(classes)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise ModelError(f"{CALIBRATION_FILE} is not read: {place}: {first['msg']}") from error
        except (UnfitFileError, ValueError, RecursionError) as error:
            raise ModelError(
                f"{CALIBRATION_FILE} is not read: {error}: fit the model again"
            ) from error
        return calibration

    def to_bytes(self) -> bytes:
        """The content of the file, with its digest."""
        content = self.model_dump(mode="json")
        content[DIGEST] = content_digest(content)
        return f"{json.dumps(content, indent=2, ensure_ascii=False)}\n".encode()

    def needed(self, attribute: str) -> set[str]:
        """The attributes whose probabilities are needed to calibrate one, itself included."""
        own = self.attributes.get(attribute)
        return {attribute, *(own.apparent if own else ())}

    def calibrate(
        self,
        attribute: str,
        probabilities: Mapping[str, NDArray[np.float32]],
        classes: Mapping[str, tuple[str, ...]],
        quality: ViewQuality,
    ) -> NDArray[np.float32]:
        """The calibrated probabilities of an attribute, `(n, k)`.

        Args:
            attribute: which one.
            probabilities: of all that it needs, as the heads give them, each `(n, k)`.
            classes: of these attributes.
            quality: of the n views; what is unknown counts as a good view.
        """
        own = self.attributes.get(attribute)
        if own is None:
            return probabilities[attribute]
        exponent = quality_terms(quality) @ [own.constant, own.width, own.sharpness]
        for other, coefficients in own.apparent.items():
            by_class = [coefficients.get(name, 0.0) for name in classes[other]]
            exponent = exponent + probabilities[other] @ np.array(by_class)
        return tempered(probabilities[attribute], inverse_temperatures(exponent))

    def _check(self, classes: Mapping[str, tuple[str, ...]]) -> None:
        """Raises ValueError where it names what the model does not have."""
        for attribute, own in self.attributes.items():
            for name, members in ((attribute, {}), *own.apparent.items()):
                if name not in classes:
                    raise ValueError(f"it names {name!r}, which is no attribute of the model")
                if unknown := sorted(members.keys() - set(classes[name])):
                    raise ValueError(f"it names {unknown[0]!r}, which is no class of {name!r}")
                # So written that what is no number fails, too.
                if not all(abs(each) <= _MAX_COEFFICIENT for each in members.values()):
                    raise ValueError(f"a coefficient of {name!r} is out of bounds")


def quality_terms(quality: ViewQuality) -> NDArray[np.float64]:
    """One column for each of `QUALITY_TERMS`, `(n, 3)`; what is unknown counts as a good view."""
    columns = [np.ones(len(quality))]
    for values, full, bounds in (
        (quality.widths_px, _FULL_WIDTH_PX, _WIDTH_BOUNDS),
        (quality.sharpness, _TYPICAL_SHARPNESS, _SHARPNESS_BOUNDS),
    ):
        least = full * 2 ** bounds[0]
        logarithm = np.log2(np.maximum(values, least, dtype=np.float64) / full)
        columns.append(np.nan_to_num(logarithm.clip(*bounds), nan=0.0))
    return np.stack(columns, axis=1)


def inverse_temperatures(exponents: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse temperatures of which these are the logarithms, within their bounds."""
    return np.exp(exponents.clip(*np.log(INVERSE_TEMPERATURE_BOUNDS)))


def tempered(
    probabilities: NDArray[np.float32], inverse: NDArray[np.float64]
) -> NDArray[np.float32]:
    """softmax(inverse temperature · log p), `(n, k)`.

    Args:
        probabilities: `(n, k)`.
        inverse: `(n,)`, the inverse temperature of each.
    """
    logits = inverse[:, None] * np.log(np.maximum(probabilities, MIN_PROBABILITY))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
