"""EfficientNet-Lite as a graph: what its convolutions are, and what it computes."""

from collections.abc import Sequence

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto
from scipy.signal import correlate2d
from training_helpers import small_efficientnet

from models.networks.dlib_weights import Convolution
from models.networks.efficientnet import efficientnet_means, inverted_residuals
from models.networks.graphs import CHIP_SIZE, Graph, chip_pixels


@pytest.fixture(scope="module")
def convolutions() -> tuple[Convolution, ...]:
    return small_efficientnet(seed=3)


def test_its_blocks_are_found_by_their_convolutions(
    convolutions: tuple[Convolution, ...],
) -> None:
    """The first widens nothing; the second halves the size; only the last keeps its input."""
    blocks = list(inverted_residuals(convolutions))
    assert [len(each.hidden) for each in blocks] == [1, 2, 2]
    assert [each.adds_input for each in blocks] == [False, False, True]
    found = [each for block in blocks for each in (*block.hidden, block.last)]
    assert found == list(convolutions[1:-1])


def test_other_convolutions_are_refused(convolutions: tuple[Convolution, ...]) -> None:
    plain = convolutions[0]
    for wrong in ([plain] * 6, [*convolutions[:4], convolutions[-1]]):
        with pytest.raises(ValueError, match="each channel by itself"):
            list(inverted_residuals(wrong))


def test_the_graph_gives_what_the_convolutions_say(convolutions: tuple[Convolution, ...]) -> None:
    graph = Graph("chips", TensorProto.UINT8, ["n", CHIP_SIZE, CHIP_SIZE, 3])
    efficientnet_means(graph, chip_pixels(graph), convolutions)
    model = graph.finish("means", ["n", len(convolutions[-1].filters)])
    session = onnxruntime.InferenceSession(model.SerializeToString())
    chips = np.random.default_rng(5).integers(0, 256, (2, CHIP_SIZE, CHIP_SIZE, 3), dtype=np.uint8)
    (found,) = session.run(None, {"chips": chips})
    expected = [_means(chip.transpose(2, 0, 1).astype(np.float64), convolutions) for chip in chips]
    assert np.abs(found - expected).max() < 1e-3
    assert found.std() > 0.01


def _means(
    features: NDArray[np.float64], convolutions: Sequence[Convolution]
) -> NDArray[np.float64]:
    """The same by SciPy, channel by channel."""
    features = np.clip(_convolve(features, convolutions[0]), 0, 6)
    for block in inverted_residuals(convolutions):
        inputs = features
        for each in block.hidden:
            features = np.clip(_convolve(features, each), 0, 6)
        features = _convolve(features, block.last)
        features = inputs + features if block.adds_input else features
    return np.clip(_convolve(features, convolutions[-1]), 0, 6).mean(axis=(1, 2))


def _convolve(features: NDArray[np.float64], layer: Convolution) -> NDArray[np.float64]:
    pad, step = layer.padding[0], layer.stride[0]
    padded = np.pad(features, ((0, 0), (pad, pad), (pad, pad)))
    by_itself = layer.filters.shape[1] == 1
    maps = []
    for number, (filters, bias) in enumerate(zip(layer.filters, layer.biases, strict=True)):
        seen = padded[number : number + 1] if by_itself else padded
        pairs = zip(seen, filters, strict=True)
        whole = sum(correlate2d(channel, each, mode="valid") for channel, each in pairs)
        maps.append(whole[::step, ::step] + bias)
    return np.array(maps)
