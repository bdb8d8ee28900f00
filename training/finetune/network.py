"""dlib's face network as a PyTorch module, to be trained further for several attributes at once."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.dlib_weights import Convolution

_DROPOUT = 0.2


class Network(nn.Module):
    """Chips → embeddings → a linear head per attribute.

    The trunk is the one `models.graphs.trunk_graph` builds: a convolution, a pool, then residual
    blocks of two convolutions.

    Args:
        convolutions: what the trunk starts from.
        classes: attribute → how many classes it has.
        frozen_blocks: how many of the lowest residual blocks keep their weights, with the first
            convolution; None trains that one too. What is frozen costs no backward pass.
    """

    def __init__(
        self,
        convolutions: Sequence[Convolution],
        classes: Mapping[str, int],
        frozen_blocks: int | None = None,
    ) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(_module(each) for each in convolutions)
        self.dropout = nn.Dropout(_DROPOUT)
        width = len(convolutions[-1].filters)
        self.heads = nn.ModuleList(nn.Linear(width, count) for count in classes.values())
        self._frozen = 0 if frozen_blocks is None else 1 + 2 * frozen_blocks
        for module in self.convolutions[: self._frozen]:
            module.requires_grad_(False)

    def forward(self, chips: Tensor) -> list[Tensor]:
        """`(n, 3, height, width)` BGR, 0 to 255 → the logits `(n, classes)` of each attribute."""
        embeddings = self.dropout(self.embed(chips))
        return [head(embeddings) for head in self.heads]

    def embed(self, chips: Tensor) -> Tensor:
        """`(n, 3, height, width)` BGR, 0 to 255 → `(n, width of the trunk)`."""
        layers = iter(self.convolutions)
        planes = functional.max_pool2d(functional.relu(next(layers)(chips)), 3, 2)
        for first, second in zip(layers, layers, strict=True):
            planes = _residual_block(planes, first, second)
        return planes.mean((2, 3))

    def trunk(self) -> tuple[Convolution, ...]:
        """The weights of the trunk as they are now."""
        return tuple(_weights(each) for each in self.convolutions)

    def parameter_groups(self, rate: float, head_rate: float) -> list[dict[str, object]]:
        """What an optimiser is to train, and at which rate."""
        trunk = [each for each in self.convolutions.parameters() if each.requires_grad]
        heads = list(self.heads.parameters())
        return [{"params": trunk, "lr": rate}, {"params": heads, "lr": head_rate}]


def _module(convolution: Convolution) -> nn.Conv2d:
    outputs, inputs, rows, columns = convolution.filters.shape
    module = nn.Conv2d(
        inputs, outputs, (rows, columns), convolution.stride, padding=convolution.padding
    )
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(convolution.filters.copy()))
        assert module.bias is not None
        module.bias.copy_(torch.from_numpy(convolution.biases.copy()))
    return module.to(memory_format=torch.channels_last)


def _weights(module: nn.Module) -> Convolution:
    assert isinstance(module, nn.Conv2d) and module.bias is not None
    (stride_y, stride_x), padding = module.stride, module.padding
    assert not isinstance(padding, str)
    return Convolution(
        filters=np.ascontiguousarray(module.weight.detach().cpu().numpy()),
        biases=module.bias.detach().cpu().numpy().copy(),
        stride=(stride_y, stride_x),
        padding=(padding[0], padding[1]),
    )


def _residual_block(planes: Tensor, first: nn.Module, second: nn.Module) -> Tensor:
    """relu(input + two convolutions of it); where the summands' shapes differ, zeros fill up."""
    main = second(functional.relu(first(planes)))
    shortcut = planes if first.stride == (1, 1) else functional.avg_pool2d(planes, 2)
    shape = [max(sizes) for sizes in zip(main.shape, shortcut.shape, strict=True)]
    return functional.relu(_filled(main, shape) + _filled(shortcut, shape))


def _filled(planes: Tensor, shape: Sequence[int]) -> Tensor:
    """With zeros behind the last channel, below and to the right."""
    _, channels, height, width = (
        wanted - there for wanted, there in zip(shape, planes.shape, strict=True)
    )
    if not (channels or height or width):
        return planes
    return functional.pad(planes, (0, width, 0, height, 0, channels))
