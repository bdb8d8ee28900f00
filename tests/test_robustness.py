"""Accuracy on bad pictures: which faces are corrupted, by how much, and what is counted."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from training_helpers import table_info, write_table

from models.classification.bundle import Bundle, EmbedderSpec, HeadSpec, Manifest
from training.datasets import Samples
from training.errors import DatasetError
from training.evaluation.figures import Figures
from training.evaluation.robustness import WIDTHS_PX, measure_robustness
from training.features.extractor import ExtractionSettings, FaceChips
from training.features.table import FeatureTable
from training.features.table_files import read_table

_SIDE = 12


def _bundle() -> Bundle:
    """Says `light` of a mean above 100 and `dark` of one below."""
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2])
        for name in ("embeddings", "probabilities")
    ]
    weights = numpy_helper.from_array(np.array([[-1, 1], [100, -100]], np.float32), "weights")
    nodes = [
        helper.make_node("MatMul", ["embeddings", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    graph = helper.make_graph(nodes, "light", ends[:1], ends[1:], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    manifest = Manifest(
        embedder=EmbedderSpec(name="mean", dimensions=2, chip_size=_SIDE),
        attributes=(HeadSpec(attribute="light", classes=("dark", "light"), file="light.onnx"),),
    )
    return Bundle(Path("model"), manifest, {"light.onnx": bytes(model.SerializeToString())})


class _Extractor:
    """Pictures are texts: the grey level and the width of each of their faces."""

    def __init__(self) -> None:
        self.settings = ExtractionSettings()
        self.engine = SimpleNamespace(embed=self.embed)
        self.pictures = 0

    def chips(self, content: bytes) -> FaceChips:
        self.pictures += 1
        faces = [tuple(map(int, each.split())) for each in content.decode().split(";") if each]
        levels = np.array([level for level, _ in faces], dtype=np.uint8)
        chips = np.broadcast_to(levels[:, None, None, None], (len(faces), _SIDE, _SIDE, 3))
        return FaceChips("", chips, np.array([width for _, width in faces], dtype=np.float32))

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        means = chips.mean(axis=(1, 2, 3), dtype=np.float32)
        return np.stack([means, np.ones_like(means)], axis=1)


def _dataset(
    folder: Path, pictures: Sequence[str], labels: Sequence[str | None]
) -> tuple[FeatureTable, Samples]:
    """A table with a row a picture, in the order of the pictures, all held out."""
    for number, text in enumerate(pictures):
        (folder / f"{number}.jpg").write_text(text)
    info = table_info(("light",), dimensions=2, embedder="mean")
    embeddings = np.zeros((len(pictures), 2), dtype=np.float32)
    rows: Any = [(each,) for each in labels]
    table = read_table(write_table(folder / "t.parquet", info, embeddings, rows))
    samples = Samples(
        name="texts",
        root=folder,
        files=tuple(table.files),
        labels={"light": tuple(labels)},
        identities=(None,) * len(pictures),
        splits=(None,) * len(pictures),
    )
    return replace(table, splits=np.array(["test"] * len(table), dtype=object)), samples


def _measured(table: FeatureTable, samples: Samples) -> tuple[list[Figures], dict[str, Figures]]:
    found = measure_robustness(_bundle(), table, samples, _Extractor())  # type: ignore[arg-type]
    figures = found["light"]
    return figures["face_width"], {each["harm"]: each for each in figures["harm"]}


def test_each_face_is_corrupted_in_each_way(tmp_path: Path) -> None:
    """A quarter of the light makes dark what was light; nothing else changes a plain face."""
    table, samples = _dataset(tmp_path, ["200 150"] * 3 + ["50 150"], ["light"] * 3 + ["dark"])
    widths, corruptions = _measured(table, samples)
    assert [each["face_px"] for each in widths] == list(WIDTHS_PX)
    assert {each["value"] for each in widths} == {1.0}
    assert {name: each["value"] for name, each in corruptions.items()} == {
        "none": 1.0,
        "JPEG of quality 30": 1.0,
        "blurred": 1.0,
        "tilted by 20°": 1.0,
        "tilted by -20°": 1.0,
        "a quarter of the light": 0.25,
        "grey": 1.0,
    }
    assert {each["rows"] for each in [*widths, *corruptions.values()]} == {4}


def test_a_face_counts_for_widths_up_to_its_own(tmp_path: Path) -> None:
    """Wrong are only the faces of 30 px, which are first: their rows must stay theirs."""
    pictures = ["50 30"] * 2 + ["200 60"] * 3
    table, samples = _dataset(tmp_path, pictures, ["light"] * 5)
    widths, corruptions = _measured(table, samples)
    found = {each["face_px"]: (each["rows"], each["value"]) for each in widths}
    assert found == {px: (5, 0.6) for px in (10, 15, 20, 30)} | {px: (3, 1.0) for px in (40, 60)}
    assert corruptions["none"]["rows"] == 5


def test_rows_keep_their_labels_where_others_fall_out(tmp_path: Path) -> None:
    pictures = ["50 30", "200 60", "50 60"]
    table, samples = _dataset(tmp_path, pictures, ["dark", "light", "dark"])
    widths, _ = _measured(table, samples)
    assert {each["value"] for each in widths} == {1.0}


def test_of_several_faces_the_one_of_the_row_is_corrupted(tmp_path: Path) -> None:
    table, samples = _dataset(tmp_path, ["50 150;200 150"] * 2, ["dark", "light"])
    _, corruptions = _measured(replace(table, faces=np.array([0, 1], dtype=np.int32)), samples)
    assert corruptions["none"]["value"] == 1
    _, corruptions = _measured(replace(table, faces=np.array([0, 2], dtype=np.int32)), samples)
    assert corruptions["none"]["rows"] == 1, "a face that is not found any more is left out"


@pytest.mark.parametrize(("count", "small"), [(49, True), (50, False)])
def test_exactly_fifty_faces_are_not_few(count: int, small: bool, tmp_path: Path) -> None:
    table, samples = _dataset(tmp_path, ["200 150"] * count, ["light"] * count)
    widths, corruptions = _measured(table, samples)
    assert {each["small"] for each in [*widths, *corruptions.values()]} == {small}


def test_at_most_500_faces_are_looked_at(tmp_path: Path) -> None:
    table, samples = _dataset(tmp_path, ["200 150"] * 510, ["light"] * 510)
    extractor = _Extractor()
    found = measure_robustness(_bundle(), table, samples, extractor)  # type: ignore[arg-type]
    assert extractor.pictures == 500
    assert {each["rows"] for each in found["light"]["harm"]} == {500}


def test_faces_without_a_label_are_left_out(tmp_path: Path) -> None:
    table, samples = _dataset(tmp_path, ["200 150"] * 4, ["light", None, None, "dark"])
    _, corruptions = _measured(table, samples)
    assert (corruptions["none"]["rows"], corruptions["none"]["value"]) == (2, 0.5)


def test_pictures_of_another_dataset_are_refused(tmp_path: Path) -> None:
    table, samples = _dataset(tmp_path, ["200 150"] * 4, ["light"] * 4)
    nowhere = replace(samples, root=tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="nowhere has none of the pictures of the table"):
        _measured(table, nowhere)
