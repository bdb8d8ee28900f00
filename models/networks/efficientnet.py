"""EfficientNet-Lite, a network of another kind beside dlib's: its blocks, and its graph.

(Tan and Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, ICML 2019;
"Lite" has no squeeze-and-excitation and ReLU6 for an activation.) Its normalisations are folded
into its convolutions, as is that of the pixels into the first, which therefore has no padding; each
other pads by half its filter on both sides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from models.networks.dlib_weights import Convolution
from models.networks.graphs import FeatureMap, Graph

MAX_ACTIVATION = 6.0
"""Value that ReLU6 cuts activations off at."""


@dataclass(frozen=True, slots=True, eq=False)
class InvertedResidual:
    """A block: a convolution to more channels, one of each channel by itself, one to fewer.

    Attributes:
        hidden: the convolutions that are followed by ReLU6.
        last: the one that is not.
        adds_input: whether the block's input is added to its output.
    """

    hidden: tuple[Convolution, ...]
    last: Convolution
    adds_input: bool


def inverted_residuals(convolutions: Sequence[Convolution]) -> Iterator[InvertedResidual]:
    """The blocks between the first and the last of a network's convolutions.

    Raises:
        ValueError: the convolutions are not those of an EfficientNet-Lite.
    """
    rest = list(convolutions[1:-1])
    while rest:
        hidden = 1 if is_depthwise(rest[0]) else 2
        if len(rest) <= hidden or not is_depthwise(rest[hidden - 1]):
            raise ValueError("expected a convolution of each channel by itself in each block")
        *block, last = rest[: hidden + 1]
        inputs = len(block[0].filters) if hidden == 1 else block[0].filters.shape[1]
        adds_input = block[-1].stride == (1, 1) and inputs == len(last.filters)
        yield InvertedResidual(tuple(block), last, adds_input)
        del rest[: hidden + 1]


def is_depthwise(convolution: Convolution) -> bool:
    """Whether each of its filters sees one channel."""
    return convolution.filters.shape[1] == 1


def efficientnet_means(
    graph: Graph, pixels: FeatureMap, convolutions: Sequence[Convolution]
) -> str:
    """The means of the last feature map, `(n, channels)`, of pixels `(n, 3, side, side)` BGR."""
    features = _hidden(graph, pixels, convolutions[0])
    for block in inverted_residuals(convolutions):
        inputs = features
        for each in block.hidden:
            features = _hidden(graph, features, each)
        features = graph.convolve(features, block.last)
        if block.adds_input:
            features = graph.add(inputs, features)
    return graph.mean(_hidden(graph, features, convolutions[-1]))


def _hidden(graph: Graph, features: FeatureMap, convolution: Convolution) -> FeatureMap:
    """A convolution and its ReLU6."""
    features = graph.convolve(features, convolution)
    bounds = [np.array(each, dtype=np.float32) for each in (0, MAX_ACTIVATION)]
    return features._replace(name=graph.node("Clip", features.name, *bounds))
