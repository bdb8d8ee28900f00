"""The two notebooks run from top to bottom, one after the other, on a small dataset."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from training_helpers import make_fairface

from models.classification.bundle import load_bundle

_TRAINING = Path(__file__).parents[1] / "training"


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_notebooks_lead_from_pictures_to_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACE_DATASET", str(make_fairface(tmp_path / "faces", 24)))
    monkeypatch.setenv("FACE_FEATURES", str(tmp_path / "features.parquet"))
    monkeypatch.setenv("FACE_MODEL", str(tmp_path / "model"))
    monkeypatch.setenv("PYTHONPATH", str(_TRAINING.parent))
    for name in ("features.ipynb", "train.ipynb"):
        notebook = nbformat.read(_TRAINING / name, as_version=4)
        NotebookClient(
            notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}
        ).execute()
    heads = load_bundle(tmp_path / "model").manifest.attributes
    assert [head.attribute for head in heads] == ["gender", "race", "age"]


@pytest.mark.parametrize("name", ["features.ipynb", "train.ipynb"])
def test_notebooks_are_kept_without_outputs(name: str) -> None:
    cells = nbformat.read(_TRAINING / name, as_version=4).cells
    assert all(not cell.outputs and not cell.execution_count for cell in cells if "outputs" in cell)
