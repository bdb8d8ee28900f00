"""Model folders: saved, read again, and refused with one clear line when they are not whole."""

import json
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.classification.bundle import (
    CARD_FILE,
    DEFAULT_FOLDER,
    DLIB_FOLDER,
    FORMAT_VERSION,
    MANIFEST_FILE,
    EmbedderSpec,
    HeadSpec,
    Manifest,
    load_bundle,
    read_short_names,
    save_bundle,
)
from models.detection.names import NO_DETECTOR
from models.digests import content_digest
from models.errors import ModelError

_MANIFEST = Manifest(
    embedder=EmbedderSpec(name="dlib-resnet-v1", dimensions=128, chip_size=150),
    attributes=(HeadSpec(attribute="gender", classes=("Female", "Male"), file="gender.onnx"),),
    provenance={"data": "none", "rows": 3},
)
_FILES = {CARD_FILE: "# A card, für alle\n".encode(), "gender.onnx": b"\x08\x07weights"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "made" / "model"
    save_bundle(path, _MANIFEST, _FILES)
    return path


def test_what_was_saved_is_read_again(folder: Path) -> None:
    bundle = load_bundle(folder)
    assert bundle.files == _FILES
    assert bundle.manifest.model_copy(update={"files": {}, "digest": None}) == _MANIFEST
    assert repr(bundle) == "Bundle(model: gender on dlib-resnet-v1)"
    assert json.loads((folder / MANIFEST_FILE).read_text())["format_version"] == FORMAT_VERSION


def test_what_version_2_has_is_read_again_and_survives_a_second_saving(tmp_path: Path) -> None:
    added = {
        "default_attributes": ("gender",),
        "detector": "hog",
        "short_names": {"gender": {"Female": "F"}},
        "tree": {"gender": {"anyone": ("Female", "Male")}},
    }
    folder = tmp_path / "model"
    save_bundle(folder, _MANIFEST.model_copy(update=added), _FILES)
    bundle = load_bundle(folder)
    assert bundle.short_names == {"gender": {"Female": "F"}}
    save_bundle(folder, bundle.manifest, bundle.files)
    content = json.loads((folder / MANIFEST_FILE).read_text())
    assert {name: content[name] for name in added} == json.loads(json.dumps(added))
    assert content["format_version"] == 2


def test_a_key_that_nothing_reads_is_passed_over(folder: Path) -> None:
    path = folder / MANIFEST_FILE
    content = json.loads(path.read_text()) | {"confusion": {"gender": [[9, 1], [2, 8]]}}
    content["digest"] = content_digest(content)
    path.write_text(json.dumps(content))
    bundle = load_bundle(folder)
    save_bundle(folder, bundle.manifest, bundle.files)
    assert "confusion" not in json.loads(path.read_text())


def test_default_attributes_are_all_unless_the_manifest_names_them(tmp_path: Path) -> None:
    age = HeadSpec(attribute="age", classes=("young", "old"), file="age.onnx")
    both = _MANIFEST.model_copy(update={"attributes": (*_MANIFEST.attributes, age)})
    files = {**_FILES, "age.onnx": b"weights"}
    for named, expected in (((), ("gender", "age")), (("age",), ("age",))):
        save_bundle(tmp_path / "m", both.model_copy(update={"default_attributes": named}), files)
        assert load_bundle(tmp_path / "m").default_attributes == expected
    assert load_bundle(DEFAULT_FOLDER).default_attributes == ("gender", "race")
    assert load_bundle(DLIB_FOLDER).default_attributes == ("gender", "race")


def test_a_folder_of_version_1_is_read_and_saved_as_version_2(folder: Path) -> None:
    path = folder / MANIFEST_FILE
    sums = json.loads(path.read_text())["files"]
    first = {
        "format_version": 1,
        "embedder": {
            "name": "dlib-resnet-v1",
            "dimensions": 128,
            "chip_size": 150,
            "file": None,
            "identity": None,
        },
        "attributes": [
            {"attribute": "gender", "classes": ["Female", "Male"], "file": "gender.onnx"}
        ],
        "files": sums,
        "provenance": {"data": "none", "rows": 3},
    }
    path.write_text(json.dumps(first))
    bundle = load_bundle(folder)
    assert bundle.files == _FILES
    assert bundle.manifest == _MANIFEST.model_copy(update={"files": sums})
    assert (bundle.manifest.detector, bundle.short_names) == (None, {})
    save_bundle(folder, bundle.manifest, bundle.files)
    assert json.loads(path.read_text())["format_version"] == 2


@pytest.mark.parametrize("folder", [DEFAULT_FOLDER, DLIB_FOLDER], ids=lambda folder: folder.name)
def test_the_shipped_folders_say_that_no_detector_found_their_faces(folder: Path) -> None:
    bundle = load_bundle(folder)
    assert bundle.manifest.detector == NO_DETECTOR
    assert bundle.manifest.provenance["data"]["features"].startswith("aligned chips")
    assert bundle.short_names["race"]["Southeast Asian"] == "SE Asian"


def test_a_bundle_may_bring_its_embedder(tmp_path: Path) -> None:
    embedder = EmbedderSpec(name="mine", dimensions=64, chip_size=112, file="embedder.onnx")
    files = {**_FILES, "embedder.onnx": b"more"}
    save_bundle(tmp_path / "model", _MANIFEST.model_copy(update={"embedder": embedder}), files)
    assert load_bundle(tmp_path / "model").files == files


def test_the_dimensions_of_appearance_are_named_identity_in_the_manifest(tmp_path: Path) -> None:
    embedder = _MANIFEST.embedder.model_copy(update={"appearance_dimensions": 100})
    folder = tmp_path / "model"
    save_bundle(folder, _MANIFEST.model_copy(update={"embedder": embedder}), _FILES)
    content = json.loads((folder / MANIFEST_FILE).read_text())
    assert list(content["embedder"]) == ["name", "dimensions", "chip_size", "file", "identity"]
    assert content["embedder"]["identity"] == 100
    assert load_bundle(folder).manifest.embedder.appearance_dimensions == 100
    content["embedder"]["appearance_dimensions"] = content["embedder"].pop("identity")
    (folder / MANIFEST_FILE).write_text(json.dumps(content))
    with pytest.raises(ModelError, match=r"embedder\.appearance_dimensions: Extra inputs"):
        load_bundle(folder)


def test_saving_again_replaces_it_and_leaves_nothing_aside(folder: Path) -> None:
    save_bundle(folder, _MANIFEST, {**_FILES, "gender.onnx": b"better"})
    assert load_bundle(folder).files["gender.onnx"] == b"better"
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_link_to_a_folder_goes_on_pointing_to_it(folder: Path) -> None:
    link = folder.with_name("link")
    link.symlink_to(folder)
    save_bundle(link, _MANIFEST, {**_FILES, "gender.onnx": b"better"})
    assert link.is_symlink()
    assert load_bundle(folder).files["gender.onnx"] == b"better"


def test_another_folder_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"precious")
    with pytest.raises(ModelError, match="exists and is not a model folder: name another"):
        save_bundle(tmp_path, _MANIFEST, _FILES)
    assert (tmp_path / "holiday.jpg").read_bytes() == b"precious"


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="cannot write the model to "):
        save_bundle(tmp_path / "file" / "model", _MANIFEST, _FILES)


@pytest.mark.parametrize("files", [{CARD_FILE: b""}, {**_FILES, "more.onnx": b""}])
def test_saving_other_files_than_the_manifest_names(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    with pytest.raises(ValueError, match=r"expected the files \['card.md', 'gender.onnx'\]"):
        save_bundle(tmp_path / "model", _MANIFEST, files)
    assert not list(tmp_path.iterdir())


def _change_a_byte(folder: Path) -> None:
    data = bytearray((folder / "gender.onnx").read_bytes())
    data[3] ^= 1
    (folder / "gender.onnx").write_bytes(data)


def _replace_by_a_folder(folder: Path) -> None:
    (folder / CARD_FILE).unlink()
    (folder / CARD_FILE).mkdir()


def _edited(**changes: Any) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / MANIFEST_FILE
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return edit


def _manifest_is(content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / MANIFEST_FILE).write_bytes(content) and None


def _swap_the_classes(folder: Path) -> None:
    path = folder / MANIFEST_FILE
    text = path.read_text().replace("Female", "?").replace("Male", "Female").replace("?", "Male")
    path.write_text(text)


def _linked_out(name: str) -> Callable[[Path], None]:
    def link(folder: Path) -> None:
        (folder / name).rename(folder.parent / name)
        (folder / name).symlink_to(f"../{name}")

    return link


def _replaced(name: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
    def replace(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return replace


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


_SUM = "0" * 64
_EMBEDDER = {"name": "dlib-resnet-v1", "dimensions": 128, "chip_size": 150}
_HEAD = {"attribute": "age", "classes": ["0-2", "3-9"], "file": "age.onnx"}


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (_edited(provenance={"data": "caf\udce9"}), "cannot be understood"),
        (_swap_the_classes, f"{MANIFEST_FILE} was changed since the model was made"),
        (_edited(provenance={"rows": 4}), f"{MANIFEST_FILE} was changed since the model was made"),
        (_edited(digest=_SUM), f"{MANIFEST_FILE} was changed since the model was made"),
        (_linked_out("gender.onnx"), "gender.onnx is a link that leads out of its folder"),
        (_linked_out(MANIFEST_FILE), f"{MANIFEST_FILE} is a link that leads out of its folder"),
        (_replaced("gender.onnx", os.mkfifo), "gender.onnx cannot be read: it is a pipe"),
        (_replaced(MANIFEST_FILE, os.mkfifo), f"has no {MANIFEST_FILE}"),
        (_replaced("gender.onnx", _sparse), "gender.onnx is larger than 511 MB"),
        (_replaced(MANIFEST_FILE, _sparse), f"{MANIFEST_FILE} is larger than 1 MB"),
        (_manifest_is(b"[" * 100_000), "cannot be understood: is nested too deep"),
        (_manifest_is(b"9" * 5_000), "cannot be understood: Exceeds the limit"),
        (_edited(embedder=_EMBEDDER | {"dimensions": 10**12}), "less than or equal to 65536"),
        (_edited(attributes=[_HEAD | {"classes": [str(n) for n in range(2000)]}]), "2000 classes"),
        (_change_a_byte, "gender.onnx was changed since the model was made"),
        (lambda folder: (folder / "gender.onnx").unlink(), "gender.onnx is missing"),
        (lambda folder: (folder / "x.pkl").write_bytes(b"\x80\x04."), "x.pkl does not belong"),
        (lambda folder: (folder / MANIFEST_FILE).unlink(), f"it has no {MANIFEST_FILE}"),
        (_replace_by_a_folder, "card.md cannot be read: Is a directory"),
        (_edited(default_attributes=["mood"]), "default_attributes names 'mood', which is none"),
        (_edited(format_version=3), "has format version 3, this program reads 1 and 2: update"),
        (_edited(format_version=0), "has format version 0, this program reads 1 and 2: update"),
        (_edited(format_version=True), "has format version True"),
        (_edited(format_version="2"), "has format version '2'"),
        (_edited(format_version=None), "has format version None"),
        (_edited(detector=3), "cannot be understood: detector: Input should be a valid string"),
        (_edited(detector=""), "cannot be understood: detector: String should have at least 1"),
        (_edited(short_names=["F"]), "cannot be understood: short_names: Input should be"),
        (_edited(short_names={"race": {}}), "short_names names 'race', which is none of its attr"),
        (_edited(short_names={"gender": {"Man": "M"}}), "short_names has 'Man', which is no class"),
        (_edited(short_names={"gender": {"Male": ""}}), "has an empty name"),
        (_edited(short_names={"gender": {"Male": "Female"}}), "would both be called 'Female'"),
        (
            _edited(short_names={"gender": {"Male": "?", "Female": "?"}}),
            r"'Female' and 'Male' of 'gender' would both be called '\?'; rename one",
        ),
        (_edited(tree={"race": {}}), "tree names 'race', which is none of its attributes"),
        (
            _edited(tree={"gender": {"any": ["Male", "None"]}}),
            "tree: 'any' has 'None', which is no class of 'gender'",
        ),
        (
            _edited(tree={"gender": {"Male": ["Male", "Female"]}}),
            "tree has 'Male', which is a class of 'gender' itself",
        ),
        (_edited(tree={"gender": {"any": ["Male"]}}), "needs two classes or more"),
        (_edited(tree={"gender": {"any": 3}}), "cannot be understood: tree"),
        (_edited(attributes=[_HEAD]), "has no sha256 of age.onnx"),
        (_edited(attributes="gender"), "cannot be understood: attributes: Input should be"),
        (_edited(colour="red"), "cannot be understood: colour: Extra inputs are not permitted"),
        (_edited(files={"../gender.onnx": _SUM}), "names '../gender.onnx', which is not a file"),
        (_edited(files={"/etc/hostname": _SUM}), "names '/etc/hostname', which is not a file"),
        (_edited(attributes=[_HEAD | {"file": "../age.onnx"}]), "no sha256 of ../age.onnx"),
        (_edited(files={MANIFEST_FILE: _SUM}), f"names '{MANIFEST_FILE}', which is not a file"),
        (_manifest_is(b'{"format_version": 1,'), "cannot be understood: Expecting property name"),
        (_manifest_is(b"\x80\x04\x95pickled"), "cannot be understood: .*can't decode"),
        (_manifest_is(b"[1]"), "has format version None"),
        (_manifest_is(b""), "cannot be understood: Expecting value"),
    ],
)
def test_what_is_not_whole_is_refused_in_one_line(
    folder: Path, damage: Callable[[Path], object], complaint: str
) -> None:
    damage(folder)
    with pytest.raises(ModelError, match=complaint) as caught:
        load_bundle(folder)
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)


def test_a_folder_of_before_manifests_had_a_digest_is_read(folder: Path) -> None:
    path = folder / MANIFEST_FILE
    content = json.loads(path.read_text())
    del content["digest"]
    path.write_text(json.dumps(content | {"format_version": 1}))
    assert load_bundle(folder).files == _FILES


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(key=st.sampled_from(sorted(Manifest.model_fields)), value=_JSON)
def test_a_manifest_is_read_or_refused_in_one_line(folder: Path, key: str, value: Any) -> None:
    path = folder / MANIFEST_FILE
    made = path.read_text()
    path.write_text(json.dumps(json.loads(made) | {key: value}))
    try:
        load_bundle(folder)
    except ModelError as error:
        assert "\n" not in str(error)
    finally:
        path.write_text(made)


@pytest.mark.parametrize("name", ["missing", "file.onnx"])
def test_what_is_no_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.onnx").touch()
    with pytest.raises(ModelError, match=f"{name} is not a folder: a model is a folder with"):
        load_bundle(tmp_path / name)


def test_short_names_are_read_without_the_rest(tmp_path: Path) -> None:
    short = read_short_names(DEFAULT_FOLDER)
    assert short == load_bundle(DEFAULT_FOLDER).short_names
    (tmp_path / "manifest.json").write_text((DEFAULT_FOLDER / "manifest.json").read_text())
    assert read_short_names(tmp_path) == short
    with pytest.raises(ModelError, match="is not a folder"):
        read_short_names(tmp_path / "none")


@pytest.mark.parametrize("folder", [DEFAULT_FOLDER, DLIB_FOLDER])
def test_words_for_several_classes_of_the_models_that_ship(folder: Path) -> None:
    """One group of races, and age groups that are neighbours; no others."""
    manifest = load_bundle(folder).manifest
    ages = next(head.classes for head in manifest.attributes if head.attribute == "age")
    assert manifest.tree["race"] == {"Asian": ("East Asian", "Southeast Asian")}
    assert list(manifest.tree["age"].values()) == list(pairwise(ages))
    assert manifest.tree["age"]["20-39"] == ("20-29", "30-39")
    assert manifest.tree.keys() == {"race", "age"}
