"""Readers of the five layouts, on small datasets laid out as the published ones."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from training_helpers import (
    LAYOUT_MAKERS,
    face_picture,
    make_fairface,
    make_folders,
    make_lfwa,
    make_manifest,
    make_utkface,
    write_list,
    write_picture,
)

from training.datasets import read_dataset
from training.datasets.samples import natural_key, parse_split, pictures_in
from training.datasets.splits import HoldOut, split
from training.datasets.utkface import age_group
from training.errors import DatasetError


def _list_of(content: bytes, name: str = "list.csv") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def _parquet_of(table: pa.Table) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        pq.write_table(table, folder / "list.parquet")
        return folder / "list.parquet"

    return make


def _fairface_of(content: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / "fairface_label_train.csv").write_bytes(content)
        return folder

    return make


def _fifo(name: str, inside: bool = False) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        os.mkfifo(folder / name)
        return folder if inside else folder / name

    return make


_COLUMNS = b"file,age,gender,race\n"


@pytest.mark.skipif(sys.platform == "win32", reason="has no FIFOs")
@pytest.mark.parametrize(
    ("make", "layout"),
    [
        (_list_of(b"file,gender\na.jpg,\xff\n"), "manifest"),
        (_list_of(b"file,gender,gender\na.jpg,a,b\n"), "manifest"),
        (_list_of(b"file,gender\na.jpg\n"), "manifest"),
        (_list_of(b"file,gender\n" + b"x" * (4 << 20) + b",a\n"), "manifest"),
        (_list_of(b"file" + b",a" * 5_000 + b"\n"), "manifest"),
        (_list_of(b"\0" * (2 << 20)), "manifest"),
        (_list_of(b""), "manifest"),
        (_list_of(b"PAR1" + b"\0" * 100, "list.parquet"), "manifest"),
        (_parquet_of(pa.table({"file": ["a"], "b": ["c"]}).rename_columns(["b", "b"])), "manifest"),
        (_parquet_of(pa.table({f"c{each}": [1] for each in range(1_500)})), "manifest"),
        (_fifo("list.csv"), "manifest"),
        (_fifo("list.parquet"), "manifest"),
        (_fairface_of(_COLUMNS + b"a.jpg,3-9,Male,\xff\n"), "fairface"),
        (_fairface_of(b"file,age,gender\na.jpg,3-9,Male\n"), "fairface"),
        (_list_of(b"file;gender; gender\na.jpg;a;b\n"), "manifest"),
        (_list_of(b"file,Split,split,gender\na.jpg,train,test,b\n"), "manifest"),
        (_fairface_of(_COLUMNS + b"a.jpg,3-9\n"), "fairface"),
        (_fifo("fairface_label_train.csv", inside=True), "fairface"),
    ],
)
def test_a_list_that_cannot_be_read_is_named_in_one_line(
    make: Callable[[Path], Path], layout: str, tmp_path: Path
) -> None:
    with pytest.raises(DatasetError) as caught:
        read_dataset(make(tmp_path), layout)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=100) | st.text(alphabet="file,gender\"\n\r'\0 =", max_size=100))
def test_any_bytes_are_a_list_or_a_dataset_error(content: bytes | str, tmp_path: Path) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    for layout in ("manifest", "fairface"):
        make = (_list_of if layout == "manifest" else _fairface_of)(b"file,gender\n" + data)
        try:
            read_dataset(make(tmp_path), layout)
        except DatasetError as error:
            assert "\n" not in str(error)


def test_a_cell_that_was_written_as_text_is_read_as_it_was(tmp_path: Path) -> None:
    content = b"file,gender\n'=a.jpg,'-x\n'b.jpg,+y\n"
    samples = read_dataset(_list_of(content)(tmp_path), "manifest")
    assert samples.files == ("=a.jpg", "'b.jpg")
    assert samples.labels == {"gender": ("-x", "+y")}


@pytest.mark.parametrize("layout", LAYOUT_MAKERS)
def test_a_layout_is_recognised_by_itself(layout: str, tmp_path: Path) -> None:
    path = LAYOUT_MAKERS[layout](tmp_path / "data")
    samples = read_dataset(path)
    assert samples.name == read_dataset(path, layout).name
    assert len(samples) == 12
    assert all((samples.root / file).is_file() for file in samples.files)
    assert samples.aligned == (layout == "fairface")


def test_fairface_is_read_in_the_order_of_the_numbers(tmp_path: Path) -> None:
    samples = read_dataset(make_fairface(tmp_path))
    assert samples.files[:3] == ("train/1.jpg", "train/2.jpg", "train/3.jpg")
    assert samples.files[-1] == "train/12.jpg"
    assert samples.labels["race"][:3] == ("Indian", "White", "Black")
    assert set(samples.splits) == {"train"}
    assert "CC BY 4.0" in samples.credit


def test_fairface_validation_rows_are_the_test_split(tmp_path: Path) -> None:
    make_fairface(tmp_path)
    row = {"file": "val/1.jpg", "age": "0-2", "gender": "Male", "race": "Black"}
    write_list(tmp_path / "fairface_label_val.csv", [row])
    splits, how = split(read_dataset(tmp_path), HoldOut())
    assert splits.count("test") == 1
    assert how == "the dataset's own split"


def test_a_fairface_label_may_be_missing_but_not_the_picture(tmp_path: Path) -> None:
    row = {"file": "train/1.jpg", "age": "NaN", "gender": "", "race": "Black"}
    write_list(tmp_path / "fairface_label_train.csv", [row])
    samples = read_dataset(tmp_path)
    assert samples.labels == {"gender": (None,), "race": ("Black",), "age": (None,)}
    write_list(tmp_path / "fairface_label_train.csv", [row | {"file": ""}])
    with pytest.raises(DatasetError, match=r"fairface_label_train\.csv: a row names no file"):
        read_dataset(tmp_path)


_ROWS = "file{0}gender{0}split\n1.jpg{0}Zoë, née{0}val\n2.jpg{0}Male{0}train\n"


@pytest.mark.parametrize(
    "content",
    [
        _ROWS.format(";").encode(),
        _ROWS.format("\t").encode("utf-8-sig"),
        _ROWS.format("|").encode(),
        _ROWS.format(";").replace("\n", "\r\n").encode("utf-16"),
        ("sep=;\r\n" + _ROWS.format(";")).encode("utf-8-sig"),
        _ROWS.format(",").replace("Zoë, née", '"Zoë, née"').encode("utf-8-sig"),
        _ROWS.format(" ; ").replace(" ; ", ";").replace("file", " File ").encode(),
        _ROWS.format(";").replace("gender;split", "gender;Split;").encode()[:-1] + b";\n",
    ],
    ids=["semicolons", "tabs and mark", "bars", "utf-16", "sep", "quotes", "spaces", "more"],
)
@pytest.mark.parametrize("name", ["list.csv", "list.tsv", "LIST.TXT"])
def test_a_list_as_spreadsheets_write_it(content: bytes, name: str, tmp_path: Path) -> None:
    if b"Split;" in content:  # each line ends in a separator: a column without a name
        content = b"\n".join(
            line if b"Split" in line or line.endswith(b";") else line + b";"
            for line in content.split(b"\n")
            if line
        )
    (tmp_path / name).write_bytes(content)
    samples = read_dataset(tmp_path / name)
    assert samples.files == ("1.jpg", "2.jpg")
    assert samples.labels == {"gender": ("Zoë, née", "Male")}
    assert samples.splits == ("test", "train")


def test_a_list_in_another_encoding_is_explained(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes("file,gender\na.jpg,Male\nb.jpg,Zoë\n".encode("latin-1"))
    with pytest.raises(DatasetError, match=r"line 3 is not UTF-8 text: save it as UTF-8"):
        read_dataset(tmp_path / "list.csv")


_NO_LABELS = ("NaN", "nan", "None", "N/A", "null", "NULL", "?", "", "  ", "#N/A", "<NA>", "-")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_means_no_label_is_no_class(suffix: str, tmp_path: Path) -> None:
    count = len(_NO_LABELS)
    columns = {
        "file": [f"{row}.jpg" for row in range(count + 1)],
        "identity": [*_NO_LABELS, "ann "],
        "split": [*_NO_LABELS, "test"],
        "gender": [*_NO_LABELS, "Male"],
    }
    path = tmp_path / f"list{suffix}"
    if suffix == ".csv":
        write_list(
            path,
            [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)],
        )
    else:
        pq.write_table(pa.table(columns), path)
    samples = read_dataset(path)
    assert samples.labels["gender"] == (None,) * count + ("Male",)
    assert samples.identities == (None,) * count + ("ann",)
    assert samples.splits == (None,) * count + ("test",)


def test_the_number_of_a_row_is_no_label(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(",file,gender\n0,a.jpg,x\n1,b.jpg,y\n")
    assert list(read_dataset(tmp_path / "list.csv").labels) == ["gender"]
    table = pa.table(
        {"file": ["a.jpg"], "gender": ["x"], "__index_level_0__": [7], "Unnamed: 0": [7]}
    )
    pq.write_table(table, tmp_path / "list.parquet")
    assert list(read_dataset(tmp_path / "list.parquet").labels) == ["gender"]


def test_a_split_under_another_name_is_not_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("file,hat,subset\na.jpg,yes,train\nb.jpg,no,VAL\nc.jpg,no,\n")
    for wanted in (None, ["hat"]):
        with pytest.raises(DatasetError, match="column 'subset' reads as a split: call it split"):
            read_dataset(path, labels=wanted)
    assert set(read_dataset(path, labels=["hat", "subset"]).labels) == {"hat", "subset"}


def test_a_column_of_parquet_that_holds_no_text_is_named(tmp_path: Path) -> None:
    pictures = pa.array([{"bytes": b"x"}, {"bytes": b"y"}])
    hats = pa.array([["yes"], ["no"]])
    for columns, wanted, named in (
        ({"file": pictures, "hat": ["yes", "no"]}, ["hat"], "'file' holds struct<bytes"),
        ({"file": ["a.jpg", "b.jpg"], "hat": hats}, None, "'hat' holds list<"),
    ):
        pq.write_table(pa.table(columns), tmp_path / "list.parquet")
        with pytest.raises(DatasetError, match=named):
            read_dataset(tmp_path / "list.parquet", labels=wanted)
    table = pa.table({"file": ["a.jpg", "b.jpg"], "hat": [b"yes", b"no"], "other": hats})
    pq.write_table(table, tmp_path / "list.parquet")
    assert read_dataset(tmp_path / "list.parquet", labels=["hat"]).labels == {"hat": ("yes", "no")}


def test_links_to_pictures_that_are_not_there_are_listed(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_picture(tmp_path / name / "1.jpg", face_picture(1))
    (tmp_path / "a" / "2.jpg").symlink_to(tmp_path / "moved.jpg")
    (skipped,) = read_dataset(tmp_path).skipped
    assert (skipped.file, skipped.reason) == ("a/2.jpg", "a link to a file that is not there")


def test_labels_that_differ_in_letter_case_only_are_named_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("file,Gender,gender\na.jpg,x,y\n")
    with pytest.raises(DatasetError, match="'Gender' and 'gender' differ in letter case"):
        read_dataset(tmp_path / "list.csv").check_names()
    read_dataset(tmp_path / "list.csv", labels=["Gender"]).check_names()


def _named_as_in_utkface(root: Path, folders: Sequence[str]) -> Path:
    for number in range(12):
        name = f"{20 + number}_1_0_2017010900000{number:04}.jpg"
        write_picture(root / folders[number % len(folders)] / name, face_picture(number))
    return root


def test_two_layouts_that_fit_are_named_and_one_is_chosen(tmp_path: Path) -> None:
    root = _named_as_in_utkface(tmp_path / "data", ("bald", "hairy"))
    said = "fits 2 layouts .*utkface: .*folders: .*--format utkface or --format folders"
    with pytest.raises(DatasetError, match=said):
        read_dataset(root)
    assert set(read_dataset(root, "folders").labels["label"]) == {"bald", "hairy"}
    assert set(read_dataset(root, "utkface").labels) == {"gender", "race", "age"}
    make_folders(tmp_path / "fair")
    make_fairface(tmp_path / "fair")
    assert read_dataset(make_fairface(tmp_path / "alone")).name == "FairFace"
    with pytest.raises(DatasetError, match=r"fits 2 layouts .*fairface"):
        read_dataset(tmp_path / "fair")


def test_pictures_beside_the_folders_of_classes_are_listed(tmp_path: Path) -> None:
    root = make_folders(tmp_path / "data")
    write_picture(root / "loose.jpg", face_picture(0))
    samples = read_dataset(root)
    assert len(samples) == 12
    assert [(each.file, each.reason) for each in samples.skipped] == [
        ("loose.jpg", "lies beside the folders of the classes")
    ]
    for half in ("train", "test"):
        make_folders(tmp_path / "halves" / half)
        write_picture(tmp_path / "halves" / half / "loose.jpg", face_picture(0))
    skipped = [each.file for each in read_dataset(tmp_path / "halves").skipped]
    assert skipped == ["test/loose.jpg", "train/loose.jpg"]


def test_a_folder_whose_name_means_no_label_is_listed(tmp_path: Path) -> None:
    root = make_folders(tmp_path / "data")
    write_picture(root / "nan" / "a.jpg", face_picture(0))
    samples = read_dataset(root)
    assert set(samples.labels["label"]) == {"female", "male"}
    (skipped,) = samples.skipped
    assert skipped.file == "nan/a.jpg"
    assert "rename the folder if it is a class" in skipped.reason


def test_a_class_that_is_called_none_is_explained_where_it_is_missed(tmp_path: Path) -> None:
    for name in ("none", "hat"):
        write_picture(tmp_path / name / "1.jpg", face_picture(1))
    with pytest.raises(DatasetError, match="only 'hat', for 'none' means no label: rename that"):
        read_dataset(tmp_path)


def test_folders_of_splits_beside_others_are_refused(tmp_path: Path) -> None:
    for half in ("train", "test"):
        make_folders(tmp_path / half)
    (tmp_path / "empty").mkdir()
    assert set(read_dataset(tmp_path).splits) == {"train", "test"}
    write_picture(tmp_path / "unsure" / "a.jpg", face_picture(0))
    with pytest.raises(DatasetError, match="beside them the folder 'unsure', which is no split"):
        read_dataset(tmp_path)


def test_classes_may_be_called_like_a_split(tmp_path: Path) -> None:
    for name in ("valid", "invalid"):
        write_picture(tmp_path / name / "a.jpg", face_picture(0))
    assert set(read_dataset(tmp_path).labels["label"]) == {"valid", "invalid"}
    assert set(read_dataset(tmp_path).splits) == {None}


def test_folders_that_are_read_as_splits_are_named_where_no_class_is_in_them(
    tmp_path: Path,
) -> None:
    for name in ("test", "train"):
        write_picture(tmp_path / name / "a.jpg", face_picture(0))
    with pytest.raises(DatasetError, match="none: test and train are read as splits"):
        read_dataset(tmp_path, "folders")


def test_what_may_be_meant_by_a_folder_is_said(tmp_path: Path) -> None:
    make_folders(tmp_path / "outer" / "data")
    with pytest.raises(DatasetError, match=r"only 'data'; name .*data if female and male in it"):
        read_dataset(tmp_path / "outer")
    make_manifest(tmp_path / "flat" / "list.csv")
    with pytest.raises(DatasetError, match="there is only 'pictures'"):
        read_dataset(tmp_path / "flat")
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "a.csv").write_text("file,gender\n")
    with pytest.raises(DatasetError, match=r"or the list in it, a\.csv$"):
        read_dataset(tmp_path / "lists")


def test_utkface_names_are_parsed_and_broken_ones_counted(tmp_path: Path) -> None:
    samples = read_dataset(make_utkface(tmp_path))
    assert [each.file for each in samples.skipped] == ["39_1_20170116174525125.jpg"]
    assert samples.files[0].startswith("20_0_0_")
    assert (samples.labels["gender"][0], samples.labels["race"][0]) == ("Male", "White")
    assert samples.labels["age"][0] == "20-29"


def test_lfwa_flags_gender_and_race(tmp_path: Path) -> None:
    samples = read_dataset(make_lfwa(tmp_path))
    assert list(samples.labels) == ["gender", "race", "Male", "Asian", "White", "Black"]
    assert samples.files[0] == "LFWA/lfw/Person_0/Person_0_0001.jpg"
    assert samples.identities[:3] == ("Person_0", "Person_0", "Person_1")
    assert samples.labels["gender"][:4] == ("Female", "Female", "Male", "Male")
    assert samples.labels["race"][::2] == ("Asian", "White", "Black") * 2
    assert samples.labels["Male"][:3] == ("not Male", "not Male", "Male")


def test_lfwa_race_is_unknown_where_several_are_said(tmp_path: Path) -> None:
    import h5py

    make_lfwa(tmp_path)
    with h5py.File(tmp_path / "lfw_att_73.mat", "r+") as file:
        file["label"][2, 0] = 1
    assert read_dataset(tmp_path).labels["race"][:2] == (None, "Asian")


def test_lfwa_other_attributes_are_chosen(tmp_path: Path) -> None:
    samples = read_dataset(make_lfwa(tmp_path), labels=["Smiling"])
    assert list(samples.labels) == ["Smiling"]
    assert samples.labels["Smiling"][:2] == ("not Smiling", "Smiling")
    with pytest.raises(DatasetError, match="no attribute 'Frowning'; LFWA"):
        read_dataset(tmp_path, labels=["Frowning"])


def test_lfwa_labels_may_lie_the_other_way(tmp_path: Path) -> None:
    import h5py

    expected = read_dataset(make_lfwa(tmp_path)).labels
    with h5py.File(tmp_path / "lfw_att_73.mat", "r+") as file:
        table = file["label"][:]
        del file["label"]
        file["label"] = table.T
    assert read_dataset(tmp_path).labels == expected


def test_a_lfwa_file_that_is_not_hdf5_is_named(tmp_path: Path) -> None:
    make_lfwa(tmp_path)
    (tmp_path / "lfw_att_73.mat").write_bytes(b"MATLAB 5.0 MAT-file")
    with pytest.raises(DatasetError, match=r"lfw_att_73\.mat is not the annotation file"):
        read_dataset(tmp_path)


def test_a_manifest_may_be_parquet_and_leave_labels_open(tmp_path: Path) -> None:
    columns = {"file": ["a.jpg", "b.jpg"], "gender": ["Male", None], "split": ["train", "val"]}
    pq.write_table(pa.table(columns), tmp_path / "list.parquet")
    samples = read_dataset(tmp_path / "list.parquet")
    assert samples.labels == {"gender": ("Male", None)}
    assert samples.splits == ("train", "test")
    assert samples.identities == (None, None)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("path,gender\na.jpg,Male\n", "has path, gender: call the column of the pictures file"),
        ("f\0i\0l\0e\0", "NUL characters and is no text in UTF-8: save it as UTF-8"),
        ("file,identity\na.jpg,ann\n", "has no label columns"),
        ("file,gender\n,Male\n", "row 1 names no file"),
        ("file,gender\n", "list.csv lists no pictures"),
        ("file,gender\na.jpg,Male,more\n", "cannot be read as a list"),
        ("", "cannot be read as a list"),
        ("file,split,gender\na.jpg,,x\nb.jpg,odd,x\n", "list.csv: row 2: the split 'odd' is none"),
    ],
)
def test_a_wrong_manifest_is_explained(text: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(DatasetError, match=complaint):
        read_dataset(tmp_path / "list.csv")


def test_a_column_that_is_hardly_a_label_is_refused_unless_it_is_named(tmp_path: Path) -> None:
    """The number of a row as a class of its own would leave nothing to hold out."""
    path = tmp_path / "list.csv"
    lines = [f"{number}.jpg,{'xy'[number % 2]},{1000 + number}" for number in range(20)]
    path.write_text("\n".join(["file,gender,number", *lines]))
    with pytest.raises(DatasetError, match=r"'number' has 20 different values.*--labels"):
        read_dataset(path)
    assert list(read_dataset(path, None, ["gender"]).labels) == ["gender"]
    assert list(read_dataset(path, None, ["number"]).labels) == ["number"]
    path.write_text("\n".join(["file,gender,number", *lines[:19]]))
    assert list(read_dataset(path).labels) == ["gender", "number"]


def test_files_of_a_manifest_have_forward_slashes(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("file,gender\na\\b\\c.jpg,Male\n")
    assert read_dataset(tmp_path / "list.csv").files == ("a/b/c.jpg",)


def test_wanted_columns_of_a_manifest(tmp_path: Path) -> None:
    path = make_manifest(tmp_path / "list.csv")
    assert list(read_dataset(path, labels=["hat"]).labels) == ["hat"]
    with pytest.raises(DatasetError, match="no label 'shoes'; the dataset has gender, hat"):
        read_dataset(path, labels=["shoes"])


def test_folders_name_the_classes(tmp_path: Path) -> None:
    make_folders(tmp_path / "faces")
    samples = read_dataset(tmp_path / "faces", labels=["gender"])
    assert set(samples.labels["gender"]) == {"female", "male"}
    assert samples.files[0] == "female/0.jpg"


def test_folders_may_stand_in_folders_of_splits(tmp_path: Path) -> None:
    for split_name in ("train", "val"):
        make_folders(tmp_path / split_name, 2)
    samples = read_dataset(tmp_path)
    assert samples.splits == ("train", "train", "test", "test")
    assert set(samples.labels["label"]) == {"female", "male"}


def test_one_folder_is_no_classes(tmp_path: Path) -> None:
    write_picture(tmp_path / "only" / "a.jpg", face_picture(0))
    with pytest.raises(DatasetError, match="a folder per class is expected, there is only 'only'"):
        read_dataset(tmp_path)


def test_what_has_no_layout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="has no layout that is known"):
        read_dataset(tmp_path)
    with pytest.raises(DatasetError, match="does not exist"):
        read_dataset(tmp_path / "nothing")
    with pytest.raises(DatasetError, match="the format 'zip' is none of manifest"):
        read_dataset(tmp_path, "zip")


@pytest.mark.parametrize("layout", ["folders", "utkface"])
def test_pictures_of_kinds_that_are_not_read_are_listed(layout: str, tmp_path: Path) -> None:
    path = LAYOUT_MAKERS[layout](tmp_path / "data")
    folder = (path / read_dataset(path).files[0]).parent
    prefix = "" if folder == path else f"{folder.relative_to(path).as_posix()}/"
    for name in ("a.CR2", "b.jxl", "notes.txt", ".hidden.cr2"):
        (folder / name).write_bytes(b"anything")
    (folder / "c.heic").write_bytes((path / read_dataset(path).files[0]).read_bytes())
    samples = read_dataset(path)
    assert len(samples) == (13 if layout == "folders" else 12)  # c.heic tells UTKFace nothing
    reasons = {each.file: each.reason for each in samples.skipped}
    assert reasons.pop(f"{prefix}a.CR2") == "of a kind that is not read (.cr2)"
    assert reasons.pop(f"{prefix}b.jxl") == "of a kind that is not read (.jxl)"
    assert not any("not read" in reason for reason in reasons.values())


def test_numbers_in_names_are_sorted_by_value() -> None:
    ages = ["more than 70", "10-19", "3-9", "0-2"]
    assert sorted(ages, key=natural_key) == ["0-2", "3-9", "10-19", "more than 70"]


@pytest.mark.parametrize(
    ("years", "expected"),
    [(0, "0-2"), (2, "0-2"), (3, "3-9"), (9, "3-9"), (10, "10-19"), (69, "60-69"),
     (70, "more than 70"), (116, "more than 70")],
)  # fmt: skip
def test_a_group_of_ages_reaches_to_its_last_year(years: int, expected: str) -> None:
    assert age_group(years) == expected


def test_hidden_pictures_and_folders_are_left_out(tmp_path: Path) -> None:
    for name in ("b/2.JPG", "b/10.png", "a.webp", ".hidden.jpg", ".trash/1.jpg", "b/.cache/1.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"picture")
    (tmp_path / "b" / "notes.txt").write_text("no picture")
    (tmp_path / "folder.jpg").mkdir()
    assert pictures_in(tmp_path) == ["a.webp"]
    assert pictures_in(tmp_path, deep=True) == ["a.webp", "b/2.JPG", "b/10.png"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Val", "test"), ("training", "train"), ("Hold-out", "test"), ("eval", "test"), ("", None)],
)
def test_usual_names_of_splits(name: str, expected: str | None) -> None:
    assert parse_split(name) == expected
