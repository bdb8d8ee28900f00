"""The classifier: from embeddings to what each face is perceived as."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.classification.bundle import Bundle
from models.classification.calibration import Calibration
from models.classification.graph_check import check_bundled_graph
from models.classification.view_quality import ViewQuality
from models.errors import ModelError
from models.networks.runtime import Session

_SUM_TOLERANCE = 1e-3
"""How far the probabilities of a face may be from summing to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """How probable each class of one attribute is for each face.

    Attributes:
        attribute: its name, such as `gender`.
        classes: the k classes.
        probabilities: `(n, k)` float32, rows sum to 1.
    """

    attribute: str
    classes: tuple[str, ...]
    probabilities: NDArray[np.float32]

    def __post_init__(self) -> None:
        shape = self.probabilities.shape
        if len(shape) != 2 or shape[1] != len(self.classes):
            raise ValueError(f"probabilities should be (n, {len(self.classes)}), are {shape}")
        # So written that a sum that is no number fails, too.
        if not np.abs(self.probabilities.sum(axis=1) - 1).max(initial=0) <= _SUM_TOLERANCE:
            raise ValueError(f"probabilities of {self.attribute} do not sum to 1")


class Classifier:
    """The heads of a bundle, each a scikit-learn classifier exported to ONNX, and how sure they may
    be of a view.

    Raises:
        ModelError: a head does not take the bundle's embedding or give its classes, its graph is
            none that is run, or the calibration is not read.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._heads = bundle.manifest.attributes
        for head in self._heads:
            check_bundled_graph(bundle, head.file)
        # A head is a few small products, which more threads than one only slow down.
        self._sessions = [
            Session(bundle.files[head.file], threads=1, device="cpu") for head in self._heads
        ]
        self._calibration = _read_calibration(bundle)
        try:
            self.predict(np.zeros((1, bundle.manifest.embedder.dimensions), dtype=np.float32))
        except (ValueError, ModelError) as error:
            raise ModelError(
                f"{bundle.folder}: a head does not fit its manifest: {error}"
            ) from error

    @property
    def classes(self) -> dict[str, tuple[str, ...]]:
        """The classes of each attribute that is predicted."""
        return {head.attribute: head.classes for head in self._heads}

    def predict(
        self,
        embeddings: NDArray[np.float32],
        attributes: Container[str] | None = None,
        quality: ViewQuality | None = None,
    ) -> tuple[Prediction, ...]:
        """One prediction an attribute for `(n, dimensions)` embeddings.

        Args:
            embeddings: of the faces.
            attributes: those that are wanted; None for all.
            quality: of their views; None where it is unknown, which counts as good.
        """
        classes = self.classes
        wanted = [name for name in classes if attributes is None or name in attributes]
        needed = set().union(*map(self._calibration.needed, wanted))
        probabilities = {
            head.attribute: self._probabilities(session, embeddings, head.classes)
            for head, session in zip(self._heads, self._sessions, strict=True)
            if head.attribute in needed
        }
        views = ViewQuality.unknown(len(embeddings)) if quality is None else quality
        return tuple(
            Prediction(
                name,
                classes[name],
                self._calibration.calibrate(name, probabilities, classes, views),
            )
            for name in wanted
        )

    def _probabilities(
        self, session: Session, embeddings: NDArray[np.float32], classes: Sequence[str]
    ) -> NDArray[np.float32]:
        if not len(embeddings):
            return np.zeros((0, len(classes)), dtype=np.float32)
        return session.run(embeddings)


def _read_calibration(bundle: Bundle) -> Calibration:
    """The calibration of a bundle; one without leaves the heads as they are."""
    file = bundle.manifest.calibration
    if file is None:
        return Calibration(attributes={})
    classes = {head.attribute: head.classes for head in bundle.manifest.attributes}
    try:
        return Calibration.from_bytes(bundle.files[file], classes)
    except ModelError as error:
        raise ModelError(f"{bundle.folder}: {error}") from error


def grouped(prediction: Prediction, groups: Mapping[str, Sequence[str]]) -> Prediction:
    """The same prediction with classes merged: a group's probability is the sum of its classes'.

    Classes that no group names keep their own name.

    Raises:
        ModelError: the groups do not fit the classes; see `check_groups`.
    """
    owner = check_groups(prediction.attribute, prediction.classes, groups)
    names = tuple(dict.fromkeys(owner.get(name, name) for name in prediction.classes))
    membership = np.array(
        [[owner.get(name, name) == group for group in names] for name in prediction.classes],
        dtype=np.float32,
    )
    # Of many classes a sum may come out above 1 by rounding.
    merged = np.minimum(prediction.probabilities @ membership, np.float32(1))
    return Prediction(prediction.attribute, names, merged)


def check_groups(
    attribute: str, classes: Sequence[str], groups: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Which group each class belongs to; classes of no group are left out.

    Raises:
        ModelError: a group is empty, names an unknown class, shares one with another, or has the
            name of a class outside it.
    """
    owner: dict[str, str] = {}
    for group, members in groups.items():
        if not members:
            raise ModelError(f"group {group!r} of {attribute} has no classes")
        if group in classes and group not in members:
            raise ModelError(f"group {group!r} of {attribute} has the name of a class outside it")
        for member in members:
            if member not in classes:
                known = ", ".join(classes)
                raise ModelError(
                    f"group {group!r} of {attribute} names {member!r}; the model knows {known}"
                )
            if member in owner:
                raise ModelError(f"{member!r} is in two groups: {owner[member]!r} and {group!r}")
            owner[member] = group
    return owner
