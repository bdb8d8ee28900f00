"""Teachers: models whose probabilities of a face a network learns from, beside the face's label."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.classification.bundle import Bundle
from models.classification.classifier import Classifier
from models.digests import content_digest
from models.embedder import OnnxEmbedder, bundled_embedder, dlib_embedder
from models.networks.runtime import Device
from training.errors import DatasetError


class Teacher:
    """A model folder as it ships: its embedder, in floats, and its heads with their calibration.

    Args:
        bundle: the model folder.
        device: where its embedder runs.

    Attributes:
        digest: of all that its probabilities depend on; the card and where the folder lies are not.

    Raises:
        ModelError: the embedder or a head is none that is run.
    """

    def __init__(self, bundle: Bundle, device: Device = "auto") -> None:
        model = bundled_embedder(bundle)
        self._embedder = (
            dlib_embedder(device=device) if model is None else OnnxEmbedder(model, device=device)
        )
        self._classifier = Classifier(bundle)
        self._folder = bundle.folder
        self.digest = _digest(bundle)

    def __repr__(self) -> str:
        return f"Teacher({self._folder.name}, {self._embedder!r})"

    def check_classes(self, classes: Mapping[str, Sequence[str]]) -> None:
        """Raises DatasetError where it knows an attribute not at all, or by other classes."""
        known = self._classifier.classes
        for attribute, names in classes.items():
            if attribute not in known:
                raise DatasetError(
                    f"the teacher {self._folder} knows no {attribute}, only {', '.join(known)}: "
                    "leave it out, or name --attributes"
                )
            if set(names) == set(known[attribute]):
                continue
            differences = [
                f"only {whose} {', '.join(sorted(only))}"
                for whose, only in (
                    ("the teacher knows", set(known[attribute]) - set(names)),
                    ("the pictures have", set(names) - set(known[attribute])),
                )
                if only
            ]
            raise DatasetError(
                f"the teacher {self._folder} has other classes of {attribute} than the training "
                f"pictures: {'; '.join(differences)}: name a teacher with the same classes"
            )

    def probabilities(
        self, chips: NDArray[np.uint8], classes: Mapping[str, Sequence[str]]
    ) -> NDArray[np.float32]:
        """How probable each class is, the mean over a face and its mirror image.

        Args:
            chips: `(n, side, side, 3)` BGR.
            classes: attribute → names of its classes, in the order of the columns.

        Returns:
            `(n, classes)`, those of all attributes side by side.

        Raises:
            DatasetError: see `check_classes`.
        """
        self.check_classes(classes)
        views = [self._view(each, classes) for each in (chips, chips[:, :, ::-1])]
        return np.mean(views, axis=0, dtype=np.float32)

    def _view(
        self, chips: NDArray[np.uint8], classes: Mapping[str, Sequence[str]]
    ) -> NDArray[np.float32]:
        predictions = {
            each.attribute: each
            for each in self._classifier.predict(self._embedder.embed(chips), classes)
        }
        return np.concatenate(
            [
                predictions[attribute].probabilities[
                    :, [predictions[attribute].classes.index(name) for name in names]
                ]
                for attribute, names in classes.items()
            ],
            axis=1,
        )


def _digest(bundle: Bundle) -> str:
    manifest = bundle.manifest
    optional = (manifest.embedder.file, manifest.calibration)
    content = {
        "embedder": manifest.embedder.name,
        "heads": [
            [head.attribute, head.classes, manifest.files[head.file]]
            for head in manifest.attributes
        ],
        "files": [None if name is None else manifest.files[name] for name in optional],
    }
    return content_digest(content)[:16]
