"""Teachers: that they say what their models say, are asked once, and count by their share."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from training_helpers import CountedProgress, face_picture

from models.classification.bundle import CARD_FILE, DEFAULT_FOLDER, DLIB_FOLDER, Bundle, load_bundle
from models.classification.classifier import Classifier
from models.embedder import OnnxEmbedder, bundled_embedder
from training.errors import DatasetError, OutputError
from training.features.extractor import as_chip
from training.finetune.chip_store import ChipStore
from training.finetune.distillation import blend, teacher_probabilities
from training.finetune.labelled_faces import LabelledFaces
from training.finetune.teachers import Teacher

_GENDERS = ("Female", "Male")
_FACES = 300
"""More than share a file."""


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle(DEFAULT_FOLDER)


@pytest.fixture(scope="module")
def teacher(bundle: Bundle) -> Teacher:
    return Teacher(bundle, "cpu")


class _Says(Teacher):
    """Says the same of each face, in no time, and counts the faces that it is asked about."""

    def __init__(self, digest: str, said: tuple[float, ...]) -> None:
        self.digest = digest
        self.asked: list[int] = []
        self._said = np.array(said, dtype=np.float32)

    def probabilities(self, chips: NDArray[np.uint8], classes: object) -> NDArray[np.float32]:
        self.asked.append(len(chips))
        return np.tile(self._said, (len(chips), 1))


def _faces(digest: str = "faces") -> LabelledFaces:
    """Faces of which every tenth is not fitted on."""
    numbers = np.arange(_FACES)
    chips = np.zeros((_FACES, 2, 2, 3), dtype=np.uint8)
    return LabelledFaces(
        ChipStore(numbers, digest, (chips,), np.array([_FACES])),
        {"gender": _GENDERS, "hat": ("no", "yes")},
        np.zeros((_FACES, 2), dtype=np.int64),
        numbers[numbers % 10 != 0],
        numbers[numbers % 10 == 0],
    )


def test_a_teacher_says_what_its_model_says_of_a_face_and_its_mirror_image(
    bundle: Bundle, teacher: Teacher
) -> None:
    """In floats, and in the order of the classes that is asked for."""
    chips = np.stack([as_chip(face_picture(number)[25:175, 25:175]) for number in range(2)])
    model = bundled_embedder(bundle)
    assert model is not None
    embedder, classifier = OnnxEmbedder(model, device="cpu"), Classifier(bundle)
    races = tuple(reversed(classifier.classes["race"]))
    found = teacher.probabilities(chips, {"race": races, "gender": ("Male", "Female")})
    assert (found.shape, found.dtype) == ((2, 9), np.float32)
    views = []
    for shown in (chips, np.ascontiguousarray(chips[:, :, ::-1])):
        said = {each.attribute: each for each in classifier.predict(embedder.embed(shown))}
        assert said["gender"].classes == _GENDERS
        both = [said["race"].probabilities[:, ::-1], said["gender"].probabilities[:, ::-1]]
        views.append(np.concatenate(both, axis=1))
    assert not np.allclose(views[0], views[1], atol=1e-3)
    np.testing.assert_allclose(found, np.mean(views, axis=0), atol=1e-5)


def test_a_model_on_dlib_s_embedder_teaches_too() -> None:
    chips = as_chip(face_picture(0)[25:175, 25:175])[None]
    found = Teacher(load_bundle(DLIB_FOLDER), "cpu").probabilities(chips, {"gender": _GENDERS})
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        ({"hat": ("no", "yes")}, "knows no hat, only gender, race, age: leave it out, or name"),
        ({"gender": ("Female", "Male", "Other")}, r"of gender .*: only the pictures have Other:"),
        ({"gender": ("Female",)}, r"of gender .*: only the teacher knows Male: name a teacher"),
        ({"gender": ("f", "Male")}, "only the teacher knows Female; only the pictures have f"),
    ],
)
def test_other_classes_are_refused(
    teacher: Teacher, classes: dict[str, tuple[str, ...]], said: str
) -> None:
    with pytest.raises(DatasetError, match=said):
        teacher.check_classes(classes)
    with pytest.raises(DatasetError, match=said):
        teacher.probabilities(np.zeros((1, 150, 150, 3), dtype=np.uint8), classes)


def test_a_digest_is_of_what_is_said_and_not_of_the_card(bundle: Bundle, teacher: Teacher) -> None:
    def changed(**fields: object) -> str:
        manifest = bundle.manifest.model_copy(update=fields)
        return Teacher(replace(bundle, folder=Path("elsewhere"), manifest=manifest), "cpu").digest

    files = bundle.manifest.files
    assert changed(files={**files, CARD_FILE: "another"}) == teacher.digest
    assert changed(files={**files, "gender.onnx": "another"}) != teacher.digest
    assert changed(files={**files, "embedder.onnx": "another"}) != teacher.digest


def test_the_mean_of_the_teachers_is_known_for_each_face_that_is_fitted_on(tmp_path: Path) -> None:
    faces = _faces()
    teachers = [_Says("a", (0.1, 0.9, 0.6, 0.4)), _Says("b", (0.5, 0.5, 0.0, 1.0))]
    taught = teacher_probabilities(teachers, faces, tmp_path)
    assert taught.teachers == ("a", "b")
    for found, expected in zip(taught.by_attribute, ([0.3, 0.7], [0.3, 0.7]), strict=True):
        np.testing.assert_allclose(found[faces.fitted], np.tile(expected, (270, 1)), rtol=1e-6)
        assert not found[faces.development].any()


def test_a_face_is_asked_about_once(tmp_path: Path) -> None:
    says = (0.1, 0.9, 0.6, 0.4)
    first, progress = _Says("a", says), CountedProgress()
    whole = teacher_probabilities([first], _faces(), tmp_path, progress)
    assert (first.asked, progress.done, progress.known) == ([256, 14], [256, 14], [])
    again, progress = _Says("a", says), CountedProgress()
    found = teacher_probabilities([again], _faces(), tmp_path, progress)
    assert (again.asked, progress.done, progress.known) == ([], [256, 14], [256, 14])
    for expected, each in zip(whole.by_attribute, found.by_attribute, strict=True):
        assert np.array_equal(each, expected)
    # What a kill had not measured yet is measured, and nothing else.
    min(tmp_path.glob("*.npy"), key=lambda path: path.stat().st_size).unlink()
    third = _Says("a", says)
    teacher_probabilities([third], _faces(), tmp_path)
    assert third.asked == [14]


def test_other_faces_classes_and_teachers_are_asked_about_anew(tmp_path: Path) -> None:
    says = (0.1, 0.9, 0.6, 0.4)
    faces = _faces()
    teacher_probabilities([_Says("a", says)], faces, tmp_path)
    renamed = replace(faces, classes={"gender": ("Male", "Female"), "hat": ("no", "yes")})
    fewer = replace(faces, fitted=faces.fitted[:100])
    for teacher, shown in (
        (_Says("b", says), faces),
        (_Says("a", says), _faces("others")),
        (_Says("a", says), renamed),
        (_Says("a", says), fewer),
    ):
        teacher_probabilities([teacher], shown, tmp_path)
        assert sum(teacher.asked) == len(shown.fitted)


def test_a_disk_that_refuses_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "teachers").write_bytes(b"a file, not a folder")
    with pytest.raises(OutputError, match=r"cannot write .*teachers.*nothing was changed"):
        teacher_probabilities([_Says("a", (0.5,) * 4)], _faces(), tmp_path / "teachers")


def test_labels_and_teachers_count_by_their_shares() -> None:
    labels = np.array([[0.95, 0.05], [0.05, 0.95], [0, 0]], dtype=np.float32)
    said = np.array([[0.2, 0.8]] * 3, dtype=np.float32)
    expected = [[0.3875, 0.6125], [0.1625, 0.8375], [0.2, 0.8]]  # the last has no label
    np.testing.assert_allclose(blend(labels, said, 0.75), expected, rtol=1e-6)
    np.testing.assert_allclose(blend(labels, said, 1.0), said, rtol=1e-6)
    np.testing.assert_allclose(blend(labels, said, 0.0)[:2], labels[:2], rtol=1e-6)
