"""Pictures → a feature table: what is taken, what is skipped, and what a kill leaves."""

import os
import signal
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from training_helpers import (
    CountedProgress,
    drawn_table,
    face_picture,
    make_fairface,
    make_folders,
    make_manifest,
    portrait,
    table_info,
    write_list,
    write_picture,
    write_table,
)

import training.datasets
import training.features
from models.detection.centerface_detector import CenterFaceDetector
from models.detection.detector import resized
from models.detection.hog_detector import HogDetector
from models.detection.names import NO_DETECTOR, DetectorName
from models.engine import DetectionSettings, Engine, load_engine
from models.faces import Detections, Faces, Image
from models.pictures.files import decode_picture
from models.program.printable import printable
from training.datasets import Samples, read_dataset
from training.datasets.samples import SkippedPicture
from training.datasets.splits import SEED, HoldOut, split
from training.errors import DatasetError, OutputError
from training.features.cache import EmbeddedFaces, open_cache
from training.features.command_line import features_command
from training.features.extraction import extract_features, temporary_table
from training.features.extractor import (
    NO_FACE,
    UNREADABLE,
    ExtractionSettings,
    Extractor,
    FacesPolicy,
    detection_settings,
)
from training.features.progress import no_progress
from training.features.side_files import cache_path, duplicates_path, info_path, skipped_path
from training.features.survey import survey
from training.features.table import TableInfo
from training.features.table_files import is_table, read_table, write_csv
from training.features.views import FILMED


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine(ExtractionSettings().detection, threads=1)


class _CountingEmbedder:
    """Counts the chips, and dies after so many as a killed program does."""

    def __init__(self, engine: Engine, die_after: int | None = None) -> None:
        self._embedder = engine.embedder
        self._die_after = die_after
        self.name, self.dimensions = self._embedder.name, self._embedder.dimensions
        self.appearance_dimensions = self._embedder.appearance_dimensions
        self.calls = 0

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        if self._die_after is not None and self.calls >= self._die_after:
            raise KeyboardInterrupt
        self.calls += 1
        return self._embedder.embed(chips)


def _counting(
    engine: Engine, settings: ExtractionSettings, die_after: int | None = None
) -> tuple[Extractor, _CountingEmbedder]:
    embedder = _CountingEmbedder(engine, die_after)
    return Extractor(settings, Engine(engine.detector, engine.aligner, embedder)), embedder


@pytest.mark.parametrize(
    "room", [training.datasets, training.features], ids=lambda each: each.__name__
)
def test_what_a_room_exports_is_there(room: ModuleType) -> None:
    assert all(hasattr(room, name) for name in room.__all__)
    assert set(room.__all__) <= set(dir(room))
    assert not hasattr(room, "extract_feature")


def _scene(faces: int) -> NDArray[np.uint8]:
    """Two faces side by side, the right one larger; or one; or none."""
    small, large = face_picture(0), cv2.resize(face_picture(0), None, fx=1.5, fy=1.5)
    scene = np.full((300, 560, 3), 90, dtype=np.uint8)
    if faces:
        scene[60:260, 10:210] = small
    if faces > 1:
        scene[:, 240:540] = large
    return scene


def _list_of(tmp_path: Path, **pictures: NDArray[np.uint8]) -> Samples:
    lines = ["file,gender"]
    for number, (name, image) in enumerate(pictures.items()):
        write_picture(tmp_path / f"{name}.png", image)
        lines.append(f"{name}.png,{('Male', 'Female')[number % 2]}")
    (tmp_path / "list.csv").write_text("\n".join(lines) + "\n")
    return read_dataset(tmp_path / "list.csv")


def test_a_table_holds_what_the_engine_says(engine: Engine, tmp_path: Path) -> None:
    samples = read_dataset(make_manifest(tmp_path / "list.csv"))
    result = extract_features(
        samples, tmp_path / "out.parquet", Extractor(ExtractionSettings(), engine)
    )
    table = read_table(tmp_path / "out.parquet")
    assert (result.pictures, result.faces, result.skipped) == (12, 12, ())
    assert len(table) == 24
    assert table.mirrored.sum() == 12
    assert (table.info.embedder, table.info.dimensions) == (engine.embedder.name, 128)
    image = decode_picture((samples.root / samples.files[3]).read_bytes())
    assert image is not None
    expected = engine.describe(image, engine.find(image)).embeddings
    row = np.flatnonzero((table.files == samples.files[3]) & ~table.mirrored)
    np.testing.assert_allclose(table.embeddings[row], expected, atol=1e-6)
    assert table.face_px[row] == pytest.approx(96, abs=20)
    assert table.identities[row] == "person 1"
    assert table.labels["hat"][row] == "no"
    held = {
        each for each, half in zip(table.identities, table.splits, strict=True) if half == "test"
    }
    assert len(held) == 1


def test_each_face_is_filmed_too_in_a_way_of_its_own(engine: Engine, tmp_path: Path) -> None:
    """Its place in the dataset does not matter: only the picture decides how it is filmed."""
    samples = read_dataset(make_manifest(tmp_path / "list.csv"))
    extractor = Extractor(ExtractionSettings(filmed=3), engine)
    extract_features(samples, tmp_path / "out.parquet", extractor)
    table = read_table(tmp_path / "out.parquet")
    assert len(table) == 12 * 5
    assert (table.filmed.sum(), table.mirrored.sum()) == (36, 24)
    assert (table.filmed & table.mirrored).sum() == 12
    assert table.as_found.sum() == 12
    by_face = {str(file): np.flatnonzero(table.files == file) for file in table.files}
    for rows in by_face.values():
        assert (table.face_px[rows][2:] <= table.face_px[rows[0]]).all()
        assert len(np.unique(table.face_px[rows][2:])) == 3
        distances = np.linalg.norm(table.embeddings[rows][2:] - table.embeddings[rows[0]], axis=1)
        assert (distances > 0.02).all()
    assert np.corrcoef(table.face_px[table.filmed], table.sharpness[table.filmed])[0, 1] > 0.3
    content = (samples.root / samples.files[3]).read_bytes()
    found = extractor.extract(content)
    np.testing.assert_array_equal(found.embeddings, extractor.extract(content).embeddings)


def test_aligned_chips_are_not_searched(engine: Engine, tmp_path: Path) -> None:
    make_fairface(tmp_path)
    samples = read_dataset(tmp_path)
    chip = np.zeros((224, 224, 3), dtype=np.uint8)  # no detector would find a face in it
    write_picture(tmp_path / "train" / "1.jpg", chip)
    extractor = Extractor(ExtractionSettings(aligned=True, mirror=False), engine)
    table = temporary_table(samples, extractor, HoldOut(), SEED, no_progress)
    assert len(table) == 12
    expected = engine.embedder.embed(np.zeros((1, 150, 150, 3), dtype=np.uint8))
    np.testing.assert_allclose(table.embeddings[:1], expected, atol=1e-6)
    assert table.face_px[0] == pytest.approx(224 / 1.5)


def test_pictures_without_use_are_counted_and_listed(engine: Engine, tmp_path: Path) -> None:
    pictures = {"one": _scene(1), "none": _scene(0), "two": _scene(2), "more": face_picture(1)}
    samples = _list_of(tmp_path, **pictures)
    jpeg = cv2.imencode(".jpg", face_picture(2))[1].tobytes()
    lines = (tmp_path / "list.csv").read_text()
    for name, content in (("cut.jpg", jpeg[:-2000]), ("text.jpg", b"hello"), ("empty.jpg", b"")):
        (tmp_path / name).write_bytes(content)
        lines += f"{name},Male\n"
    lines += '"text.jpg#xywh=1,1,50,50",Male\nabsent.jpg,Male\n'
    long = "x" * 300  # longer than the name of a file may be
    lines += f'{long},Male\n"{long}#xywh=1,1,50,50",Male\n'
    (tmp_path / "list.csv").write_text(lines + '"absent.jpg#xywh=1,1,50,50",Male\n')
    samples = read_dataset(tmp_path / "list.csv")
    out = tmp_path / "out.parquet"
    result = extract_features(samples, out, Extractor(ExtractionSettings(mirror=False), engine))
    assert result.faces == 2
    assert result.reasons() == "4 unreadable, 4 no such file, 1 no face, 1 several faces"
    assert skipped_path(out).read_text().splitlines() == [
        "file,reason",
        "none.png,no face",
        "two.png,several faces",
        "cut.jpg,unreadable",
        "text.jpg,unreadable",
        "empty.jpg,unreadable",
        '"text.jpg#xywh=1,1,50,50",unreadable',
        "absent.jpg,no such file",
        f"{long},no such file",
        f'"{long}#xywh=1,1,50,50",no such file',
        '"absent.jpg#xywh=1,1,50,50",no such file',
    ]


def test_what_the_reader_could_not_use_is_listed_first(engine: Engine, tmp_path: Path) -> None:
    samples = replace(
        _list_of(tmp_path, a=face_picture(0), b=face_picture(1)),
        skipped=(SkippedPicture("odd.jpg", "name is odd"),),
    )
    (tmp_path / "b.png").write_bytes(b"no picture")
    out = tmp_path / "out.parquet"
    settings = ExtractionSettings(aligned=True, mirror=False)
    result = extract_features(
        samples, out, Extractor(settings, engine), hold_out=HoldOut(fraction=0.5)
    )
    assert [each.file for each in result.skipped] == ["odd.jpg", "b.png"]
    assert result.reasons() == "1 name is odd, 1 unreadable"
    listed = skipped_path(out).read_text().splitlines()
    assert listed == ["file,reason", "odd.jpg,name is odd", "b.png,unreadable"]


def _many(folder: Path, count: int) -> Samples:
    files = tuple(f"{number}.png" for number in range(count))
    for file in files:
        (folder / file).write_text(file)
    return Samples(
        name="many",
        root=folder,
        files=files,
        labels={"label": ("a", "b") * (count // 2)},
        identities=(None,) * count,
        splits=(None,) * count,
    )


def test_progress_counts_every_picture_once_also_those_known(
    engine: Engine, tmp_path: Path
) -> None:
    samples = _many(tmp_path, 150)
    extractor = _InstantExtractor(ExtractionSettings(), engine)
    for known in (0, 150):
        progress = CountedProgress()
        result = extract_features(samples, tmp_path / "out.parquet", extractor, progress=progress)
        assert (sum(progress.done), result.reused, result.faces) == (150, known, 150)
        assert sum(progress.known) == known


def test_a_picture_that_changes_while_it_is_read_is_left_out(
    engine: Engine, tmp_path: Path
) -> None:
    samples = _many(tmp_path, 20)

    class _Changing(_InstantExtractor):
        def extract(self, content: bytes) -> EmbeddedFaces:
            if content != b"7.png":
                return super().extract(content)
            raise AssertionError("it was to have changed before")

        def key(self, content: bytes) -> bytes:
            if content == b"7.png":
                (tmp_path / "7.png").write_text("another")
            return super().key(content)

    extractor = _Changing(ExtractionSettings(), engine)
    result = extract_features(samples, tmp_path / "out.parquet", extractor)
    assert [(each.file, each.reason) for each in result.skipped] == [
        ("7.png", "changed while it was read")
    ]
    assert result.faces == 19


def test_what_decides_an_embedding_is_part_of_its_key(engine: Engine) -> None:
    settings = ExtractionSettings()

    class _Renamed(_CountingEmbedder):
        def __init__(self) -> None:
            super().__init__(engine)
            self.name = "other"

    renamed = Engine(engine.detector, engine.aligner, _Renamed())
    plain = Extractor(settings, engine)
    keys = [
        plain.key(b"picture"),
        plain.key(b"another"),
        Extractor(settings, renamed).key(b"picture"),
        Extractor(replace(settings, mirror=False), engine).key(b"picture"),
        Extractor(replace(settings, filmed=1), engine).key(b"picture"),
        Extractor(replace(settings, aligned=True), engine).key(b"picture"),
        Extractor(replace(settings, faces="all"), engine).key(b"picture"),
    ]
    assert len(set(keys)) == len(keys)
    assert Extractor(settings, engine).key(b"picture") == keys[0]


def test_the_detector_is_recorded_in_the_table_and_beside_it(
    engine: Engine, tmp_path: Path
) -> None:
    samples = _list_of(tmp_path, a=face_picture(0), b=face_picture(1))
    out = tmp_path / "out.parquet"
    for settings, detector, option in (
        (_searched_by("cnn"), "cnn", "--detector cnn"),
        (_searched_by("hog"), "hog", "--detector hog"),
        (ExtractionSettings(aligned=True), NO_DETECTOR, "--aligned"),
    ):
        extract_features(samples, out, Extractor(settings, engine), hold_out=HoldOut(first=1))
        info = read_table(out).info
        assert info.detector == detector
        assert f" {option} " in f"{info.command} ", "the command is to make the same table again"
        assert info_path(out) == tmp_path / "out.info.json"
        assert TableInfo.from_json(info_path(out).read_bytes()) == info


def test_a_cache_of_another_detector_is_not_used(engine: Engine, tmp_path: Path) -> None:
    samples = _list_of(tmp_path, a=face_picture(0), b=face_picture(1))
    hold_out, cache = HoldOut(first=1), tmp_path / "cache"
    aligned = ExtractionSettings(aligned=True)
    for settings, reused in (
        (_searched_by("cnn"), 0),
        (_searched_by("hog"), 0),
        (_searched_by("cnn"), 2),
        (_searched_by("hog"), 2),
        (aligned, 0),
        (replace(aligned, detection=_searched_by("hog").detection), 2),
    ):
        extractor = Extractor(settings, engine)
        out = tmp_path / "out.parquet"
        result = extract_features(samples, out, extractor, hold_out=hold_out, cache=cache)
        assert result.reused == reused, settings


def _searched_by(detector: DetectorName) -> ExtractionSettings:
    return ExtractionSettings(detection=detection_settings(detector))


def test_a_turned_picture_is_set_upright() -> None:
    """Orientation 6: a camera held upright; what it wrote as left is the top."""
    image = np.zeros((16, 32, 3), dtype=np.uint8)
    image[:, :16] = 255
    jpeg = cv2.imencode(".jpg", image)[1].tobytes()
    entry = b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"
    exif = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01" + entry + b"\x00\x00\x00\x00"
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    found = decode_picture(jpeg[:2] + segment + jpeg[2:])
    assert found is not None
    assert found.shape == (32, 16, 3)
    assert found[:15].min() > 200 and found[17:].max() < 50


@pytest.mark.parametrize(("policy", "left"), [("largest", 10.0), ("centre", 130.0)])
def test_the_face_in_the_middle_need_not_be_the_largest(
    policy: FacesPolicy, left: float, engine: Engine
) -> None:
    class _Found(HogDetector):
        def detect(
            self, image: Image, scale: float = 1.0, threshold: float | None = None
        ) -> Detections:
            return Detections.of([[10, 10, 110, 110], [130, 70, 170, 130]], [1, 1])

    class _Left:
        """Notes the left edge of each box of which a chip is wanted."""

        def __init__(self) -> None:
            self.lefts: list[float] = []

        def locate(
            self, image: Image, detections: Detections, squares_xyxy: NDArray[np.float32]
        ) -> Faces:
            landmarks = np.zeros((len(detections), 5, 2), dtype=np.float32)
            return Faces(detections.boxes_xyxy, landmarks, detections.scores)

        def chips(self, image: Image, faces: Faces) -> NDArray[np.uint8]:
            self.lefts += faces.boxes_xyxy[:, 0].tolist()
            return np.zeros((len(faces), 150, 150, 3), dtype=np.uint8)

    aligner = _Left()
    extractor = Extractor(
        ExtractionSettings(faces=policy, mirror=False),
        Engine(_Found(), aligner, engine.embedder),  # type: ignore[arg-type]
    )
    picture = cv2.imencode(".png", np.zeros((200, 300, 3), np.uint8))[1].tobytes()
    found = extractor.chips(picture)
    assert aligner.lefts == [left]
    assert found.face_px.tolist() == [100.0 if policy == "largest" else 40.0]


@pytest.mark.parametrize(
    ("policy", "widths"),
    [("largest", [144]), ("centre", [144]), ("all", [144, 96])],
)
def test_faces_of_a_picture_with_several(
    policy: FacesPolicy, widths: list[float], engine: Engine
) -> None:
    content = cv2.imencode(".png", _scene(2))[1].tobytes()
    found = Extractor(ExtractionSettings(faces=policy), engine).extract(content)
    assert sorted(found.face_px[:, 0], reverse=True) == pytest.approx(widths, rel=0.25)
    assert found.embeddings.shape == (len(widths), 2, 128)


@pytest.mark.parametrize("detector", ["centerface", "cnn"])
def test_a_small_face_is_found_by_enlarging_or_as_it_is(detector: DetectorName) -> None:
    small = cv2.resize(portrait(), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    content = cv2.imencode(".png", small)[1].tobytes()
    found = Extractor(_searched_by(detector)).extract(content)
    assert found.face_px == pytest.approx([48], rel=0.3)


@pytest.mark.parametrize(("share", "faces"), [(0.5, 2), (0.3, 1)])
def test_a_face_that_the_stream_would_not_label_does_not_count(
    share: float, faces: int, engine: Engine
) -> None:
    """CenterFace finds faces of 10 px, and most pictures of one person show such ones behind."""
    scene = _scene(1)
    small = cv2.resize(face_picture(1), None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    scene[20 : 20 + len(small), 400 : 400 + len(small)] = small
    assert len(engine.with_settings(DetectionSettings(downscale=1.0)).find(scene)) == 2
    found = Extractor(ExtractionSettings(faces="all"), engine).find(scene)
    assert len(found) == faces


def test_the_largest_face_is_found_in_the_picture_shrunk(engine: Engine) -> None:
    sizes: list[tuple[int, ...]] = []

    class _Watching(CenterFaceDetector):
        traits = replace(CenterFaceDetector.traits, turned_margin=None)

        def detect(
            self, image: Image, scale: float = 1.0, threshold: float | None = None
        ) -> Detections:
            sizes.append(resized(image, scale)[0].shape[:2])
            return super().detect(image, scale, threshold)

    watched = Engine(_Watching(threads=1), engine.aligner, engine.embedder)
    found = Extractor(ExtractionSettings(faces="largest"), watched).find(face_picture(0))
    assert (len(found), sizes) == (1, [(140, 140)])
    sizes.clear()
    assert len(Extractor(ExtractionSettings(), watched).find(face_picture(0))) == 1
    assert sizes == [(200, 200)]
    sizes.clear()
    assert len(Extractor(ExtractionSettings(), watched).find(_scene(0))) == 0
    assert sizes == [(300, 560)], "CenterFace gains nothing by enlarging"


def test_what_is_computed_once_is_not_computed_again(engine: Engine, tmp_path: Path) -> None:
    samples = read_dataset(make_manifest(tmp_path / "list.csv"))
    out = tmp_path / "out.parquet"
    settings = ExtractionSettings()
    first, embedder = _counting(engine, settings)
    extract_features(samples, out, first)
    assert embedder.calls == 12
    written = out.read_bytes()
    write_picture(samples.root / samples.files[0], face_picture(41))
    again, embedder = _counting(engine, settings)
    result = extract_features(samples, out, again)
    assert (embedder.calls, result.reused) == (1, 11)
    assert out.read_bytes() != written
    other, embedder = _counting(engine, replace(settings, faces="largest"))
    extract_features(samples, out, other)
    assert embedder.calls == 12


def test_a_picture_that_could_not_be_read_is_tried_again(engine: Engine, tmp_path: Path) -> None:
    """An earlier version could not read motion photos, and its cache says so of each."""
    samples = _list_of(tmp_path, a=face_picture(0), b=_scene(0))
    out = tmp_path / "out.parquet"
    extractor = Extractor(ExtractionSettings(), engine)
    nothing = np.zeros((0, 1), dtype=np.float32)
    with open_cache(cache_path(out)) as store:
        for file, reason in (("a.png", UNREADABLE), ("b.png", NO_FACE)):
            key = extractor.key((tmp_path / file).read_bytes())
            store.put([(key, EmbeddedFaces(reason, nothing, nothing.reshape(0, 1, 0), nothing))])
    result = extract_features(samples, out, extractor, hold_out=HoldOut(first=1))
    assert (result.faces, result.reused, result.reasons()) == (1, 1, f"1 {NO_FACE}")


def test_a_split_is_drawn_among_pictures_that_can_be_read(engine: Engine, tmp_path: Path) -> None:
    """Each class is in both halves, though most of its pictures cannot be read."""
    path = make_manifest(tmp_path / "list.csv", 40)
    lines = path.read_text().splitlines()
    listed = [",".join([line.split(",")[0], "", *line.split(",")[2:]]) for line in lines[1:]]
    path.write_text("\n".join([lines[0], *listed]) + "\n")
    for number in range(4, 40):
        if number % 2:  # of the men two can be read
            (tmp_path / "pictures" / f"{number}.png").write_bytes(b"no picture")
    for number in (4, 8, 12, 16):
        (tmp_path / "pictures" / f"{number}.png").write_bytes(b"no picture")
    samples = read_dataset(path)
    extractor = Extractor(ExtractionSettings(aligned=True, mirror=False), engine)
    out = tmp_path / "out.parquet"
    for seed in range(3):
        extract_features(samples, out, extractor, seed=seed)
        table = read_table(out)
        assert len(table) == 18
        for half in ("train", "test"):
            assert set(table.labels["gender"][table.splits == half]) == {"Female", "Male"}
        # Training of an embedder draws the same.
        found = survey(samples, extractor)
        splits, _ = split(samples, HoldOut(), seed, usable=found.usable, alike=found.alike)
        drawn = {file for file, half in zip(samples.files, splits, strict=True) if half == "test"}
        assert drawn == set(table.files[table.splits == "test"])


def test_what_both_halves_share_is_listed(engine: Engine, tmp_path: Path) -> None:
    path = make_manifest(tmp_path / "list.csv")
    smaller = cv2.resize(face_picture(3), (150, 150), interpolation=cv2.INTER_AREA)
    write_picture(tmp_path / "copy.jpg", smaller.astype(np.uint8))
    samples = read_dataset(path)
    twice = replace(
        samples,
        files=(*samples.files, "copy.jpg"),
        identities=(None,) * 13,
        labels={"gender": (*samples.labels["gender"], "Female")},
        splits=("test",) * 4 + ("train",) * 9,
    )
    extractor = Extractor(ExtractionSettings(aligned=True, mirror=False), engine)
    out = tmp_path / "out.parquet"
    result = extract_features(twice, out, extractor)
    assert [str(leak) for leak in result.leaks] == ["pictures/3.png and copy.jpg"]
    assert len(result.contradictions) == 1
    assert duplicates_path(out).read_text().splitlines() == [
        "file,other,reason",
        'pictures/3.png,copy.jpg,"nearly identical, held out and in training"',
        "pictures/3.png,copy.jpg,gender is Male and Female",
    ]
    drawn = replace(twice, splits=(None,) * 13)
    for seed in range(4):  # where the split is drawn, they are never parted
        assert extract_features(drawn, out, extractor, seed=seed).leaks == ()


def test_an_interrupted_run_goes_on_to_the_same_bytes(engine: Engine, tmp_path: Path) -> None:
    samples = read_dataset(make_manifest(tmp_path / "list.csv", 100))
    whole, out = tmp_path / "whole.parquet", tmp_path / "out.parquet"
    settings = ExtractionSettings(aligned=True)
    extract_features(samples, whole, Extractor(settings, engine))
    dying, _ = _counting(engine, settings, die_after=70)
    with pytest.raises(KeyboardInterrupt):
        extract_features(samples, out, dying)
    assert not out.exists()
    result = extract_features(samples, out, Extractor(settings, engine))
    assert result.reused == 64
    assert out.read_bytes() == whole.read_bytes()
    names = {each.name for each in tmp_path.iterdir() if each.name.startswith((".", "out"))}
    beside = ("out.parquet.cache", "out.info.json", "out.skipped.csv", "out.duplicates.csv")
    assert names == {"out.parquet", *beside}


_EXTRACT = """
import sys
from pathlib import Path
from training.datasets import read_dataset
from training.features.extractor import ExtractionSettings, Extractor
from training.features.extraction import extract_features
out = Path(sys.argv[2])
extractor = Extractor(ExtractionSettings(aligned=True))
extract_features(
    read_dataset(Path(sys.argv[1])), out, extractor,
    progress=lambda done, known=False: print(done, flush=True),
)
"""


@pytest.mark.skipif(os.name != "posix", reason="there is no SIGKILL")
def test_a_killed_program_goes_on_to_the_same_bytes(engine: Engine, tmp_path: Path) -> None:
    dataset = make_manifest(tmp_path / "list.csv", 200)
    whole, out = tmp_path / "whole.parquet", tmp_path / "out.parquet"
    command = [sys.executable, "-c", _EXTRACT, str(dataset), str(out)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        done = 0
        while done < 100:
            done += int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    assert not out.exists()
    settings = ExtractionSettings(aligned=True)
    result = extract_features(read_dataset(dataset), out, Extractor(settings, engine))
    assert 64 <= result.reused < 200
    extract_features(read_dataset(dataset), whole, Extractor(settings, engine))
    assert out.read_bytes() == whole.read_bytes()


class _InstantExtractor(Extractor):
    """Says at once that a picture has one face."""

    def extract(self, content: bytes) -> EmbeddedFaces:
        one = np.ones((1, 2), np.float32)
        return EmbeddedFaces("", one, np.ones((1, 2, 128), np.float32), one)


def test_memory_does_not_grow_with_the_embeddings(engine: Engine, tmp_path: Path) -> None:
    peaks = []
    for count in (1100, 6100):
        samples = _many(tmp_path, count)
        extractor = _InstantExtractor(ExtractionSettings(), engine)
        tracemalloc.start()
        extract_features(samples, tmp_path / f"{count}.parquet", extractor)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    embeddings_bytes = 5000 * 2 * 128 * 4
    assert peaks[1] - peaks[0] < embeddings_bytes / 2


def test_a_cache_of_something_else_is_refused(engine: Engine, tmp_path: Path) -> None:
    samples = read_dataset(make_manifest(tmp_path / "list.csv"))
    out = tmp_path / "out.parquet"
    cache_path(out).write_text("this is not a database, and long enough to be taken for one" * 20)
    with pytest.raises(OutputError, match=r"file is not a database: delete it"):
        extract_features(samples, out, Extractor(ExtractionSettings(), engine))
    assert not out.exists()


def test_two_runs_at_once_do_not_mix(engine: Engine, tmp_path: Path) -> None:
    import sqlite3

    samples = read_dataset(make_manifest(tmp_path / "list.csv"))
    out = tmp_path / "out.parquet"
    extractor = Extractor(ExtractionSettings(aligned=True), engine)
    extract_features(samples, out, extractor)
    other = sqlite3.connect(cache_path(out))
    try:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(OutputError, match="another run is using it"):
            extract_features(samples, out, extractor)
    finally:
        other.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_leaves_the_old_table(tmp_path: Path) -> None:
    path = drawn_table(tmp_path / "table.parquet", 40)
    before = path.read_bytes()
    (tmp_path / ".table.parquet.partial").symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"cannot write .*No space left.*nothing was changed"):
        drawn_table(path, 4000)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["table.parquet"]


def test_names_of_files_that_are_no_text_are_escaped(engine: Engine, tmp_path: Path) -> None:
    for name, content in (("a/caf\udce9.png", None), ("b/\x1b[31m.png", None), ("b/\n.cr2", b"x")):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        picture = cv2.imencode(".png", face_picture(0))[1].tobytes()
        (tmp_path / "set" / name).write_bytes(content or picture)
    samples = read_dataset(tmp_path / "set")
    out = tmp_path / "o.parquet"
    hold_out = HoldOut.parse("0.5")
    extractor = Extractor(ExtractionSettings(mirror=False), engine)
    assert extract_features(samples, out, extractor, hold_out=hold_out).faces == 2
    assert read_table(out).files.tolist() == ["a/caf\\udce9.png", "b/\\x1b[31m.png"]
    assert skipped_path(out).read_text().splitlines()[1:] == [
        "b/\\n.cr2,of a kind that is not read (.cr2)"
    ]


def test_a_label_may_not_take_the_name_of_a_column(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("file,embedding\na.jpg,x\nb.jpg,y\n")
    samples = read_dataset(tmp_path / "list.csv")
    with pytest.raises(DatasetError, match="cannot be called 'embedding'"):
        extract_features(samples, tmp_path / "o.parquet", Extractor(ExtractionSettings(), engine))


def test_no_face_at_all_is_said_and_keeps_the_table_of_before(
    engine: Engine, tmp_path: Path
) -> None:
    samples = _list_of(tmp_path, a=_scene(0), b=_scene(0), c=_scene(0))
    (tmp_path / samples.files[2]).unlink()
    extractor = Extractor(ExtractionSettings(), engine)
    said = r"no face to learn from in 3 pictures \(2 no face, 1 no such file\)"
    with pytest.raises(DatasetError, match=said):
        temporary_table(samples, extractor, HoldOut(first=1), SEED, no_progress)
    out = tmp_path / "out.parquet"
    out.write_bytes(b"a table of before")
    with pytest.raises(DatasetError, match=said):
        extract_features(samples, out, extractor)
    assert out.read_bytes() == b"a table of before"
    assert len(skipped_path(out).read_text().splitlines()) == 4


def test_pictures_are_found_by_the_name_that_a_table_has_of_them(tmp_path: Path) -> None:
    """Line breaks are escaped there, so that a name stays in its line in lists and reports."""
    name = "a\nb\x1b.png"
    write_picture(tmp_path / name, face_picture(0))
    write_list(tmp_path / "list.csv", [{"file": each, "hat": "x"} for each in ("c.png", name)])
    samples = read_dataset(tmp_path / "list.csv")
    assert samples.path_of(printable(name)) == tmp_path / name
    assert samples.path_of("c.png") == tmp_path / "c.png"


def test_the_recorded_command_has_the_options_that_a_dataset_is_read_with(tmp_path: Path) -> None:
    root = make_folders(tmp_path / "faces")
    settings = ExtractionSettings(aligned=True, filmed=FILMED)
    for layout, labels, asked in (
        (None, None, ""),
        ("folders", None, " --format folders"),
        (None, ["what they wear"], " --labels 'what they wear'"),
    ):
        samples = read_dataset(root, layout, labels)
        command = features_command(samples, settings, HoldOut(), SEED)
        assert command == f"face-train features faces --out features.parquet{asked} --aligned", (
            labels
        )


def test_two_csv_files(tmp_path: Path) -> None:
    table = read_table(drawn_table(tmp_path / "table.parquet", 20))
    write_csv(table, tmp_path / "features.csv", tmp_path / "labels.csv")
    features = pyarrow.csv.read_csv(tmp_path / "features.csv")
    labels = pyarrow.csv.read_csv(tmp_path / "labels.csv")
    assert features.column_names == ["file", *map(str, range(128))]
    assert labels.column_names == ["file", "identity", "split", "gender", "race"]
    assert labels["race"].to_pylist() == table.labels["race"].tolist()
    np.testing.assert_allclose(features["7"].to_numpy(), table.embeddings[:, 7], rtol=1e-6)


def test_damaged_tables_are_named(tmp_path: Path) -> None:
    path = drawn_table(tmp_path / "table.parquet", 50)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DatasetError, match=r"table\.parquet is damaged or not a table"):
        read_table(path)
    assert is_table(path)
    with pytest.raises(DatasetError, match="does not exist: face-train features makes it"):
        read_table(tmp_path / "none.parquet")
    pq.write_table(pq.read_table(drawn_table(path, 9)).replace_schema_metadata(None), path)
    with pytest.raises(DatasetError, match="is not a table of features"):
        read_table(path)


def test_embeddings_that_are_not_numbers_are_named(tmp_path: Path) -> None:
    embeddings = np.ones((4, 128), dtype=np.float32)
    embeddings[2, 5] = np.nan
    path = write_table(
        tmp_path / "t.parquet", table_info(("gender",)), embeddings, [("a",), ("b",)] * 2
    )
    with pytest.raises(DatasetError, match=r"1 embeddings are not finite numbers.* of 2\.jpg"):
        read_table(path)
