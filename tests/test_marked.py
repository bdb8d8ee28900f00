"""Datasets in which faces are marked in pictures: what people and programs make of the files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from training_helpers import face_picture, write_picture

from models.engine import Engine
from training.datasets import Samples, read_dataset
from training.datasets.label_studio import read_label_studio
from training.datasets.regions import Region, named_region, region_name, region_of
from training.errors import DatasetError
from training.features.extractor import (
    NO_FACE,
    ExtractionSettings,
    Extractor,
    detection_settings,
    read_picture,
)
from training.features.marked_faces import cut_out

_IMAGE = "/data/local-files/?d=out/pictures/a.jpg"


def _task(image: str, *annotations: dict[str, Any]) -> dict[str, Any]:
    return {"id": 1, "data": {"image": image}, "annotations": list(annotations), "predictions": []}


def _annotation(gender: str | None, **more: Any) -> dict[str, Any]:
    return {"result": _result(gender)} | more


def _result(gender: str | None, **value: Any) -> list[dict[str, Any]]:
    size = {"original_width": 200, "original_height": 100, "image_rotation": 0}
    place = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0} | value
    box = {"id": "f1", "type": "rectanglelabels", "from_name": "face_box", **size, "value": place}
    choice = {"id": "f1", "type": "choices", "from_name": "gender", "value": {"choices": [gender]}}
    return [box, choice] if gender else [box]


def _folder(root: Path, files: Sequence[str] = ("pictures/a.jpg",)) -> Path:
    for name in files:
        write_picture(root / name, face_picture(1))
    (root / "interface.xml").write_text("<View/>")
    return root


def _read(root: Path, *tasks: dict[str, Any]) -> Samples:
    (root / "export.json").write_text(json.dumps(tasks))
    return read_dataset(root)


def test_what_label_studio_exports(tmp_path: Path) -> None:
    samples = _read(_folder(tmp_path), _task(_IMAGE, _annotation("Male")))
    assert samples.files == ("pictures/a.jpg#xywh=20,20,60,40",)
    assert samples.labels == {"gender": ("Male",)}


@pytest.mark.parametrize(
    ("annotations", "gender"),
    [
        (
            [_annotation("A", updated_at="2026-01-02"), _annotation("B", updated_at="2026-01-01")],
            "A",
        ),
        ([_annotation("A", was_cancelled=True, updated_at="3"), _annotation("B")], "B"),
        ([_annotation("A", ground_truth=True), _annotation("B", updated_at="2026")], "A"),
    ],
)
def test_the_last_word_of_several_people_counts(
    annotations: list[dict[str, Any]], gender: str, tmp_path: Path
) -> None:
    samples = _read(_folder(tmp_path), _task(_IMAGE, *annotations))
    assert samples.labels == {"gender": (gender,)}


def test_what_no_one_has_looked_at_is_not_learned_from(tmp_path: Path) -> None:
    root = _folder(tmp_path, ["pictures/a.jpg", "pictures/b.jpg"])
    predicted = _task("/data/local-files/?d=out/pictures/b.jpg")
    predicted["predictions"] = [_annotation("Female")]
    samples = _read(root, _task(_IMAGE, _annotation("Male"), _annotation("Male")), predicted)
    assert samples.labels == {"gender": ("Male",)}
    assert [each.reason for each in samples.skipped] == ["no one has looked at it in Label Studio"]
    with pytest.raises(DatasetError, match="no picture in it was corrected"):
        _read(root, predicted)


def test_a_folder_without_an_export_or_with_several(tmp_path: Path) -> None:
    root = _folder(tmp_path)
    (root / "tasks.json").write_text("[]")
    with pytest.raises(DatasetError, match="nothing that was corrected: export them"):
        read_dataset(root)
    (root / "one.json").write_text(json.dumps([_task(_IMAGE, _annotation("Male"))]))
    (root / "two.json").write_text("[]")
    with pytest.raises(DatasetError, match=r"2 exports, one\.json, two\.json: name the one"):
        read_dataset(root)
    assert len(read_dataset(root / "one.json")) == 1


@pytest.mark.parametrize(
    "image",
    [
        "/data/upload/3/0a1b2c3d-a.jpg",
        "https://files.example/x/a.jpg?token=1",
        "/data/local-files/?d=any/deeper/pictures/a.jpg",
        "s3://bucket/pictures/a.jpg",
        "a.jpg",
    ],
)
def test_pictures_are_found_by_whatever_address_they_had(image: str, tmp_path: Path) -> None:
    samples = _read(_folder(tmp_path), _task(image, _annotation("Male")))
    assert samples.files == ("pictures/a.jpg#xywh=20,20,60,40",)


def test_no_picture_is_read_from_outside_of_the_folder(tmp_path: Path) -> None:
    write_picture(tmp_path / "secret.jpg", face_picture(2))
    root = _folder(tmp_path / "out")
    outside = [
        "/data/local-files/?d=x/../../secret.jpg",
        "../secret.jpg",
        str(tmp_path / "secret.jpg"),
    ]
    tasks = [_task(each, _annotation("Male")) for each in (*outside, _IMAGE)]
    samples = _read(root, *tasks)
    assert samples.files == ("pictures/a.jpg#xywh=20,20,60,40",)
    assert [each.reason for each in samples.skipped] == ["its picture is not there"] * 3


@pytest.mark.parametrize(
    ("value", "region"),
    [
        ({"rotation": 90}, "0,20,20,60"),  # around its top left corner: left of it and down
        ({"x": -10}, "0,20,40,40"),
        ({"width": "wide"}, None),
        ({"x": 1e308}, None),
        ({"height": 0}, None),
    ],
)
def test_a_box_in_any_form(value: dict[str, Any], region: str | None, tmp_path: Path) -> None:
    result = {"result": [*_result("Male", **value)]}
    good = {"result": _result("Female")}
    samples = _read(_folder(tmp_path), _task(_IMAGE, result), _task(_IMAGE, good))
    found = [name.partition("=")[2] for name in samples.files]
    assert found == [*([region] if region else []), "20,20,60,40"]


@pytest.mark.parametrize("name", ["x" * 300 + ".jpg", "data:image/jpeg;base64," + "A" * 5000])
def test_a_picture_whose_name_is_too_long_for_a_file_is_not_there(
    name: str, tmp_path: Path
) -> None:
    tasks = (_task(each, _annotation("Male")) for each in (name, "pictures/a.jpg"))
    samples = _read(_folder(tmp_path), *tasks)
    assert len(samples) == 1
    assert [each.reason for each in samples.skipped] == ["its picture is not there"]


def test_a_picture_that_was_turned_is_named(tmp_path: Path) -> None:
    turned = [each | {"image_rotation": 90} for each in _result("Male")]
    tasks = _task(_IMAGE, {"result": turned}), _task(_IMAGE, _annotation("Male"))
    (skipped,) = _read(_folder(tmp_path), *tasks).skipped
    assert "turned" in skipped.reason


def test_a_face_without_a_label_is_named(tmp_path: Path) -> None:
    tasks = _task(_IMAGE, _annotation(None)), _task(_IMAGE, _annotation("Male"))
    samples = _read(_folder(tmp_path), *tasks)
    assert [each.reason for each in samples.skipped] == ["a face has no label"]
    with pytest.raises(DatasetError, match="has no face with a label"):
        _read(tmp_path, _task(_IMAGE, _annotation(None)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            '[{"image": "a.jpg", "gender": "Male"}]',
            r"0\.data: Field required; export it as JSON, n",
        ),
        ("[1]", "cannot be read"),
        ("[" * 100_000, "nested too deep"),
        ("[", "cannot be read: Expecting value"),
        ('{"a": 1}', "cannot be read: Input should be a valid list"),
        ('[{"data": {}, "annotations": [{"result": [7]}]}]', "cannot be read"),
    ],
)
def test_what_is_no_export(content: str, message: str, tmp_path: Path) -> None:
    root = _folder(tmp_path)
    (root / "export.json").write_text(content)
    with pytest.raises(DatasetError, match=message):
        read_label_studio(root)


def test_a_folder_as_cvat_exports_it(tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "a.jpg", face_picture(1))
    (tmp_path / "annotations").mkdir()
    faces = [
        {
            "id": 1,
            "image_id": 7,
            "category_id": 1,
            "bbox": [10, 20.4, 30, 40],
            "attributes": attributes,
        }
        for attributes in (
            {"gender": "Male", "occluded": True, "identity": "x"},
            {"gender": ""},
            {},
        )
    ]
    faces.append({"id": 9, "image_id": 99, "bbox": [1, 2], "attributes": {"gender": "Male"}})
    content = {"images": [{"id": 7, "file_name": "a.jpg"}], "annotations": faces, "categories": []}
    (tmp_path / "annotations" / "instances_default.json").write_text(json.dumps(content))
    samples = read_dataset(tmp_path)
    assert samples.files == ("images/a.jpg#xywh=10,20,30,40",)
    assert (samples.labels, samples.identities) == ({"gender": ("Male",)}, ("x",))
    reasons = ["a face has no label"] * 2 + ["its picture is not there"]
    assert sorted(each.reason for each in samples.skipped) == reasons


def test_a_table_of_marked_faces(tmp_path: Path) -> None:
    write_picture(tmp_path / "pictures" / "a.jpg", face_picture(1))
    (tmp_path / "annotations.csv").write_text(
        "file,left,top,right,bottom,gender,gender_confidence,age\n"
        "pictures/a.jpg,10,20,40.2,60,Male,0.9,20-29\n"
        "pictures/a.jpg,oops,20,40,60,Male,0.9,?\n"
        "pictures/a.jpg,nan,20,40,60,Male,,\n"
        "pictures/a.jpg,50,20,80,60,,,?\n"
    )
    samples = read_dataset(tmp_path)
    assert samples.files == ("pictures/a.jpg#xywh=10,20,30,40",)
    assert samples.labels == {"gender": ("Male",), "age": ("20-29",)}
    assert [each.reason for each in samples.skipped] == [
        "the box of a face has no area, or is none",
        "the box of a face has no area, or is none",
        "a face has no label",
    ]
    (tmp_path / "annotations.csv").write_text("file,left,top,gender\na,1,2,Male\n")
    with pytest.raises(DatasetError, match="has no column 'right', which a marked face needs"):
        read_dataset(tmp_path)


@pytest.mark.parametrize("name", ["annotations.csv", "corrected.TSV"])
def test_a_table_of_marked_faces_is_read_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    write_picture(tmp_path / "pictures" / "a.jpg", face_picture(1))
    cells = ["File,LEFT, top,right,bottom,Split,hat", "pictures/a.jpg,10,20,40,60,Val,yes"]
    separator = "\t" if name.endswith("TSV") else ","
    (tmp_path / name).write_text("\n".join(cells).replace(",", separator))
    samples = read_dataset(tmp_path / name)
    assert samples.files == ("pictures/a.jpg#xywh=10,20,30,40",)
    assert (samples.labels, samples.splits) == ({"hat": ("yes",)}, ("test",))


def test_a_list_without_boxes_is_no_table_of_marked_faces(tmp_path: Path) -> None:
    (tmp_path / "annotations.csv").write_text("file,hat\na.jpg,yes\nb.jpg,no\n")
    assert read_dataset(tmp_path / "annotations.csv").files == ("a.jpg", "b.jpg")


def _coco(root: Path, *faces: dict[str, Any]) -> Samples:
    """A file of COCO with one picture and these faces of it."""
    write_picture(root / "a.jpg", face_picture(1))
    content = {
        "images": [{"id": 7, "file_name": "a.jpg"}],
        "annotations": [{"image_id": 7, "bbox": [1, 2, 30, 40], **face} for face in faces],
        "categories": [{"id": 1, "name": "child"}, {"id": 2, "name": "adult"}],
    }
    (root / "annotations.json").write_text(json.dumps(content))
    return read_dataset(root)


def test_categories_are_the_classes_where_faces_have_no_attributes(tmp_path: Path) -> None:
    samples = _coco(tmp_path, {"category_id": 1}, {"category_id": 2}, {"category_id": 9})
    assert samples.labels == {"label": ("child", "adult")}
    halves = [{"attributes": {"identity": "a", "split": each}} for each in ("train", "test")]
    samples = _coco(tmp_path, halves[0] | {"category_id": 1}, halves[1] | {"category_id": 2})
    assert samples.labels == {"label": ("child", "adult")}
    assert samples.splits == ("train", "test")
    with pytest.raises(DatasetError, match="has no face with a label"):
        _coco(tmp_path, {"category_id": 1}, {"category_id": 1})


def test_boxes_to_tick_are_labels_and_a_split_is_obeyed(tmp_path: Path) -> None:
    ticked = {"hat": True, "occluded": False, "split": "train"}
    samples = _coco(
        tmp_path, {"attributes": ticked}, {"attributes": {"hat": False, "split": "test"}}
    )
    assert samples.labels == {"hat": ("yes", "no")}
    assert samples.splits == ("train", "test")


def test_of_several_choices_there_is_none(tmp_path: Path) -> None:
    root = _folder(tmp_path)
    twice = _annotation("Male")
    (choice,) = (each for each in twice["result"] if each["type"] == "choices")
    choice["value"] = {"choices": ["Male", "Female"]}
    with pytest.raises(DatasetError, match="has no face with a label"):
        _read(root, _task("pictures/a.jpg", twice))


def test_names_of_parts_of_pictures(tmp_path: Path) -> None:
    region = region_of((9.6, -3, 40.2, 60))
    assert region == Region(10, 0, 30, 60)
    name = region_name("a#b.jpg", region)
    assert named_region(tmp_path / name) == (tmp_path / "a#b.jpg", region)
    (tmp_path / name).touch()  # a file that is called so
    assert named_region(tmp_path / name) == (tmp_path / name, None)
    assert region_of((5, 5, 5, 60)) is None
    assert region_of((-9, 0, -5, 60)) is None


def test_a_marked_face_is_cut_out_with_its_surroundings_in_the_middle(tmp_path: Path) -> None:
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[10:30, 5:25] = 255
    path = tmp_path / "a.png"
    write_picture(path, picture)
    content = read_picture(path.with_name(region_name(path.name, Region(5, 10, 20, 20))))
    crop = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert crop is not None and crop.shape == (40, 40, 3)
    assert (crop[10:30, 10:30] == 255).all()
    assert cut_out(path.read_bytes(), Region(300, 0, 20, 20)) == b""
    assert cut_out(b"no picture", Region(0, 0, 20, 20)) == b"no picture"


def test_a_mark_without_a_face_never_takes_its_neighbour(engine: Engine, tmp_path: Path) -> None:
    """A face of 110 px, marked right, and a mark beside it that holds nothing."""
    path = tmp_path / "a.png"
    write_picture(path, np.hstack([face_picture(1), np.full((200, 200, 3), 90, np.uint8)]))
    settings = ExtractionSettings(faces="marked", detection=detection_settings("centerface"))
    extractor = Extractor(settings, engine)
    names = [region_name(path.name, Region(left, 30, 110, 150)) for left in (45, 165)]
    face, nothing = (extractor.chips(read_picture(tmp_path / name)) for name in names)
    assert (face.reason, len(face.chips)) == ("", 1)
    assert nothing.reason == NO_FACE
