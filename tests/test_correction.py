"""`correction.json` of a model folder: written, read again, refused where it is damaged."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.classification.bundle import (
    CORRECTION_FILE,
    DEFAULT_FOLDER,
    DLIB_FOLDER,
    MANIFEST_FILE,
    load_bundle,
    save_bundle,
)
from models.digests import content_digest
from models.errors import ModelError
from models.prevalence.correction import Correction, read_correction


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT_FOLDER, tmp_path / "model"))


def _replace(folder: Path, content: bytes) -> None:
    """Another correction, of which the manifest has the digest."""
    (folder / CORRECTION_FILE).write_bytes(content)
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    manifest["files"][CORRECTION_FILE] = hashlib.sha256(content).hexdigest()
    manifest["digest"] = content_digest(manifest)
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))


def test_the_model_that_ships_corrects_what_its_test_shows_a_gain_for() -> None:
    correction = read_correction(DEFAULT_FOLDER)
    assert correction is not None and load_bundle(DEFAULT_FOLDER).files[CORRECTION_FILE]
    most = {"gender": 0.55, "race": 0.60, "age": 1.0}
    assert correction.attributes.keys() == most.keys()
    for name, each in correction.attributes.items():
        assert [view.from_px for view in each.views] == [40, 60]
        for view in each.test["views"]:
            assert view["faces"] == 2500 and view["population"] == 200 and view["draws"] >= 999
            assert view["ratio"] <= most[name] and view["worst_excess"] <= 0.005
        is_honest = all(0.92 <= view["coverage"] <= 0.98 for view in each.test["views"])
        assert each.is_gain == is_honest
    assert correction.attributes["gender"].is_gain and correction.attributes["race"].is_gain


def test_a_folder_may_have_none() -> None:
    assert read_correction(DLIB_FOLDER) is None


def test_it_is_written_with_a_folder_and_read_again(folder: Path, tmp_path: Path) -> None:
    bundle, correction = load_bundle(folder), read_correction(folder)
    assert correction is not None
    other = tmp_path / "other"
    save_bundle(other, bundle.manifest, {**bundle.files, CORRECTION_FILE: correction.as_json()})
    assert read_correction(other) == correction
    files = {name: data for name, data in bundle.files.items() if name != CORRECTION_FILE}
    save_bundle(other, bundle.manifest, files)
    assert read_correction(other) is None


def test_a_changed_one_is_refused(folder: Path) -> None:
    path = folder / CORRECTION_FILE
    path.write_bytes(path.read_bytes().replace(b"0.9", b"0.8", 1))
    with pytest.raises(ModelError, match="was changed since the model was made"):
        read_correction(folder)


def _set(content: dict[str, Any], *place: str | int, value: Any) -> None:
    for key in place[:-1]:
        content = content[key]  # type: ignore[index]
    content[place[-1]] = value  # type: ignore[index]


_VIEW = ("attributes", "gender", "views", 0)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("schema",), "face-correction/9"),
        ((*_VIEW, "calibration", "slope"), float("nan")),
        ((*_VIEW, "calibration", "slope"), -1.0),
        ((*_VIEW, "calibration", "offsets"), [0.0, 1e300]),
        ((*_VIEW, "calibration", "prior"), [1.0, 0.0]),
        ((*_VIEW, "calibration", "prior"), [0.2, 0.3, 0.5]),
        ((*_VIEW, "confusion"), [[1, 2]]),
        ((*_VIEW, "resampled"), []),
        (("attributes", "gender", "widening"), 0.5),
        ((*_VIEW, "from_px"), 1000.0),
        (("attributes", "gender", "views"), "none"),
    ],
    ids=str,
)
def test_a_damaged_one_is_refused(place: tuple[str | int, ...], value: Any, folder: Path) -> None:
    content = json.loads((folder / CORRECTION_FILE).read_text())
    _set(content, *place, value=value)
    _replace(folder, json.dumps(content).encode())
    with pytest.raises(ModelError, match=r"correction\.json cannot be understood"):
        read_correction(folder)


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"[]", b"[" * 100_000], ids=len)
def test_what_is_no_correction_is_refused(content: bytes, folder: Path) -> None:
    _replace(folder, content)
    with pytest.raises(ModelError, match=r"correction\.json"):
        read_correction(folder)


def test_rates_of_confusion_follow_the_widths_of_the_faces() -> None:
    correction = read_correction(DEFAULT_FOLDER)
    assert isinstance(correction, Correction)
    race = correction.attributes["race"]
    wide = np.array(race.views[1].confusion)
    assert (race.confusion(np.array([1, 1])) == wide).all()
    mixed = race.confusion(np.array([0, 1]))
    assert (mixed == (wide + np.array(race.views[0].confusion)) / 2).all()
