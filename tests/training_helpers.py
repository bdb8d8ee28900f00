"""Small labelled datasets and feature tables for the tests of training."""

import csv
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.faces import Image
from models.networks.dlib_weights import Convolution
from training.datasets.samples import TEST, TRAIN, FlagAttribute
from training.features.table import TableInfo
from training.features.table_files import FeatureRow, table_writer

CLASSES = {"gender": ("Female", "Male"), "race": ("Black", "Indian", "White")}


class CountedProgress:
    """Notes what it is told of progress.

    Attributes:
        done: how many were done since the last call, one entry a call.
        known: of these entries, those of an earlier run.
    """

    def __init__(self) -> None:
        self.done: list[int] = []
        self.known: list[int] = []

    def __call__(self, done: int, *, known: bool = False) -> None:
        self.done.append(done)
        if known:
            self.known.append(done)


@lru_cache(maxsize=1)
def portrait() -> Image:
    """The NASA portrait that scikit-image ships, `(512, 512, 3)` BGR."""
    spec = find_spec("skimage")
    assert spec is not None and spec.origin is not None
    image = cv2.imread(str(Path(spec.origin).parent / "data" / "astronaut.png"))
    assert image is not None
    return image.astype(np.uint8)


def face_picture(number: int) -> Image:
    """One of many different pictures of one face, about 110 px wide in 200 px, each before another
    background, so that no two are nearly identical."""
    left, top = 118 + number % 7, 12 + number // 7 % 7
    crop = portrait()[top : top + 200, left : left + 200].astype(np.float32)
    coarse = np.random.default_rng(number).uniform(0, 255, (7, 7, 3)).astype(np.float32)
    background = cv2.resize(coarse, (200, 200), interpolation=cv2.INTER_CUBIC)
    face = np.zeros((200, 200), dtype=np.float32)
    cv2.ellipse(face, (100, 100), (62, 82), 0, 0, 360, 1.0, -1)
    share = cv2.GaussianBlur(face, (0, 0), 6)[:, :, None]
    return np.clip(share * crop + (1 - share) * background, 0, 255).astype(np.uint8)


def write_picture(path: Path, image: Image) -> None:
    """In the format its name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def write_list(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """A CSV file with a header."""
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def make_fairface(root: Path, count: int = 12) -> Path:
    """FairFace's layout; both genders, three races and two age groups occur."""
    rows = []
    for number in range(1, count + 1):
        file = f"train/{number}.jpg"
        write_picture(root / file, face_picture(number))
        rows.append(
            {
                "file": file,
                "age": ("3-9", "20-29")[number % 2],
                "gender": CLASSES["gender"][number // 2 % 2],
                "race": CLASSES["race"][number % 3],
                "service_test": "TRUE",
            }
        )
    write_list(root / "fairface_label_train.csv", rows)
    return root


def make_utkface(root: Path, count: int = 12) -> Path:
    """UTKFace's layout, one name of which breaks the pattern."""
    for number in range(count):
        name = f"{20 + number}_{number % 2}_{number // 2 % 3}_2017010900000{number:04}.jpg"
        write_picture(root / name, face_picture(number))
    write_picture(root / "39_1_20170116174525125.jpg", face_picture(0))
    return root


def make_folders(root: Path, count: int = 12) -> Path:
    """A folder per class."""
    for number in range(count):
        name = ("female", "male")[number % 2]
        write_picture(root / name / f"{number}.jpg", face_picture(number))
    return root


def make_manifest(path: Path, count: int = 12) -> Path:
    """A CSV list with identities: three pictures of each person."""
    rows = []
    for number in range(count):
        file = f"pictures/{number}.png"
        write_picture(path.parent / file, face_picture(number))
        rows.append(
            {
                "file": file,
                "identity": f"person {number // 3}",
                "gender": CLASSES["gender"][number % 2],
                "hat": ("yes", "no")[number // 2 % 2],
            }
        )
    write_list(path, rows)
    return path


LFWA_FLAGS = ("Male", "Asian", "White", "Black", "Smiling")


def make_lfwa(root: Path, people: int = 6, pictures: int = 2) -> Path:
    """LFWA+ as published: MATLAB's HDF5 with cell arrays of references, backslashes in names."""
    import h5py

    names = [
        f"Person_{person}\\Person_{person}_{number:04}.jpg"
        for person in range(people)
        for number in range(1, pictures + 1)
    ]
    table = np.zeros((len(LFWA_FLAGS), len(names)))
    for column in range(len(names)):
        person = column // pictures
        table[0, column] = person % 2
        table[1 + person % 3, column] = 1
        table[4, column] = column % 2
        file = names[column].replace("\\", "/")
        write_picture(root / "LFWA" / "lfw" / file, face_picture(column))
    with h5py.File(root / "lfw_att_73.mat", "w") as file:
        file["label"] = table
        for key, texts in (("name", names), ("AttrName", LFWA_FLAGS)):
            cells = file.create_dataset(key, (len(texts), 1), dtype=h5py.ref_dtype)
            for row, text in enumerate(texts):
                stored = file.create_dataset(
                    f"#refs#/{key}{row}", data=np.array([[ord(each)] for each in text], "u2")
                )
                cells[row, 0] = stored.ref
    return root


LAYOUT_MAKERS: Mapping[str, Callable[[Path], Path]] = {
    "fairface": make_fairface,
    "utkface": make_utkface,
    "folders": make_folders,
    "manifest": lambda root: make_manifest(root / "list.csv"),
    "lfwa": make_lfwa,
}


def table_info(
    attributes: tuple[str, ...],
    flag_attributes: tuple[FlagAttribute, ...] = (),
    dimensions: int = 128,
    embedder: str = "dlib-resnet-v1",
) -> TableInfo:
    """The description of a made-up table."""
    return TableInfo(
        dataset="made up",
        credit="",
        embedder=embedder,
        dimensions=dimensions,
        chip_size=150,
        engine="drawn",
        hold_out="every fourth",
        command="face-train features made-up --out features.parquet",
        attributes=attributes,
        flag_attributes=flag_attributes,
    )


def write_table(
    path: Path, info: TableInfo, embeddings: NDArray[np.float32], labels: Sequence[Sequence[str]]
) -> Path:
    """A table of given embeddings; every fourth row is held out."""
    with table_writer(path, info) as writer:
        writer.write(
            [
                FeatureRow(
                    file=f"{number}.jpg",
                    face=0,
                    mirrored=False,
                    identity=None,
                    split=TEST if number % 4 == 0 else TRAIN,
                    face_px=100,
                    embedding=vector,
                    labels=tuple(classes),
                )
                for number, (vector, classes) in enumerate(zip(embeddings, labels, strict=True))
            ]
        )
    return path


def drawn_table(path: Path, count: int = 600, seed: int = 0) -> Path:
    """Embeddings in clouds around a centre for each gender and each race, somewhat overlapping."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(5, 128))
    genders, races = random.integers(2, size=count), random.integers(3, size=count)
    noise = 4.0 * random.normal(size=(count, 128))
    embeddings = (centres[genders] + centres[2 + races] + noise).astype(np.float32)
    labels = [
        (CLASSES["gender"][gender], CLASSES["race"][race])
        for gender, race in zip(genders, races, strict=True)
    ]
    return write_table(path, table_info(("gender", "race")), embeddings, labels)


def flagged_table(path: Path, count: int = 400) -> Path:
    """A table as LFWA+ gives it: gender and race are read off independent flags."""
    random = np.random.default_rng(1)
    flags = ("Male", "White", "Black", "Asian")
    directions = random.normal(size=(4, 128))
    races = random.integers(3, size=count)
    values = np.zeros((count, 4), dtype=np.int64)
    values[:, 0] = random.integers(2, size=count)
    values[np.arange(count), 1 + races] = 1
    embeddings = values @ directions + 1.5 * random.normal(size=(count, 128))
    labels = [
        (
            ("Female", "Male")[row[0]],
            flags[1 + race],
            *(flag if value else f"not {flag}" for flag, value in zip(flags, row, strict=True)),
        )
        for row, race in zip(values, races, strict=True)
    ]
    flag_attributes = (
        FlagAttribute("gender", ("Male",), ("Female", "Male")),
        FlagAttribute("race", flags[1:], flags[1:]),
        *(FlagAttribute(flag, (flag,), (f"not {flag}", flag)) for flag in flags),
    )
    info = table_info(("gender", "race", *flags), flag_attributes)
    return write_table(path, info, embeddings.astype(np.float32), labels)


def small_efficientnet(seed: int) -> tuple[Convolution, ...]:
    """The convolutions of an EfficientNet-Lite of few channels and three blocks, drawn at random:
    one that widens nothing, one that halves the size, one that keeps its input."""
    random = np.random.default_rng(seed)

    def layer(outputs: int, inputs: int, size: int, stride: int = 1) -> Convolution:
        shape = outputs, inputs, size, size
        filters = random.normal(0, (2 / (inputs * size * size)) ** 0.5, shape).astype(np.float32)
        biases = random.normal(0, 0.1, outputs).astype(np.float32)
        return Convolution(filters, biases, (stride, stride), (size // 2, size // 2))

    first = layer(4, 3, 3, stride=2)
    first = Convolution(first.filters / np.float32(128), first.biases, first.stride, (0, 0))
    return (
        first,
        *(layer(4, 1, 3), layer(2, 4, 1)),
        *(layer(6, 2, 1), layer(6, 1, 5, stride=2), layer(3, 6, 1)),
        *(layer(6, 3, 1), layer(6, 1, 3), layer(3, 6, 1)),
        layer(8, 3, 1),
    )
