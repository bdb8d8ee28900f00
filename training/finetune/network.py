"""dlib's face network as a PyTorch module, to be trained further for several attributes at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from models.networks.dlib_weights import Convolution
from models.networks.trunk import Trunk
from training.finetune.partner import Partner

_DROPOUT = 0.2
"""Share of the features, 0 to 1, that are dropped before the heads in training; more keeps the
heads from leaning on single features, and slows them (Srivastava et al., JMLR 2014)."""

_EPSILON = 1e-5
"""What batch normalisation adds to variances."""

_MOMENTUM = 0.01
"""Share of a batch in the running means and variances; more follows the batches faster."""


class Network(nn.Module):
    """Chips → embeddings → a linear head per attribute.

    It is the network that `models.networks.trunk.trunk_graph` builds. While it learns, each
    convolution is followed by a batch normalisation, which at first changes nothing and in the end
    is folded into the convolution (Ioffe and Szegedy, Batch Normalization, ICML 2015). Where the
    trunk has a partner, each of the two learns to answer by itself, and the mean of both is the
    answer.

    Args:
        trunk: the weights that it begins with.
        classes: attribute → how many classes it has.
        batch_norm: with batch normalisations, to be trained; without them, as it is exported.
    """

    def __init__(
        self, trunk: Trunk, classes: Mapping[str, int], *, batch_norm: bool = True
    ) -> None:
        super().__init__()
        self._counts = list(classes.values())
        self.layers = nn.ModuleList(_Layer(each, batch_norm) for each in trunk.convolutions)
        self.identity = nn.Linear(*trunk.projection.shape, bias=False)
        self.partner = Partner(trunk.partner) if trunk.partner else None
        self._features = [trunk.features, *([trunk.partner_features] if trunk.partner else [])]
        # The heads learn from means of one size; what they have learned is folded too.
        self.scaler = nn.BatchNorm1d(sum(self._features), affine=False) if batch_norm else None
        self.dropout = nn.Dropout(_DROPOUT)
        self.evidence = nn.Linear(sum(self._features), sum(self._counts))
        with torch.no_grad():
            self.identity.weight.copy_(torch.from_numpy(trunk.projection.T.copy()))
            if batch_norm or not trunk.evidence.size:
                self.evidence.weight.zero_()
                self.evidence.bias.zero_()
            else:
                self.evidence.weight.copy_(torch.from_numpy(trunk.evidence.T.copy()))
                self.evidence.bias.copy_(torch.from_numpy(trunk.evidence_biases.copy()))

    def forward(self, chips: Tensor) -> tuple[Tensor, list[Tensor]]:
        """`(n, 3, height, width)` BGR, 0 to 255 → appearances `(n, 128)`, and the logits
        `(n, classes)` of each attribute."""
        features, last = self._head_features(chips)
        return self.identity(last), list(self.evidence(features).split(self._counts, dim=1))

    def answers(self, chips: Tensor) -> tuple[Tensor, list[list[Tensor]]]:
        """The appearances, and the logits that the trunk and its partner give by themselves.

        Their mean is what `forward` gives.
        """
        features, last = self._head_features(chips)
        parts = features.split(self._features, dim=1)
        answers = [
            functional.linear(len(parts) * part, weights, self.evidence.bias)
            for part, weights in zip(
                parts, self.evidence.weight.split(self._features, dim=1), strict=True
            )
        ]
        return self.identity(last), [list(each.split(self._counts, dim=1)) for each in answers]

    def embed(self, chips: Tensor) -> Tensor:
        """`(n, 3, height, width)` BGR, 0 to 255 → embeddings, as the graph gives them."""
        appearances, logits = self(chips)
        return torch.cat([appearances, *logits], dim=1)

    def trunk(self) -> Trunk:
        """The weights, with the normalisations folded into them."""
        weights, biases = self.evidence.weight.detach(), self.evidence.bias.detach()
        if self.scaler is not None:
            means, variances = self.scaler.running_mean, self.scaler.running_var
            assert means is not None and variances is not None
            weights = weights / (variances + self.scaler.eps).sqrt()
            biases = biases - weights @ means
        return Trunk(
            tuple(each.folded() for each in self.layers if isinstance(each, _Layer)),
            _array(self.identity.weight.T),
            _array(weights.T),
            _array(biases),
            () if self.partner is None else self.partner.convolutions(),
        )

    @torch.no_grad()
    def calibrate_normalisations(self, chips: Tensor) -> None:
        """Sets the normalisations so that they change nothing of what these chips give."""
        for layer in self._layers_with_normalisation():
            layer.calibrating = True
        self._pooled_features(chips)
        for layer in self._layers_with_normalisation():
            layer.calibrating = False

    def parameter_groups(
        self, rate: float, head_rate: float, weight_decay: float
    ) -> list[dict[str, object]]:
        """The parameters by learning rate; filters and heads have weight decay."""
        partner = [] if self.partner is None else self.partner.parameters()
        trunk = [*self.layers.parameters(), *self.identity.parameters(), *partner]
        filters = [each for each in trunk if each.ndim > 1]
        others = [each for each in trunk if each.ndim == 1]
        heads = list(self.evidence.parameters())
        return [
            {"params": filters, "lr": rate, "weight_decay": weight_decay},
            {"params": others, "lr": rate, "weight_decay": 0.0},
            {"params": heads, "lr": head_rate, "weight_decay": weight_decay},
        ]

    def _layers_with_normalisation(self) -> Iterator["_Layer"]:
        return (each for each in self.layers if isinstance(each, _Layer) and each.norm is not None)

    def _head_features(self, chips: Tensor) -> tuple[Tensor, Tensor]:
        """What the heads are given, and the averages that the appearance is read off."""
        means, last = self._pooled_features(chips)
        if self.partner is not None:
            means = torch.cat([means, self.partner(chips)], dim=1)
        return self.dropout(means if self.scaler is None else self.scaler(means)), last

    def _pooled_features(self, chips: Tensor) -> tuple[Tensor, Tensor]:
        """The global averages of the feature maps before the last two downsamplings and at the
        end, in one row, and those at the end alone."""
        layers = iter(self.layers)
        features = functional.max_pool2d(functional.relu(next(layers)(chips)), 3, 2)
        means: list[Tensor] = []
        for first, second in zip(layers, layers, strict=True):
            if first.downsamples:
                means.append(features.mean((2, 3)))
            features = _residual_block(features, first, second)
        last = features.mean((2, 3))
        return torch.cat([*means[-2:], last], dim=1), last


class _Layer(nn.Module):
    """A convolution and its batch normalisation."""

    def __init__(self, convolution: Convolution, batch_norm: bool) -> None:
        super().__init__()
        outputs, inputs, rows, columns = convolution.filters.shape
        self.convolution = nn.Conv2d(
            inputs, outputs, (rows, columns), convolution.stride, padding=convolution.padding
        ).to(memory_format=torch.channels_last)
        self.norm = nn.BatchNorm2d(outputs, _EPSILON, _MOMENTUM) if batch_norm else None
        self.downsamples = convolution.stride != (1, 1)
        self.calibrating = False
        filters = torch.from_numpy(convolution.filters.copy())
        biases = torch.from_numpy(convolution.biases.copy())
        self._starts_at_zero = batch_norm and not filters.any()
        if self._starts_at_zero:
            nn.init.kaiming_normal_(filters, nonlinearity="relu")
        # A step of the optimiser is as large for small weights as for large ones, and dlib's first
        # are a hundredth of its others: before a normalisation all may be of one size.
        usual = (2 / (inputs * rows * columns)) ** 0.5
        sizes = filters.std(dim=(1, 2, 3)).clamp(min=1e-3 * usual)
        self._gain = usual / sizes if batch_norm else torch.ones(outputs)
        with torch.no_grad():
            self.convolution.weight.copy_(filters * self._gain[:, None, None, None])
            assert self.convolution.bias is not None
            self.convolution.bias.copy_(biases * self._gain)

    def forward(self, features: Tensor) -> Tensor:
        features = self.convolution(features)
        if self.norm is None:
            return features
        return self._calibrated(self.norm, features) if self.calibrating else self.norm(features)

    def _calibrated(self, norm: nn.BatchNorm2d, features: Tensor) -> Tensor:
        """Sets the normalisation so that it gives what the convolution gave before its weights
        were scaled; 0 for filters that were all 0."""
        variances, means = torch.var_mean(features.float(), dim=(0, 2, 3), correction=0)
        assert norm.running_mean is not None and norm.running_var is not None
        norm.running_mean.copy_(means)
        norm.running_var.copy_(variances)
        gain = torch.inf if self._starts_at_zero else self._gain.to(features.device)
        norm.weight.copy_((variances + _EPSILON).sqrt() / gain)
        norm.bias.copy_(means / gain)
        return norm(features)

    def folded(self) -> Convolution:
        """One convolution that gives the same as both."""
        filters, biases = self.convolution.weight.detach(), self.convolution.bias
        assert biases is not None
        if self.norm is not None:
            gain = self.norm.weight.detach() / (self.norm.running_var + _EPSILON).sqrt()
            filters = filters * gain[:, None, None, None]
            biases = (biases - self.norm.running_mean) * gain + self.norm.bias
        (stride_y, stride_x), padding = self.convolution.stride, self.convolution.padding
        assert not isinstance(padding, str)
        return Convolution(
            filters=_array(filters),
            biases=_array(biases),
            stride=(stride_y, stride_x),
            padding=(padding[0], padding[1]),
        )


def _array(tensor: Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(tensor.detach().cpu().numpy())


def _residual_block(features: Tensor, first: nn.Module, second: nn.Module) -> Tensor:
    """relu(input + two convolutions of it); where the shapes differ, zeros are appended."""
    main = second(functional.relu(first(features)))
    shortcut = functional.avg_pool2d(features, 2) if first.downsamples else features
    shape = [max(sizes) for sizes in zip(main.shape, shortcut.shape, strict=True)]
    return functional.relu(_zero_padded(main, shape) + _zero_padded(shortcut, shape))


def _zero_padded(features: Tensor, shape: Sequence[int]) -> Tensor:
    """With zeros after the last channel, below and to the right."""
    _, channels, height, width = (
        wanted - there for wanted, there in zip(shape, features.shape, strict=True)
    )
    if not (channels or height or width):
        return features
    return functional.pad(features, (0, width, 0, height, 0, channels))


def add_residual_blocks(trunk: Trunk, blocks: int, random: np.random.Generator) -> Trunk:
    """With more residual blocks before each of the last two downsamplings; they add 0 at first.

    (Chen et al., Net2Net, ICLR 2016: a deeper network begins with what a shallower one learned.)
    """
    first, *rest = trunk.convolutions
    pairs = list(zip(rest[::2], rest[1::2], strict=True))
    downsamplings = [place for place, (each, _) in enumerate(pairs) if each.stride != (1, 1)]
    for place in reversed(downsamplings[-2:]):
        channels = len(pairs[place - 1][1].filters)
        pairs[place:place] = [_new_block(channels, random) for _ in range(blocks)]
    return replace(trunk, convolutions=(first, *(each for pair in pairs for each in pair)))


def _new_block(channels: int, random: np.random.Generator) -> tuple[Convolution, Convolution]:
    shape, biases = (channels, channels, 3, 3), np.zeros(channels, dtype=np.float32)
    filters = random.normal(0, (2 / (9 * channels)) ** 0.5, shape).astype(np.float32)
    zeros = np.zeros(shape, dtype=np.float32)
    return (
        Convolution(filters, biases, (1, 1), (1, 1)),
        Convolution(zeros, biases, (1, 1), (1, 1)),
    )
