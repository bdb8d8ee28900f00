"""The trunk: dlib's face network trained further, for one embedding of appearance and classes.

Its first 128 numbers are near dlib's, under whose thresholds they can be compared; the rest are the
evidence for each class that it has learned. The evidence is read off more than dlib's last means:
off the means of the feature maps before the last two downsamplings too, where texture is seen. A
trunk may have a partner, a network of another kind whose means count for the evidence as well: the
two err on different faces.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.errors import ModelError
from models.networks.dlib_weights import (
    EMBEDDER_FILE,
    Convolution,
    Dense,
    installed_file,
    read_layers,
)
from models.networks.efficientnet import efficientnet_means, is_depthwise
from models.networks.graphs import (
    CHIP_SIZE,
    Graph,
    chip_pixels,
    folded_convolutions,
    residual_stages,
)

_TAPPED = 2
"""How many of the last downsamplings have the feature maps before them tapped for the evidence."""


@dataclass(frozen=True, slots=True, eq=False)
class Trunk:
    """The weights of such a network.

    Attributes:
        convolutions: the first, then two of each residual block.
        projection: `(channels of the last, 128)`, from the last means to dlib's embedding.
        evidence: `(features + partner_features, classes)`, from all means to the evidence for each
            class.
        evidence_biases: `(classes,)`.
        partner: the convolutions of an EfficientNet-Lite, its normalisations folded; empty without.
    """

    convolutions: tuple[Convolution, ...]
    projection: NDArray[np.float32]
    evidence: NDArray[np.float32]
    evidence_biases: NDArray[np.float32]
    partner: tuple[Convolution, ...] = ()

    @property
    def features(self) -> int:
        """How many means of the first network the evidence is read off."""
        return _features(self.convolutions)

    @property
    def partner_features(self) -> int:
        """How many means of the partner it is read off."""
        return len(self.partner[-1].filters) if self.partner else 0

    def half_precision(self) -> "Trunk":
        """The trunk with its weights rounded to what 16 bits hold."""
        return Trunk(
            _all_rounded(self.convolutions),
            _rounded(self.projection),
            _rounded(self.evidence),
            _rounded(self.evidence_biases),
            _all_rounded(self.partner),
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the weights."""
        content = hashlib.sha256()
        for weights in _weights(self):
            content.update(weights.tobytes())
        return content.hexdigest()

    @property
    def dimensions(self) -> int:
        """How long an embedding is."""
        return self.projection.shape[1] + self.evidence.shape[1]


def dlib_trunk() -> Trunk:
    """dlib's network as it is, which has learned no classes.

    Raises:
        ModelError: the weights are not installed, or damaged.
    """
    *convolutional, dense = read_layers(installed_file(EMBEDDER_FILE))
    if not isinstance(dense, Dense):
        raise ModelError(f"{EMBEDDER_FILE} does not hold the network its name promises")
    convolutions, nothing = tuple(folded_convolutions(convolutional)), np.zeros(0, dtype=np.float32)
    return Trunk(convolutions, dense.weights, nothing.reshape(_features(convolutions), 0), nothing)


def mean_trunk(trunks: Sequence[Trunk]) -> Trunk:
    """The mean of the weights of networks that were trained from the same ones.

    (Wortsman et al., Model soups, ICML 2022: it errs less than each of them, at the cost of one.)

    Args:
        trunks: one at least; what they have learned of classes is left out, which may be others.

    Raises:
        ModelError: they are not of one shape.
    """
    trunks = [_without_classes(each) for each in trunks]
    shapes = {tuple(each.shape for each in _weights(trunk)) for trunk in trunks}
    if len(shapes) > 1:
        sizes = " and ".join(str(len(each.convolutions)) for each in trunks)
        raise ModelError(
            "the weights of embedders of several shapes have no mean: expected as many "
            f"convolutions in each, of the same size, found {sizes}"
        )
    means = [np.mean(each, axis=0) for each in zip(*map(_weights, trunks), strict=True)]
    taken = iter(means)

    def averaged(convolutions: Sequence[Convolution]) -> tuple[Convolution, ...]:
        return tuple(
            replace(each, filters=next(taken), biases=next(taken)) for each in convolutions
        )

    first = trunks[0]
    return Trunk(
        convolutions=averaged(first.convolutions),
        partner=averaged(first.partner),
        projection=next(taken),
        evidence=next(taken),
        evidence_biases=next(taken),
    )


def _without_classes(trunk: Trunk) -> Trunk:
    return replace(trunk, evidence=trunk.evidence[:, :0], evidence_biases=trunk.evidence_biases[:0])


def _weights(trunk: Trunk) -> list[NDArray[np.float32]]:
    """All arrays of a trunk."""
    return [
        *(
            array
            for each in (*trunk.convolutions, *trunk.partner)
            for array in (each.filters, each.biases)
        ),
        trunk.projection,
        trunk.evidence,
        trunk.evidence_biases,
    ]


def trunk_graph(trunk: Trunk, properties: Mapping[str, str] | None = None) -> bytes:
    """`chips (n, 150, 150, 3)` uint8 BGR → `embeddings (n, 128 + classes)` float32.

    Weights are stored with half the precision; ONNX Runtime widens them once, when it loads the
    model.

    Args:
        trunk: the weights.
        properties: written into the model's metadata.
    """
    shape: list[int | str] = ["n", CHIP_SIZE, CHIP_SIZE, 3]
    graph = Graph("chips", TensorProto.UINT8, shape, half_precision=True)
    pixels = chip_pixels(graph)
    stages = residual_stages(graph, pixels, trunk.convolutions)
    means = [graph.mean(each) for each in stages[-_TAPPED - 1 :]]
    appearance = graph.node("MatMul", means[-1], trunk.projection)
    if trunk.partner:
        means.append(efficientnet_means(graph, pixels, trunk.partner))
    if trunk.evidence.shape[1]:
        features = graph.node("Concat", *means, axis=1)
        evidence = graph.node("Gemm", features, trunk.evidence, trunk.evidence_biases)
        graph.node("Concat", appearance, evidence, axis=1)
    model = graph.finish("embeddings", ["n", trunk.dimensions])
    helper.set_model_props(model, dict(properties or {}))
    return model.SerializeToString()


def read_trunk(model: bytes) -> Trunk:
    """The trunk that `trunk_graph` was given, in half precision.

    Raises:
        ModelError: it did not make the model.
    """
    try:
        return _read(onnx.load_from_string(model).graph)
    except (KeyError, ValueError, StopIteration) as error:
        raise ModelError("it is no network that face-train finetune wrote") from error


def _read(graph: onnx.GraphProto) -> Trunk:
    constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in constants:
            constants[node.output[0]] = constants[node.input[0]].astype(np.float32)
    convolutions = [_convolution(each, constants) for each in graph.node if each.op_type == "Conv"]
    projections = [constants.get(each.input[1]) for each in graph.node if each.op_type == "MatMul"]
    if len(convolutions) < 2 or len(projections) != 1 or projections[0] is None:
        raise ValueError("expected convolutions and one product")
    first, partner = _split_partner(convolutions)
    biases = np.zeros(0, dtype=np.float32)
    evidence = biases.reshape(_features(first), 0)
    for each in graph.node:
        if each.op_type == "Gemm":
            evidence, biases = (constants[name] for name in each.input[1:])
    return Trunk(first, projections[0], evidence, biases, partner)


def _split_partner(
    convolutions: Sequence[Convolution],
) -> tuple[tuple[Convolution, ...], tuple[Convolution, ...]]:
    """The convolutions of the first network, and those of its partner.

    The partner begins with the convolution before its first of each channel by itself, for its
    first block does not widen its input; dlib's network has no such convolutions.
    """
    depthwise = (place for place, each in enumerate(convolutions) if is_depthwise(each))
    start = next(depthwise, len(convolutions) + 1) - 1
    return tuple(convolutions[:start]), tuple(convolutions[start:])


def _convolution(node: onnx.NodeProto, constants: Mapping[str, NDArray[np.float32]]) -> Convolution:
    _, filters, biases = node.input
    strides, pads = (helper.get_node_attr_value(node, each) for each in ("strides", "pads"))
    return Convolution(constants[filters], constants[biases], tuple(strides), tuple(pads[:2]))


def _features(convolutions: Sequence[Convolution]) -> int:
    """How many means the evidence is read off."""
    blocks = list(zip(convolutions[1::2], convolutions[2::2], strict=True))
    downsamplings = [place for place, (first, _) in enumerate(blocks) if _downsamples(first)]
    tapped = [len(blocks[place - 1][1].filters) for place in downsamplings[-_TAPPED:]]
    return sum(tapped) + len(convolutions[-1].filters)


def _downsamples(convolution: Convolution) -> bool:
    return convolution.stride != (1, 1)


def _all_rounded(convolutions: Sequence[Convolution]) -> tuple[Convolution, ...]:
    return tuple(
        replace(each, filters=_rounded(each.filters), biases=_rounded(each.biases))
        for each in convolutions
    )


def _rounded(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    return weights.astype(np.float16).astype(np.float32)
